//! `chat_changes`: what changed, for pages that were cut off and for those that are open. Triggers keep the log; nobody has to remember it.

mod entry;
mod news;

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

pub use news::{News, Taken, forget_unpublished, take_unpublished};

use self::entry::{entry, load, xid};
use super::{DbError, accounts};
use crate::domain::change::{Change, Cursor, Numbers, Progress, Snapshot};
use crate::domain::conversation::PhoneNumber;

/// How long changes are kept.
const RETENTION: &str = "interval '3 days'";
/// How old a cursor may be. A transaction that was running when it was made, and wrote before, is in the log for as long.
const CURSOR_AGE: SignedDuration = SignedDuration::from_hours(48);

/// A page of changes.
#[derive(Debug)]
pub struct Page {
    /// In the order in which they are to be taken.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub next: Cursor,
    /// Whether there are more now.
    pub has_more: bool,
}

/// Empties the log, so that no cursor is of use any more and every page loads anew. What a database that was restored to an earlier time has
/// lost, no log tells.
///
/// # Errors
/// When the database does not answer; nothing changed then.
pub async fn reset(client: &mut Client) -> Result<(), DbError> {
    const RESET: &str =
        "truncate chat_changes, chat_unpublished; update chat_change_log set generation = gen_random_uuid()";
    let transaction = client.transaction().await?;
    transaction.batch_execute(RESET).await?;
    transaction.commit().await?;
    Ok(())
}

fn texts(xids: &[u64]) -> Vec<String> {
    xids.iter().map(u64::to_string).collect()
}

/// The present cursor of this agent: nothing before it is a change any more.
///
/// # Errors
/// When the database does not answer.
pub async fn present(client: &Client, user_id: Uuid, now: Timestamp) -> Result<Cursor, DbError> {
    // The cursor is read first: what changes meanwhile is new to it.
    let (generation, seen) = log(client).await?;
    let numbers = accounts::list_numbers(client, user_id, now).await?;
    Ok(Cursor {
        generation,
        seen,
        seconds: now.as_second(),
        progress: None,
        numbers: Some(digest(&numbers)),
    })
}

/// The log's generation, and what a reader sees now.
async fn log(client: &Client) -> Result<(Uuid, Snapshot), DbError> {
    const LOG: &str = "
        select (select generation from chat_change_log), pg_snapshot_xmax(s)::text::bigint,
               array(select x::text::bigint from pg_snapshot_xip(s) x)
        from pg_current_snapshot() s";
    let row = client.query_typed(LOG, &[]).await?;
    let row = row
        .first()
        .ok_or_else(|| DbError::Row("chat_change_log has no row".to_owned()))?;
    Ok((row.try_get(0)?, snapshot(row, 1)?))
}

fn snapshot(row: &Row, at: usize) -> Result<Snapshot, DbError> {
    let running: Vec<i64> = row.try_get(at + 1)?;
    Ok(Snapshot {
        next: xid(row.try_get(at)?),
        running: running.into_iter().map(xid).collect(),
    })
}

/// What changed for this agent since `after`; `None` where that is too old to be answered, or the agent has other phone numbers since.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &Client,
    user_id: Uuid,
    after: &Cursor,
    limit: i64,
    now: Timestamp,
) -> Result<Option<Page>, DbError> {
    // What a cursor has not seen are the transactions that were running then, and later ones: two ranges of the index, so that nothing is
    // read that it has seen. Of several pages the later ones go on within what the first one saw. Numbers are compared instead.
    const LIST: &str = "
        select (select generation from chat_change_log), pg_snapshot_xmax(s.now)::text::bigint,
               array(select x::text::bigint from pg_snapshot_xip(s.now) x),
               c.xid::text::bigint, c.id, c.entity, c.action, c.conversation_id, c.message_id, c.phone_number_id
        from (select pg_current_snapshot() as now) s
        left join lateral (
          select c.*
          from (select distinct waba_id::text from waba_accounts where user_id = $1) a
          cross join lateral (
            (select * from chat_changes c
             where c.waba_id = a.waba_id and c.entity <> 'phone_number' and c.xid = any($2::text[]::xid8[]) and (c.xid, c.id) > ($4::text::xid8, $5)
               and ($6::text is null or c.xid < $6::text::xid8 and c.xid <> all($7::text[]::xid8[]))
             order by c.xid, c.id limit $8)
            union all
            (select * from chat_changes c
             where c.waba_id = a.waba_id and c.entity <> 'phone_number' and c.xid < pg_snapshot_xmax(s.now)
               and (c.xid, c.id) > ($3::text::xid8, $9)
               and ($6::text is null or c.xid < $6::text::xid8 and c.xid <> all($7::text[]::xid8[]))
             order by c.xid, c.id limit $8)
          ) c
          order by c.xid, c.id limit $8
        ) c on true
        order by c.xid, c.id";
    let age = now.as_second().saturating_sub(after.seconds);
    if age > CURSOR_AGE.as_secs() {
        return Ok(None);
    }
    let progress = after.progress.as_ref();
    let (after_xid, row_id) = progress.map_or((0, 0), |progress| progress.row);
    // One bound: of two, PostgreSQL may take the one from which it has to read the whole log.
    let start = (after_xid, row_id).max((after.seen.next - 1, i64::MAX));
    let until = progress.map(|progress| progress.until.next.to_string());
    let running = progress.map(|progress| texts(&progress.until.running));
    let rows = client
        .query_typed(
            LIST,
            &[
                (&user_id, Type::UUID),
                (&texts(&after.seen.running), Type::TEXT_ARRAY),
                (&start.0.to_string(), Type::TEXT),
                (&after_xid.to_string(), Type::TEXT),
                (&row_id, Type::INT8),
                (&until, Type::TEXT),
                (&running.unwrap_or_default(), Type::TEXT_ARRAY),
                (&(limit + 1), Type::INT8),
                (&start.1, Type::INT8),
            ],
        )
        .await?;
    let first = rows.first().ok_or_else(|| DbError::Row("no snapshot".to_owned()))?;
    let (generation, present): (Uuid, _) = (first.try_get(0)?, snapshot(first, 1)?);
    // One that saw more than there is comes from before a backup was restored.
    if generation != after.generation || after.seen.next > present.next {
        return Ok(None);
    }
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.try_get::<_, Option<i64>>(3)?.is_some() {
            entries.extend(entry(row, 3)?);
        }
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let is_full = entries.len() > limit;
    entries.truncate(limit);

    let mut changes = load(client, user_id, &entries, present.version()).await?;
    for change in &mut changes {
        change.1.cursor = Some(after.at(change.0, &present).to_text());
    }
    let mut changes: Vec<Change> = changes.into_iter().map(|(_, change)| change).collect();
    let last = entries.last().filter(|_| is_full).map(|entry| entry.row);
    // The last of several pages ends where the first one began to look, which may be long ago.
    let has_more = is_full || progress.is_some();
    let mut next = match (last, progress) {
        (Some(row), _) => after.at(row, &present),
        (None, Some(progress)) => Cursor {
            seen: progress.until.clone(),
            progress: None,
            ..after.clone()
        },
        (None, None) => Cursor {
            seen: present,
            seconds: now.as_second(),
            ..after.clone()
        },
    };
    if !has_more {
        let numbers = accounts::list_numbers(client, user_id, now).await?;
        let digest = digest(&numbers);
        if after.numbers.is_some_and(|before| before.ids != digest.ids) {
            return Ok(None);
        }
        next.numbers = Some(digest);
        if after.numbers.map(|before| before.state) != Some(digest.state) {
            let cursor = next.to_text();
            changes.extend(numbers.into_iter().map(|number| Change {
                cursor: Some(cursor.clone()),
                ..Change::phone_number(number)
            }));
        }
    }
    Ok(Some(Page {
        changes,
        next,
        has_more,
    }))
}

impl Cursor {
    /// The cursor after this row of a catch-up that began here.
    fn at(&self, row: (u64, i64), present: &Snapshot) -> Self {
        let until = self.progress.as_ref().map_or(present, |progress| &progress.until);
        Self {
            progress: Some(Progress {
                until: until.clone(),
                row,
            }),
            ..self.clone()
        }
    }
}

/// What the numbers are, to be compared within one release: another one's digest only makes them be told once more.
fn digest(numbers: &[PhoneNumber]) -> Numbers {
    let (mut ids, mut state) = (DefaultHasher::new(), DefaultHasher::new());
    for number in numbers {
        (&number.waba_id, &number.phone_number_id).hash(&mut ids);
        serde_json::to_string(number).unwrap_or_default().hash(&mut state);
    }
    Numbers {
        ids: ids.finish(),
        state: state.finish(),
    }
}

/// Deletes changes that are older than what is kept, at most `portion` of them, and says how many.
///
/// # Errors
/// When the database does not answer.
pub async fn prune(client: &Client, portion: i64) -> Result<u64, DbError> {
    let sql = format!(
        "delete from chat_changes c
         using (select xid, id from chat_changes where changed_at < now() - {RETENTION} order by changed_at limit $1) old
         where c.xid = old.xid and c.id = old.id"
    );
    Ok(client.execute_typed(&sql, &[(&portion, Type::INT8)]).await?)
}
