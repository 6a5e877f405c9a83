//! The database: how it is reached, whether its schema is ours, who else can read it, and what is owed.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use shared::db::gauges::{self, Owed};
use shared::db::health::{self, Due};
use shared::db::migrations;
use shared::db::settings::Protection;
use shared::metrics::Work;
use tokio_postgres::Client;

use super::{Report, name_some};
use crate::installation::Installation;

/// The clocks strike each minute; work that is due for longer is left behind (seconds).
const PATIENCE_S: i64 = 15 * 60;
const OLDEST_SERVER: i32 = 13;

/// Connects, and looks at the way and at what is behind it. `None` where nothing is.
pub(super) async fn connect(installation: &Installation, report: &mut Report) -> Option<Client> {
    let part = "database";
    let connected = async {
        let settings = installation.database()?;
        let protection = settings.protection().await?;
        let (one, other) = (settings.connect().await?, settings.connect().await?);
        let server = health::find_server(&one, &other).await?;
        anyhow::Ok((one, protection, server))
    };
    let (client, protection, server) = match connected.await {
        Ok(found) => found,
        Err(error) => {
            let remedy = "Look at its address, its password, the network and DATABASE_CA; nothing works without it";
            report.bad(part, format!("no connection: {error:#}"), remedy);
            return None;
        }
    };
    let way = match protection {
        Protection::Verified => "TLS, verified",
        Protection::ThisMachine => "plain, on this machine",
        Protection::None => {
            report.bad(
                part,
                "the way to it is not encrypted",
                "Take sslmode=disable out of its URL",
            );
            "plain"
        }
    };
    let pooler = if server.is_pooled {
        "; through a pooler in transaction mode, which works"
    } else {
        ""
    };
    let version = format!("PostgreSQL {}; {way}{pooler}", server.version);
    if server.major >= OLDEST_SERVER {
        report.good(part, version);
    } else {
        report.bad(part, version, "PostgreSQL 13 is the oldest that works");
    }
    Some(client)
}

pub(super) async fn examine(client: &Client, silent_days: i64, report: &mut Report) {
    for (part, checked) in [
        ("schema", schema(client, report).await),
        ("exposed tables", exposure(client, report).await),
        ("owed work", overdue(client, report).await),
        ("accounts", holds(client, report).await),
        ("numbers", numbers(client, silent_days, report).await),
    ] {
        if let Err(error) = checked {
            report.bad(part, format!("{error:#}"), "Bring the schema up to date and look again");
        }
    }
}

async fn schema(client: &Client, report: &mut Report) -> Result<()> {
    let pending = migrations::list_pending(client).await?;
    if pending.is_empty() {
        report.good("schema", "up to date");
    } else {
        let what = format!("it lacks {}", name_some(&pending));
        report.bad("schema", what, "Deploy this release, or run `cargo xtask migrate`");
    }
    Ok(())
}

async fn exposure(client: &Client, report: &mut Report) -> Result<()> {
    let part = "exposed tables";
    let (tables, readers) = (
        migrations::exposed_tables(client).await?,
        health::readers_of_tokens(client).await?,
    );
    if !tables.is_empty() {
        let what = format!("browsers can reach {} through Supabase's roles", tables.join(", "));
        report.bad(part, what, "`alter table … enable row level security`");
    }
    if !readers.is_empty() {
        let what = format!("waba_accounts.access_token can be read by {}", readers.join(" and "));
        let remedy = "Revoke `select` on the table from them, and grant it on the columns that browsers need";
        report.bad(part, what, remedy);
    }
    if tables.is_empty() && readers.is_empty() {
        report.good(part, "none");
    }
    Ok(())
}

async fn overdue(client: &Client, report: &mut Report) -> Result<()> {
    let part = "owed work";
    let mut all = health::list_due(client).await?;
    for (work, what) in [
        (Work::Sends, "messages to send"),
        (Work::Media, "files to fetch"),
        (Work::Pushes, "notifications"),
        (Work::Unpublished, "changes that no page was told of"),
    ] {
        let Owed { count, oldest_s } = gauges::owed(client, work).await?;
        all.push(Due {
            what: what.to_owned(),
            count,
            oldest_s,
        });
    }
    all.retain(|due| due.oldest_s > PATIENCE_S);
    for due in &all {
        let oldest = SignedDuration::from_secs(due.oldest_s);
        let what = format!("{} {} are due, the oldest for {oldest:#}", due.count, due.what);
        report.bad(
            part,
            what,
            "Look at the clocks, at the functions' logs and at the other checks",
        );
    }
    if all.is_empty() {
        report.good(part, "nothing waits longer than it should");
    }
    Ok(())
}

async fn holds(client: &Client, report: &mut Report) -> Result<()> {
    let part = "accounts";
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (reason, whose) in health::list_holds(client).await? {
        by_reason.entry(reason).or_default().push(whose);
    }
    for (reason, held) in &by_reason {
        let remedy = match reason.as_str() {
            "reconnect_required" => "Give them a token that works: their messages go on by themselves",
            "payment_required" => "Look at the payment settings in Meta's business manager",
            "registration_required" => "Register the number at Meta again",
            _ => "Look at the account in Meta's business manager",
        };
        report.bad(part, format!("{reason}: {}", name_some(held)), remedy);
    }
    if by_reason.is_empty() {
        report.good(part, "nothing keeps one from sending");
    }
    Ok(())
}

async fn numbers(client: &Client, silent_days: i64, report: &mut Report) -> Result<()> {
    let part = "numbers";
    let numbers = health::list_numbers(client).await?;
    let silent_since = Timestamp::now() - SignedDuration::from_hours(24 * silent_days);
    let names = |pick: &dyn Fn(&health::HeardNumber) -> bool| -> Vec<String> {
        let picked = numbers.iter().filter(|number| pick(number));
        picked.map(|number| number.phone_number_id.clone()).collect()
    };
    let unregistered = names(&|number| !number.is_registered);
    let silent = names(&|number| number.is_registered && number.last_webhook_at.is_none_or(|at| at < silent_since));
    if !unregistered.is_empty() {
        let what = format!("not registered: {}", name_some(&unregistered));
        report.bad(part, what, "Register them at Meta, and set is_registered");
    }
    if !silent.is_empty() {
        let what = format!("nothing was heard for {silent_days} days of {}", name_some(&silent));
        let remedy = "Where customers write to them, look at the webhook's URL and fields in Meta's dashboard";
        report.bad(part, what, remedy);
    }
    if unregistered.is_empty() && silent.is_empty() {
        report.good(
            part,
            format!("{} registered, and webhooks come for each", numbers.len()),
        );
    }
    Ok(())
}
