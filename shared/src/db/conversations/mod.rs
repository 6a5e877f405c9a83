//! `chat_conversations`: rows ↔ [`Conversation`]. Whoever reads is the account's user; the row's own `user_id` is kept for other programs.

mod list;
mod read;

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row};
use uuid::Uuid;

pub use list::{Filter, list};
pub use read::{Marked, mark_read, mark_unread};

use super::DbError;
use crate::domain::conversation::Conversation;
use crate::domain::customer::phone_in_key;
use crate::domain::window;

const COLUMNS: &str = "
    c.id, c.waba_id, c.phone_number_id, c.customer_phone, c.customer_user_id, c.customer_username, c.customer_name,
    c.last_message, m.message_type, m.sender, m.status, c.last_message_time, coalesce(c.unread_count, 0)::bigint, c.last_inbound_at,
    coalesce(c.status, 'active'), c.created_at, c.updated_at, c.marketing_opted_out_at, c.waiting_since, (select chat_version())";

fn from_row(row: &Row) -> Result<Conversation, DbError> {
    let key: String = row.try_get(3)?;
    let waiting_since: Option<Timestamp> = row.try_get(18)?;
    Ok(Conversation {
        id: row.try_get(0)?,
        waba_id: row.try_get(1)?,
        phone_number_id: row.try_get(2)?,
        customer_phone: phone_in_key(&key),
        customer_user_id: row.try_get(4)?,
        customer_username: row.try_get(5)?,
        customer_name: row.try_get(6)?,
        last_message: row.try_get(7)?,
        last_message_type: row.try_get(8)?,
        last_message_sender: row.try_get(9)?,
        last_message_status: row.try_get(10)?,
        last_message_time: row.try_get(11)?,
        unread_count: row.try_get(12)?,
        window_expires_at: window::expires_at(row.try_get(13)?),
        status: row.try_get(14)?,
        created_at: row.try_get(15)?,
        updated_at: row.try_get(16)?,
        marketing_opted_out_at: row.try_get(17)?,
        needs_reply: waiting_since.is_some(),
        waiting_since,
        version: row.try_get(19)?,
    })
}

/// One of the agent's conversations.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, user_id: Uuid, id: i64) -> Result<Option<Conversation>, DbError> {
    Ok(find_all(client, user_id, &[id]).await?.pop())
}

/// Those of these conversations that are the agent's, by their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn find_all(client: &impl GenericClient, user_id: Uuid, ids: &[i64]) -> Result<Vec<Conversation>, DbError> {
    let sql = format!(
        "select {COLUMNS} from chat_conversations c
         join waba_accounts a on a.waba_id = c.waba_id
         left join chat_messages m on m.id = c.last_message_id
         where c.id = any($1) and a.user_id = $2
         order by c.id"
    );
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&ids, Type::INT8_ARRAY), (&user_id, Type::UUID)];
    let rows = client.query_typed(&sql, &parameters).await?;
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
