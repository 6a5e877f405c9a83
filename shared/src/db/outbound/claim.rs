//! Whose turn it is. Within a conversation messages leave in the order in which they were reserved; between conversations a number's pace
//! and a pair's are kept by reserving slots, so that Graph has nothing to refuse (generic cell rate algorithm:
//! <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>).

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row, Transaction};

use super::show_failed;
use crate::db::DbError;
use crate::domain::customer::phone_in_key;
use crate::domain::send::{HOLD_WAIT, History, Request};
use crate::domain::window;
use crate::whatsapp::bodies::Recipient;
use crate::whatsapp::errors::MessageError;

/// How fast a number may send.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Messages a second, for numbers without a rate of their own. WhatsApp allows 80, and 20 to numbers that are also used in the app.
    pub messages_per_second: i32,
}

/// Of a number's rate a tenth is kept for bursts, so that no second ever holds more messages than the rate.
const STEADY_SHARE: f64 = 0.9;
/// WhatsApp lets a business send a customer one message each 6 s, and 45 at once; one is kept back, since what left at a steady pace may
/// arrive closer together (seconds, messages).
const PAIR_INTERVAL: f64 = 6.0;
const PAIR_BURST: f64 = 44.0;

/// What one may do in a conversation now.
#[derive(Debug)]
pub enum Claim {
    /// Send this.
    Taken(Box<Owed>),
    /// Nothing before this long, as this call found out and noted.
    Wait(Duration),
    /// Nothing before this long, as was noted before: whoever did so has asked to be called again.
    Noted(Duration),
    /// Somebody else is at it.
    Busy,
    /// Nothing is owed.
    Idle,
}

/// What is owed, and leased to whoever claimed it.
#[derive(Debug, Clone)]
pub struct Owed {
    /// `chat_sends.id`.
    pub id: i64,
    /// The `busy_until` of this lease.
    pub(super) lease: Timestamp,
    /// The message's row; a reaction has none.
    pub message_row: Option<i64>,
    /// Our id, which comes back in every status.
    pub message_id: String,
    /// The conversation.
    pub conversation_id: i64,
    /// What to send.
    pub request: Request,
    /// What decides about another try.
    pub history: History,
    /// The account.
    pub waba_id: String,
    /// The account's token as it is stored.
    pub access_token: Option<String>,
    /// The number to send from.
    pub phone_number_id: String,
    /// The customer.
    pub recipient: Recipient,
    /// When the customer wrote last.
    pub last_inbound_at: Option<Timestamp>,
    /// Whether the customer wants no marketing messages.
    pub has_opted_out: bool,
    /// Why it waited for its account or number, where it did so for too long.
    pub held_for: Option<String>,
}

/// Takes what is due in a conversation, for as long as `lease`. What waited for its account for as long as `hold`, or may not be sent any
/// more, is taken whatever stands in its way: Graph need not be asked to end it.
///
/// # Errors
/// When the database does not answer. A row that cannot be read ends as failed, and is reported once.
pub async fn claim(
    client: &mut Client,
    conversation_id: i64,
    lease: Duration,
    (pace, hold): (Pace, Duration),
    now: Timestamp,
) -> Result<Claim, DbError> {
    // Of what is not settled the oldest stands in the way of all others, but for what nobody will send again. Whoever has it locked is at it.
    const TURN: &str = "
        select s.id, s.message_id, coalesce(m.message_id, s.reaction_key), s.request, s.attempts,
               extract(epoch from now() - s.reserved_at)::float8,
               c.waba_id::text, c.phone_number_id::text, c.customer_phone::text, c.customer_user_id, c.last_inbound_at,
               c.marketing_opted_out_at is not null, a.access_token::text,
               account.scope_id is not null and account.token_digest is not distinct from
                 sha256(convert_to(coalesce(a.access_token, ''), 'UTF8')), number.scope_id is not null,
               coalesce(extract(epoch from now() - s.trouble_since), 0)::float8, coalesce(account.reason, number.reason)
        from chat_sends s
        join chat_conversations c on c.id = s.conversation_id
        left join chat_messages m on m.id = s.message_id
        left join waba_accounts a on a.waba_id = c.waba_id
        left join chat_holds account on account.scope = 'account' and account.scope_id = c.waba_id::text
        left join chat_holds number on number.scope = 'phone_number' and number.scope_id = c.phone_number_id::text
        where s.conversation_id = $1 and s.settled_at is null and s.attempted_at is null
          and s.next_try_at <= now() and (s.busy_until is null or s.busy_until <= now())
          and not exists (select 1 from chat_sends o
                          where o.conversation_id = s.conversation_id and o.id < s.id and o.settled_at is null
                            and (o.attempted_at is null or o.busy_until > now()))
        order by s.id
        limit 1
        for update of s skip locked";
    let transaction = client.transaction().await?;
    let row = transaction
        .query_typed_opt(TURN, &[(&conversation_id, Type::INT8)])
        .await?;
    let Some(row) = row else {
        return wait_of(&transaction, conversation_id).await;
    };
    let id: i64 = row.try_get(0)?;
    let mut owed = match read_owed(&row, conversation_id) {
        Ok(owed) => owed,
        Err(error) => {
            end_unreadable(&transaction, id).await?;
            transaction.commit().await?;
            return Err(error);
        }
    };
    let (is_account_held, is_number_held): (bool, bool) = (row.try_get(13)?, row.try_get(14)?);
    let is_held = is_account_held || is_number_held;
    if is_held && owed.history.age >= hold {
        owed.held_for = row.try_get(16)?;
    }
    let taken = if owed.held_for.is_some() || !owed.is_allowed(now) {
        take(&transaction, id, lease).await?
    } else {
        if is_held {
            let waba_id = is_account_held.then_some(&owed.waba_id);
            let wait = pass_holds(&transaction, id, waba_id, &owed.phone_number_id).await?;
            if let Some(wait) = wait {
                transaction.commit().await?;
                return Ok(Claim::Wait(wait));
            }
        }
        take_slot(&transaction, &owed, lease, pace).await?
    };
    let Some((lease, attempts)) = taken else {
        transaction.rollback().await?;
        return slot_wait(client, &owed, pace).await;
    };
    owed.lease = lease;
    owed.history.attempts = attempts.unsigned_abs();
    transaction.commit().await?;
    Ok(Claim::Taken(Box::new(owed)))
}

impl Owed {
    /// Whether it may be sent at `now`: what was allowed when the agent sent it may not be any more.
    #[must_use]
    pub fn is_allowed(&self, now: Timestamp) -> bool {
        self.is_in_window(now) && !self.is_unwanted()
    }

    /// Whether the customer service window lets it pass.
    #[must_use]
    pub fn is_in_window(&self, now: Timestamp) -> bool {
        self.request.is_template() || window::is_open(self.last_inbound_at, now)
    }

    /// Whether the customer asked not to get it.
    #[must_use]
    pub fn is_unwanted(&self) -> bool {
        self.request.is_marketing && self.has_opted_out
    }
}

/// The lease and the attempts are the claim's.
fn read_owed(row: &Row, conversation_id: i64) -> Result<Owed, DbError> {
    let (key, customer_user_id): (String, Option<String>) = (row.try_get(8)?, row.try_get(9)?);
    let recipient = match (phone_in_key(&key), customer_user_id) {
        (Some(phone), _) => Recipient::Phone(phone),
        (None, Some(user_id)) => Recipient::UserId(user_id),
        (None, None) => return Err(DbError::Row("a customer without any id".to_owned())),
    };
    let request: serde_json::Value = row.try_get(3)?;
    let seconds = |index| -> Result<Duration, DbError> {
        Ok(Duration::try_from_secs_f64(row.try_get(index)?).unwrap_or_default())
    };
    Ok(Owed {
        id: row.try_get(0)?,
        lease: Timestamp::UNIX_EPOCH,
        message_row: row.try_get(1)?,
        message_id: row.try_get(2)?,
        conversation_id,
        request: serde_json::from_value(request).map_err(|_| DbError::Row("a request of another form".to_owned()))?,
        history: History {
            attempts: 0,
            age: seconds(5)?,
            trouble: seconds(15)?,
        },
        waba_id: row.try_get(6)?,
        phone_number_id: row.try_get(7)?,
        recipient,
        last_inbound_at: row.try_get(10)?,
        has_opted_out: row.try_get(11)?,
        access_token: row.try_get(12)?,
        held_for: None,
    })
}

/// A row that nobody can read must not stand in the way of its conversation.
async fn end_unreadable(transaction: &Transaction<'_>, id: i64) -> Result<(), DbError> {
    const END: &str = "
        with ended as (
          update chat_sends set settled_at = now(), busy_until = null, next_try_at = null, last_error = $2
          where id = $1
          returning message_id
        )
        update chat_messages m set status = 'failed', error = $2 from ended where m.id = ended.message_id and m.status = 'pending'
        returning m.conversation_id";
    // Conversations come before sends: whoever holds it would wait for us.
    const HOLD: &str = "select id from chat_conversations where id = $1 for no key update skip locked";
    let error = MessageError::own("The message could not be read from the database", None, false);
    let error = serde_json::json!(error);
    let ended = transaction
        .query_typed_opt(END, &[(&id, Type::INT8), (&error, Type::JSONB)])
        .await?;
    let Some(row) = ended else { return Ok(()) };
    let conversation_id: i64 = row.try_get(0)?;
    let held = transaction
        .query_typed_opt(HOLD, &[(&conversation_id, Type::INT8)])
        .await?;
    match held {
        Some(_) => show_failed(transaction, &[conversation_id]).await,
        None => Ok(()),
    }
}

/// Takes the row alone.
async fn take(transaction: &Transaction<'_>, id: i64, lease: Duration) -> Result<Option<(Timestamp, i32)>, DbError> {
    const TAKE: &str = "
        update chat_sends set busy_until = now() + make_interval(secs => $2), attempts = attempts + 1
        where id = $1
        returning busy_until, attempts";
    let row = transaction
        .query_typed_opt(TAKE, &[(&id, Type::INT8), (&lease.as_secs_f64(), Type::FLOAT8)])
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((row.try_get(0)?, row.try_get(1)?)))
}

/// Why there is nothing to take.
async fn wait_of(client: &impl GenericClient, conversation_id: i64) -> Result<Claim, DbError> {
    const OLDEST: &str = "
        select s.busy_until > now(), greatest(extract(epoch from s.next_try_at - now()), 0)::float8
        from chat_sends s
        where s.conversation_id = $1 and s.settled_at is null and (s.attempted_at is null or s.busy_until > now())
        order by s.id
        limit 1";
    let row = client
        .query_typed_opt(OLDEST, &[(&conversation_id, Type::INT8)])
        .await?;
    let Some(row) = row else {
        return Ok(Claim::Idle);
    };
    let is_busy: Option<bool> = row.try_get(0)?;
    let wait = Duration::try_from_secs_f64(row.try_get::<_, Option<f64>>(1)?.unwrap_or_default()).unwrap_or_default();
    // What is due and was not found is locked by another claim.
    Ok(if is_busy == Some(true) || wait.is_zero() {
        Claim::Busy
    } else {
        Claim::Noted(wait)
    })
}

/// One message at a time tries whether its account or number may send again. `None` where this one is it; else how long it waits.
async fn pass_holds(
    transaction: &Transaction<'_>,
    id: i64,
    waba_id: Option<&String>,
    phone_number_id: &str,
) -> Result<Option<Duration>, DbError> {
    const PROBE: &str = "
        with held as (
          select h.scope, h.scope_id, h.next_try_at from chat_holds h
          where (h.scope = 'account' and h.scope_id = $2) or (h.scope = 'phone_number' and h.scope_id = $3)
          order by h.scope
          for update
        ), probed as (
          update chat_holds h set next_try_at = now() + make_interval(secs => $4)
          from held
          where h.scope = held.scope and h.scope_id = held.scope_id and not exists (select 1 from held where next_try_at > now())
        ), waiting as (
          update chat_sends s set next_try_at = (select max(next_try_at) from held)
          where s.id = $1 and exists (select 1 from held where next_try_at > now())
          returning s.next_try_at
        )
        select extract(epoch from next_try_at - now())::float8 from waiting";
    let row = transaction
        .query_typed_opt(
            PROBE,
            &[
                (&id, Type::INT8),
                (&waba_id, Type::TEXT),
                (&phone_number_id, Type::TEXT),
                (&HOLD_WAIT.as_secs_f64(), Type::FLOAT8),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Duration::try_from_secs_f64(row.try_get(0)?).unwrap_or_default()))
}

/// Takes the next slot of the number and of the pair, and with them the row. `None` where one of them is not free yet: then nothing may be
/// committed.
async fn take_slot(
    transaction: &Transaction<'_>,
    owed: &Owed,
    lease: Duration,
    pace: Pace,
) -> Result<Option<(Timestamp, i32)>, DbError> {
    const TAKE: &str = "
        with number as (
          insert into chat_phone_numbers as n (phone_number_id, send_slot_at) values ($3, now() + make_interval(secs => 1 / ($5 * $6)))
          on conflict (phone_number_id) do update
          set send_slot_at = greatest(n.send_slot_at, now()) + make_interval(secs => 1 / (coalesce(n.messages_per_second, $5) * $6))
          where n.send_slot_at is null
             or n.send_slot_at <= now() + make_interval(secs => greatest(0, (1 - $6 - 1 / coalesce(n.messages_per_second, $5)) / $6))
          returning 1
        ), pair as (
          insert into chat_conversation_signals as p (conversation_id, pair_slot_at) values ($2, now() + make_interval(secs => $7))
          on conflict (conversation_id) do update set pair_slot_at = greatest(p.pair_slot_at, now()) + make_interval(secs => $7)
          where p.pair_slot_at is null or p.pair_slot_at <= now() + make_interval(secs => $7 * ($8 - 1))
          returning 1
        )
        update chat_sends s
        set busy_until = now() + make_interval(secs => $4), attempts = s.attempts + 1
        where s.id = $1 and exists (select 1 from number) and exists (select 1 from pair)
        returning s.busy_until, s.attempts";
    let row = transaction
        .query_typed_opt(
            TAKE,
            &[
                (&owed.id, Type::INT8),
                (&owed.conversation_id, Type::INT8),
                (&owed.phone_number_id, Type::TEXT),
                (&lease.as_secs_f64(), Type::FLOAT8),
                (&f64::from(pace.messages_per_second), Type::FLOAT8),
                (&STEADY_SHARE, Type::FLOAT8),
                (&PAIR_INTERVAL, Type::FLOAT8),
                (&PAIR_BURST, Type::FLOAT8),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((row.try_get(0)?, row.try_get(1)?)))
}

/// Notes when both slots are free, so that nobody looks before; returns how long that is.
async fn slot_wait(client: &impl GenericClient, owed: &Owed, pace: Pace) -> Result<Claim, DbError> {
    // Many wait for one number's next slot: they look at different moments.
    const WAIT: &str = "
        update chat_sends s
        set next_try_at = greatest(
              s.next_try_at,
              (select n.send_slot_at - make_interval(secs => greatest(0, (1 - $5 - 1 / coalesce(n.messages_per_second, $4)) / $5))
               from chat_phone_numbers n where n.phone_number_id = $3),
              (select p.pair_slot_at - make_interval(secs => $6 * ($7 - 1)) from chat_conversation_signals p
               where p.conversation_id = $2)) + make_interval(secs => 0.2 * random())
        where s.id = $1 and s.settled_at is null and s.attempted_at is null and (s.busy_until is null or s.busy_until <= now())
        returning extract(epoch from s.next_try_at - now())::float8";
    let row = client
        .query_typed_opt(
            WAIT,
            &[
                (&owed.id, Type::INT8),
                (&owed.conversation_id, Type::INT8),
                (&owed.phone_number_id, Type::TEXT),
                (&f64::from(pace.messages_per_second), Type::FLOAT8),
                (&STEADY_SHARE, Type::FLOAT8),
                (&PAIR_INTERVAL, Type::FLOAT8),
                (&PAIR_BURST, Type::FLOAT8),
            ],
        )
        .await?;
    let seconds: Option<f64> = row.map_or(Ok(None), |row| row.try_get(0))?;
    let wait = Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default();
    // Never none: whoever waits must not turn in a circle.
    Ok(Claim::Wait(wait.max(Duration::from_millis(5))))
}

/// Marks that Graph is going to be asked now. `false` where the lease is over: then it must not be asked.
///
/// # Errors
/// When the database does not answer; then it must not be asked either, and the row may count as unanswered.
pub async fn begin(client: &impl GenericClient, owed: &Owed, confirmation: Duration) -> Result<bool, DbError> {
    const BEGIN: &str = "
        update chat_sends set attempted_at = now(), next_try_at = now() + make_interval(secs => $3)
        where id = $1 and busy_until = $2 and busy_until > now() and settled_at is null and attempted_at is null";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&owed.id, Type::INT8),
        (&owed.lease, Type::TIMESTAMPTZ),
        (&confirmation.as_secs_f64(), Type::FLOAT8),
    ];
    Ok(client.execute_typed(BEGIN, &parameters).await? == 1)
}

/// Takes a mark back whose own outcome is not known: Graph was certainly not asked.
///
/// # Errors
/// When the database does not answer; then the row counts as unanswered.
pub async fn unmark(client: &impl GenericClient, owed: &Owed) -> Result<(), DbError> {
    const UNMARK: &str = "
        update chat_sends set attempted_at = null, busy_until = null, next_try_at = now()
        where id = $1 and busy_until = $2 and settled_at is null";
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&owed.id, Type::INT8), (&owed.lease, Type::TIMESTAMPTZ)];
    client.execute_typed(UNMARK, &parameters).await?;
    Ok(())
}

/// Gives back what was claimed and not begun, and the pair's slot: it is due at once, for somebody who has more time. The attempt does not
/// count.
///
/// # Errors
/// When the database does not answer; then it is due when the lease ends.
pub async fn postpone(client: &impl GenericClient, owed: &Owed) -> Result<(), DbError> {
    const POSTPONE: &str = "
        with postponed as (
          update chat_sends set busy_until = null, attempts = attempts - 1
          where id = $1 and busy_until = $2 and settled_at is null and attempted_at is null
          returning conversation_id
        )
        update chat_conversation_signals p set pair_slot_at = p.pair_slot_at - make_interval(secs => $3)
        from postponed
        where p.conversation_id = postponed.conversation_id";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&owed.id, Type::INT8),
        (&owed.lease, Type::TIMESTAMPTZ),
        (&PAIR_INTERVAL, Type::FLOAT8),
    ];
    client.execute_typed(POSTPONE, &parameters).await?;
    Ok(())
}
