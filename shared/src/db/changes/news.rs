//! `chat_unpublished`: what open pages were not told of yet.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::entry::{Entry, What, entry, load, xid};
use crate::db::{DbError, connections};
use crate::domain::change::{Change, ChangeType, Cursor, Snapshot};

/// How far a frame's cursor lies behind it at least: longer than any transaction of ours and the posting of its frames may take.
const FRAME_LAG: &str = "interval '2 minutes'";

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
