//! `cargo xtask quarantine`: what the ingest kept raw, for the operator who has to know why, and a second try once the cause is gone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};
use shared::config;
use shared::db::ingest::{Replayed, replay_quarantined};
use shared::db::quarantine::{self, Entry, Filter};
use shared::db::settings::Settings;
use tokio_postgres::Client;

use crate::show;
use crate::stack::StackFile;

/// How many rows go through the ingest in one call: each call is bounded in time, and what is done stays done.
const PORTION: usize = 100;

/// What could not be applied and is kept raw. `DATABASE_URL` names the installation; without it, it is the local stack
#[derive(Args)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    action: Action,
    /// The local stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Lists the rows, newest first, and counts them by reason. Never shows their content
    List(List),
    /// Shows a row with its content
    Show {
        /// The row's id
        id: i64,
    },
    /// Puts rows through the ingest again; what still cannot be applied goes back to the quarantine
    Replay(Selection),
}

#[derive(Args)]
struct List {
    /// Only this reason, or those that begin with it and a colon (`field`: every `field:…`)
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only this business phone number
    #[arg(long, value_name = "ID")]
    phone_number_id: Option<String>,
    /// Only what came within this time (`2h`, `3 days`), or since this one (`2026-11-23`, `2026-11-23T09:00:00Z`)
    #[arg(long, value_name = "DURATION|TIME")]
    since: Option<String>,
    /// How many rows are listed; all are counted
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(0..))]
    limit: i64,
    /// Also what was understood and applied, and is kept raw as well
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selection {
    /// These rows
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    /// All rows of this reason, or of those that begin with it and a colon
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// All rows but those that were applied and are kept raw as well
    #[arg(long)]
    everything: bool,
}

/// Runs the command.
///
/// # Errors
/// When there is no database, or no row of an id.
pub(crate) async fn run(root: &Path, command: &Quarantine) -> Result<()> {
    let folder = command.state_dir.clone().unwrap_or_else(|| root.join(".local"));
    let mut client = Settings::from_url(&database_url(&folder)?)?
        .connect()
        .await
        .context("no connection to the database")?;
    match &command.action {
        Action::List(command) => list(&client, command).await,
        Action::Show { id } => show_row(&client, *id).await,
        Action::Replay(selection) => replay(&mut client, selection).await,
    }
}

fn database_url(stack_folder: &Path) -> Result<String> {
    match config::optional("DATABASE_URL") {
        Some(url) => Ok(url),
        None => Ok(StackFile::read(stack_folder)
            .context("DATABASE_URL is not set, and there is no local stack to take it from")?
            .database_url),
    }
}

async fn list(client: &Client, command: &List) -> Result<()> {
    let since = command.since.as_deref().map(|text| since(text, Timestamp::now()));
    let filter = Filter {
        reason: command.reason.clone(),
        phone_number_id: command.phone_number_id.clone(),
        since: since.transpose()?,
        with_applied: command.all,
    };
    let rows = quarantine::list(client, &filter, command.limit).await?;
    let counts = quarantine::count_by_reason(client, &filter).await?;
    print!("{}", table(&rows));
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    if usize::try_from(total).is_ok_and(|total| total > rows.len()) {
        println!("… {} of {total} rows (--limit)", rows.len());
    }
    println!();
    for (reason, count) in &counts {
        println!("{count:>8}  {}", show::line(reason));
    }
    println!("{total:>8}  rows");
    Ok(())
}

/// Rows in columns as wide as their widest value.
fn table(rows: &[Entry]) -> String {
    let heads = [
        "id",
        "received_at",
        "reason",
        "source",
        "field",
        "waba_id",
        "phone_number_id",
        "size",
    ];
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        [
            row.id.to_string(),
            format!("{:.0}", row.received_at),
            show::line(&row.reason),
            show::line(&row.source),
            show::optional(row.field.as_ref()),
            show::optional(row.waba_id.as_ref()),
            show::optional(row.phone_number_id.as_ref()),
            row.size.to_string(),
        ]
    }));
    show::columns(&lines)
}

async fn show_row(client: &Client, id: i64) -> Result<()> {
    let row = quarantine::find(client, id)
        .await?
        .with_context(|| format!("the quarantine has no row {id}"))?;
    let entry = &row.entry;
    for (name, value) in [
        ("id", entry.id.to_string()),
        ("received_at", entry.received_at.to_string()),
        ("reason", show::line(&entry.reason)),
        ("source", show::line(&entry.source)),
        ("field", show::optional(entry.field.as_ref())),
        ("waba_id", show::optional(entry.waba_id.as_ref())),
        ("phone_number_id", show::optional(entry.phone_number_id.as_ref())),
        ("digest", hex::encode(&row.digest)),
        ("size", format!("{} bytes", entry.size)),
    ] {
        println!("{name:<16} {value}");
    }
    println!("\n{}", show::body(&row.body));
    Ok(())
}

async fn replay(client: &mut Client, selection: &Selection) -> Result<()> {
    let ids = select(client, selection).await?;
    let mut total = Replayed::default();
    let mut gone = 0;
    // The list was made before: what goes back to the quarantine is not taken a second time.
    for portion in ids.chunks(PORTION) {
        let replayed = replay_quarantined(client, portion, Timestamp::now())
            .await
            .with_context(|| format!("after {} rows were applied", total.applied))?;
        total.applied += replayed.applied;
        total.quarantined += replayed.quarantined;
        gone += portion.len().saturating_sub(replayed.applied + replayed.quarantined);
    }
    println!(
        "{} rows: {} applied, {} back in the quarantine",
        ids.len(),
        total.applied,
        total.quarantined
    );
    if gone > 0 {
        println!("{gone} were taken by somebody else meanwhile");
    }
    Ok(())
}

/// The rows to replay.
async fn select(client: &Client, selection: &Selection) -> Result<Vec<i64>> {
    if selection.ids.is_empty() {
        let filter = Filter {
            reason: selection.reason.clone(),
            ..Filter::default()
        };
        return Ok(quarantine::ids(client, &filter).await?);
    }
    let existing = quarantine::existing(client, &selection.ids).await?;
    let absent: Vec<String> = selection
        .ids
        .iter()
        .filter(|id| !existing.contains(id))
        .map(i64::to_string)
        .collect();
    if !absent.is_empty() {
        bail!("the quarantine has no row {}; nothing was replayed", absent.join(", "));
    }
    Ok(existing)
}

/// A time, a date (UTC), or a duration before `now`.
fn since(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<Date>() {
        return Ok(date.to_zoned(TimeZone::UTC)?.timestamp());
    }
    let ago = || {
        let span: Span = text.parse().ok()?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        now.checked_sub(duration.abs()).ok()
    };
    ago().with_context(|| {
        format!("--since {text:?} is neither a duration (2h, 3 days) nor a time (2026-11-23T09:00:00Z)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_time_a_date_or_how_long_ago() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z"),
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("90m", "2026-11-23T10:30:00Z"),
            ("2h 30m", "2026-11-23T09:30:00Z"),
            ("3 days", "2026-11-20T12:00:00Z"),
            ("1 week", "2026-11-16T12:00:00Z"),
        ] {
            assert_eq!(since(text, now).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "yesterday", "3", "1 month", "2026-13-01", "175000000 h"] {
            assert!(since(text, now).is_err(), "{text}");
        }
    }
}
