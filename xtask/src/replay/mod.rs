//! `cargo xtask replay`: signs webhook payloads as Meta does, posts them to a running stack and tells what became of each item.
//!
//! | module | what |
//! |---|---|
//! | `expect` | a file of expectations, and the report of what was found of them |
//! | `items` | the items of a payload, read from its raw text |
//! | `judge` | whether what is seen is what was expected |
//! | `observe` | what is seen: the API and the tables |

mod expect;
mod items;
mod judge;
mod observe;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::Timestamp;
use shared::db::settings::Settings;
use shared::domain::ingest::{self, Digest, Plan};
use shared::whatsapp::envelope::{Part, parts};
use shared::whatsapp::{signature, split, webhook};
use tokio_postgres::Client;

use self::expect::{Expectation, Outcome};
use crate::stack::StackFile;

/// How long nothing may happen before items count as missing.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a database that does not answer is waited for.
const OUTAGE: Duration = Duration::from_mins(15);
const POLL: Duration = Duration::from_millis(250);
/// How long an expected item may be nowhere after the others have arrived.
const GRACE: Duration = Duration::from_secs(15);

/// Posts webhook payloads to a running stack and prints what became of each item
#[derive(Args)]
pub(crate) struct Replay {
    /// Payload files, or folders with such files (*.json)
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The stack's folder
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Leave phone numbers that the stack does not know unknown, instead of giving them to the demo account
    #[arg(long)]
    no_register: bool,
    /// Check what became of the items: a file with one expected event a line, as JSON
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
}

/// A payload and what its items are.
struct Payload {
    path: PathBuf,
    items: Vec<Item>,
    status: u16,
}

struct Item {
    digest: Digest,
    what: String,
    outcome: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When a post was not answered with 200, an item is in no table, or an expectation is not met.
pub(crate) async fn run(root: &Path, command: &Replay) -> Result<()> {
    let folder = command.state_dir.clone().unwrap_or_else(|| root.join(".local"));
    let stack = StackFile::read(&folder)?;
    let files = find_files(&command.paths)?;
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let expectations = command
        .expect
        .as_ref()
        .map(|path| read_expectations(path, &paths))
        .transpose()?;
    let bodies = files
        .iter()
        .map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .collect::<Result<Vec<_>>>()?;
    if !command.no_register {
        register_numbers(&stack, &bodies).await?;
    }
    let mut payloads = Vec::new();
    let http = reqwest::Client::new();
    for (path, body) in files.into_iter().zip(&bodies) {
        let answer = http
            .post(&stack.webhook_url)
            .header(signature::HEADER, signature::sign(&stack.app_secret, body))
            .header("content-type", "application/json")
            .body(body.clone())
            .send()
            .await
            .with_context(|| format!("the stack at {} does not answer", stack.webhook_url))?;
        let status = answer.status().as_u16();
        let items = if status == 200 { items_of(body) } else { Vec::new() };
        payloads.push(Payload { path, items, status });
    }
    await_outcomes(&stack, &mut payloads).await?;
    let reported = report(&payloads);
    if let Some(expectations) = expectations {
        check(&stack, &bodies, &expectations).await?;
    }
    reported
}

fn read_expectations(path: &Path, posted: &[&Path]) -> Result<Vec<(Expectation, usize)>> {
    let lines = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (expectations, left_out) = expect::read(&lines, posted).with_context(|| path.display().to_string())?;
    if left_out > 0 {
        println!("{left_out} expectations are about other payloads");
    }
    Ok(expectations)
}

/// Checks the expectations through the API of the stack.
async fn check(stack: &StackFile, bodies: &[Vec<u8>], expectations: &[(Expectation, usize)]) -> Result<()> {
    let texts: Vec<&str> = bodies
        .iter()
        .map(|body| std::str::from_utf8(body).unwrap_or_default())
        .collect();
    let items: Vec<_> = texts.iter().map(|text| items::items(text)).collect();
    let numbers: HashSet<String> = texts.iter().flat_map(|text| items::phone_number_ids(text)).collect();
    let found = expect::find_items(expectations, &items);
    let posted = Timestamp::now();
    let begun = Instant::now();
    let database = connect(stack).await?;
    let judged = loop {
        let seen = observe::observe(stack, &database, &numbers).await?;
        let judged: Vec<(&Expectation, Outcome)> = found
            .iter()
            .map(|(expectation, item)| (*expectation, judge::judge(expectation, *item, &seen, posted)))
            .collect();
        // What is not seen yet may be on its way: the items' own waiting knows only what the ingest says of them.
        let mut both = found.iter().zip(&judged);
        let is_late = both.any(|((_, item), (_, outcome))| item.is_some() && *outcome == Outcome::Missing);
        if !is_late || begun.elapsed() > GRACE {
            break judged;
        }
        tokio::time::sleep(POLL).await;
    };
    print!("\n{}", expect::report(&judged));
    let failures = judged.iter().filter(|(_, outcome)| outcome.is_failure()).count();
    if failures > 0 {
        bail!("{failures} of {} expectations are not met", judged.len());
    }
    Ok(())
}

/// The files of the paths, in the order of their names.
fn find_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
            let mut entries: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
            entries.retain(|entry| entry.is_dir() || entry.extension().is_some_and(|ending| ending == "json"));
            entries.sort();
            files.extend(if entries.is_empty() {
                Vec::new()
            } else {
                find_files(&entries)?
            });
        } else if path.is_file() {
            files.push(path.clone());
        } else {
            bail!("{} is neither a file nor a folder", path.display());
        }
    }
    if files.is_empty() {
        bail!("no payload files (*.json) there");
    }
    Ok(files)
}

/// Gives the phone numbers that the payloads name, and nobody has, to the demo account: what comes for an unknown number is quarantined.
async fn register_numbers(stack: &StackFile, bodies: &[Vec<u8>]) -> Result<()> {
    const REGISTER: &str = "
        insert into phone_numbers (waba_id, phone_number_id, display_phone_number, verified_name, is_registered)
        select $1, $2::text, $2::text, 'Replayed', true where not exists (select 1 from phone_numbers where phone_number_id = $2::text)";
    let numbers: HashSet<String> = bodies
        .iter()
        .filter_map(|body| std::str::from_utf8(body).ok())
        .flat_map(parts)
        .filter_map(|part| match part {
            Part::Change(change) => change.phone_number_id(),
            Part::Malformed { .. } => None,
        })
        .collect();
    let client = connect(stack).await?;
    let mut registered = 0;
    for number in numbers {
        registered += client.execute(REGISTER, &[&stack.waba_id, &number]).await?;
    }
    if registered > 0 {
        println!("{registered} phone numbers registered for the demo account");
    }
    Ok(())
}

async fn connect(stack: &StackFile) -> Result<Client> {
    Ok(Settings::from_url(&stack.database_url)?.connect().await?)
}

/// The items as the consumer will see them.
fn items_of(body: &[u8]) -> Vec<Item> {
    let mut plan = Plan::default();
    for unit in split::split(body).unwrap_or_default() {
        match std::str::from_utf8(&unit.body) {
            Ok(text) => ingest::plan(webhook::parse(text), Timestamp::now(), &mut plan),
            Err(_) => plan
                .quarantined
                .push(ingest::Quarantined::opaque("invalid_utf8", unit.body)),
        }
    }
    let item = |digest, what| Item {
        digest,
        what,
        outcome: None,
    };
    let messages = plan
        .messages
        .iter()
        .map(|message| item(message.origin.digest, format!("message {}", message.message_type)));
    let statuses = plan
        .statuses
        .iter()
        .map(|event| item(event.origin.digest, format!("status {}", event.status.as_str())));
    let events = plan
        .events
        .iter()
        .map(|event| item(event.origin.digest, format!("event {}", event.what.kind())));
    // Applied, and kept raw.
    let contacts = plan.facts.iter().filter_map(|fact| {
        let origin = fact.origin.as_ref()?;
        Some(item(origin.digest, format!("contact {}", fact.name)))
    });
    let others = plan
        .quarantined
        .iter()
        .map(|other| item(other.digest, "other".to_owned()));
    messages
        .chain(statuses)
        .chain(events)
        .chain(contacts)
        .chain(others)
        .collect()
}

/// Looks the items up until each is found, or nothing has happened for a while.
async fn await_outcomes(stack: &StackFile, payloads: &mut [Payload]) -> Result<()> {
    const FIND: &str = "
        select digest, 'stored' from chat_message_sources where digest = any($1)
        union all select digest, 'stored' from chat_message_events where digest = any($1)
        union all select digest, 'quarantined: ' || reason from chat_quarantine where digest = any($1)";
    let (mut progress, mut answered) = (Instant::now(), Instant::now());
    loop {
        let missing: Vec<Vec<u8>> = payloads
            .iter()
            .flat_map(|payload| &payload.items)
            .filter(|item| item.outcome.is_none())
            .map(|item| item.digest.to_vec())
            .collect();
        if missing.is_empty() || progress.elapsed() > PATIENCE {
            return Ok(());
        }
        let found = async { anyhow::Ok(connect(stack).await?.query(FIND, &[&missing]).await?) }.await;
        match found {
            Ok(rows) => {
                answered = Instant::now();
                if !rows.is_empty() {
                    progress = Instant::now();
                }
                let outcomes: BTreeMap<Vec<u8>, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
                for item in payloads.iter_mut().flat_map(|payload| &mut payload.items) {
                    if let Some(outcome) = outcomes.get(item.digest.as_slice()) {
                        item.outcome = Some(outcome.clone());
                    }
                }
            }
            Err(error) if answered.elapsed() > OUTAGE => return Err(error.context("the database does not answer")),
            // An outage is not the items' fault; their time begins when the database is back.
            Err(_) => progress = Instant::now(),
        }
        tokio::time::sleep(POLL).await;
    }
}

fn report(payloads: &[Payload]) -> Result<()> {
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    let (mut missing, mut refused) = (0, 0);
    for payload in payloads {
        println!("{} {}", payload.status, payload.path.display());
        refused += usize::from(payload.status != 200);
        for item in &payload.items {
            let outcome = item.outcome.as_deref().unwrap_or("MISSING");
            missing += usize::from(item.outcome.is_none());
            println!("    {}: {outcome}", item.what);
            let kind = item.what.split(' ').next().unwrap_or_default();
            let end = outcome.split(':').next().unwrap_or_default();
            *totals.entry(format!("{kind} {end}")).or_default() += 1;
        }
    }
    let totals: Vec<String> = totals.iter().map(|(what, count)| format!("{count} {what}")).collect();
    println!("{} payloads; items: {}", payloads.len(), totals.join(", "));
    if refused > 0 || missing > 0 {
        bail!("{refused} payloads were not answered with 200, {missing} items are in no table");
    }
    Ok(())
}
