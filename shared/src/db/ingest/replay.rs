//! Puts quarantined items through the ingest again: once their phone number is registered, or when an operator asks for it.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::{OwedFile, OwedPush, UNKNOWN_NUMBER, apply_within};
use crate::db::DbError;
use crate::domain::ingest::{self, Plan, Quarantined};
use crate::whatsapp::webhook;

/// What became of quarantined items.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Those that are in the tables now.
    pub applied: usize,
    /// Those that went back, with the reason that they have now.
    pub quarantined: usize,
    /// The files to be fetched.
    pub files: Vec<OwedFile>,
    /// The conversations whose agents are owed a notification.
    pub pushes: Vec<OwedPush>,
}

/// Puts these rows of the quarantine through the ingest again. A row that another replay holds is left to it. An item that the database
/// refuses is told apart by trying each by itself, and keeps its place with that as its reason.
///
/// # Errors
/// When the database does not answer.
pub async fn replay_quarantined(client: &mut Client, ids: &[i64], now: Timestamp) -> Result<Replayed, DbError> {
    const REFUSE: &str = "update chat_quarantine set reason = $2 where id = $1";
    match replay_together(client, ids, now).await {
        Err(error) if !error.is_transient() => {}
        result => return result,
    }
    let mut all = Replayed::default();
    for id in ids {
        match replay_together(client, &[*id], now).await {
            Ok(one) => {
                all.applied += one.applied;
                all.quarantined += one.quarantined;
                all.files.extend(one.files);
                all.pushes.extend(one.pushes);
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                let reason = format!("refused: {error}");
                client
                    .execute_typed(REFUSE, &[(id, Type::INT8), (&reason, Type::TEXT)])
                    .await?;
                all.quarantined += 1;
            }
        }
    }
    Ok(all)
}

/// All or none.
async fn replay_together(client: &mut Client, ids: &[i64], now: Timestamp) -> Result<Replayed, DbError> {
    const TAKE: &str = "
        delete from chat_quarantine
        where id in (select id from chat_quarantine where id = any($1) order by id for update skip locked)
        returning digest, reason, waba_id, phone_number_id, field, body, received_at";
    const WENT_BACK: &str = "select count(*) from chat_quarantine where digest = any($1)";
    // An item that went back has been here since it came, not since now.
    const KEEP_TIMES: &str = "
        update chat_quarantine q set received_at = least(q.received_at, k.received_at)
        from unnest($1, $2) as k(digest, received_at) where q.digest = k.digest";
    let transaction = client.transaction().await?;
    let rows = transaction.query_typed(TAKE, &[(&ids, Type::INT8_ARRAY)]).await?;
    let (mut plan, mut digests, mut times) = (Plan::default(), Vec::new(), Vec::new());
    for row in &rows {
        let (body, received_at): (Vec<u8>, Timestamp) = (row.try_get(5)?, row.try_get(6)?);
        let digest: Vec<u8> = row.try_get(0)?;
        match std::str::from_utf8(&body) {
            Ok(text) => ingest::plan(webhook::parse(text), received_at, &mut plan),
            Err(_) => plan.quarantined.push(Quarantined {
                digest: digest.as_slice().try_into().unwrap_or_default(),
                reason: row.try_get(1)?,
                waba_id: row.try_get(2)?,
                phone_number_id: row.try_get(3)?,
                field: row.try_get(4)?,
                body,
            }),
        }
        digests.push(digest);
        times.push(received_at);
    }
    let applied = apply_within(&transaction, &plan, now).await?;
    transaction
        .execute_typed(
            KEEP_TIMES,
            &[(&digests, Type::BYTEA_ARRAY), (&times, Type::TIMESTAMPTZ_ARRAY)],
        )
        .await?;
    let back: i64 = transaction
        .query_typed_one(WENT_BACK, &[(&digests, Type::BYTEA_ARRAY)])
        .await?
        .try_get(0)?;
    transaction.commit().await?;
    let quarantined = usize::try_from(back).unwrap_or_default();
    Ok(Replayed {
        applied: rows.len().saturating_sub(quarantined),
        quarantined,
        files: applied.files,
        pushes: applied.pushes,
    })
}

/// Replays what waited for a phone number that is registered by now, at most `limit` items.
///
/// # Errors
/// When the database does not answer.
pub async fn replay_registered(client: &mut Client, limit: i64, now: Timestamp) -> Result<Replayed, DbError> {
    const REGISTERED: &str = "
        select q.id from chat_quarantine q
        where q.reason = $1
          and exists (select 1 from phone_numbers p join waba_accounts a on a.waba_id = p.waba_id
                      where p.phone_number_id = q.phone_number_id)
        order by q.id limit $2";
    let rows = client
        .query_typed(REGISTERED, &[(&UNKNOWN_NUMBER, Type::TEXT), (&limit, Type::INT8)])
        .await?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>()?;
    if ids.is_empty() {
        return Ok(Replayed::default());
    }
    replay_quarantined(client, &ids, now).await
}
