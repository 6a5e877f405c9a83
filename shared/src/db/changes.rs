//! `chat_changes`: what changed, for pages that were cut off and for those that are open. Triggers keep the log; nobody has to remember it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::future::try_join3;
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::{DbError, accounts, connections, conversations, messages};
use crate::domain::change::{Change, ChangeType, Cursor, Numbers, Progress, Snapshot};
use crate::domain::conversation::PhoneNumber;

/// How long changes are kept.
const RETENTION: &str = "interval '3 days'";
/// How old a cursor may be. A transaction that was running when it was made, and wrote before, is in the log for as long.
const CURSOR_AGE: SignedDuration = SignedDuration::from_hours(48);
/// How far a frame's cursor lies behind it at least: longer than any transaction of ours and the posting of its frames may take.
const FRAME_LAG: &str = "interval '2 minutes'";

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

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    row: (u64, i64),
    what: What,
    conversation_id: Option<i64>,
    is_new: bool,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    Message(i64),
    Conversation(i64),
    PhoneNumber(String),
}

/// Reads columns `at` and on: xid, id, entity, action, conversation, message, phone number.
fn entry(row: &Row, at: usize) -> Result<Option<Entry>, DbError> {
    let entity: String = row.try_get(at + 2)?;
    let action: String = row.try_get(at + 3)?;
    let conversation_id: Option<i64> = row.try_get(at + 4)?;
    let what = match entity.as_str() {
        "message" => row.try_get::<_, Option<i64>>(at + 5)?.map(What::Message),
        "conversation" => conversation_id.map(What::Conversation),
        _ => row.try_get::<_, Option<String>>(at + 6)?.map(What::PhoneNumber),
    };
    let row = (xid(row.try_get(at)?), row.try_get(at + 1)?);
    Ok(what.map(|what| Entry {
        row,
        what,
        conversation_id,
        is_new: action == "created",
    }))
}

fn xid(number: i64) -> u64 {
    number.unsigned_abs()
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
    let mut next = match last {
        Some(row) => after.at(row, &present),
        None => Cursor {
            seen: progress.map_or(present, |progress| progress.until.clone()),
            seconds: if progress.is_some() {
                after.seconds
            } else {
                now.as_second()
            },
            progress: None,
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

/// What the rows of the log are about, as it is now, each once and where it was changed last. What is not found is gone: that is a deletion,
/// of `version`.
async fn load(
    client: &Client,
    user_id: Uuid,
    entries: &[Entry],
    version: i64,
) -> Result<Vec<((u64, i64), Change)>, DbError> {
    let (mut last, mut created) = (HashMap::new(), HashSet::new());
    for entry in entries {
        last.insert(&entry.what, entry);
        if entry.is_new {
            created.insert(&entry.what);
        }
    }
    let (mut message_ids, mut conversation_ids, mut has_numbers) = (Vec::new(), Vec::new(), false);
    for what in last.keys() {
        match what {
            What::Message(id) => message_ids.push(*id),
            What::Conversation(id) => conversation_ids.push(*id),
            What::PhoneNumber(_) => has_numbers = true,
        }
    }
    // Sent together, answered one after the other.
    let (messages, conversations, numbers) = try_join3(
        async {
            match &message_ids[..] {
                [] => Ok(Vec::new()),
                ids => messages::find_all(client, user_id, ids).await,
            }
        },
        async {
            match &conversation_ids[..] {
                [] => Ok(Vec::new()),
                ids => conversations::find_all(client, user_id, ids).await,
            }
        },
        async {
            if has_numbers {
                accounts::list_numbers(client, user_id, Timestamp::now()).await
            } else {
                Ok(Vec::new())
            }
        },
    )
    .await?;
    let mut messages: HashMap<i64, _> = messages.into_iter().map(|message| (message.id, message)).collect();
    let mut conversations: HashMap<i64, _> = conversations.into_iter().map(|row| (row.id, row)).collect();
    let mut changes = Vec::with_capacity(last.len());
    for entry in entries.iter().filter(|entry| std::ptr::eq(last[&entry.what], *entry)) {
        let gone = |kind| Change {
            version: Some(version),
            conversation_id: entry.conversation_id,
            ..Change::of(kind)
        };
        // Rows come in the order in which transactions began: what was changed last may be gone all the same.
        let change = match &entry.what {
            What::Message(id) => Some(match messages.remove(id) {
                None => Change {
                    id: Some(*id),
                    ..gone(ChangeType::MessageDeleted)
                },
                Some(message) if created.contains(&entry.what) => Change::message(ChangeType::MessageCreated, message),
                Some(message) => Change::message(ChangeType::MessageUpdated, message),
            }),
            What::Conversation(id) => Some(match conversations.remove(id) {
                None => gone(ChangeType::ConversationDeleted),
                Some(conversation) => Change::conversation(conversation),
            }),
            What::PhoneNumber(id) => {
                let number = numbers.iter().find(|number| number.phone_number_id == *id);
                number.cloned().map(Change::phone_number)
            }
        };
        changes.extend(change.map(|change| (entry.row, change)));
    }
    Ok(changes)
}

/// What the open pages of one agent are to be told.
#[derive(Debug)]
pub struct News {
    /// The agent's connections.
    pub connections: Vec<String>,
    /// In the order in which they happened.
    pub changes: Vec<Change>,
}

/// What one page is told at once; it asks for more itself.
const MOST_NEWS: usize = 100;
/// How many transactions are published at once, and how many rows of each are looked at.
const ROUND: i64 = 50;
const MOST_ROWS: i64 = 200;

/// What was taken to be told.
#[derive(Debug, Default)]
pub struct Taken {
    /// Whether there may be more.
    pub has_more: bool,
    /// Who is to be told what.
    pub news: Vec<News>,
}

/// Takes what no open page was told of yet, whoever changed it, and says who is to be told. Whoever takes it tells it, or nobody does: pages
/// that miss something ask for the changes.
///
/// # Errors
/// When the database does not answer.
pub async fn take_unpublished(client: &Client) -> Result<Taken, DbError> {
    let sql = format!(
        "with taken as (
           delete from chat_unpublished u
           using (select xid from chat_unpublished order by xid limit $1 for update skip locked) due
           where u.xid = due.xid
           returning u.xid
         ), cursor as (
           select pg_snapshot_xmax(s) as next, (select count(*) from pg_snapshot_xip(s)) as running,
                  least(pg_snapshot_xmin(s),
                        coalesce((select c.xid from chat_changes c where c.changed_at < now() - {FRAME_LAG}
                                  order by c.changed_at desc limit 1),
                                 (select c.xid from chat_changes c order by c.xid limit 1))) as behind
           from pg_current_snapshot() s
         )
         select taken.xid::text::bigint, (select generation from chat_change_log), cursor.behind::text::bigint,
                cursor.next::text::bigint - cursor.running, a.user_id,
                c.xid::text::bigint, c.id, c.entity, c.action, c.conversation_id, c.message_id, c.phone_number_id
         from taken
         cross join cursor
         left join lateral (select * from chat_changes c where c.xid = taken.xid order by c.id limit $2) c on true
         left join waba_accounts a on a.waba_id = c.waba_id
           and exists (select 1 from chat_connections k where k.user_id = a.user_id and k.expires_at > now())
         order by c.xid, c.id"
    );
    let rows = client
        .query_typed(&sql, &[(&ROUND, Type::INT8), (&MOST_ROWS, Type::INT8)])
        .await?;
    let Some(first) = rows.first() else {
        return Ok(Taken::default());
    };
    let version: i64 = first.try_get(3)?;
    let cursor = Cursor {
        generation: first.try_get(1)?,
        seen: Snapshot {
            next: xid(first.try_get(2)?),
            running: Vec::new(),
        },
        seconds: Timestamp::now().as_second(),
        progress: None,
        numbers: None,
    };
    let mut rows_of: HashMap<i64, i64> = HashMap::new();
    let mut entries: HashMap<Uuid, Vec<Entry>> = HashMap::new();
    for row in &rows {
        *rows_of.entry(row.try_get(0)?).or_default() += 1;
        let Some(user_id) = row.try_get::<_, Option<Uuid>>(4)? else {
            continue;
        };
        let Some(entry) = entry(row, 5)? else { continue };
        let number: Option<String> = row.try_get(11)?;
        let of_user = entries.entry(user_id).or_default();
        let (row, is_conversation) = (entry.row, matches!(entry.what, What::Conversation(_)));
        of_user.push(entry);
        // Its unread total comes from its conversations.
        if let (true, Some(number)) = (is_conversation, number) {
            of_user.push(Entry {
                row: (row.0, i64::MAX),
                what: What::PhoneNumber(number),
                conversation_id: None,
                is_new: false,
            });
        }
    }
    // Of a large transaction nobody is told more than that there is something.
    let large = rows_of
        .iter()
        .filter(|(_, rows)| **rows >= MOST_ROWS)
        .map(|(xid, _)| *xid);
    let crowded = users_of(client, &large.collect::<Vec<_>>()).await?;
    for user_id in &crowded {
        entries.entry(*user_id).or_default();
    }
    let mut news = Vec::with_capacity(entries.len());
    for (user_id, entries) in entries {
        let is_crowded = crowded.contains(&user_id);
        let changes = if is_crowded || entries.iter().map(|entry| &entry.what).collect::<HashSet<_>>().len() > MOST_NEWS
        {
            vec![Change::of(ChangeType::Resync)]
        } else {
            let loaded = load(client, user_id, &entries, version).await?;
            loaded.into_iter().map(|(_, change)| change).collect()
        };
        let cursor = cursor.to_text();
        let told = changes.into_iter().map(|change| Change {
            cursor: Some(cursor.clone()),
            ..change
        });
        news.push(News {
            connections: connections::list(client, user_id).await?,
            changes: told.collect(),
        });
    }
    let has_more = i64::try_from(rows_of.len()).unwrap_or_default() >= ROUND;
    Ok(Taken { has_more, news })
}

/// The users with open pages whom one of these transactions concerns.
async fn users_of(client: &Client, xids: &[i64]) -> Result<HashSet<Uuid>, DbError> {
    const USERS: &str = "
        select distinct a.user_id from waba_accounts a
        where exists (select 1 from chat_connections k where k.user_id = a.user_id and k.expires_at > now())
          and exists (select 1 from unnest($1) x join chat_changes c on c.waba_id = a.waba_id and c.xid = x::text::xid8)";
    if xids.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = client.query_typed(USERS, &[(&xids, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Forgets what nobody published for so long that every page has asked for it meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_unpublished(client: &Client) -> Result<(), DbError> {
    const FORGET: &str = "delete from chat_unpublished where committed_after < now() - interval '10 minutes'";
    client.execute_typed(FORGET, &[]).await?;
    Ok(())
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
