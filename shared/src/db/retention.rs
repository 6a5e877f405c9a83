//! Deletes what has served its time: raw items beside what they became, what was sent beside what is shown of it, and, where the operator
//! says so, the quarantine. A portion at a time, the oldest first.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::DbError;
use crate::config::{self, ConfigError};

/// How many rows of a kind a portion has: some milliseconds.
const PORTION: i64 = 500;

/// What comes late decides by raw items, and events wait for their message for 30 days.
const LEAST_RAW_DAYS: u32 = 31;

/// How long things are kept. `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Raw items of what is in the tables, texts before they were edited or revoked, and the requests of what was sent.
    pub raw: Option<SignedDuration>,
    /// What could not be applied.
    pub quarantine: Option<SignedDuration>,
}

impl Retention {
    /// Nothing is deleted.
    pub const FOREVER: Self = Self {
        raw: None,
        quarantine: None,
    };

    /// Reads `RAW_RETENTION_DAYS` (default 90, at least 31) and `QUARANTINE_RETENTION_DAYS` (0); 0 is for ever.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        let raw: u32 = config::parsed("RAW_RETENTION_DAYS", 90)?;
        if (1..LEAST_RAW_DAYS).contains(&raw) {
            let problem = format!("must be 0 or at least {LEAST_RAW_DAYS}");
            return Err(ConfigError::new("RAW_RETENTION_DAYS", problem));
        }
        let quarantine: u32 = config::parsed("QUARANTINE_RETENTION_DAYS", 0)?;
        let days = |days: u32| (days > 0).then(|| SignedDuration::from_hours(24 * i64::from(days)));
        Ok(Self {
            raw: days(raw),
            quarantine: days(quarantine),
        })
    }
}

/// Does one portion of each kind in a transaction of its own. False where nothing was due, or others hold it.
///
/// # Errors
/// When the database does not answer.
pub async fn go_on(client: &mut Client, retention: &Retention, now: Timestamp) -> Result<bool, DbError> {
    let before = |kept: SignedDuration| now.checked_sub(kept).unwrap_or(Timestamp::MIN);
    let mut done = false;
    if let Some(time) = retention.raw.map(before) {
        let transaction = client.transaction().await?;
        done |= walk(&transaction, "messages", MESSAGES, time).await?;
        done |= walk(&transaction, "events", EVENTS, time).await?;
        done |= delete(&transaction, REQUESTS, time).await?;
        done |= delete(&transaction, APPLIED, time).await?;
        transaction.commit().await?;
    }
    if let Some(time) = retention.quarantine.map(before) {
        let transaction = client.transaction().await?;
        done |= delete(&transaction, QUARANTINE, time).await?;
        transaction.commit().await?;
    }
    Ok(done)
}

// Each clears the rows from the id `$1` on that are older than `$2`, up to the first that is not, `$3` at the most, and says where to go on.

// The digest stays: it knows an item that comes again. So does what an item was understood to say.
const MESSAGES: &str = r"
    with portion as materialized (
      select m.id, coalesce(s.received_at, m.created_at) >= $2 as is_young
      from chat_messages m left join chat_message_sources s on s.message_id = m.id
      where m.id >= $1 order by m.id limit $3
    ), old as materialized (
      select id from portion where id < coalesce((select min(id) from portion where is_young), 9223372036854775807)
    ), sources as (
      update chat_message_sources s set body = '' from old where s.message_id = old.id and s.body <> ''
    ), originals as (
      update chat_messages m set original = null from old where m.id = old.id and m.original is not null
    )
    select max(id) + 1 from old";

const EVENTS: &str = "
    with portion as materialized (
      select id, received_at >= $2 as is_young from chat_message_events where id >= $1 order by id limit $3
    ), old as materialized (
      select id from portion where id < coalesce((select min(id) from portion where is_young), 9223372036854775807)
    ), events as (
      update chat_message_events e set item = null, body = null from old
      where e.id = old.id and (e.item is not null or e.body is not null)
    )
    select max(id) + 1 from old";

async fn walk(transaction: &Transaction<'_>, name: &str, step: &str, time: Timestamp) -> Result<bool, DbError> {
    const NEXT: &str = "select next_id from chat_retention where name = $1 for update skip locked";
    const ADVANCE: &str = "update chat_retention set next_id = $2 where name = $1";
    let name: (&(dyn ToSql + Sync), Type) = (&name, Type::TEXT);
    let Some(row) = transaction.query_typed_opt(NEXT, std::slice::from_ref(&name)).await? else {
        return Ok(false);
    };
    let next: i64 = row.try_get(0)?;
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&next, Type::INT8), (&time, Type::TIMESTAMPTZ), (&PORTION, Type::INT8)];
    let Some(reached) = transaction
        .query_typed_one(step, &parameters)
        .await?
        .try_get::<_, Option<i64>>(0)?
    else {
        return Ok(false);
    };
    transaction
        .execute_typed(ADVANCE, &[name, (&reached, Type::INT8)])
        .await?;
    Ok(true)
}

// The idempotency key needs the hash alone. A failed message cannot be sent again without its request; a reaction has nothing else to show.
const REQUESTS: &str = "
    update chat_sends set request = null
    where id in (select id from chat_sends
                 where request is not null and message_id is not null and settled_at is not null and settled_at < $1
                 order by settled_at limit $2 for update skip locked)";

const APPLIED: &str = "
    delete from chat_quarantine
    where id in (select id from chat_quarantine where reason like 'applied:%' and received_at < $1
                 order by received_at limit $2 for update skip locked)";

const QUARANTINE: &str = "
    delete from chat_quarantine
    where id in (select id from chat_quarantine where reason not like 'applied:%' and received_at < $1
                 order by received_at limit $2 for update skip locked)";

async fn delete(transaction: &Transaction<'_>, statement: &str, time: Timestamp) -> Result<bool, DbError> {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&time, Type::TIMESTAMPTZ), (&PORTION, Type::INT8)];
    Ok(transaction.execute_typed(statement, &parameters).await? > 0)
}
