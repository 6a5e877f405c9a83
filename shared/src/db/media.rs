//! `chat_media`: the files of messages. Those of inbound ones are owed until they are stored; what an agent sends is an upload, which is
//! stored before its message is. A try is leased: it moves `next_try_at` ahead, and whoever
//! finds another time there when it settles has lost the file to somebody else. Times that decide who may begin are the database's.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::DbError;
use crate::domain::ingest::NewMedia;
use crate::domain::media::{History, Settlement};
use crate::domain::message::parse_message_id;

/// Remembers the files of messages that were inserted just now.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(transaction: &impl GenericClient, files: &[(i64, &NewMedia)]) -> Result<(), DbError> {
    const INSERT: &str = "
        insert into chat_media (message_id, wa_media_id, mime_type, filename, sha256, voice, animated)
        select * from unnest($1, $2, $3, $4, $5, $6, $7)
        on conflict (message_id) do update
        set wa_media_id = excluded.wa_media_id, mime_type = excluded.mime_type, filename = excluded.filename,
            sha256 = excluded.sha256, voice = excluded.voice, animated = excluded.animated, state = 'pending', next_try_at = now(),
            attempts = 0, last_error = null, upload_id = null";
    if files.is_empty() {
        return Ok(());
    }
    let text = |pick: fn(&NewMedia) -> Option<&String>| -> Vec<Option<&String>> {
        files.iter().map(|(_, file)| pick(file)).collect()
    };
    let flag = |pick: fn(&NewMedia) -> Option<bool>| -> Vec<Option<bool>> {
        files.iter().map(|(_, file)| pick(file)).collect()
    };
    let ids: Vec<i64> = files.iter().map(|(id, _)| *id).collect();
    transaction
        .execute_typed(
            INSERT,
            &[
                (&ids, Type::INT8_ARRAY),
                (&text(|file| Some(&file.wa_media_id)), Type::TEXT_ARRAY),
                (&text(|file| file.mime_type.as_ref()), Type::TEXT_ARRAY),
                (&text(|file| file.filename.as_ref()), Type::TEXT_ARRAY),
                (&text(|file| file.sha256.as_ref()), Type::TEXT_ARRAY),
                (&flag(|file| file.voice), Type::BOOL_ARRAY),
                (&flag(|file| file.animated), Type::BOOL_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Files in the bucket whose rows are gone, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list_discarded(client: &impl GenericClient, limit: i64) -> Result<Vec<String>, DbError> {
    const LIST: &str = "select object_key from chat_discarded_files order by discarded_at limit $1";
    let rows = client.query_typed(LIST, &[(&limit, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Forgets files that are out of the bucket.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_discarded(client: &impl GenericClient, object_keys: &[String]) -> Result<(), DbError> {
    const FORGET: &str = "delete from chat_discarded_files where object_key = any($1)";
    client
        .execute_typed(FORGET, &[(&object_keys, Type::TEXT_ARRAY)])
        .await?;
    Ok(())
}

/// A file that one worker has taken.
#[derive(Debug, Clone)]
pub struct Owed {
    /// `chat_messages.id`.
    pub message_id: i64,
    /// The `next_try_at` of this lease.
    lease: Timestamp,
    /// WhatsApp's id of the file.
    pub wa_media_id: String,
    /// As the webhook declared it.
    pub mime_type: Option<String>,
    /// As the webhook announced it.
    pub sha256: Option<String>,
    /// Whether it is a voice note.
    pub is_voice: bool,
    /// When the message came.
    pub received_at: Timestamp,
    /// Tries in a row, this one included.
    pub attempts: i32,
    /// Why the try before did not end well.
    pub last_error: Option<String>,
    /// What a try before may have left in the bucket.
    pub object_key: Option<String>,
    /// Whether the message was deleted.
    pub is_deleted: bool,
    /// The number it came to.
    pub phone_number_id: String,
    /// The account of that number.
    pub waba_id: String,
    /// The account's token as it is stored.
    pub access_token: Option<String>,
}

impl Owed {
    /// What decides about the next try.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        History {
            received_at: self.received_at,
            attempts: self.attempts,
            last_error: self.last_error.as_deref(),
            is_deleted: self.is_deleted,
        }
    }
}

/// Takes a file that is due, for as long as `lease`; `None` where it is not, or somebody else has it.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(client: &impl GenericClient, message_id: i64, lease: Duration) -> Result<Option<Owed>, DbError> {
    // A stored file of a deleted message is owed its deletion.
    const CLAIM: &str = "
        update chat_media f
        set next_try_at = now() + make_interval(secs => $2), attempts = f.attempts + 1
        from chat_messages m
        join chat_conversations c on c.id = m.conversation_id
        left join waba_accounts a on a.waba_id = c.waba_id
        where f.message_id = $1 and m.id = f.message_id and f.next_try_at <= now() and f.upload_id is null
          and (f.state = 'pending' or (m.deleted_at is not null and f.object_key is not null))
        returning f.next_try_at, f.wa_media_id, f.mime_type, f.sha256, coalesce(f.voice, false), f.received_at, f.attempts,
          f.last_error, f.object_key, m.deleted_at is not null, c.phone_number_id::text, c.waba_id::text, a.access_token::text";
    let row = client
        .query_typed_opt(
            CLAIM,
            &[(&message_id, Type::INT8), (&lease.as_secs_f64(), Type::FLOAT8)],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Owed {
        message_id,
        lease: row.try_get(0)?,
        wa_media_id: row.try_get(1)?,
        mime_type: row.try_get(2)?,
        sha256: row.try_get(3)?,
        is_voice: row.try_get(4)?,
        received_at: row.try_get(5)?,
        attempts: row.try_get(6)?,
        last_error: row.try_get(7)?,
        object_key: row.try_get(8)?,
        is_deleted: row.try_get(9)?,
        phone_number_id: row.try_get(10)?,
        waba_id: row.try_get(11)?,
        access_token: row.try_get(12)?,
    }))
}

/// The messages whose files are due, those that have waited longest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list_due(client: &impl GenericClient, limit: i64) -> Result<Vec<i64>, DbError> {
    const DUE: &str = "
        select message_id from chat_media
        where state = 'pending' and next_try_at <= now() and upload_id is null
        order by next_try_at
        limit $1";
    let rows = client.query_typed(DUE, &[(&limit, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Writes down where a file is going to lie, before it does: nothing lies in the bucket that no row names. `false` where the file was
/// lost to somebody else.
///
/// # Errors
/// When the database does not answer.
pub async fn reserve_object(client: &impl GenericClient, owed: &Owed, object_key: &str) -> Result<bool, DbError> {
    const RESERVE: &str =
        "update chat_media set object_key = $3 where message_id = $1 and next_try_at = $2 and state = 'pending'";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&owed.message_id, Type::INT8),
        (&owed.lease, Type::TIMESTAMPTZ),
        (&object_key, Type::TEXT),
    ];
    Ok(client.execute_typed(RESERVE, &parameters).await? == 1)
}

/// Ends a try. `false` where the file was lost to somebody else, or the row is gone: then nothing is written.
///
/// # Errors
/// When the database does not answer.
pub async fn settle(client: &impl GenericClient, owed: &Owed, settlement: &Settlement) -> Result<bool, DbError> {
    // The conversation is locked before the file, as everywhere. What is not stored keeps its key only while a try may still have to
    // clean up behind it.
    const SETTLE: &str = "
        with conversation as (
          select c.id from chat_conversations c join chat_messages m on m.conversation_id = c.id
          where m.id = $1
          for no key update of c
        ), settled as (
          update chat_media f
          set state = $3, next_try_at = $4, attempts = $5, last_error = $6,
              object_key = case when $3 in ('stored', 'pending') then f.object_key end,
              mime_type = coalesce(f.mime_type, $7), size = $8, width = $9, height = $10, duration_ms = $11, peaks = $12
          from conversation, chat_messages m
          where f.message_id = $1 and m.id = $1 and f.next_try_at = $2 and (m.deleted_at is null or $3 <> 'stored')
          returning f.message_id
        ), touched as (
          update chat_conversations c set updated_at = now()
          from conversation, settled
          where c.id = conversation.id and $3 <> 'pending'
        )
        select count(*) from settled";
    let file = settlement.file.as_ref();
    let row = client
        .query_typed(
            SETTLE,
            &[
                (&owed.message_id, Type::INT8),
                (&owed.lease, Type::TIMESTAMPTZ),
                (&settlement.state, Type::TEXT),
                (&settlement.next_try_at, Type::TIMESTAMPTZ),
                (&settlement.attempts, Type::INT4),
                (&settlement.last_error, Type::TEXT),
                (&file.and_then(|file| file.mime_type.as_ref()), Type::TEXT),
                (&file.map(|file| file.size), Type::INT8),
                (&file.and_then(|file| file.width), Type::INT4),
                (&file.and_then(|file| file.height), Type::INT4),
                (&file.and_then(|file| file.duration_ms), Type::INT8),
                (&file.and_then(|file| file.peaks.as_ref()), Type::INT2_ARRAY),
            ],
        )
        .await?;
    let count: i64 = row.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(count == 1)
}

/// A file as its agent may ask for it.
#[derive(Debug, Clone)]
pub struct AgentFile {
    /// `chat_messages.id`.
    pub message_id: i64,
    /// pending, stored, failed or expired.
    pub state: String,
    /// As the webhook declared it.
    pub mime_type: Option<String>,
    /// A document's name.
    pub filename: Option<String>,
    /// Where it lies in the bucket.
    pub object_key: Option<String>,
    /// The message's type.
    pub message_type: Option<String>,
    /// When the message was written.
    pub written_at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// The number it came to.
    pub phone_number_id: String,
}

/// The file of one of the agent's messages, by the row id or our `message_id`. `None` also for a message without a file and for a deleted
/// one.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, user_id: Uuid, message: &str) -> Result<Option<AgentFile>, DbError> {
    const FIND: &str = r#"
        select m.id, f.state, f.mime_type, f.filename, coalesce(f.object_key, u.object_key), m.message_type::text,
          coalesce(m."timestamp", m.created_at, f.received_at), f.received_at, c.phone_number_id::text
        from chat_messages m
        join chat_media f on f.message_id = m.id
        join chat_conversations c on c.id = m.conversation_id
        join waba_accounts a on a.waba_id = c.waba_id
        left join chat_uploads u on u.id = f.upload_id
        where a.user_id = $1 and (m.id = $2 or m.message_id in ($3, $4)) and m.deleted_at is null
        limit 1"#;
    let id = message.parse::<i64>().ok();
    // A UUID is the same in capitals.
    let uuid = parse_message_id(message).map(|id| id.to_string());
    if id.is_none() && uuid.is_none() {
        return Ok(None);
    }
    let row = client
        .query_typed_opt(
            FIND,
            &[
                (&user_id, Type::UUID),
                (&id, Type::INT8),
                (&message, Type::TEXT),
                (&uuid, Type::TEXT),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(AgentFile {
        message_id: row.try_get(0)?,
        state: row.try_get(1)?,
        mime_type: row.try_get(2)?,
        filename: row.try_get(3)?,
        object_key: row.try_get(4)?,
        message_type: row.try_get(5)?,
        written_at: row.try_get(6)?,
        received_at: row.try_get(7)?,
        phone_number_id: row.try_get(8)?,
    }))
}

/// Makes a file due now, as if it had never been tried. Whose it is was checked by [`find`]. Does nothing to one that is stored.
///
/// # Errors
/// When the database does not answer.
pub async fn retry(client: &impl GenericClient, message_id: i64) -> Result<(), DbError> {
    const RETRY: &str = "
        update chat_media set state = 'pending', next_try_at = now(), attempts = 0
        where message_id = $1 and state <> 'stored'";
    client.execute_typed(RETRY, &[(&message_id, Type::INT8)]).await?;
    Ok(())
}
