//! Applies `migrations/`, which are embedded here: forward only, one transaction each.

use futures_util::future::BoxFuture;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::DbError;
use super::settings::{ConnectError, Settings};

mod embedded {
    refinery::embed_migrations!("../migrations");
}

/// The table that remembers what was applied. Named after the others, so that it is in nobody's way in a database with other programs.
const HISTORY: &str = "chat_migrations";

/// Any number that other programs are unlikely to lock.
const LOCK: i64 = 0x0077_6162_6163_6861;

/// Why the schema is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The lock or the report could not be had.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A migration failed; it was rolled back, those before it stand.
    #[error("{0}")]
    Migration(String),
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// The migrations applied now, in order; none when the schema was up to date.
    pub applied: Vec<String>,
    /// Tables of ours that a browser role of Supabase can reach: they were there before, so their owner decides.
    pub exposed_tables: Vec<String>,
}

/// Brings the database up to date. Two at once wait for each other: the lock is held by a transaction of a second connection, so that a
/// pooler in transaction mode keeps it too.
///
/// # Errors
/// Names the migration that failed.
#[must_use]
pub fn run(settings: &Settings) -> BoxFuture<'_, Result<Report, MigrationError>> {
    // Boxed, because the type of refinery within a handler is too deep for the compiler.
    Box::pin(async {
        let mut lock = settings.connect().await?;
        let transaction = lock.transaction().await.map_err(DbError::from)?;
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({LOCK})"))
            .await
            .map_err(DbError::from)?;
        let mut client = settings.connect().await?;
        let report = apply(&mut client).await;
        transaction.commit().await.map_err(DbError::from)?;
        report
    })
}

async fn apply(client: &mut Client) -> Result<Report, MigrationError> {
    // A deployment that is rolled back runs an older release on a newer schema, which is made to bear that.
    let mut runner = embedded::migrations::runner().set_abort_missing(false);
    runner.set_migration_table_name(HISTORY);
    let report = runner.run_async(client).await.map_err(|error| {
        use std::error::Error;
        // The chain ends with PostgreSQL's own words; its details quote rows.
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            let words = words.split("\nDETAIL").next().unwrap_or_default();
            message = format!("{message}: {words}");
            source = cause.source();
        }
        MigrationError::Migration(message)
    })?;
    Ok(Report {
        applied: report.applied_migrations().iter().map(ToString::to_string).collect(),
        exposed_tables: exposed_tables(client).await?,
    })
}

/// The migrations that the database lacks.
///
/// # Errors
/// When the database does not answer.
pub async fn list_pending(client: &Client) -> Result<Vec<String>, DbError> {
    let history = "select to_regclass($1) is not null";
    let row = client.query_typed_one(history, &[(&HISTORY, Type::TEXT)]).await?;
    let mut applied: Vec<i32> = Vec::new();
    if row.try_get(0)? {
        let rows = client
            .query_typed(&format!("select version from {HISTORY}"), &[])
            .await?;
        applied = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    }
    let runner = embedded::migrations::runner();
    let all = runner.get_migrations().iter();
    let pending = all.filter(|migration| !applied.contains(&migration.version()));
    Ok(pending.map(ToString::to_string).collect())
}

/// The tables of this project that `anon` or `authenticated` may read and no row level security protects.
///
/// # Errors
/// When the database does not answer.
pub async fn exposed_tables(client: &Client) -> Result<Vec<String>, DbError> {
    const EXPOSED: &str = "
        select distinct t.relname::text
        from pg_class t
        join pg_roles r on r.rolname in ('anon', 'authenticated')
        where t.relkind in ('r', 'p') and t.relnamespace = current_schema()::regnamespace and not t.relrowsecurity
          and (t.relname in ('users', 'waba_accounts', 'phone_numbers') or t.relname like 'chat\\_%')
          and has_table_privilege(r.oid, t.oid, 'select, insert, update, delete')
        order by 1";
    let rows = client.query_typed(EXPOSED, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
