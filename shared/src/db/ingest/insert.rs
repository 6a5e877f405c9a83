//! Inserts a batch's messages with their sources and files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::batch::{Placed, ReadPositions, is_unread};
use crate::db::events::CONFLICT;
use crate::db::{DbError, media};
use crate::domain::ingest::{Digest, Quarantined};
use crate::domain::message::Sender;

/// What became of the messages of a batch, by index.
#[derive(Default)]
pub(super) struct Inserted {
    /// Those that are new.
    pub(super) new: Vec<usize>,
    /// Those that took the place of another item.
    pub(super) corrected: Vec<usize>,
    /// What they took the place of.
    pub(super) removed: Removed,
    /// The files to be fetched.
    pub(super) files: Vec<OwedFile>,
}

/// The file of a message that was just inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedFile {
    /// The message's row.
    pub message_id: i64,
    /// The business phone number that it came to.
    pub phone_number_id: String,
    /// WhatsApp's id of it.
    pub wa_message_id: String,
}

/// Decides between two items with one wamid: the smaller stands.
type Rank = (i16, Timestamp, Digest);

/// Inserts the messages. Of two items with one wamid the one with the smaller rank stands, whatever the order in which they come; the
/// other goes to quarantine.
pub(super) async fn insert_messages(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    positions: &ReadPositions,
    quarantined: &mut Vec<Quarantined>,
) -> Result<Inserted, DbError> {
    const EXISTING: &str = r#"
        select m.id, m.conversation_id, m.wa_message_id, s.precedence, m."timestamp", s.digest, s.body
        from unnest($1, $2) as k(conversation_id, wamid)
        join chat_messages m on m.conversation_id = k.conversation_id and m.wa_message_id = k.wamid
        left join chat_message_sources s on s.message_id = m.id"#;
    let rank = |index: usize| -> Rank {
        let message = placed[index].message;
        (message.precedence, message.timestamp, message.origin.digest)
    };
    let mut standing: HashMap<(i64, &str), usize> = HashMap::new();
    for (index, row) in placed.iter().enumerate() {
        match standing.entry(key_of(row)) {
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
    let mut inserted = Inserted::default();
    let mut displaced = Vec::new();
    for row in &existing {
        let id: i64 = row.try_get(0)?;
        let key: (i64, &str) = (row.try_get(1)?, row.try_get(2)?);
        let Some(index) = standing.remove(&key) else {
            continue;
        };
        let origin = &placed[index].message.origin;
        let (precedence, time): (Option<i16>, Option<Timestamp>) = (row.try_get(3)?, row.try_get(4)?);
        let digest = row
            .try_get::<_, Option<&[u8]>>(5)?
            .and_then(|digest| digest.try_into().ok());
        let (Some(precedence), Some(time), Some(digest)) = (precedence, time, digest) else {
            // What we sent ourselves came by no webhook: this item only repeats it.
            quarantined.push(Quarantined::item(origin, CONFLICT));
            continue;
        };
        if digest == origin.digest {
            continue;
        }
        if rank(index) < (precedence, time, digest) {
            let body: Option<Vec<u8>> = row.try_get(6)?;
            quarantined.push(Quarantined::displaced(digest, CONFLICT, body.unwrap_or_default()));
            displaced.push(id);
            inserted.corrected.push(index);
        } else {
            quarantined.push(Quarantined::item(origin, CONFLICT));
        }
    }
    inserted.removed = remove_messages(transaction, &displaced).await?;
    inserted.new = standing.into_values().collect();
    let mut rows: Vec<usize> = inserted.new.iter().chain(&inserted.corrected).copied().collect();
    rows.sort_by_key(|index| (rank(*index), *index));
    inserted.files = write_messages(transaction, placed, positions, &rows).await?;
    Ok(inserted)
}

fn key_of<'a>(row: &Placed<'a>) -> (i64, &'a str) {
    (row.conversation, row.message.wa_message_id.as_str())
}

/// Conversations that messages were taken from, and how many of those counted as unread.
pub(super) type Removed = HashMap<i64, i32>;

/// Takes away messages whose place another item has the better claim to; sources and media go with them.
pub(super) async fn remove_messages(transaction: &Transaction<'_>, ids: &[i64]) -> Result<Removed, DbError> {
    const REMOVE: &str = "
        with removed as (delete from chat_messages where id = any($1) returning *)
        select conversation_id,
               count(*) filter (where sender = 'customer' and not is_history and message_type <> 'system'
                                  and status is distinct from 'read')::int
        from removed group by conversation_id";
    if ids.is_empty() {
        return Ok(Removed::default());
    }
    let rows = transaction.query_typed(REMOVE, &[(&ids, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Inserts the rows, in the order of their times, with their sources and files. Returns the rows that have a file.
async fn write_messages(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    positions: &ReadPositions,
    rows: &[usize],
) -> Result<Vec<OwedFile>, DbError> {
    const INSERT: &str = r#"
        with inserted as (
          insert into chat_messages
            (conversation_id, message_id, wa_message_id, message_type, content, media_caption, sender, status, "timestamp", metadata,
             referral, reply_to_wa_message_id, is_history)
          select conversation_id, gen_random_uuid()::text, wamid, message_type, content, caption, sender, status, time, metadata,
                 referral, reply_to, is_history
          from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) with ordinality
            as m(conversation_id, wamid, message_type, content, caption, sender, status, time, metadata, referral, reply_to, is_history,
                 position)
          order by position
          returning id, conversation_id, wa_message_id
        ), source as (
          insert into chat_message_sources (message_id, precedence, digest, body)
          select i.id, s.precedence, s.digest, s.body
          from inserted i
          join unnest($1, $2, $13, $14, $15) as s(conversation_id, wamid, precedence, digest, body)
            on s.conversation_id = i.conversation_id and s.wamid = i.wa_message_id
        )
        select id, conversation_id, wa_message_id from inserted"#;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<&Placed<'_>> = rows.iter().map(|index| &placed[*index]).collect();
    macro_rules! column {
        (|$message:ident| $value:expr) => {
            &rows
                .iter()
                .map(|row| {
                    let $message = row.message;
                    $value
                })
                .collect::<Vec<_>>()
        };
    }
    let conversations: Vec<i64> = rows.iter().map(|row| row.conversation).collect();
    let statuses: Vec<&str> = rows.iter().map(|row| initial_status(row, positions)).collect();
    let inserted = transaction
        .query_typed(
            INSERT,
            &[
                (&conversations, Type::INT8_ARRAY),
                (column!(|message| message.wa_message_id.as_str()), Type::TEXT_ARRAY),
                (column!(|message| message.message_type), Type::TEXT_ARRAY),
                (column!(|message| message.content.as_deref()), Type::TEXT_ARRAY),
                (column!(|message| message.media_caption.as_deref()), Type::TEXT_ARRAY),
                (column!(|message| message.sender.as_str()), Type::TEXT_ARRAY),
                (&statuses, Type::TEXT_ARRAY),
                (column!(|message| message.timestamp), Type::TIMESTAMPTZ_ARRAY),
                (column!(|message| message.metadata.as_ref()), Type::JSONB_ARRAY),
                (column!(|message| message.referral.as_ref()), Type::JSONB_ARRAY),
                (
                    column!(|message| message.reply_to_wa_message_id.as_deref()),
                    Type::TEXT_ARRAY,
                ),
                (column!(|message| message.is_history), Type::BOOL_ARRAY),
                (column!(|message| message.precedence), Type::INT2_ARRAY),
                (column!(|message| message.origin.digest.as_slice()), Type::BYTEA_ARRAY),
                (column!(|message| message.origin.body.as_bytes()), Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    let with_files: HashMap<(i64, &str), &Placed<'_>> = rows
        .iter()
        .filter(|row| row.message.media.is_some())
        .map(|row| (key_of(row), *row))
        .collect();
    let (mut media, mut files) = (Vec::new(), Vec::new());
    for row in &inserted {
        let (message_id, key): (i64, (i64, &str)) = (row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
        let Some(message) = with_files.get(&key).map(|row| row.message) else {
            continue;
        };
        media.extend(message.media.as_ref().map(|file| (message_id, file)));
        files.push(OwedFile {
            message_id,
            phone_number_id: message.origin.phone_number_id.clone(),
            wa_message_id: message.wa_message_id.clone(),
        });
    }
    media::insert(transaction, &media).await?;
    Ok(files)
}

/// A customer's message is delivered until an agent has read it; the business's own reached what its source says.
fn initial_status(row: &Placed<'_>, positions: &ReadPositions) -> &'static str {
    match row.message.sender {
        Sender::User => row.message.status.as_str(),
        Sender::Customer if row.message.is_history || !is_unread(row, positions) => "read",
        Sender::Customer => "delivered",
    }
}
