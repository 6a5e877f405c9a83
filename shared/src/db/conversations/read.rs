//! How far an agent has read. The read position is a message: what is newer and the customer's is unread.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};
use uuid::Uuid;

use super::find;
use crate::db::{DbError, signals};
use crate::domain::conversation::{Conversation, ReadReceipts};

/// Holds the conversation, in a statement of its own: the next one then sees every message that a consumer counted before. Whether it is the
/// agent's.
async fn lock(transaction: &Transaction<'_>, user_id: Uuid, id: i64) -> Result<bool, DbError> {
    const LOCK: &str = "
        select 1 from chat_conversations c
        join waba_accounts a on a.waba_id = c.waba_id
        where c.id = $1 and a.user_id = $2
        for no key update of c";
    let owned = transaction
        .query_typed_opt(LOCK, &[(&id, Type::INT8), (&user_id, Type::UUID)])
        .await?;
    Ok(owned.is_some())
}

/// Moves the read position to the newest inbound message. Returns the conversation, and whether the customer is to be told.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_read(client: &mut Client, user_id: Uuid, id: i64) -> Result<Option<(Conversation, bool)>, DbError> {
    const MARK: &str = r#"
        with newest as (
          select coalesce(m."timestamp", m.created_at, timestamptz 'epoch') as time, m.wa_message_id as wamid from chat_messages m
          where m.conversation_id = $1 and m.sender = 'customer'
          order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc, m.wa_message_id collate "C" desc nulls last
          limit 1
        ), seen as (
          update chat_messages m set status = 'read', read_at = now()
          where m.conversation_id = $1 and m.sender = 'customer' and m.status is distinct from 'read'
        )
        update chat_conversations c
        set unread_count = 0, updated_at = now(),
            read_time = coalesce((select time from newest), c.read_time),
            read_wamid = case when exists (select 1 from newest) then (select wamid from newest) else c.read_wamid end
        where c.id = $1 and (c.unread_count is distinct from 0 or exists (
          select 1 from newest where (c.read_time, c.read_wamid) is distinct from (newest.time, newest.wamid)))"#;
    let transaction = client.transaction().await?;
    if !lock(&transaction, user_id, id).await? {
        return Ok(None);
    }
    transaction.execute_typed(MARK, &[(&id, Type::INT8)]).await?;
    let owes_receipt = signals::owe_receipt(&transaction, id, ReadReceipts::OnOpen).await?;
    let conversation = find(&transaction, user_id, id).await?;
    transaction.commit().await?;
    Ok(conversation.map(|conversation| (conversation, owes_receipt)))
}

/// What came of the wish to mark a conversation as unread.
#[derive(Debug)]
pub enum Marked {
    /// It is unread, since now or since before.
    Unread(Box<Conversation>),
    /// The customer wrote nothing that could be unread.
    NothingToRead,
    /// No such conversation of this agent.
    NotFound,
}

/// Moves the read position back before the customer's newest message, which is unread then. What is unread already stays as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_unread(client: &mut Client, user_id: Uuid, id: i64) -> Result<Marked, DbError> {
    // The position is the customer's message before the newest one. One that is older than the newest and comes later still is unread
    // too: nobody can have read it.
    const MARK: &str = r#"
        with message as (
          select m.id, coalesce(m."timestamp", m.created_at, timestamptz 'epoch') as time, m.wa_message_id as wamid
          from chat_messages m
          where m.conversation_id = $1 and m.sender = 'customer' and not m.is_history and m.message_type is distinct from 'system'
          order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc, m.wa_message_id collate "C" desc nulls last
          limit 1
        ), before as (
          select coalesce(m."timestamp", m.created_at, timestamptz 'epoch') as time, m.wa_message_id as wamid
          from chat_messages m
          cross join message n
          where m.conversation_id = $1 and m.sender = 'customer' and m.id <> n.id
            and coalesce(m."timestamp", m.created_at, timestamptz 'epoch') <= n.time
            and (coalesce(m."timestamp", m.created_at, timestamptz 'epoch') < n.time
                 or coalesce(m.wa_message_id, '') collate "C" < coalesce(n.wamid, ''))
          order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc, m.wa_message_id collate "C" desc nulls last
          limit 1
        ), marked as (
          update chat_conversations c
          set unread_count = 1, updated_at = now(), read_time = before.time, read_wamid = before.wamid
          from message left join before on true
          where c.id = $1 and coalesce(c.unread_count, 0) <= 0
          returning message.id
        ), unseen as (
          update chat_messages m set status = 'delivered', read_at = null from marked where m.id = marked.id
        )
        select exists (select 1 from message)"#;
    let transaction = client.transaction().await?;
    if !lock(&transaction, user_id, id).await? {
        return Ok(Marked::NotFound);
    }
    let row = transaction.query_typed_one(MARK, &[(&id, Type::INT8)]).await?;
    let has_message: bool = row.try_get(0)?;
    let conversation = find(&transaction, user_id, id).await?;
    transaction.commit().await?;
    Ok(match conversation {
        None => Marked::NotFound,
        Some(conversation) if has_message || conversation.unread_count > 0 => Marked::Unread(Box::new(conversation)),
        Some(_) => Marked::NothingToRead,
    })
}
