//! `chat_message_events`: insert-only. What a message shows of its statuses, reactions, edits and revocations is a fold over them, the
//! same in any order of arrival.

mod fold;
mod insert;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::DbError;

pub use fold::fold;
pub use insert::{Told, bind_unanswered, fail_reactions, find_failed_reactions, insert, insert_statuses};

/// Why an item that claims another item's wamid is kept aside.
pub(super) const CONFLICT: &str = "conflicting_wamid";

/// Into how many locks the wamids of one number are spread.
const LOCKS: u8 = 64;

/// Takes, until the end of the transaction, the locks of these (phone number id, wamid).
///
/// A status may be stored while the message that it is about is being stored by another transaction; neither would see the other, and
/// the status would never be applied. Whoever stores one of the two holds the wamid's lock. Spread over few locks, because the server's
/// lock table is small, and taken in order, so that nobody waits in a circle.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_wamids<'a>(
    transaction: &impl GenericClient,
    wamids: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), DbError> {
    let mut locks: Vec<(i32, i32)> = wamids
        .map(|(phone_number_id, wamid)| {
            let [a, b, c, d, ..] = super::hash(phone_number_id);
            let bucket = super::hash(wamid)[0] % LOCKS;
            (i32::from_be_bytes([a, b, c, d]), i32::from(bucket))
        })
        .collect();
    if locks.is_empty() {
        return Ok(());
    }
    locks.sort_unstable();
    locks.dedup();
    let (numbers, buckets): (Vec<i32>, Vec<i32>) = locks.into_iter().unzip();
    transaction
        .execute_typed(
            "select pg_advisory_xact_lock(number, bucket) from unnest($1, $2) as locks(number, bucket)",
            &[(&numbers, Type::INT4_ARRAY), (&buckets, Type::INT4_ARRAY)],
        )
        .await?;
    Ok(())
}

/// The (phone number id, wamid) of the messages that these customers' events are about. Customers who prove to be one may have had the
/// message all along.
///
/// # Errors
/// When the database does not answer.
pub async fn find_targets(client: &impl GenericClient, customers: &[i64]) -> Result<Vec<(String, String)>, DbError> {
    const FIND: &str =
        "select distinct phone_number_id, wa_message_id from chat_message_events where customer_id = any($1)";
    let rows = client.query_typed(FIND, &[(&customers, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// How long events wait for their message.
const PARKED_DAYS: i32 = 30;

/// Drops events whose message never came, at most `limit` of them. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn drop_parked(client: &impl GenericClient, now: Timestamp, limit: i64) -> Result<u64, DbError> {
    const DROP: &str = "
        delete from chat_message_events
        where id in (select id from chat_message_events
                     where parked and received_at < $1 - make_interval(days => $2)
                     order by received_at limit $3 for update skip locked)";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&now, Type::TIMESTAMPTZ),
        (&PARKED_DAYS, Type::INT4),
        (&limit, Type::INT8),
    ];
    Ok(client.execute_typed(DROP, &parameters).await?)
}
