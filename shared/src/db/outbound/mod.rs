//! `chat_sends`: what agents send, owed to WhatsApp until it is settled.
//!
//! A row is reserved with its message, claimed in the conversation's order by whoever sends it, marked before Graph is asked, and settled by
//! the answer or by a status. A claim that dies is followed when its lease ends; a mark that dies is never sent again. Times that decide who
//! may begin are the database's.

mod claim;
mod holds;
mod reserve;
mod settle;

use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Transaction};
use uuid::Uuid;

pub use claim::{Claim, Owed, Pace, begin, claim, postpone, unmark};
pub use holds::hold_by_statuses;
pub use reserve::{Extras, Reservation, Reserved, look_ahead, reserve};
pub use settle::settle;

use super::{DbError, messages};
use crate::domain::message::{Message, Reaction, Sender};
use crate::whatsapp::errors::MessageError;

/// `title` of the error of a message of which nobody knows whether it was sent.
pub const UNCONFIRMED: &str = "unconfirmed";

/// What became of something sent, as its agent sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// A message as it stands.
    Message(Box<Message>),
    /// A reaction, which has no message of its own.
    Reaction {
        /// The emoji.
        reaction: Reaction,
        /// Whether it is settled, and the error that it ended with.
        state: Result<bool, MessageError>,
    },
}

impl Sent {
    /// Whether nobody knows yet what becomes of it.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        match self {
            Self::Message(message) => message.status.as_deref() == Some("pending"),
            Self::Reaction { state, .. } => *state == Ok(false),
        }
    }
}

/// One of the agent's sends.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, user_id: Uuid, id: i64) -> Result<Option<Sent>, DbError> {
    const FIND: &str = "
        select s.message_id, s.request -> 'object' ->> 'emoji', s.reserved_at, s.settled_at is not null, s.last_error
        from chat_sends s
        join chat_conversations c on c.id = s.conversation_id
        join waba_accounts a on a.waba_id = c.waba_id
        where s.id = $1 and a.user_id = $2";
    let row = client
        .query_typed_opt(FIND, &[(&id, Type::INT8), (&user_id, Type::UUID)])
        .await?;
    let Some(row) = row else { return Ok(None) };
    if let Some(message) = row.try_get::<_, Option<i64>>(0)? {
        let message = messages::find(client, user_id, message).await?;
        return Ok(message.map(|message| Sent::Message(Box::new(message))));
    }
    let emoji: Option<String> = row.try_get(1)?;
    let (is_settled, error): (bool, Option<serde_json::Value>) = (row.try_get(3)?, row.try_get(4)?);
    let error = error.and_then(|error| serde_json::from_value::<MessageError>(error).ok());
    Ok(Some(Sent::Reaction {
        reaction: Reaction {
            emoji: emoji.unwrap_or_default(),
            sender: Sender::User,
            timestamp: row.try_get(2)?,
        },
        state: match error.filter(|_| is_settled) {
            Some(error) => Err(error),
            None => Ok(is_settled),
        },
    }))
}

/// The conversations with something that is due, those that have waited longest first. What stands behind something that is not due yet is
/// not listed.
///
/// # Errors
/// When the database does not answer.
pub async fn list_due(client: &impl GenericClient, limit: i64) -> Result<Vec<i64>, DbError> {
    const DUE: &str = "
        select conversation_id from (
          select distinct on (conversation_id) conversation_id, next_try_at, busy_until
          from chat_sends
          where settled_at is null and (attempted_at is null or busy_until > now()) and conversation_id is not null
          order by conversation_id, id) oldest
        where next_try_at <= now() and (busy_until is null or busy_until <= now())
        order by next_try_at
        limit $1";
    let rows = client.query_typed(DUE, &[(&limit, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The number of a conversation in which something is owed, a message or a read receipt, and how long until it is due. `None` where nothing
/// is owed.
///
/// # Errors
/// When the database does not answer.
pub async fn next_turn(
    client: &impl GenericClient,
    conversation_id: i64,
) -> Result<Option<(String, Duration)>, DbError> {
    const NEXT: &str = "
        select c.phone_number_id::text, extract(epoch from least(
          (select s.next_try_at from chat_sends s
           where s.conversation_id = $1 and s.settled_at is null and s.attempted_at is null
           order by s.id limit 1),
          (select r.receipt_next_try_at from chat_conversation_signals r where r.conversation_id = $1)) - now())::float8
        from chat_conversations c
        where c.id = $1";
    let row = client.query_typed_opt(NEXT, &[(&conversation_id, Type::INT8)]).await?;
    let Some(row) = row else { return Ok(None) };
    let seconds: Option<f64> = row.try_get(1)?;
    let Some(seconds) = seconds else { return Ok(None) };
    Ok(Some((
        row.try_get(0)?,
        Duration::try_from_secs_f64(seconds).unwrap_or_default(),
    )))
}

/// Whether nobody will do anything more with a send before something happens: it is settled, or only a status can tell.
///
/// # Errors
/// When the database does not answer.
pub async fn is_at_rest(client: &impl GenericClient, id: i64) -> Result<bool, DbError> {
    const REST: &str = "
        select settled_at is not null or attempted_at is not null and (busy_until is null or busy_until <= now())
        from chat_sends where id = $1";
    let row = client.query_typed_opt(REST, &[(&id, Type::INT8)]).await?;
    row.map_or(Ok(true), |row| Ok(row.try_get(0)?))
}

/// Fails messages that WhatsApp did not confirm in time, at most `limit` of them. A status that comes later still counts.
///
/// # Errors
/// When the database does not answer.
pub async fn fail_unconfirmed(client: &mut Client, limit: i64) -> Result<u64, DbError> {
    // Conversations before sends, as everywhere; what is being settled is left to whoever does that.
    const FAIL: &str = "
        with late as (
          select s.id, s.message_id, c.id as conversation_id
          from chat_sends s
          left join chat_messages m on m.id = s.message_id
          join chat_conversations c on c.id = coalesce(s.conversation_id, m.conversation_id)
          -- What a release before this one marked has no time of its own.
          where s.settled_at is null and s.attempted_at is not null
            and coalesce(s.next_try_at, s.attempted_at + interval '15 minutes') <= now()
            and (s.busy_until is null or s.busy_until <= now())
          order by s.next_try_at
          limit $1
          for no key update of c skip locked
        ), failed as (
          update chat_sends s
          set settled_at = now(), unconfirmed_at = now(), busy_until = null, next_try_at = null, last_error = $2
          from late
          where s.id = late.id and s.settled_at is null
          returning s.id, late.message_id, late.conversation_id
        ), shown as (
          update chat_messages m set status = 'failed', error = $2
          from failed
          where m.id = failed.message_id and m.status = 'pending'
        )
        select conversation_id from failed";
    let error = MessageError::own(
        UNCONFIRMED,
        Some("WhatsApp did not say whether it took the message. It is not sent again, so that the customer does not get it twice.".to_owned()),
        false,
    );
    let transaction = client.transaction().await?;
    let rows = transaction
        .query_typed(FAIL, &[(&limit, Type::INT8), (&serde_json::json!(error), Type::JSONB)])
        .await?;
    let failed = rows.iter().map(|row| Ok(row.try_get(0)?));
    let failed = failed.collect::<Result<Vec<i64>, DbError>>()?;
    show_failed(&transaction, &failed).await?;
    transaction.commit().await?;
    Ok(failed.len() as u64)
}

/// Brings conversations whose messages failed to what they show then: what did not reach the customer is no answer. In a statement of its
/// own, which sees the messages as they are now; the conversations are held.
async fn show_failed(transaction: &Transaction<'_>, conversations: &[i64]) -> Result<(), DbError> {
    const SHOW: &str =
        "update chat_conversations set updated_at = now(), waiting_since = chat_waiting_since(id) where id = any($1)";
    if !conversations.is_empty() {
        let parameters: [(&(dyn ToSql + Sync), Type); 1] = [(&conversations, Type::INT8_ARRAY)];
        transaction.execute_typed(SHOW, &parameters).await?;
    }
    Ok(())
}

/// What follows on `released`, the accounts that are held no more: their messages are due, and their number is told.
const WAKE: &str = "
    , waiting as (
      select s.id from chat_sends s
      join chat_conversations c on c.id = s.conversation_id
      join released r on r.scope_id = c.waba_id
      where s.settled_at is null and s.attempted_at is null
      for update of s skip locked
    ), woken as (
      update chat_sends s set next_try_at = now() from waiting where s.id = waiting.id
    )
    select count(*) from released";

/// Lets the messages of accounts go on whose token is another one than the one that was refused. Returns how many accounts.
///
/// # Errors
/// When the database does not answer.
pub async fn release_reconnected(client: &impl GenericClient) -> Result<u64, DbError> {
    let release = format!(
        "with released as (
           delete from chat_holds h
           using waba_accounts a
           where h.scope = 'account' and a.waba_id::text = h.scope_id
             and h.token_digest is distinct from sha256(convert_to(coalesce(a.access_token, ''), 'UTF8'))
           returning h.scope_id
         ) {WAKE}"
    );
    let row = client.query_typed_one(&release, &[]).await?;
    let count: i64 = row.try_get(0)?;
    Ok(count.unsigned_abs())
}

/// Lets the messages of an account go on that was held for its token, which is known to work now. Tells whether it was held. Does nothing
/// where the stored token is not `access_token` any more.
///
/// # Errors
/// When the database does not answer.
pub async fn release_working(client: &impl GenericClient, waba_id: &str, access_token: &str) -> Result<bool, DbError> {
    let release = format!(
        "with released as (
           delete from chat_holds h
           using waba_accounts a
           where h.scope = 'account' and h.scope_id = $1 and h.reason = 'reconnect_required'
             and a.waba_id = $1 and a.access_token = $2
           returning h.scope_id
         ) {WAKE}"
    );
    let row = client
        .query_typed_one(&release, &[(&waba_id, Type::TEXT), (&access_token, Type::TEXT)])
        .await?;
    let count: i64 = row.try_get(0)?;
    Ok(count > 0)
}

/// The token of an account as it is stored now.
///
/// # Errors
/// When the database does not answer.
pub async fn stored_token(client: &impl GenericClient, waba_id: &str) -> Result<Option<String>, DbError> {
    const FIND: &str = "select access_token::text from waba_accounts where waba_id = $1";
    let row = client.query_typed_opt(FIND, &[(&waba_id, Type::TEXT)]).await?;
    row.map_or(Ok(None), |row| Ok(row.try_get(0)?))
}
