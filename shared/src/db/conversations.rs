//! `chat_conversations`: rows ↔ [`Conversation`]. Whoever reads is the account's user; the row's own `user_id` is kept for other programs.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row};
use uuid::Uuid;

use super::scan::{Scan, position};
use super::{DbError, signals};
use crate::domain::conversation::{Conversation, ReadReceipts};
use crate::domain::customer::phone_in_key;
use crate::domain::page::{Page, Seek};
use crate::domain::window;

/// The order of the list; of the index `chat_conversations_page_idx`.
const SORT_KEY: &str = "coalesce(c.last_message_time, c.created_at, timestamptz 'epoch')";

const COLUMNS: &str = "
    c.id, c.waba_id, c.phone_number_id, c.customer_phone, c.customer_user_id, c.customer_username, c.customer_name,
    c.last_message, m.message_type, m.sender, m.status, c.last_message_time, coalesce(c.unread_count, 0)::bigint, c.last_inbound_at,
    coalesce(c.status, 'active'), c.created_at, c.updated_at, c.marketing_opted_out_at, (select chat_version())";

fn from_row(row: &Row) -> Result<Conversation, DbError> {
    let key: String = row.try_get(3)?;
    let (last_message_type, last_message_sender): (Option<String>, Option<String>) = (row.try_get(8)?, row.try_get(9)?);
    Ok(Conversation {
        id: row.try_get(0)?,
        waba_id: row.try_get(1)?,
        phone_number_id: row.try_get(2)?,
        customer_phone: phone_in_key(&key),
        customer_user_id: row.try_get(4)?,
        customer_username: row.try_get(5)?,
        customer_name: row.try_get(6)?,
        last_message: row.try_get(7)?,
        needs_reply: last_message_sender.as_deref() == Some("customer")
            && last_message_type.as_deref() != Some("system"),
        last_message_type,
        last_message_sender,
        last_message_status: row.try_get(10)?,
        last_message_time: row.try_get(11)?,
        unread_count: row.try_get(12)?,
        window_expires_at: window::expires_at(row.try_get(13)?),
        status: row.try_get(14)?,
        created_at: row.try_get(15)?,
        updated_at: row.try_get(16)?,
        marketing_opted_out_at: row.try_get(17)?,
        version: row.try_get(18)?,
    })
}

/// What a list is narrowed to.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// One business phone number; all of the agent's where it is missing.
    pub phone_number_id: Option<String>,
    /// `active` or `archived`.
    pub status: Option<String>,
}

/// A page of the agent's conversations, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &Client,
    user_id: Uuid,
    filter: &Filter,
    seek: Seek,
    limit: i64,
) -> Result<Page<Conversation>, DbError> {
    let scan = Scan::new(seek, limit);
    let (comparison, order) = (scan.comparison, scan.order);
    // One index scan a number, merged: the page's cost does not grow with the number of conversations.
    let sql = format!(
        "select {COLUMNS}, c.sort_key
         from waba_accounts a
         join (select distinct waba_id, phone_number_id from phone_numbers) p on p.waba_id = a.waba_id
         cross join lateral (
           select c.*, {SORT_KEY} as sort_key from chat_conversations c
           where c.waba_id = a.waba_id and c.phone_number_id = p.phone_number_id
             and ($3::text is null or coalesce(c.status, 'active') = $3)
             and ($4::timestamptz is null or ({SORT_KEY}, c.id) {comparison} ($4, $5))
           order by {SORT_KEY} {order}, c.id {order}
           limit $6 + $7
         ) c
         left join chat_messages m on m.id = c.last_message_id
         where a.user_id = $1 and ($2::text is null or p.phone_number_id = $2)
         order by c.sort_key {order}, c.id {order}
         limit $6 offset $7"
    );
    let rows = client
        .query_typed(
            &sql,
            &[
                (&user_id, Type::UUID),
                (&filter.phone_number_id, Type::TEXT),
                (&filter.status, Type::TEXT),
                (&scan.time, Type::TIMESTAMPTZ),
                (&scan.id, Type::INT8),
                (&scan.limit, Type::INT8),
                (&scan.offset, Type::INT8),
            ],
        )
        .await?;
    let rows = rows
        .iter()
        .map(|row| Ok((from_row(row)?, position(row, 19, 0)?)))
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page::new(rows, seek, limit))
}

/// One of the agent's conversations.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, user_id: Uuid, id: i64) -> Result<Option<Conversation>, DbError> {
    Ok(find_all(client, user_id, &[id]).await?.pop())
}

/// Those of these conversations that are the agent's; in no order.
///
/// # Errors
/// When the database does not answer.
pub async fn find_all(client: &impl GenericClient, user_id: Uuid, ids: &[i64]) -> Result<Vec<Conversation>, DbError> {
    let sql = format!(
        "select {COLUMNS} from chat_conversations c
         join waba_accounts a on a.waba_id = c.waba_id
         left join chat_messages m on m.id = c.last_message_id
         where c.id = any($1) and a.user_id = $2"
    );
    let rows = client
        .query_typed(&sql, &[(&ids, Type::INT8_ARRAY), (&user_id, Type::UUID)])
        .await?;
    rows.iter().map(from_row).collect()
}

/// Changes what an agent may change; what is `None` stays. A name that an agent gave is never replaced by a profile's.
///
/// # Errors
/// When the database does not answer.
pub async fn update(
    client: &Client,
    user_id: Uuid,
    id: i64,
    status: Option<&str>,
    customer_name: Option<&str>,
) -> Result<Option<Conversation>, DbError> {
    const UPDATE: &str = "
        update chat_conversations c
        set status = coalesce($3, c.status),
            customer_name = coalesce($4, c.customer_name),
            customer_name_by_agent = c.customer_name_by_agent or $4 is not null,
            updated_at = now()
        from waba_accounts a
        where a.waba_id = c.waba_id and c.id = $1 and a.user_id = $2 and coalesce($3, $4) is not null";
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&id, Type::INT8),
        (&user_id, Type::UUID),
        (&status, Type::TEXT),
        (&customer_name, Type::TEXT),
    ];
    client.execute_typed(UPDATE, &parameters).await?;
    find(client, user_id, id).await
}

/// Moves the read position to the newest inbound message. Returns the conversation, and whether the customer is to be told.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_read(client: &mut Client, user_id: Uuid, id: i64) -> Result<Option<(Conversation, bool)>, DbError> {
    // The lock comes in a statement of its own: the next one then sees every message that a consumer counted before.
    const LOCK: &str = "
        select 1 from chat_conversations c
        join waba_accounts a on a.waba_id = c.waba_id
        where c.id = $1 and a.user_id = $2
        for no key update of c";
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
    let owned = transaction
        .query_typed_opt(LOCK, &[(&id, Type::INT8), (&user_id, Type::UUID)])
        .await?;
    if owned.is_none() {
        return Ok(None);
    }
    transaction.execute_typed(MARK, &[(&id, Type::INT8)]).await?;
    let owes_receipt = signals::owe_receipt(&transaction, id, ReadReceipts::OnOpen).await?;
    let conversation = find(&transaction, user_id, id).await?;
    transaction.commit().await?;
    Ok(conversation.map(|conversation| (conversation, owes_receipt)))
}
