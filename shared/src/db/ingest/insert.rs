//! Inserts a batch's messages with their sources and files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::batch::{Change, Locked, Placed, is_unread};
use crate::db::{DbError, media};
use crate::domain::ingest::{NewMessage, Quarantined};

/// Inserts the messages. Of two items with one wamid the one with the smaller (timestamp, digest) stands, whatever the order in which
/// they come; the other goes to quarantine. Returns the changes by index into `placed`.
pub(super) async fn insert_messages(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    locked: &[Locked],
    quarantined: &mut Vec<Quarantined>,
) -> Result<HashMap<usize, Change>, DbError> {
    const EXISTING: &str = r#"
        select m.id, m.conversation_id, m.wa_message_id, m."timestamp", s.digest, s.body
        from unnest($1, $2) as k(conversation_id, wamid)
        join chat_messages m on m.conversation_id = k.conversation_id and m.wa_message_id = k.wamid
        left join chat_message_sources s on s.message_id = m.id"#;
    let rank = |index: usize| (placed[index].message.timestamp, placed[index].message.origin.digest);
    let mut standing: HashMap<(i64, &str), usize> = HashMap::new();
    for (index, row) in placed.iter().enumerate() {
        match standing.entry((locked[row.conversation].id, row.message.wa_message_id.as_str())) {
            Entry::Vacant(entry) => {
                entry.insert(index);
            }
            Entry::Occupied(mut entry) => {
                let other = *entry.get();
                if rank(index) == rank(other) {
                    continue;
                }
                let (winner, loser) = if rank(index) < rank(other) {
                    (index, other)
                } else {
                    (other, index)
                };
                quarantined.push(Quarantined::item(&placed[loser].message.origin, CONFLICT));
                entry.insert(winner);
            }
        }
    }
    let (conversations, wamids): (Vec<i64>, Vec<&str>) = standing.keys().copied().unzip();
    let existing = transaction
        .query_typed(
            EXISTING,
            &[(&conversations, Type::INT8_ARRAY), (&wamids, Type::TEXT_ARRAY)],
        )
        .await?;
    let mut changes = HashMap::new();
    let mut corrections = Vec::new();
    for row in &existing {
        let id: i64 = row.try_get(0)?;
        let key: (i64, &str) = (row.try_get(1)?, row.try_get(2)?);
        let Some(index) = standing.remove(&key) else {
            continue;
        };
        let (time, digest): (Option<Timestamp>, Option<&[u8]>) = (row.try_get(3)?, row.try_get(4)?);
        // Rows without a source were not made by an inbound item; there is nothing to compare.
        let (Some(time), Some(digest)) = (time, digest) else {
            continue;
        };
        let origin = &placed[index].message.origin;
        if digest == origin.digest {
            continue;
        }
        if rank(index) < (time, digest.try_into().unwrap_or_default()) {
            let body: Option<Vec<u8>> = row.try_get(5)?;
            quarantined.push(Quarantined {
                digest: digest.try_into().unwrap_or_default(),
                body: body.unwrap_or_default(),
                ..Quarantined::item(origin, CONFLICT)
            });
            corrections.push(id);
            changes.insert(index, Change { is_new: false });
            standing.insert(key_of(placed, locked, index), index);
        } else {
            quarantined.push(Quarantined::item(origin, CONFLICT));
        }
    }
    delete_messages(transaction, &corrections).await?;
    let mut rows: Vec<usize> = standing.into_values().collect();
    rows.sort_by_key(|index| (rank(*index), *index));
    write_messages(transaction, placed, locked, &rows).await?;
    for index in rows {
        changes.entry(index).or_insert(Change { is_new: true });
    }
    Ok(changes)
}

/// Why an item that claims another item's wamid is kept aside.
const CONFLICT: &str = "conflicting_wamid";

fn key_of<'a>(placed: &[Placed<'a>], locked: &[Locked], index: usize) -> (i64, &'a str) {
    let row = &placed[index];
    (locked[row.conversation].id, row.message.wa_message_id.as_str())
}

/// Takes away messages whose place another item has the better claim to; sources and media go with them.
async fn delete_messages(transaction: &Transaction<'_>, ids: &[i64]) -> Result<(), DbError> {
    if !ids.is_empty() {
        transaction
            .execute_typed(
                "delete from chat_messages where id = any($1)",
                &[(&ids, Type::INT8_ARRAY)],
            )
            .await?;
    }
    Ok(())
}

/// Inserts the rows, in the order of their times, with their sources and files.
async fn write_messages(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    locked: &[Locked],
    rows: &[usize],
) -> Result<(), DbError> {
    const INSERT: &str = r#"
        with inserted as (
          insert into chat_messages
            (conversation_id, message_id, wa_message_id, message_type, content, media_caption, sender, status, "timestamp", metadata,
             referral, reply_to_wa_message_id)
          select conversation_id, gen_random_uuid()::text, wamid, message_type, content, caption, 'customer', status, time, metadata,
                 referral, reply_to
          from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) with ordinality
            as m(conversation_id, wamid, message_type, content, caption, status, time, metadata, referral, reply_to, position)
          order by position
          returning id, conversation_id, wa_message_id
        ), source as (
          insert into chat_message_sources (message_id, digest, body)
          select i.id, s.digest, s.body
          from inserted i
          join unnest($1, $2, $11, $12) as s(conversation_id, wamid, digest, body)
            on s.conversation_id = i.conversation_id and s.wamid = i.wa_message_id
        )
        select id, conversation_id, wa_message_id from inserted"#;
    if rows.is_empty() {
        return Ok(());
    }
    let conversations: Vec<i64> = rows
        .iter()
        .map(|index| locked[placed[*index].conversation].id)
        .collect();
    let statuses: Vec<&str> = rows
        .iter()
        .map(|index| {
            if is_unread(&placed[*index], locked) {
                "delivered"
            } else {
                "read"
            }
        })
        .collect();
    let messages: Vec<&NewMessage> = rows.iter().map(|index| placed[*index].message).collect();
    let bodies: Vec<&[u8]> = messages.iter().map(|message| message.origin.body.as_bytes()).collect();
    let inserted = transaction
        .query_typed(
            INSERT,
            &[
                (&conversations, Type::INT8_ARRAY),
                (&column(&messages, |message| &message.wa_message_id), Type::TEXT_ARRAY),
                (&column(&messages, |message| message.message_type), Type::TEXT_ARRAY),
                (&column(&messages, |message| message.content.as_ref()), Type::TEXT_ARRAY),
                (
                    &column(&messages, |message| message.media_caption.as_ref()),
                    Type::TEXT_ARRAY,
                ),
                (&statuses, Type::TEXT_ARRAY),
                (&column(&messages, |message| message.timestamp), Type::TIMESTAMPTZ_ARRAY),
                (
                    &column(&messages, |message| message.metadata.as_ref()),
                    Type::JSONB_ARRAY,
                ),
                (
                    &column(&messages, |message| message.referral.as_ref()),
                    Type::JSONB_ARRAY,
                ),
                (
                    &column(&messages, |message| message.reply_to_wa_message_id.as_ref()),
                    Type::TEXT_ARRAY,
                ),
                (
                    &column(&messages, |message| message.origin.digest.as_slice()),
                    Type::BYTEA_ARRAY,
                ),
                (&bodies, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    let files: HashMap<(i64, &str), _> = rows
        .iter()
        .filter_map(|index| Some((key_of(placed, locked, *index), placed[*index].message.media.as_ref()?)))
        .collect();
    let mut owed = Vec::new();
    for row in &inserted {
        let key: (i64, &str) = (row.try_get(1)?, row.try_get(2)?);
        if let Some(file) = files.get(&key) {
            owed.push((row.try_get(0)?, *file));
        }
    }
    media::insert(transaction, &owed).await
}

fn column<'a, T>(messages: &[&'a NewMessage], pick: impl Fn(&'a NewMessage) -> T) -> Vec<T> {
    messages.iter().map(|message| pick(message)).collect()
}
