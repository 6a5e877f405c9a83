//! What became of an attempt is written down, whatever statuses said in between: a state only ever gives way to one that outranks it.

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};

use super::Owed;
use crate::db::events::Told;
use crate::db::{DbError, accounts, events, ingest, quarantine, signals};
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
            if let Some(phone) = customer_phone {
                learn_identity(&transaction, owed, phone, (now, wa_message_id)).await?;
            }
            let number = owed.phone_number_id.as_str();
            let target = owed.request.reply_to.as_deref().filter(|_| owed.request.is_reaction());
            let wamids = [Some(wa_message_id.as_str()), target];
            events::lock_wamids(&transaction, wamids.into_iter().flatten().map(|wamid| (number, wamid))).await?;
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
            wait_again(&transaction, owed, wait.as_secs_f64(), error).await?;
            if *slows_number {
                let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
                    [(&owed.phone_number_id, Type::TEXT), (&wait.as_secs_f64(), Type::FLOAT8)];
                transaction.execute_typed(SLOW, &parameters).await?;
            }
        }
        Verdict::Held { hold, error } => {
            wait_again(&transaction, owed, HOLD_WAIT.as_secs_f64(), error).await?;
            put_hold(&transaction, owed, *hold, error).await?;
        }
        Verdict::Unanswered => {
            let release = "update chat_sends set busy_until = null where id = $1 and settled_at is null";
            transaction.execute_typed(release, &[(&owed.id, Type::INT8)]).await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Ends what is owed. An error stays with it: a reaction has no other place for it.
async fn end(transaction: &Transaction<'_>, owed: &Owed, error: Option<&MessageError>) -> Result<(), DbError> {
    const END: &str = "
        with ended as (
          update chat_sends set settled_at = now(), busy_until = null, next_try_at = null, unconfirmed_at = null, last_error = $2
          where id = $1
          returning conversation_id
        )
        update chat_conversations c set updated_at = now() from ended where c.id = ended.conversation_id";
    let error = error.map(|error| json!(error));
    transaction
        .execute_typed(END, &[(&owed.id, Type::INT8), (&error, Type::JSONB)])
        .await?;
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
    const RELEASE: &str = "
        with released as (
          delete from chat_holds
          where (scope = 'account' and scope_id = $1) or (scope = 'phone_number' and scope_id = $2)
          returning 1
        )
        update chat_sends s set next_try_at = now()
        from chat_conversations c
        where exists (select 1 from released) and c.waba_id = $1 and s.conversation_id = c.id and s.settled_at is null
          and s.attempted_at is null and s.next_try_at > now()";
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
    end(transaction, owed, None).await?;
    if owed.message_row.is_some() {
        signals::owe_receipt_on_reply(transaction, conversation_id).await?;
    }
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
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

async fn fail(transaction: &Transaction<'_>, owed: &Owed, error: &MessageError) -> Result<(), DbError> {
    const FAIL: &str = "
        update chat_messages set status = 'failed', error = $2 where id = $1 and status in ('pending', 'sent')";
    if let Some(row) = owed.message_row {
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&row, Type::INT8), (&json!(error), Type::JSONB)];
        transaction.execute_typed(FAIL, &parameters).await?;
    }
    end(transaction, owed, Some(error)).await
}

/// Owed again after `wait` seconds, unless a status settled it in between.
async fn wait_again(
    transaction: &Transaction<'_>,
    owed: &Owed,
    wait: f64,
    error: &MessageError,
) -> Result<(), DbError> {
    const WAIT: &str = "
        update chat_sends
        set attempted_at = null, busy_until = null, next_try_at = now() + make_interval(secs => $2), last_error = $3
        where id = $1 and settled_at is null";
    transaction
        .execute_typed(
            WAIT,
            &[
                (&owed.id, Type::INT8),
                (&wait, Type::FLOAT8),
                (&json!(error), Type::JSONB),
            ],
        )
        .await?;
    Ok(())
}

async fn put_hold(transaction: &Transaction<'_>, owed: &Owed, hold: Hold, error: &MessageError) -> Result<(), DbError> {
    // The digest is of the token that was refused, not of one that came since.
    const HOLD: &str = "
        insert into chat_holds as h (scope, scope_id, reason, code, next_try_at, token_digest)
        values ($1, $2, $3, $4, now() + make_interval(secs => $5), case when $1 = 'account' then sha256(convert_to($6, 'UTF8')) end)
        on conflict (scope, scope_id) do update
        set reason = excluded.reason, code = excluded.code, next_try_at = excluded.next_try_at, token_digest = excluded.token_digest,
            since = case when h.reason = excluded.reason then h.since else now() end";
    let scope_id = if hold.scope() == "account" {
        &owed.waba_id
    } else {
        &owed.phone_number_id
    };
    transaction
        .execute_typed(
            HOLD,
            &[
                (&hold.scope(), Type::TEXT),
                (&scope_id, Type::TEXT),
                (&hold.reason(), Type::TEXT),
                (&error.code, Type::INT8),
                (&HOLD_WAIT.as_secs_f64(), Type::FLOAT8),
                (&owed.access_token.as_deref().unwrap_or_default(), Type::TEXT),
            ],
        )
        .await?;
    Ok(())
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

/// The phone number by which WhatsApp knows the customer takes the place of the one that we wrote to.
async fn learn_identity(
    transaction: &Transaction<'_>,
    owed: &Owed,
    phone: &str,
    seen: (Timestamp, &str),
) -> Result<(), DbError> {
    let before = match &owed.recipient {
        Recipient::Phone(before) if before == phone => return Ok(()),
        Recipient::Phone(before) => CustomerId::Phone(before.clone()),
        Recipient::UserId(before) => CustomerId::UserId(before.clone()),
    };
    let number = accounts::find_number(transaction, &owed.waba_id, &owed.phone_number_id).await?;
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
    ingest::identify(transaction, &number, &identity, Some(seen)).await
}
