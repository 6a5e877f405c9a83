//! Figures of the whole installation that clocks tell each minute, and that `cargo xtask doctor` may ask for: what is owed, and what an
//! operator has to look at. They name no account.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::{Database, DbError};
use crate::metrics::{Metric, Work, tell};

/// Above this, how much is owed is not counted.
const MOST: i64 = 10_000;

/// What is owed of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owed {
    /// How many there are; 10,000 stands for more.
    pub count: i64,
    /// For how long the oldest has been due, or has waited (seconds).
    pub oldest_s: i64,
}

/// Since when each piece of work is due (`at`), at most `$1` of them, by an index. What somebody has in hand is not due.
fn due(work: Work) -> &'static str {
    match work {
        // Behind the oldest of a conversation the others wait; what only a status can settle is due when its time is over.
        Work::Sends => {
            "select next_try_at as at from (
               select distinct on (conversation_id) next_try_at, busy_until from chat_sends
               where settled_at is null and (attempted_at is null or busy_until > now()) and conversation_id is not null
               order by conversation_id, id) oldest
             where next_try_at <= now() and (busy_until is null or busy_until <= now())
             union all
             select next_try_at from chat_sends
             where settled_at is null and attempted_at is not null and next_try_at <= now() and (busy_until is null or busy_until <= now())
             order by at limit $1"
        }
        Work::Media => {
            "select next_try_at as at from chat_media
             where state = 'pending' and next_try_at <= now() and upload_id is null
             order by next_try_at limit $1"
        }
        Work::Pushes => {
            "select next_try_at as at from chat_push_owed
             where next_try_at <= now() and (leased_until is null or leased_until <= now())
             order by next_try_at limit $1"
        }
        Work::Unpublished => "select committed_after as at from chat_unpublished order by xid limit $1",
        // From number to number by the index: what was applied is kept in the same table.
        Work::UnknownNumbers => {
            "with recursive number as (
               select min(phone_number_id) as id from chat_quarantine
               union all
               select (select min(q.phone_number_id) from chat_quarantine q where q.phone_number_id > number.id) from number
               where number.id is not null
             )
             select q.received_at as at from number
             join chat_quarantine q on q.phone_number_id = number.id and q.reason = 'unknown_phone_number'
             limit $1"
        }
        Work::ParkedEvents => {
            "select received_at as at from chat_message_events where parked order by received_at limit $1"
        }
    }
}

/// What is owed of this kind.
///
/// # Errors
/// When the database does not answer.
pub async fn owed(client: &impl GenericClient, work: Work) -> Result<Owed, DbError> {
    let sql = format!(
        "select count(*), coalesce(extract(epoch from now() - min(at)), 0)::bigint from ({}) due",
        due(work)
    );
    let row = client.query_typed_one(&sql, &[(&MOST, Type::INT8)]).await?;
    Ok(Owed {
        count: row.try_get(0)?,
        oldest_s: row.try_get(1)?,
    })
}

/// A figure that a clock tells.
#[derive(Debug, Clone, Copy)]
pub enum Gauge {
    /// What is owed of a kind.
    Owed(Work),
    /// [`count_to_reconnect`].
    AccountsToReconnect,
    /// [`count_silent`].
    SilentNumbers,
}

/// Tells these figures. Where the database does not answer they are missing, which alarms notice.
pub async fn tell_gauges(database: &Database, gauges: &[Gauge]) {
    let told = database.run(async |client| {
        for gauge in gauges {
            match gauge {
                Gauge::Owed(work) => {
                    let owed = owed(client, *work).await?;
                    tell(Metric::OldestOwed(*work), owed.oldest_s);
                    tell(Metric::Owed(*work), owed.count);
                }
                Gauge::AccountsToReconnect => tell(Metric::AccountsToReconnect, count_to_reconnect(client).await?),
                Gauge::SilentNumbers => tell(Metric::SilentNumbers, count_silent(client).await?),
            }
        }
        Ok(())
    });
    if let Err(error) = told.await {
        tracing::warn!(%error, "figures of the installation are not told");
    }
}

/// How many accounts may send again only once they are connected again.
///
/// # Errors
/// When the database does not answer.
pub async fn count_to_reconnect(client: &impl GenericClient) -> Result<i64, DbError> {
    const COUNT: &str = "
        select count(*) from chat_holds h
        where h.scope = 'account' and h.reason = 'reconnect_required'
          and exists (select 1 from waba_accounts a where a.waba_id = h.scope_id)";
    Ok(client.query_typed_one(COUNT, &[]).await?.try_get(0)?)
}

/// How many registered phone numbers fell silent: no webhook came for a day, after seven days with messages on each of them. One that was
/// silent for a week is no longer counted: it is out of use. A business that rests on a day of the week never is.
///
/// # Errors
/// When the database does not answer.
pub async fn count_silent(client: &impl GenericClient) -> Result<i64, DbError> {
    const COUNT: &str = "
        select count(distinct n.phone_number_id)
        from chat_phone_numbers n
        join phone_numbers p on p.phone_number_id = n.phone_number_id
        join waba_accounts a on a.waba_id = p.waba_id
        where n.last_webhook_at < now() - interval '24 hours' and n.last_webhook_at > now() - interval '8 days'
          and not exists (
            select 1 from generate_series(1, 7) day
            where not exists (
              select 1 from chat_message_texts t
              where t.waba_id = a.waba_id and t.phone_number_id = n.phone_number_id
                and t.time > n.last_webhook_at - day * interval '1 day'
                and t.time <= n.last_webhook_at - (day - 1) * interval '1 day'))";
    Ok(client.query_typed_one(COUNT, &[]).await?.try_get(0)?)
}
