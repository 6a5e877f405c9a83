//! `chat_tickets` and `chat_connections`: who may open a socket, and whose sockets are open.

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::DbError;

/// How long a ticket may be used.
pub const TICKET_SECONDS: i64 = 60;
/// API Gateway closes a connection after two hours.
const LIFETIME: &str = "interval '2 hours 5 minutes'";
/// A page that is looked at says so at least each minute.
const VISIBLE_TIME: &str = "interval '150 seconds'";

/// Keeps a ticket that was made for this user.
///
/// # Errors
/// When the database does not answer.
pub async fn put_ticket(client: &Client, digest: &[u8], user_id: Uuid) -> Result<(), DbError> {
    const PUT: &str = "
        insert into chat_tickets (digest, user_id, expires_at) values ($1, $2, now() + $3 * interval '1 second')";
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&digest, Type::BYTEA),
        (&user_id, Type::UUID),
        (&TICKET_SECONDS, Type::INT8),
    ];
    client.execute_typed(PUT, &parameters).await?;
    Ok(())
}

/// Opens a connection with a ticket, which is used up. False where there is no such ticket, or it is too old.
///
/// # Errors
/// When the database does not answer.
pub async fn open(client: &Client, digest: &[u8], connection_id: &str) -> Result<bool, DbError> {
    let sql = format!(
        "with ticket as (delete from chat_tickets where digest = $1 returning user_id, expires_at)
         insert into chat_connections (connection_id, user_id, expires_at)
         select $2, user_id, now() + {LIFETIME} from ticket where expires_at > now()
         on conflict (connection_id) do update
         set user_id = excluded.user_id, connected_at = excluded.connected_at, expires_at = excluded.expires_at, visible_until = null"
    );
    let opened = client
        .execute_typed(&sql, &[(&digest, Type::BYTEA), (&connection_id, Type::TEXT)])
        .await?;
    Ok(opened == 1)
}

/// Forgets connections that are closed.
///
/// # Errors
/// When the database does not answer.
pub async fn close(client: &Client, connection_ids: &[&str]) -> Result<(), DbError> {
    const CLOSE: &str = "delete from chat_connections where connection_id = any($1)";
    client
        .execute_typed(CLOSE, &[(&connection_ids, Type::TEXT_ARRAY)])
        .await?;
    Ok(())
}

/// Notes whether a connection's page is looked at. False where the connection is not known, or too old.
///
/// # Errors
/// When the database does not answer.
pub async fn note_visibility(client: &Client, connection_id: &str, is_visible: bool) -> Result<bool, DbError> {
    let sql = format!(
        "update chat_connections set visible_until = case when $2 then now() + {VISIBLE_TIME} end
         where connection_id = $1 and expires_at > now()"
    );
    let known = client
        .execute_typed(&sql, &[(&connection_id, Type::TEXT), (&is_visible, Type::BOOL)])
        .await?;
    Ok(known == 1)
}

/// The open connections of a user.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &Client, user_id: Uuid) -> Result<Vec<String>, DbError> {
    const LIST: &str = "select connection_id from chat_connections where user_id = $1 and expires_at > now()";
    let rows = client.query_typed(LIST, &[(&user_id, Type::UUID)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Deletes tickets and connections that are too old.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_expired(client: &Client) -> Result<(), DbError> {
    const DELETE: &str = "
        with tickets as (delete from chat_tickets where expires_at < now())
        delete from chat_connections where expires_at < now()";
    client.execute_typed(DELETE, &[]).await?;
    Ok(())
}
