//! What became of an attempt is written down, whatever statuses said in between: a state only ever gives way to one that outranks it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::holds::{self, Whose};
use super::{Owed, show_failed};
use crate::db::events::Told;
use crate::db::{DbError, accounts, events, ingest, quarantine, signals};
use crate::domain::conversation::ReadReceipts;
use crate::domain::customer::{Customer, CustomerId, Identity};
use crate::domain::ingest::{MessageEvent, Quarantined};
use crate::domain::send::{HOLD_WAIT, Hold, Verdict};
use crate::whatsapp::bodies::Recipient;
use crate::whatsapp::errors::{MessageError, OPTED_OUT};

/// Writes down what follows from an attempt. Whoever waits in the conversation may go on after it.
///
/// # Errors
/// When the database does not answer. An attempt that had begun counts as unanswered then.
pub async fn settle(client: &mut Client, owed: &Owed, verdict: &Verdict, now: Timestamp) -> Result<(), DbError> {
    const LOCK: &str = "
        select c.id, c.customer_id from chat_conversations c
        join chat_sends s on s.conversation_id = c.id
        where s.id = $1
        for no key update of c";
    let transaction = client.transaction().await?;
    // The same order of locks as the ingest: portfolio, wamids, conversation, message.
    match verdict {
        Verdict::Sent {
            wa_message_id,
            customer_phone,
        } => {
            let number = owed.phone_number_id.as_str();
            let target = owed.request.reply_to.as_deref().filter(|_| owed.request.is_reaction());
            let wamids = [Some(wa_message_id.as_str()), target];
            let wamids: Vec<(&str, &str)> = wamids.into_iter().flatten().map(|wamid| (number, wamid)).collect();
            let seen = (now, wa_message_id.as_str());
            if !learn_identity(&transaction, owed, customer_phone.as_deref(), seen, &wamids).await? {
                events::lock_wamids(&transaction, wamids.into_iter()).await?;
            }
        }
        Verdict::Failed(error) if error.code == Some(OPTED_OUT) => {
            ingest::opt_out(
                &transaction,
                (&owed.waba_id, &owed.phone_number_id),
                &customer_of(owed),
                now,
            )
            .await?;
        }
        _ => {}
    }
    let mut locked = transaction.query_typed_opt(LOCK, &[(&owed.id, Type::INT8)]).await?;
    if locked.is_none() {
        // The conversation became part of another one while we waited for it.
        locked = transaction.query_typed_opt(LOCK, &[(&owed.id, Type::INT8)]).await?;
    }
    let Some(conversation) = locked else {
        return Ok(());
    };
    match verdict {
        Verdict::Sent { wa_message_id, .. } => {
            let conversation = (conversation.try_get(0)?, conversation.try_get(1)?);
            accept(&transaction, owed, wa_message_id, conversation, now).await?;
        }
        Verdict::Failed(error) => fail(&transaction, owed, error).await?,
        Verdict::Later {
            wait,
            slows_number,
            error,
        } => {
            const SLOW: &str = "
                update chat_phone_numbers set send_slot_at = greatest(send_slot_at, now() + make_interval(secs => $2))
                where phone_number_id = $1";
            wait_again(&transaction, owed, *wait, false, error).await?;
            if *slows_number {
                let parameters: [(&(dyn ToSql + Sync), Type); 2] =
                    [(&owed.phone_number_id, Type::TEXT), (&wait.as_secs_f64(), Type::FLOAT8)];
                transaction.execute_typed(SLOW, &parameters).await?;
            }
        }
        Verdict::Held { hold, error } => {
            wait_again(&transaction, owed, HOLD_WAIT, true, error).await?;
            put_hold(&transaction, owed, *hold, error).await?;
        }
        Verdict::Unanswered => {
            const RELEASE: &str =
                "update chat_sends set busy_until = null where id = $1 and busy_until = $2 and settled_at is null";
            let parameters: [(&(dyn ToSql + Sync), Type); 2] =
                [(&owed.id, Type::INT8), (&owed.lease, Type::TIMESTAMPTZ)];
            transaction.execute_typed(RELEASE, &parameters).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Ends what WhatsApp took, whoever claims it by now: it must not go out again.
async fn end(transaction: &Transaction<'_>, owed: &Owed) -> Result<(), DbError> {
    const END: &str = "
        with ended as (
          update chat_sends
          set settled_at = now(), busy_until = null, next_try_at = null, unconfirmed_at = null, trouble_since = null, last_error = null
          where id = $1
          returning conversation_id
        )
        update chat_conversations c set updated_at = now(), waiting_since = chat_waiting_since(c.id)
        from ended
        where c.id = ended.conversation_id";
    transaction.execute_typed(END, &[(&owed.id, Type::INT8)]).await?;
    Ok(())
}

async fn accept(
    transaction: &Transaction<'_>,
    owed: &Owed,
    wa_message_id: &str,
    (conversation_id, customer_id): (i64, Option<i64>),
    now: Timestamp,
) -> Result<(), DbError> {
    // A message that counted as unconfirmed was sent after all.
    const ACCEPT: &str = "
        update chat_messages m
        set wa_message_id = coalesce(m.wa_message_id, $2), sent_at = coalesce(m.sent_at, $3),
            status = case when m.status = 'pending' or s.unconfirmed_at is not null and m.status = 'failed' then 'sent' else m.status end,
            error = case when s.unconfirmed_at is null then m.error end
        from chat_sends s
        where m.id = $1 and s.message_id = m.id";
    // Whoever holds one of the waiting messages looks at it anyway.
    const RELEASE: &str = "
        with released as (
          delete from chat_holds
          where (scope = 'account' and scope_id = $1) or (scope = 'phone_number' and scope_id = $2)
          returning 1
        ), waiting as (
          select s.id from chat_sends s
          join chat_conversations c on c.id = s.conversation_id
          where exists (select 1 from released) and c.waba_id = $1 and s.settled_at is null and s.attempted_at is null
            and s.next_try_at > now()
          for update of s skip locked
        )
        update chat_sends s set next_try_at = now() from waiting where s.id = waiting.id";
    let number = owed.phone_number_id.as_str();
    if let Some(row) = owed.message_row {
        displace_rival(transaction, row, conversation_id, wa_message_id).await?;
        transaction
            .execute_typed(
                ACCEPT,
                &[
                    (&row, Type::INT8),
                    (&wa_message_id, Type::TEXT),
                    (&now, Type::TIMESTAMPTZ),
                ],
            )
            .await?;
        events::fold(transaction, &[(number, wa_message_id)]).await?;
    } else if let (Some(target), Some(customer_id)) = (&owed.request.reply_to, customer_id) {
        let event = MessageEvent::own_reaction(number, target, wa_message_id, owed.request.emoji(), now);
        let told = Told {
            event: &event,
            customer_id,
        };
        let mut quarantined = Vec::new();
        events::insert(transaction, &[told], &mut quarantined).await?;
        events::fold(transaction, &[(number, target)]).await?;
        quarantine::insert(transaction, &quarantined, "send").await?;
    }
    end(transaction, owed).await?;
    if owed.message_row.is_some() {
        signals::owe_receipt(transaction, conversation_id, ReadReceipts::OnReply).await?;
    }
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&owed.waba_id, Type::TEXT), (&owed.phone_number_id, Type::TEXT)];
    transaction.execute_typed(RELEASE, &parameters).await?;
    Ok(())
}

/// A history or an echo may have brought our message before its answer came: the row that the agent knows stands, and the item is kept.
async fn displace_rival(
    transaction: &Transaction<'_>,
    row: i64,
    conversation_id: i64,
    wa_message_id: &str,
) -> Result<(), DbError> {
    const DISPLACE: &str = "
        with rival as (
          delete from chat_messages
          where conversation_id = $1 and wa_message_id = $2 and id <> $3 and sender = 'user'
          returning id
        ), shown as (
          update chat_conversations c set last_message_id = $3
          from rival
          where c.id = $1 and c.last_message_id = rival.id
        )
        select o.digest, o.body from rival r join chat_message_sources o on o.message_id = r.id";
    let rows = transaction
        .query_typed(
            DISPLACE,
            &[
                (&conversation_id, Type::INT8),
                (&wa_message_id, Type::TEXT),
                (&row, Type::INT8),
            ],
        )
        .await?;
    let mut quarantined = Vec::new();
    for row in &rows {
        let digest: &[u8] = row.try_get(0)?;
        let digest = digest.try_into().unwrap_or_default();
        quarantined.push(Quarantined::displaced(digest, events::CONFLICT, row.try_get(1)?));
    }
    quarantine::insert(transaction, &quarantined, "send").await
}

/// Ends what failed, unless a status settled it in between. The error stays with it: a reaction has no other place for it.
async fn fail(transaction: &Transaction<'_>, owed: &Owed, error: &MessageError) -> Result<(), DbError> {
    const FAIL: &str = "
        with ended as (
          update chat_sends
          set settled_at = now(), busy_until = null, next_try_at = null, trouble_since = null, last_error = $3
          where id = $1 and busy_until = $2 and settled_at is null
          returning message_id, conversation_id
        ), shown as (
          update chat_messages m set status = 'failed', error = $3
          from ended
          where m.id = ended.message_id and m.status in ('pending', 'sent')
        )
        select conversation_id from ended";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&owed.id, Type::INT8),
        (&owed.lease, Type::TIMESTAMPTZ),
        (&json!(error), Type::JSONB),
    ];
    let ended = transaction.query_typed_opt(FAIL, &parameters).await?;
    let conversation_id = ended.map(|row| row.try_get::<_, i64>(0)).transpose()?;
    show_failed(transaction, conversation_id.as_slice()).await
}

/// Owed again after `wait`, unless a status settled it in between or somebody else has it by now. What is held is in no trouble of its own.
async fn wait_again(
    transaction: &Transaction<'_>,
    owed: &Owed,
    wait: Duration,
    is_held: bool,
    error: &MessageError,
) -> Result<(), DbError> {
    const WAIT: &str = "
        update chat_sends
        set attempted_at = null, busy_until = null, next_try_at = now() + make_interval(secs => $3), last_error = $4,
            attempts = case when $5 then 0 else attempts end,
            trouble_since = case when not $5 then coalesce(trouble_since, now()) end
        where id = $1 and busy_until = $2 and settled_at is null";
    let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
        (&owed.id, Type::INT8),
        (&owed.lease, Type::TIMESTAMPTZ),
        (&wait.as_secs_f64(), Type::FLOAT8),
        (&json!(error), Type::JSONB),
        (&is_held, Type::BOOL),
    ];
    transaction.execute_typed(WAIT, &parameters).await?;
    Ok(())
}

async fn put_hold(transaction: &Transaction<'_>, owed: &Owed, hold: Hold, error: &MessageError) -> Result<(), DbError> {
    let whose = Whose {
        waba_id: &owed.waba_id,
        phone_number_id: &owed.phone_number_id,
        // The token that was refused, not one that came since.
        access_token: owed.access_token.as_deref(),
    };
    holds::put(transaction, whose, hold, error.code).await
}

fn customer_of(owed: &Owed) -> Customer {
    match &owed.recipient {
        Recipient::Phone(phone) => Customer {
            phone: Some(phone.clone()),
            user_id: None,
        },
        Recipient::UserId(id) => Customer {
            phone: None,
            user_id: Some(id.clone()),
        },
    }
}

/// The phone number by which WhatsApp knows the customer takes the place of the one that we wrote to. Whether there was anything to learn;
/// then the locks of the wamids are taken, in their order.
async fn learn_identity(
    transaction: &Transaction<'_>,
    owed: &Owed,
    phone: Option<&str>,
    seen: (Timestamp, &str),
    wamids: &[(&str, &str)],
) -> Result<bool, DbError> {
    let Some(phone) = phone else { return Ok(false) };
    let before = match &owed.recipient {
        // A reaction is its customer's, who has no id yet in conversations from before there were any.
        Recipient::Phone(before) if before == phone && owed.request.is_reaction() => None,
        Recipient::Phone(before) if before == phone => return Ok(false),
        Recipient::Phone(before) => Some(CustomerId::Phone(before.clone())),
        Recipient::UserId(before) => Some(CustomerId::UserId(before.clone())),
    };
    let number = accounts::find_number(transaction, &owed.waba_id, &owed.phone_number_id).await?;
    let Some(number) = number else {
        return Ok(false);
    };
    let identity = Identity {
        customer: Customer {
            phone: Some(phone.to_owned()),
            user_id: None,
        },
        others: before.into_iter().collect(),
    };
    ingest::identify(transaction, &number, &identity, seen, wamids).await?;
    Ok(true)
}
