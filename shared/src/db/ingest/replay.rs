//! What is in the quarantine, put through the ingest again.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::apply;
use crate::db::DbError;
use crate::domain::ingest::{self, Plan};
use crate::whatsapp::webhook;

/// What became of rows of the quarantine.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Rows that ended in the tables.
    pub applied: usize,
    /// Rows that went back to the quarantine.
    pub quarantined: usize,
}

/// Puts rows of the quarantine through the ingest again. A row leaves only after all of it was applied.
///
/// # Errors
/// When the database does not answer; the rows before stay applied.
pub async fn replay_quarantined(client: &mut Client, ids: &[i64], now: Timestamp) -> Result<Replayed, DbError> {
    const FIND: &str = "select id, body, received_at from chat_quarantine where id = any($1) order by id";
    const DELETE: &str = "delete from chat_quarantine where id = $1";
    let rows = client.query_typed(FIND, &[(&ids, Type::INT8_ARRAY)]).await?;
    let mut replayed = Replayed::default();
    for row in rows {
        let (id, body, received_at): (i64, Vec<u8>, Timestamp) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let applied = match std::str::from_utf8(&body) {
            Ok(text) => {
                let mut plan = Plan::default();
                ingest::plan(webhook::parse(text), received_at, &mut plan);
                apply(client, &plan, now).await?.quarantined == 0
            }
            Err(_) => false,
        };
        if applied {
            client.execute_typed(DELETE, &[(&id, Type::INT8)]).await?;
            replayed.applied += 1;
        } else {
            replayed.quarantined += 1;
        }
    }
    Ok(replayed)
}
