//! `chat_messages`: rows ↔ [`Message`].

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::DbError;
use super::scan::{Scan, position};
use crate::domain::message::{Media, Message, ReplyTo, parse_message_id};
use crate::domain::page::{Page, Position, Seek};
use crate::whatsapp::errors::MessageError;

/// The order of a page; of the index `chat_messages_page_idx`. Rows of the first schema may lack a timestamp.
pub(super) const SORT_KEY: &str = r#"coalesce(m."timestamp", m.created_at, timestamptz 'epoch')"#;

const COLUMNS: &str = r#"
    m.id, m.message_id, m.wa_message_id, m.conversation_id, m.content, m.message_type, m.sender, m."timestamp", m.status,
    m.sent_at, m.delivered_at, m.read_at, case when m.status = 'failed' then m.error end, m.media_caption, m.referral, m.pricing,
    case when m.deleted_at is null then m.metadata end, m.reply_to_wa_message_id,
    q.message_id, q.sender, q.message_type, coalesce(q.content, q.media_caption),
    f.state, f.mime_type, f.filename, f.sha256, f.voice, f.animated, f.size, f.width, f.height, f.duration_ms, f.peaks,
    m.reactions, m.edited_at, m.deleted_at, (select chat_version())"#;

const FROM: &str = "
    from chat_messages m
    join chat_conversations c on c.id = m.conversation_id
    join waba_accounts a on a.waba_id = c.waba_id
    left join chat_messages q on q.conversation_id = m.conversation_id and q.wa_message_id = m.reply_to_wa_message_id
    left join chat_media f on f.message_id = m.id";

fn from_row(row: &Row) -> Result<Message, DbError> {
    let error: Option<Value> = row.try_get(12)?;
    let reply_to: Option<String> = row.try_get(17)?;
    let deleted_at: Option<Timestamp> = row.try_get(35)?;
    let media_state: Option<String> = row.try_get(22)?;
    let reactions: Option<Value> = row.try_get(33)?;
    Ok(Message {
        id: row.try_get(0)?,
        message_id: row.try_get(1)?,
        wa_message_id: row.try_get(2)?,
        conversation_id: row.try_get(3)?,
        content: row.try_get(4)?,
        message_type: row.try_get(5)?,
        sender: row.try_get(6)?,
        timestamp: row.try_get(7)?,
        status: row.try_get(8)?,
        sent_at: row.try_get(9)?,
        delivered_at: row.try_get(10)?,
        read_at: row.try_get(11)?,
        error: error.and_then(|error| serde_json::from_value::<MessageError>(error).ok()),
        media_caption: row.try_get(13)?,
        referral: row.try_get(14)?,
        pricing: row.try_get(15)?,
        metadata: row.try_get(16)?,
        reply_to: match reply_to {
            None => None,
            Some(wamid) => Some(ReplyTo {
                message_id: row.try_get(18)?,
                wa_message_id: Some(wamid),
                sender: row.try_get(19)?,
                message_type: row.try_get(20)?,
                content: row.try_get(21)?,
            }),
        },
        // Nothing is shown of what its author took back.
        media: match media_state.filter(|_| deleted_at.is_none()) {
            None => None,
            Some(state) => Some(Media {
                state,
                mime_type: row.try_get(23)?,
                filename: row.try_get(24)?,
                size: row.try_get(28)?,
                sha256: row.try_get(25)?,
                width: row.try_get(29)?,
                height: row.try_get(30)?,
                duration_ms: row.try_get(31)?,
                peaks: row.try_get(32)?,
                voice: row.try_get(26)?,
                animated: row.try_get(27)?,
            }),
        },
        reactions: reactions
            .map_or(Ok(Vec::new()), serde_json::from_value)
            .map_err(|error| DbError::Row(error.to_string()))?,
        edited_at: row.try_get(34)?,
        deleted_at,
        version: row.try_get(36)?,
        snippet: None,
    })
}

/// A page of one of the agent's conversations, newest first. Empty for a conversation that is not the agent's.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    user_id: Uuid,
    conversation_id: i64,
    seek: Seek,
    limit: i64,
) -> Result<Page<Message>, DbError> {
    let scan = Scan::new(seek, limit);
    let (comparison, order) = (scan.comparison, scan.order);
    let sql = format!(
        "select {COLUMNS}, {SORT_KEY} {FROM}
         where a.user_id = $1 and m.conversation_id = $2
           and ($3::timestamptz is null or ({SORT_KEY}, m.id) {comparison} ($3, $4))
         order by {SORT_KEY} {order}, m.id {order}
         limit $5 offset $6"
    );
    let rows = client
        .query_typed(
            &sql,
            &[
                (&user_id, Type::UUID),
                (&conversation_id, Type::INT8),
                (&scan.time, Type::TIMESTAMPTZ),
                (&scan.id, Type::INT8),
                (&scan.limit, Type::INT8),
                (&scan.offset, Type::INT8),
            ],
        )
        .await?;
    let rows = rows
        .iter()
        .map(|row| Ok((from_row(row)?, position(row, 37, 0)?)))
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page::new(rows, seek, limit))
}

/// Where a message stands in its conversation, by its row id, our `message_id` or the wamid.
///
/// # Errors
/// When the database does not answer.
pub async fn find_position(
    client: &impl GenericClient,
    user_id: Uuid,
    conversation_id: i64,
    message: &str,
) -> Result<Option<Position>, DbError> {
    let sql = format!(
        "select {SORT_KEY}, m.id {FROM}
         where a.user_id = $1 and m.conversation_id = $2 and (m.id = $3 or m.message_id in ($4, $5) or m.wa_message_id = $4)
         limit 1"
    );
    let row = client
        .query_typed_opt(
            &sql,
            &[
                (&user_id, Type::UUID),
                (&conversation_id, Type::INT8),
                (&message.parse::<i64>().ok(), Type::INT8),
                (&message, Type::TEXT),
                // A UUID is the same in capitals.
                (&parse_message_id(message).map(|id| id.to_string()), Type::TEXT),
            ],
        )
        .await?;
    row.map(|row| position(&row, 0, 1)).transpose()
}

/// One of the agent's messages by its row id.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, user_id: Uuid, id: i64) -> Result<Option<Message>, DbError> {
    Ok(find_all(client, user_id, &[id]).await?.pop())
}

/// Those of these messages that are the agent's, by their row ids; in no order.
///
/// # Errors
/// When the database does not answer.
pub async fn find_all(client: &impl GenericClient, user_id: Uuid, ids: &[i64]) -> Result<Vec<Message>, DbError> {
    let sql = format!("select {COLUMNS} {FROM} where a.user_id = $1 and m.id = any($2)");
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&user_id, Type::UUID), (&ids, Type::INT8_ARRAY)];
    let rows = client.query_typed(&sql, &parameters).await?;
    rows.iter().map(from_row).collect()
}
