//! `chat_holds`: what keeps accounts and numbers from sending.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::db::DbError;
use crate::db::accounts::Number;
use crate::domain::ingest::StatusEvent;
use crate::domain::send::{HOLD_WAIT, Hold};

/// Whose messages wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) waba_id: &'a str,
    pub(super) phone_number_id: &'a str,
    /// As it was stored when it was refused.
    pub(super) access_token: Option<&'a str>,
}

/// Holds an account or a number.
pub(super) async fn put(
    client: &impl GenericClient,
    whose: Whose<'_>,
    hold: Hold,
    code: Option<i64>,
) -> Result<(), DbError> {
    const PUT: &str = "
        insert into chat_holds as h (scope, scope_id, reason, code, next_try_at, token_digest)
        values ($1, $2, $3, $4, now() + make_interval(secs => $5), case when $1 = 'account' then sha256(convert_to($6, 'UTF8')) end)
        on conflict (scope, scope_id) do update
        set reason = excluded.reason, code = excluded.code, next_try_at = excluded.next_try_at, token_digest = excluded.token_digest,
            since = case when h.reason = excluded.reason then h.since else now() end";
    let scope_id = if hold.scope() == "account" {
        whose.waba_id
    } else {
        whose.phone_number_id
    };
    client
        .execute_typed(
            PUT,
            &[
                (&hold.scope(), Type::TEXT),
                (&scope_id, Type::TEXT),
                (&hold.reason(), Type::TEXT),
                (&code, Type::INT8),
                (&HOLD_WAIT.as_secs_f64(), Type::FLOAT8),
                (&whose.access_token.unwrap_or_default(), Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// Holds what failed statuses say may not send: Meta tells some of that by webhook only. What is older than a few minutes says nothing of
/// now.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_by_statuses(
    client: &impl GenericClient,
    statuses: impl Iterator<Item = (&Number, &StatusEvent)>,
    now: jiff::Timestamp,
) -> Result<(), DbError> {
    for (number, status) in statuses {
        let Some(error) = &status.error else { continue };
        let Some(hold) = Hold::of(error).filter(|_| status.occurred_at > now - RECENT) else {
            continue;
        };
        tracing::error!(
            waba_id = number.waba_id,
            phone_number_id = number.phone_number_id,
            code = error.code,
            reason = hold.reason(),
            "an account or a number may not send, its messages wait"
        );
        let token = super::stored_token(client, &number.waba_id).await?;
        let whose = Whose {
            waba_id: &number.waba_id,
            phone_number_id: &number.phone_number_id,
            access_token: token.as_deref(),
        };
        put(client, whose, hold, error.code).await?;
    }
    Ok(())
}

/// How old a status may be.
const RECENT: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);
