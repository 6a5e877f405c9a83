//! `tokens check`: which accounts can be sent for.

use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::{StreamExt, stream};
use shared::db::outbound;
use shared::edge::graph::GraphError;
use shared::edge::secrets::Secrets;
use shared::tokens::{TokenError, Tokens};

use super::Installation;

/// Accounts that Graph is asked for at once.
const AT_ONCE: usize = 8;
/// A secret is read once in a run.
const SECRETS_TTL: Duration = Duration::from_hours(1);

pub(super) async fn run(installation: &Installation) -> Result<()> {
    let secrets = Secrets::new(&installation.aws, SECRETS_TTL);
    let tokens = Tokens::new(secrets, installation.ring.arn().to_owned());
    let (mut all, mut broken) = (0, 0);
    let mut after = String::new();
    loop {
        let accounts = installation.next_accounts(&mut after).await?;
        if accounts.is_empty() {
            break;
        }
        let mut checked = stream::iter(accounts)
            .map(async |(waba_id, stored)| {
                let trouble = find_trouble(installation, &tokens, &waba_id, stored.as_deref()).await;
                (waba_id, stored, trouble)
            })
            .buffered(AT_ONCE);
        while let Some((waba_id, stored, trouble)) = checked.next().await {
            all += 1;
            if let Some(trouble) = trouble {
                broken += 1;
                println!("{waba_id} {trouble}");
                continue;
            }
            let stored = stored.unwrap_or_default();
            if outbound::release_working(&installation.database, &waba_id, &stored).await? {
                println!("{waba_id} ok, its messages were held and go on");
            } else {
                println!("{waba_id} ok");
            }
        }
    }
    if broken > 0 {
        bail!("{broken} of {all} accounts have no token that works");
    }
    Ok(())
}

/// Why an account's token does not work.
async fn find_trouble(
    installation: &Installation,
    tokens: &Tokens,
    waba_id: &str,
    stored: Option<&str>,
) -> Option<String> {
    let token = match tokens.resolve(waba_id, stored).await {
        Ok(token) => token,
        Err(error) => return Some(describe(&error).to_owned()),
    };
    let answer = installation.graph.check_token(&token, waba_id).await;
    answer.err().map(|error| describe_refusal(&error))
}

/// What Graph said, by its code: its words may quote anything.
pub(crate) fn describe_refusal(error: &GraphError) -> String {
    match error {
        GraphError::Refused { status, error, .. } => match error.code {
            Some(code) => format!("refused {code}"),
            None => format!("refused HTTP {status}"),
        },
        GraphError::Unreachable | GraphError::Unanswered => "Graph unreachable".to_owned(),
    }
}

/// Without the names of secrets: what looks like one may be a token.
pub(crate) fn describe(error: &TokenError) -> &'static str {
    match error {
        TokenError::Missing => "no token",
        TokenError::Plaintext => "plain text, which is not sent with: `tokens encrypt` encrypts it",
        TokenError::Malformed | TokenError::UnknownKey(_) | TokenError::Undecryptable => "cannot be decrypted",
        TokenError::Ring(_) => "cannot be decrypted: the key ring is malformed",
        TokenError::NoSecret(_) | TokenError::Secret(_) => "cannot be read from Secrets Manager",
    }
}
