//! What an agent sends: reserved as `pending` before Graph is asked, settled by the answer or by a status. `chat_sends` holds what the
//! idempotency key stands for and the mark that an attempt was begun.

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row, Transaction};
use uuid::Uuid;

use super::{DbError, accounts, events, ingest, messages};
use crate::domain::customer::{Customer, CustomerId, Identity, phone_in_key};
use crate::domain::message::Message;
use crate::domain::send::{Outcome, Plan, Target};
use crate::domain::window;
use crate::whatsapp::bodies::Recipient;

/// What came of the wish to send.
#[derive(Debug)]
pub enum Reservation {
    /// The row stands as `pending` and its attempt is marked: Graph is to be asked now, by us and nobody else.
    Reserved(Reserved),
    /// This key was used for this very request: its message as it stands now.
    Replay(Box<Message>),
    /// This key was used for something else.
    KeyInUse,
    /// No such conversation of this agent.
    NotFound,
    /// The field does not fit the conversation.
    Mismatch(&'static str),
    /// Free-form messages are not allowed now; with the time since when.
    WindowClosed(Option<Timestamp>),
}

/// What is needed to ask Graph.
#[derive(Debug)]
pub struct Reserved {
    /// The message's row.
    pub id: i64,
    /// The account.
    pub waba_id: String,
    /// The account's token as it is stored.
    pub access_token: Option<String>,
    /// The business phone number to send from.
    pub phone_number_id: String,
    /// The customer.
    pub recipient: Recipient,
    /// The wamid of the message it answers.
    pub reply_to: Option<String>,
}

/// Checks the owner, the window and the key, and inserts the message, all in one statement.
///
/// # Errors
/// When the database does not answer; nothing is reserved then, or the same key will find it.
pub async fn reserve(client: &Client, user_id: Uuid, plan: &Plan, now: Timestamp) -> Result<Reservation, DbError> {
    const RESERVE: &str = r#"
        with target as (
          select c.id, c.waba_id, c.phone_number_id, c.customer_phone, c.customer_user_id, c.last_inbound_at, a.access_token,
                 $3::text is null or c.phone_number_id = $3 as number_fits,
                 $4::text is null or c.customer_phone in ($4, ltrim($4, '+')) as phone_fits
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
          select m.id, s.request_hash = $7 as same_request, a.user_id = $2 as same_agent
          from chat_messages m
          join chat_conversations c on c.id = m.conversation_id
          left join waba_accounts a on a.waba_id = c.waba_id
          left join chat_sends s on s.message_id = m.id
          where m.message_id = $6
        ), inserted as (
          insert into chat_messages (conversation_id, message_id, message_type, content, sender, status, "timestamp", reply_to_wa_message_id)
          select t.id, $6, 'text', $8, 'user', 'pending', $9, (select wamid from quoted)
          from target t
          where t.number_fits and t.phone_fits and t.last_inbound_at > $10
            and ($5::text is null or exists (select 1 from quoted)) and not exists (select 1 from known)
          on conflict (message_id) do nothing
          returning id, conversation_id
        ), marked as (
          insert into chat_sends (message_id, request_hash, attempted_at) select id, $7, $9 from inserted
        ), shown as (
          update chat_conversations c
          set last_message_id = i.id, last_message = $8, last_message_time = $9, updated_at = now()
          from inserted i
          where c.id = i.conversation_id and (c.last_message_time is null or c.last_message_time <= $9)
        )
        select i.id, k.id, k.same_request, k.same_agent, t.id, t.waba_id, t.phone_number_id, t.customer_phone, t.customer_user_id,
               t.last_inbound_at, t.access_token, t.number_fits, t.phone_fits, q.wamid
        from (select 1) always
        left join target t on true
        left join known k on true
        left join inserted i on true
        left join quoted q on true"#;
    let conversation_id = match plan.target {
        Target::Conversation(id) => id,
        Target::Customer => return Ok(Reservation::NotFound),
    };
    // A second round only where another request with this key committed while this one waited for it, or the conversation became part of
    // another one just now.
    for _ in 0..3 {
        let row = match client
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
                    (&plan.content.words, Type::TEXT),
                    (&now, Type::TIMESTAMPTZ),
                    (&(now - window::LENGTH), Type::TIMESTAMPTZ),
                ],
            )
            .await
        {
            Err(error) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => continue,
            row => row?,
        };
        if let Some(reservation) = read_reservation(client, user_id, plan, now, &row).await? {
            return Ok(reservation);
        }
    }
    Err(DbError::Unavailable(
        "the key is being used by another request".to_owned(),
    ))
}

async fn read_reservation(
    client: &Client,
    user_id: Uuid,
    plan: &Plan,
    now: Timestamp,
    row: &Row,
) -> Result<Option<Reservation>, DbError> {
    let known: Option<i64> = row.try_get(1)?;
    if let Some(id) = known {
        let same: (Option<bool>, Option<bool>) = (row.try_get(2)?, row.try_get(3)?);
        let message = match same {
            (Some(true), Some(true)) => messages::find(client, user_id, id).await?,
            _ => None,
        };
        return Ok(Some(message.map_or(Reservation::KeyInUse, |message| {
            Reservation::Replay(Box::new(message))
        })));
    }
    if row.try_get::<_, Option<i64>>(4)?.is_none() {
        return Ok(Some(Reservation::NotFound));
    }
    let last_inbound_at: Option<Timestamp> = row.try_get(9)?;
    let wamid: Option<String> = row.try_get(13)?;
    if !row.try_get::<_, bool>(11)? {
        return Ok(Some(Reservation::Mismatch("phone_number_id")));
    }
    if !row.try_get::<_, bool>(12)? {
        return Ok(Some(Reservation::Mismatch("to")));
    }
    if plan.reply_to.is_some() && wamid.is_none() {
        return Ok(Some(Reservation::Mismatch("reply_to")));
    }
    if !window::is_open(last_inbound_at, now) {
        return Ok(Some(Reservation::WindowClosed(window::expires_at(last_inbound_at))));
    }
    let Some(id) = row.try_get(0)? else {
        return Ok(None);
    };
    let key: String = row.try_get(7)?;
    let customer_user_id: Option<String> = row.try_get(8)?;
    let recipient = match (phone_in_key(&key), customer_user_id) {
        (Some(phone), _) => Recipient::Phone(phone),
        (None, Some(user_id)) => Recipient::UserId(user_id),
        (None, None) => return Err(DbError::Row("a customer without any id".to_owned())),
    };
    Ok(Some(Reservation::Reserved(Reserved {
        id,
        waba_id: row.try_get(5)?,
        phone_number_id: row.try_get::<_, Option<String>>(6)?.unwrap_or_default(),
        recipient,
        access_token: row.try_get(10)?,
        reply_to: wamid,
    })))
}

/// Writes down what became of an attempt, and returns the message. A status that came before the answer is not undone by it.
///
/// # Errors
/// When the database does not answer. The message stays `pending` then, until a status with our id settles it.
pub async fn settle(
    client: &mut Client,
    user_id: Uuid,
    reserved: &Reserved,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Option<Message>, DbError> {
    const LOCK: &str = "
        select c.id from chat_conversations c
        join chat_messages m on m.conversation_id = c.id
        where m.id = $1
        for no key update of c";
    const ACCEPT: &str = "
        update chat_messages
        set wa_message_id = coalesce(wa_message_id, $2), sent_at = coalesce(sent_at, $3),
            status = case when status = 'pending' then 'sent' else status end
        where id = $1";
    const REFUSE: &str = "
        update chat_messages set status = 'failed', error = $2 where id = $1 and status in ('pending', 'sent')";
    let transaction = client.transaction().await?;
    // The same order of locks as the ingest: portfolio, wamid, conversation, message.
    if let Outcome::Accepted {
        wa_message_id,
        customer_phone,
    } = outcome
    {
        if let Some(phone) = customer_phone {
            learn_identity(&transaction, reserved, phone, (now, wa_message_id)).await?;
        }
        let wamid = (reserved.phone_number_id.as_str(), wa_message_id.as_str());
        events::lock_wamids(&transaction, std::iter::once(wamid)).await?;
    }
    let mut locked = transaction.query_typed_opt(LOCK, &[(&reserved.id, Type::INT8)]).await?;
    if locked.is_none() {
        // The conversation became part of another one while we waited for it.
        locked = transaction.query_typed_opt(LOCK, &[(&reserved.id, Type::INT8)]).await?;
    }
    let Some(conversation) = locked else {
        return Ok(None);
    };
    let conversation: i64 = conversation.try_get(0)?;
    match outcome {
        Outcome::Accepted { wa_message_id, .. } => {
            transaction
                .execute_typed(
                    ACCEPT,
                    &[
                        (&reserved.id, Type::INT8),
                        (&wa_message_id, Type::TEXT),
                        (&now, Type::TIMESTAMPTZ),
                    ],
                )
                .await?;
            let wamid = (reserved.phone_number_id.as_str(), wa_message_id.as_str());
            events::fold(&transaction, &[wamid]).await?;
        }
        Outcome::Refused(error) => {
            transaction
                .execute_typed(REFUSE, &[(&reserved.id, Type::INT8), (&json!(error), Type::JSONB)])
                .await?;
        }
        Outcome::Unanswered => {}
    }
    if *outcome != Outcome::Unanswered {
        transaction
            .execute_typed(
                "update chat_sends set settled_at = $2 where message_id = $1",
                &[(&reserved.id, Type::INT8), (&now, Type::TIMESTAMPTZ)],
            )
            .await?;
        transaction
            .execute_typed(
                "update chat_conversations set updated_at = now() where id = $1",
                &[(&conversation, Type::INT8)],
            )
            .await?;
    }
    let message = messages::find(&transaction, user_id, reserved.id).await?;
    transaction.commit().await?;
    Ok(message)
}

/// The phone number by which WhatsApp knows the customer takes the place of the one that we wrote to.
async fn learn_identity(
    transaction: &Transaction<'_>,
    reserved: &Reserved,
    phone: &str,
    seen: (Timestamp, &str),
) -> Result<(), DbError> {
    let before = match &reserved.recipient {
        Recipient::Phone(before) if before == phone => return Ok(()),
        Recipient::Phone(before) => CustomerId::Phone(before.clone()),
        Recipient::UserId(before) => CustomerId::UserId(before.clone()),
    };
    let numbers = accounts::find_numbers(transaction, &[&reserved.phone_number_id]).await?;
    let number = numbers.get(&reserved.phone_number_id);
    let number = number.and_then(|found| found.iter().find(|number| number.waba_id == reserved.waba_id));
    let Some(number) = number else {
        return Ok(());
    };
    let identity = Identity {
        customer: Customer {
            phone: Some(phone.to_owned()),
            user_id: None,
        },
        others: vec![before],
    };
    ingest::identify(transaction, number, &identity, seen).await
}
