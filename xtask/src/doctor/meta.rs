//! What Meta says of each account: whether its token works, and whether an app gets its webhooks.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use shared::db::accounts;
use shared::edge::graph::Graph;
use shared::tokens::Tokens;
use tokio_postgres::Client;

use super::{Report, name_some};
use crate::installation::Installation;
use crate::tokens::check::{describe, describe_refusal};

/// Accounts that Graph is asked for at once.
const AT_ONCE: usize = 8;
/// Accounts that are looked at in one go.
const BATCH: i64 = 500;

/// What came of one account.
enum Account {
    NoToken(String),
    NoApps(String),
    Apps(Vec<String>),
}

pub(super) async fn examine(installation: &Installation, client: &Client, report: &mut Report) {
    let (tokens_part, apps_part) = ("tokens", "webhook subscriptions");
    let Some(ring) = installation.setting("TOKEN_KEYS_SECRET_ARN") else {
        report.unset(tokens_part, "TOKEN_KEYS_SECRET_ARN", "TokenKeysSecretArn");
        report.unchecked(apps_part, "it takes the accounts' tokens");
        return;
    };
    let graph = match installation.graph() {
        Ok(graph) => graph,
        Err(error) => {
            report.bad(tokens_part, format!("{error:#}"), "Set it right");
            return;
        }
    };
    let tokens = Tokens::new(installation.secrets(), ring);
    let (mut count, mut after) = (0, String::new());
    let (mut broken, mut deaf): (BTreeMap<String, Vec<String>>, BTreeMap<String, Vec<String>>) = Default::default();
    let mut apps = BTreeSet::new();
    loop {
        let Ok(batch) = accounts::list_tokens(client, &after, BATCH).await else {
            report.bad(tokens_part, "the accounts cannot be read", "Look at the database");
            return;
        };
        let Some((last, _)) = batch.last() else { break };
        after.clone_from(last);
        let mut asked = stream::iter(batch)
            .map(async |(waba_id, stored)| (ask(&graph, &tokens, &waba_id, stored.as_deref()).await, waba_id))
            .buffered(AT_ONCE);
        while let Some((account, waba_id)) = asked.next().await {
            count += 1;
            match account {
                Account::NoToken(why) => broken.entry(why).or_default().push(waba_id),
                Account::NoApps(why) => deaf.entry(why).or_default().push(waba_id),
                Account::Apps(found) => apps.extend(found),
            }
        }
    }
    for (why, accounts) in &broken {
        let what = format!("{why}: accounts {}", name_some(accounts));
        report.bad(tokens_part, what, "Connect them again, then `cargo xtask tokens check`");
    }
    if broken.is_empty() {
        report.good(tokens_part, format!("{count} accounts, each has one that works"));
    }
    for (why, accounts) in &deaf {
        let what = format!("{why}: accounts {}", name_some(accounts));
        report.bad(
            apps_part,
            what,
            "POST /{waba_id}/subscribed_apps with the account's token",
        );
    }
    if deaf.is_empty() {
        let apps: Vec<String> = apps.into_iter().collect();
        report.good(apps_part, format!("these apps get webhooks: {}", name_some(&apps)));
    }
}

async fn ask(graph: &Graph, tokens: &Tokens, waba_id: &str, stored: Option<&str>) -> Account {
    let token = match tokens.resolve(waba_id, stored).await {
        Ok(token) => token,
        Err(error) => return Account::NoToken(describe(&error).to_owned()),
    };
    if let Err(error) = graph.check_token(&token, waba_id).await {
        return Account::NoToken(describe_refusal(&error));
    }
    match graph.list_subscribed_apps(&token, waba_id).await {
        Ok(apps) if apps.is_empty() => Account::NoApps("no app gets their webhooks".to_owned()),
        Ok(apps) => Account::Apps(apps),
        Err(error) => Account::NoApps(describe_refusal(&error)),
    }
}
