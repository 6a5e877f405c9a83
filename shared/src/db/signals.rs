//! `chat_conversation_signals`: read receipts that are owed, and when the customer was last shown that an answer is being written. The
//! account's policy (`chat_account_settings`) says when a customer is told that their message was read.

use std::time::Duration;

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::DbError;
use crate::domain::conversation::ReadReceipts;

/// WhatsApp shows a typing indicator for 25 s; another one is sent no sooner than after this many.
const TYPING_INTERVAL: Duration = Duration::from_secs(20);
/// Older messages can neither be reported as read nor answered with a typing indicator.
const REPORTABLE_DAYS: i32 = 30;

/// The newest message that a customer wrote live, of what can still be reported.
const NEWEST_INBOUND: &str = r#"
    select m.wa_message_id as wamid from chat_messages m
    where m.conversation_id = c.id and m.sender = 'customer' and m.wa_message_id is not null and not m.is_history
      and m.message_type is distinct from 'system' and m."timestamp" > now() - make_interval(days => $2)
    order by m."timestamp" desc, m.wa_message_id collate "C" desc
    limit 1"#;

/// Owes a receipt for the newest inbound message where the account reports at this moment. Whether it does.
///
/// # Errors
/// When the database does not answer.
pub async fn owe_receipt(
    client: &impl GenericClient,
    conversation_id: i64,
    moment: ReadReceipts,
) -> Result<bool, DbError> {
    let sql = format!(
        "insert into chat_conversation_signals as s (conversation_id, receipt_wamid, receipt_next_try_at)
         select c.id, newest.wamid, now()
         from chat_conversations c
         left join chat_account_settings settings on settings.waba_id = c.waba_id
         cross join lateral ({NEWEST_INBOUND}) newest
         where c.id = $1 and coalesce(settings.read_receipts, 'on_reply') = $3
         on conflict (conversation_id) do update
         set receipt_wamid = excluded.receipt_wamid, receipt_next_try_at = now(), receipt_attempts = 0
         where s.receipt_sent_wamid is distinct from excluded.receipt_wamid
         returning 1"
    );
    let row = client
        .query_typed_opt(
            &sql,
            &[
                (&conversation_id, Type::INT8),
                (&REPORTABLE_DAYS, Type::INT4),
                (&moment.as_str(), Type::TEXT),
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// Something to tell WhatsApp about a message of the customer.
#[derive(Debug, Clone)]
pub struct Signal {
    /// The conversation.
    pub conversation_id: i64,
    /// The customer's message.
    pub wamid: String,
    /// The account.
    pub waba_id: String,
    /// The account's token as it is stored.
    pub access_token: Option<String>,
    /// The number that it came to.
    pub phone_number_id: String,
}

fn signal(row: &Row) -> Result<Signal, DbError> {
    Ok(Signal {
        conversation_id: row.try_get(0)?,
        wamid: row.try_get(1)?,
        waba_id: row.try_get(2)?,
        access_token: row.try_get(3)?,
        phone_number_id: row.try_get(4)?,
    })
}

/// Takes a receipt that is due in the conversation, for as long as `lease`. ///
/// # Errors
/// When the database does not answer.
pub async fn claim_receipt(
    client: &impl GenericClient,
    conversation_id: i64,
    lease: Duration,
) -> Result<Option<Signal>, DbError> {
    const CLAIM: &str = "
        update chat_conversation_signals s
        set receipt_next_try_at = now() + make_interval(secs => $2), receipt_attempts = s.receipt_attempts + 1
        from chat_conversations c
        left join waba_accounts a on a.waba_id = c.waba_id
        where s.conversation_id = $1 and c.id = s.conversation_id and s.receipt_next_try_at <= now()
        returning c.id, s.receipt_wamid, c.waba_id::text, a.access_token::text, c.phone_number_id::text";
    let row = client
        .query_typed_opt(
            CLAIM,
            &[(&conversation_id, Type::INT8), (&lease.as_secs_f64(), Type::FLOAT8)],
        )
        .await?;
    row.as_ref().map(signal).transpose()
}

/// How often a receipt is tried.
const RECEIPT_ATTEMPTS: i32 = 8;

/// What became of a receipt: it was told, or it is told again later, or it is over. A newer one that came in between stays owed.
///
/// # Errors
/// When the database does not answer.
pub async fn settle_receipt(client: &impl GenericClient, signal: &Signal, is_over: bool) -> Result<(), DbError> {
    // 30 s, 1 min, 2 min ... : a read receipt that comes late matters little.
    const SETTLE: &str = "
        update chat_conversation_signals
        set receipt_sent_wamid = case when $3 or receipt_attempts >= $4 then receipt_wamid else receipt_sent_wamid end,
            receipt_next_try_at = case when $3 or receipt_attempts >= $4 then null
                                       else now() + make_interval(secs => 15 * power(2, receipt_attempts)) end
        where conversation_id = $1 and receipt_wamid = $2";
    client
        .execute_typed(
            SETTLE,
            &[
                (&signal.conversation_id, Type::INT8),
                (&signal.wamid, Type::TEXT),
                (&is_over, Type::BOOL),
                (&RECEIPT_ATTEMPTS, Type::INT4),
            ],
        )
        .await?;
    Ok(())
}

/// The conversations whose receipts are due, those that have waited longest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list_due_receipts(client: &impl GenericClient, limit: i64) -> Result<Vec<i64>, DbError> {
    const DUE: &str = "
        select conversation_id from chat_conversation_signals
        where receipt_next_try_at <= now()
        order by receipt_next_try_at
        limit $1";
    let rows = client.query_typed(DUE, &[(&limit, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Whether the customer may be shown that an answer is being written.
#[derive(Debug)]
pub enum Typing {
    /// Yes, and it is noted that they are.
    Show(Signal),
    /// They were, just now; or the account never lets a customer know that something was read, which the indicator does.
    Silent,
    /// They wrote nothing that could be answered.
    NothingToAnswer,
    /// No such conversation of this agent.
    NotFound,
}

/// Takes the right to show the customer that an answer is being written.
///
/// # Errors
/// When the database does not answer.
pub async fn claim_typing(client: &impl GenericClient, user_id: Uuid, conversation_id: i64) -> Result<Typing, DbError> {
    let sql = format!(
        "with target as (
           select c.id, newest.wamid, c.waba_id::text, a.access_token::text, c.phone_number_id::text,
                  coalesce(settings.read_receipts, 'on_reply') <> 'never' as may_tell
           from chat_conversations c
           join waba_accounts a on a.waba_id = c.waba_id
           left join chat_account_settings settings on settings.waba_id = c.waba_id
           left join lateral ({NEWEST_INBOUND}) newest on true
           where c.id = $1 and a.user_id = $3
         ), shown as (
           insert into chat_conversation_signals as s (conversation_id, typing_sent_at)
           select id, now() from target where wamid is not null and may_tell
           on conflict (conversation_id) do update set typing_sent_at = now()
           where s.typing_sent_at is null or s.typing_sent_at <= now() - make_interval(secs => $4)
           returning 1
         )
         select t.*, exists (select 1 from shown) from target t"
    );
    let row = client
        .query_typed_opt(
            &sql,
            &[
                (&conversation_id, Type::INT8),
                (&REPORTABLE_DAYS, Type::INT4),
                (&user_id, Type::UUID),
                (&TYPING_INTERVAL.as_secs_f64(), Type::FLOAT8),
            ],
        )
        .await?;
    let Some(row) = row else {
        return Ok(Typing::NotFound);
    };
    if row.try_get::<_, Option<&str>>(1)?.is_none() {
        return Ok(Typing::NothingToAnswer);
    }
    Ok(if row.try_get(6)? {
        Typing::Show(signal(&row)?)
    } else {
        Typing::Silent
    })
}
