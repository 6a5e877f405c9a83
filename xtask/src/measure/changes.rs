//! How long `changes` takes when the log is long.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use shared::db::settings::Settings;
use shared::db::{changes, migrations};
use shared::domain::change::{Cursor, Snapshot};
use tokio_postgres::Client;
use uuid::Uuid;

use super::percentile;
use crate::stack::{StackFile, connect};

/// How often each question is asked.
const TIMES: usize = 200;
const CONVERSATIONS: u32 = 5_000;
/// The size of a page.
const PAGE: i64 = 100;

/// What a page may ask: how many changes lie behind its cursor, and what that is.
const QUESTIONS: [(u32, &str); 3] = [
    (0, "nothing new"),
    (10, "ten changes"),
    (u32::MAX, "the first page of all"),
];

/// Prints the medians in a database of so many messages, and of a hundredth.
///
/// # Errors
/// When the stack's PostgreSQL does not do it.
pub(super) async fn measure(stack: &StackFile, messages: u32) -> Result<()> {
    let mut medians = Vec::new();
    for messages in [messages / 100, messages] {
        let name = format!("measured_{}", Uuid::new_v4().simple());
        let server = connect(&stack.database_url).await?;
        server.batch_execute(&format!("create database {name}")).await?;
        let (base, _) = stack.database_url.rsplit_once('/').context("the database has a URL")?;
        let measured = measure_database(&format!("{base}/{name}?sslmode=disable"), messages).await;
        server
            .batch_execute(&format!("drop database {name} with (force)"))
            .await?;
        medians.push(measured?);
    }
    for (index, (_, what)) in QUESTIONS.iter().enumerate() {
        let [small, large] = [&medians[0], &medians[1]].map(|medians| medians[index].as_secs_f64() * 1000.0);
        println!(
            "{what}: {small:.2} ms at {} messages, {large:.2} ms at {messages} ({:.2} x)",
            messages / 100,
            large / small
        );
    }
    Ok(())
}

async fn measure_database(url: &str, messages: u32) -> Result<Vec<Duration>> {
    migrations::run(&Settings::from_url(url)?).await?;
    let client = connect(url).await?;
    let user = fill(&client, messages).await?;
    let mut medians = Vec::new();
    for (behind, what) in QUESTIONS {
        let cursor = cursor(&client, behind).await?;
        let mut durations = Vec::new();
        for _ in 0..TIMES {
            let begun = Instant::now();
            let page = changes::list(&client, user, &cursor, PAGE, Timestamp::now()).await?;
            durations.push(begun.elapsed());
            let told = page.context("the cursor is too old")?.changes.len();
            ensure!(told >= usize::try_from(behind.min(100))?, "{what}: only {told} changes");
        }
        durations.sort_unstable();
        medians.push(percentile(&durations, 50));
    }
    Ok(medians)
}

/// Messages of one account, each of which changed since its page last looked.
async fn fill(client: &Client, messages: u32) -> Result<Uuid> {
    let user = Uuid::new_v4();
    println!("Filling a database with {messages} messages");
    // The log is written at once instead of by the triggers.
    client
        .batch_execute(&format!(
            r#"insert into users (id) values ('{user}');
               insert into waba_accounts (waba_id, user_id) values ('1', '{user}');
               insert into phone_numbers (waba_id, phone_number_id) values ('1', '2');
               alter table chat_messages disable trigger user;
               alter table chat_conversations disable trigger user;
               insert into chat_conversations (waba_id, phone_number_id, customer_phone)
               select '1', '2', '+1555' || n from generate_series(1, {CONVERSATIONS}) n;
               insert into chat_messages (conversation_id, message_id, wa_message_id, content, sender, status, "timestamp")
               select 1 + n % {CONVERSATIONS}, md5(n::text)::uuid::text, 'wamid.' || n, 'Message ' || n, 'customer', 'read',
                      now() - n * interval '1 second'
               from generate_series(1, {messages}) n;
               insert into chat_changes (waba_id, phone_number_id, entity, action, conversation_id, message_id)
               select '1', '2', 'message', 'created', conversation_id, id from chat_messages order by id;
               analyze"#
        ))
        .await?;
    // Changes of later transactions, which most questions are about.
    for turn in 1..=10 {
        let change = "insert into chat_changes (waba_id, phone_number_id, entity, action, conversation_id, message_id)
                      select '1', '2', 'message', 'updated', conversation_id, id from chat_messages where id = $1";
        client.execute(change, &[&i64::from(messages / 10 * turn)]).await?;
    }
    Ok(user)
}

/// The cursor of a page behind which so many of the last transactions lie.
async fn cursor(client: &Client, behind: u32) -> Result<Cursor> {
    const SEEN: &str = "
        select l.generation, coalesce((select min(xid::text::bigint) from
                 (select distinct xid from chat_changes order by xid desc limit $1) last), pg_snapshot_xmax(s)::text::bigint)
        from chat_change_log l cross join pg_current_snapshot() s";
    let limit = i64::from(behind.min(11));
    let row = client.query_one(SEEN, &[&limit]).await?;
    let next: i64 = row.get(1);
    Ok(Cursor {
        generation: row.get(0),
        seen: Snapshot {
            next: u64::try_from(next)?,
            running: Vec::new(),
        },
        seconds: Timestamp::now().as_second(),
        progress: None,
        numbers: None,
    })
}
