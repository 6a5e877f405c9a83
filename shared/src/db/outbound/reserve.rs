//! A request becomes a row that is owed, once for each idempotency key.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, Row, Transaction};
use uuid::Uuid;

use super::{Sent, find};
use crate::db::{DbError, accounts, ingest};
use crate::domain::customer::{Customer, Identity};
use crate::domain::send::{Plan, Request, TEMPLATE, Target};
use crate::domain::window;
use crate::whatsapp::errors::HELD_BACK;

/// What is known of a request beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras {
    /// Whether the template is one that customers may opt out of.
    pub is_marketing: bool,
}

/// What came of the wish to send.
#[derive(Debug)]
pub enum Reservation {
    /// It is owed now.
    Reserved(Reserved),
    /// It had failed, and is owed again.
    Retried(Reserved),
    /// This key was used for this very request: what became of it.
    Replay(Sent),
    /// This key was used for something else.
    KeyInUse,
    /// No such conversation, or no such number, of this agent.
    NotFound,
    /// The field does not fit the conversation.
    Mismatch(&'static str),
    /// Free-form messages are not allowed now; with the time since when.
    WindowClosed(Option<Timestamp>),
    /// The customer wants no marketing messages since then.
    OptedOut(Timestamp),
}

/// A row that is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// `chat_sends.id`.
    pub id: i64,
    /// Its conversation.
    pub conversation_id: i64,
}

/// The account that a message would be sent by. `None` where its key is known already, or where there is no such conversation or number of
/// this agent.
///
/// # Errors
/// When the database does not answer.
pub async fn look_ahead(client: &impl GenericClient, user_id: Uuid, plan: &Plan) -> Result<Option<String>, DbError> {
    const LOOK: &str = "
        select a.waba_id::text
        from waba_accounts a
        where a.user_id = $1
          and (exists (select 1 from chat_conversations c where c.id = $2 and c.waba_id = a.waba_id)
               or $2::bigint is null and exists (select 1 from phone_numbers p where p.phone_number_id = $3 and p.waba_id = a.waba_id))
          and not exists (select 1 from chat_messages m where m.message_id = $4)
          and not exists (select 1 from chat_sends s where s.reaction_key = $4)
        limit 1";
    let conversation_id = match plan.target {
        Target::Conversation(id) => Some(id),
        Target::Customer => None,
    };
    let row = client
        .query_typed_opt(
            LOOK,
            &[
                (&user_id, Type::UUID),
                (&conversation_id, Type::INT8),
                (&plan.phone_number_id, Type::TEXT),
                (&plan.message_id, Type::TEXT),
            ],
        )
        .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Checks the owner, the window and the key, and inserts the message and what is owed, all in one statement.
///
/// # Errors
/// When the database does not answer; nothing is reserved then, or the same key will find it.
pub async fn reserve(
    client: &mut Client,
    user_id: Uuid,
    plan: &Plan,
    extras: Extras,
    now: Timestamp,
) -> Result<Reservation, DbError> {
    let Target::Conversation(conversation_id) = plan.target else {
        return begin_conversation(client, user_id, plan, extras, now).await;
    };
    // A second round only where another request with this key committed while this one waited for it, or the conversation became part of
    // another one just now.
    for _ in 0..3 {
        match try_reserve(client, user_id, plan, extras, conversation_id, now).await {
            Err(DbError::Refused { code, .. }) if code == SqlState::FOREIGN_KEY_VIOLATION.code() => {}
            Err(error) => return Err(error),
            Ok(Attempt::Decided(reservation)) => return Ok(reservation),
            Ok(Attempt::MayRetry(id)) => {
                let transaction = client.transaction().await?;
                let reservation = retry(&transaction, user_id, id, now).await?;
                transaction.commit().await?;
                return Ok(reservation);
            }
            Ok(Attempt::Unsettled) => {}
        }
    }
    Err(key_is_busy())
}

/// What one look came to.
enum Attempt {
    Decided(Reservation),
    /// The key stands for a message that failed and may be sent again.
    MayRetry(i64),
    /// Somebody else was faster; another look tells.
    Unsettled,
}

fn key_is_busy() -> DbError {
    DbError::Unavailable("the key is being used by another request".to_owned())
}

/// The customer's conversation on the number, which is made where there is none. Nothing is made where nothing can be reserved.
async fn begin_conversation(
    client: &mut Client,
    user_id: Uuid,
    plan: &Plan,
    extras: Extras,
    now: Timestamp,
) -> Result<Reservation, DbError> {
    let phone_number_id = plan.phone_number_id.as_deref().unwrap_or_default();
    let transaction = client.transaction().await?;
    let numbers = accounts::find_numbers(&transaction, &[phone_number_id]).await?;
    let numbers = numbers.into_values().flatten();
    let Some(number) = numbers.into_iter().find(|number| number.user_id == Some(user_id)) else {
        return Ok(Reservation::NotFound);
    };
    let identity = Identity::from(Customer {
        phone: plan.to.clone(),
        user_id: None,
    });
    let conversation_id = ingest::open_conversation(&transaction, &number, &identity).await?;
    let reservation = match try_reserve(&transaction, user_id, plan, extras, conversation_id, now).await? {
        Attempt::Decided(reservation) => reservation,
        Attempt::MayRetry(id) => retry(&transaction, user_id, id, now).await?,
        Attempt::Unsettled => return Err(key_is_busy()),
    };
    if matches!(reservation, Reservation::Reserved(_) | Reservation::Retried(_)) {
        transaction.commit().await?;
    }
    Ok(reservation)
}

const RESERVE: &str = r#"
    with target as (
      select c.id, c.last_inbound_at, c.marketing_opted_out_at,
             $3::text is null or c.phone_number_id = $3 as number_fits,
             $4::text is null or c.customer_phone in ($4, ltrim($4, '+'))
               or exists (select 1 from chat_customer_ids i where i.customer_id = c.customer_id and i.kind = 'phone' and i.value = $4) as phone_fits
      from chat_conversations c
      join waba_accounts a on a.waba_id = c.waba_id
      where c.id = $1 and a.user_id = $2
    ), quoted as (
      select m.wa_message_id as wamid
      from target t
      join chat_messages m on m.conversation_id = t.id
      where m.wa_message_id is not null and (m.message_id = $5 or m.wa_message_id = $5)
      limit 1
    ), known as (
      select s.id, s.request_hash, m.conversation_id, a.user_id, m.status = 'failed' and s.request is not null as has_failed, m.error, s.settled_at, s.unconfirmed_at
      from chat_messages m
      join chat_conversations c on c.id = m.conversation_id
      left join waba_accounts a on a.waba_id = c.waba_id
      left join chat_sends s on s.message_id = m.id
      where m.message_id = $6
      union all
      select s.id, s.request_hash, s.conversation_id, a.user_id, s.settled_at is not null and s.last_error is not null, s.last_error,
             s.settled_at, s.unconfirmed_at
      from chat_sends s
      join chat_conversations c on c.id = s.conversation_id
      left join waba_accounts a on a.waba_id = c.waba_id
      where s.reaction_key = $6
    ), allowed as (
      select t.id from target t
      where t.number_fits and t.phone_fits and ($15 or t.last_inbound_at > $8)
        and not ($16 and t.marketing_opted_out_at is not null)
        and ($5::text is null or exists (select 1 from quoted)) and not exists (select 1 from known)
    ), inserted as (
      insert into chat_messages
        (conversation_id, message_id, message_type, content, media_caption, metadata, sender, status, "timestamp", reply_to_wa_message_id)
      select id, $6, $9, $10, $11, $12, 'user', 'pending', $13, (select wamid from quoted)
      from allowed
      where $9 <> 'reaction'
      on conflict (message_id) do nothing
      returning id, conversation_id
    ), attached as (
      insert into chat_media (message_id, upload_id, state, mime_type, filename, size, voice)
      select i.id, u.id, 'stored', u.mime_type, u.filename, u.size, $18
      from inserted i join chat_uploads u on u.id = $17
    ), owed as (
      insert into chat_sends (message_id, conversation_id, reaction_key, request, request_hash, next_try_at)
      select o.message_id, o.conversation_id, o.reaction_key, $14 || jsonb_build_object('reply_to', (select wamid from quoted)), $7, now()
      from (select i.id as message_id, i.conversation_id, null::text as reaction_key from inserted i
            union all
            select null, id, $6 from allowed where $9 = 'reaction') o
      on conflict (reaction_key) do nothing
      returning id, conversation_id
    ), paced as (
      -- While the conversation is held by its new row, so that a claim need not wait for whoever unites conversations.
      insert into chat_conversation_signals (conversation_id) select conversation_id from owed on conflict do nothing
    ), shown as (
      update chat_conversations c
      set last_message_id = case when c.last_message_time > $13 then c.last_message_id else i.id end,
          last_message = case when c.last_message_time > $13 then c.last_message else coalesce($10, $11) end,
          last_message_time = greatest(c.last_message_time, $13),
          waiting_since = case when c.waiting_since is not null then chat_waiting_since(c.id, $13, $6) end, updated_at = now()
      from inserted i
      where c.id = i.conversation_id
    )
    select t.id, t.last_inbound_at, t.marketing_opted_out_at, t.number_fits, t.phone_fits, exists (select 1 from quoted), o.id,
           k.is_known is not null, k.id, k.request_hash = $7, k.user_id = $2, k.has_failed, k.error, k.settled_at,
           k.unconfirmed_at is not null, k.conversation_id = t.id
    from (select 1) always
    left join target t on true
    left join (select true as is_known, known.* from known) k on true
    left join owed o on true"#;

async fn try_reserve(
    client: &impl GenericClient,
    user_id: Uuid,
    plan: &Plan,
    extras: Extras,
    conversation_id: i64,
    now: Timestamp,
) -> Result<Attempt, DbError> {
    let content = &plan.content;
    let request = Request {
        kind: content.kind.to_owned(),
        object: content.object.clone(),
        reply_to: None,
        files: content.files.iter().map(|file| file.media_id).collect(),
        is_marketing: extras.is_marketing,
    };
    // A template's files are no file of the message.
    let own_file = content.files.first().filter(|file| file.kind == content.kind);
    let row = client
        .query_typed_one(
            RESERVE,
            &[
                (&conversation_id, Type::INT8),
                (&user_id, Type::UUID),
                (&plan.phone_number_id, Type::TEXT),
                (&plan.to, Type::TEXT),
                (&plan.reply_to, Type::TEXT),
                (&plan.message_id, Type::TEXT),
                (&plan.request_hash.as_slice(), Type::BYTEA),
                (&(now - window::LENGTH), Type::TIMESTAMPTZ),
                (&content.kind, Type::TEXT),
                (&content.words, Type::TEXT),
                (&content.media_caption, Type::TEXT),
                (&content.metadata, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&json!(request), Type::JSONB),
                (&(content.kind == TEMPLATE), Type::BOOL),
                (&extras.is_marketing, Type::BOOL),
                (&own_file.map(|file| file.media_id), Type::UUID),
                (&content.object.get("voice").and_then(Value::as_bool), Type::BOOL),
            ],
        )
        .await?;
    let target: Option<i64> = row.try_get(0)?;
    let is_known: bool = row.try_get(7)?;
    if is_known {
        return read_known(client, user_id, plan, extras, &row, now).await;
    }
    let Some(conversation_id) = target else {
        return Ok(Attempt::Decided(Reservation::NotFound));
    };
    if let Some(refusal) = read_refusal(plan, extras, &row, now)? {
        return Ok(Attempt::Decided(refusal));
    }
    let id: Option<i64> = row.try_get(6)?;
    Ok(id.map_or(Attempt::Unsettled, |id| {
        Attempt::Decided(Reservation::Reserved(Reserved { id, conversation_id }))
    }))
}

/// Why nothing may be sent into the conversation now.
fn read_refusal(plan: &Plan, extras: Extras, row: &Row, now: Timestamp) -> Result<Option<Reservation>, DbError> {
    if !row.try_get::<_, bool>(3)? {
        return Ok(Some(Reservation::Mismatch("phone_number_id")));
    }
    if !row.try_get::<_, bool>(4)? {
        return Ok(Some(Reservation::Mismatch("to")));
    }
    if plan.reply_to.is_some() && !row.try_get::<_, bool>(5)? {
        let field = if plan.content.kind == "reaction" {
            "reaction.message_id"
        } else {
            "reply_to"
        };
        return Ok(Some(Reservation::Mismatch(field)));
    }
    read_time(plan, extras, row, now)
}

/// Why nothing may be sent to the customer at this time.
fn read_time(plan: &Plan, extras: Extras, row: &Row, now: Timestamp) -> Result<Option<Reservation>, DbError> {
    let last_inbound_at: Option<Timestamp> = row.try_get(1)?;
    if plan.content.kind != TEMPLATE && !window::is_open(last_inbound_at, now) {
        return Ok(Some(Reservation::WindowClosed(window::expires_at(last_inbound_at))));
    }
    let opted_out_at: Option<Timestamp> = row.try_get(2)?;
    Ok(opted_out_at.filter(|_| extras.is_marketing).map(Reservation::OptedOut))
}

/// What the key stands for already.
async fn read_known(
    client: &impl GenericClient,
    user_id: Uuid,
    plan: &Plan,
    extras: Extras,
    row: &Row,
    now: Timestamp,
) -> Result<Attempt, DbError> {
    let (is_there, id): (bool, Option<i64>) = (row.try_get::<_, Option<i64>>(0)?.is_some(), row.try_get(8)?);
    let is_same_request = row.try_get::<_, Option<bool>>(9)? == Some(true);
    let is_same_agent = row.try_get::<_, Option<bool>>(10)? == Some(true);
    // A conversation that became part of another one is not there any more; what was sent in it is.
    let is_same_place = !is_there || row.try_get::<_, Option<bool>>(15)? == Some(true);
    let Some(id) = id.filter(|_| is_same_request && is_same_agent && is_same_place) else {
        // The key of an inbound message is nobody's to send with. A key of another's says nothing of it.
        return Ok(Attempt::Decided(Reservation::KeyInUse));
    };
    if is_there && may_retry(row, plan.is_retry, now)? {
        return Ok(read_time(plan, extras, row, now)?.map_or(Attempt::MayRetry(id), Attempt::Decided));
    }
    replay(client, user_id, id).await.map(Attempt::Decided)
}

async fn replay(client: &impl GenericClient, user_id: Uuid, id: i64) -> Result<Reservation, DbError> {
    let sent = find(client, user_id, id).await?;
    Ok(sent.map_or(Reservation::KeyInUse, Reservation::Replay))
}

/// Owes a failed message again. A replay where it is none any more: a status or another request was faster.
async fn retry(transaction: &Transaction<'_>, user_id: Uuid, id: i64, now: Timestamp) -> Result<Reservation, DbError> {
    // Whoever changes a message holds its conversation; the next statement sees what they did.
    const LOCK: &str = "
        select 1 from chat_conversations c
        join chat_sends s on s.conversation_id = c.id
        where s.id = $1
        for no key update of c";
    const RETRY: &str = r#"
        with retried as (
          update chat_sends s
          set settled_at = null, attempted_at = null, busy_until = null, attempts = 0, trouble_since = null, reserved_at = now(),
              next_try_at = now(), last_error = null,
              former_wamids = s.former_wamids || coalesce((select array[m.wa_message_id::text] from chat_messages m
                                                           where m.id = s.message_id and m.wa_message_id is not null), '{}')
          where s.id = $1 and s.settled_at is not null and s.unconfirmed_at is null and s.request is not null
            and case when s.message_id is null then s.last_error is not null
                     else exists (select 1 from chat_messages m where m.id = s.message_id and m.status = 'failed') end
          returning s.message_id, s.conversation_id
        ), shown as (
          update chat_messages m
          set status = 'pending', error = null, wa_message_id = null, sent_at = null, pricing = null, "timestamp" = $2
          from retried r
          where m.id = r.message_id
        ), touched as (
          update chat_conversations c
          set last_message_id = case when c.last_message_time > $2 then c.last_message_id else r.message_id end,
              last_message = case when c.last_message_time > $2 then c.last_message else coalesce(m.content, m.media_caption) end,
              last_message_time = greatest(c.last_message_time, $2),
              waiting_since = chat_waiting_since(c.id, $2, m.message_id), updated_at = now()
          from retried r
          join chat_messages m on m.id = r.message_id
          where c.id = r.conversation_id
        )
        select conversation_id from retried"#;
    transaction.query_typed(LOCK, &[(&id, Type::INT8)]).await?;
    let retried = transaction
        .query_typed_opt(RETRY, &[(&id, Type::INT8), (&now, Type::TIMESTAMPTZ)])
        .await?;
    match retried {
        Some(row) => {
            let conversation_id = row.try_get(0)?;
            Ok(Reservation::Retried(Reserved { id, conversation_id }))
        }
        None => replay(transaction, user_id, id).await,
    }
}

/// Whether a failed message may be sent again under its id. Never where nobody knows whether the customer has it. What failed for good only
/// where the agent says so.
fn may_retry(row: &Row, is_asked_for: bool, now: Timestamp) -> Result<bool, DbError> {
    let (has_failed, is_unconfirmed): (Option<bool>, bool) = (row.try_get(11)?, row.try_get(14)?);
    let error: Option<Value> = row.try_get(12)?;
    let settled_at: Option<Timestamp> = row.try_get(13)?;
    let Some(error) = error.filter(|_| has_failed == Some(true) && !is_unconfirmed) else {
        return Ok(false);
    };
    let is_held_back = error["code"] == HELD_BACK && settled_at.is_none_or(|at| now < at + window::LENGTH);
    Ok(!is_held_back && (is_asked_for || error["retryable"] == true))
}
