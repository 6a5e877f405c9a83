//! What the tables say of how an installation is doing, for those who look after it. By ids and counts; nothing that anybody wrote.

use jiff::Timestamp;
use tokio_postgres::{Client, GenericClient};

use super::DbError;

/// What the server is, and what lies between.
#[derive(Debug)]
pub struct Server {
    /// As the server writes it.
    pub version: String,
    /// As a number: 13 is the oldest that works.
    pub major: i32,
    /// Whether two connections were served by one of the server's: a pooler in transaction mode does that.
    pub is_pooled: bool,
}

/// Looks at the server through two connections that are open at once.
///
/// # Errors
/// When the database does not answer.
pub async fn find_server(one: &Client, other: &Client) -> Result<Server, DbError> {
    const LOOK: &str = "select pg_backend_pid(), current_setting('server_version'), current_setting('server_version_num')::int / 10000";
    let row = one.query_typed_one(LOOK, &[]).await?;
    let rival = other.query_typed_one(LOOK, &[]).await?;
    Ok(Server {
        version: row.try_get(1)?,
        major: row.try_get(2)?,
        is_pooled: row.try_get::<_, i32>(0)? == rival.try_get::<_, i32>(0)?,
    })
}

/// Supabase's roles for browsers that may read `waba_accounts.access_token` of rows that a policy shows them.
///
/// # Errors
/// When the database does not answer.
pub async fn readers_of_tokens(client: &impl GenericClient) -> Result<Vec<String>, DbError> {
    const READERS: &str = "
        select r.rolname::text
        from pg_roles r
        join pg_class t on t.oid = to_regclass('waba_accounts')
        where r.rolname in ('anon', 'authenticated') and has_column_privilege(r.oid, t.oid, 'access_token', 'select')
          and (not t.relrowsecurity
               or exists (select 1 from pg_policy p where p.polrelid = t.oid and p.polcmd in ('r', '*') and p.polpermissive
                            and p.polroles && array[0::oid, r.oid]))
        order by 1";
    let rows = client.query_typed(READERS, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Work that is due.
#[derive(Debug)]
pub struct Due {
    /// What it is.
    pub what: String,
    /// How much of it there is.
    pub count: i64,
    /// For how long the oldest of it has been due (seconds).
    pub oldest_s: i64,
}

/// What is due beside what [`super::gauges::owed`] tells of.
///
/// # Errors
/// When the database does not answer.
pub async fn list_due(client: &impl GenericClient) -> Result<Vec<Due>, DbError> {
    const LIST: &str = "
        select what, count(*), extract(epoch from now() - min(since))::bigint
        from (
          select 'read receipts' as what, receipt_next_try_at as since from chat_conversation_signals where receipt_next_try_at <= now()
          union all
          select 'files to take out of the bucket', discarded_at from chat_discarded_files
          union all
          select 'webhooks of numbers that are registered by now', received_at from chat_quarantine q
          where reason = 'unknown_phone_number'
            and exists (select 1 from phone_numbers p join waba_accounts a on a.waba_id = p.waba_id where p.phone_number_id = q.phone_number_id)
        ) due
        group by what order by what";
    let rows = client.query_typed(LIST, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                what: row.try_get(0)?,
                count: row.try_get(1)?,
                oldest_s: row.try_get(2)?,
            })
        })
        .collect()
}

/// What keeps accounts and numbers from sending: what it is, and of whom.
///
/// # Errors
/// When the database does not answer.
pub async fn list_holds(client: &impl GenericClient) -> Result<Vec<(String, String)>, DbError> {
    const LIST: &str = "select reason, scope || ' ' || scope_id from chat_holds order by reason, scope, scope_id";
    let rows = client.query_typed(LIST, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A business phone number as it was registered, and when it was heard of last.
#[derive(Debug)]
pub struct HeardNumber {
    /// Meta's id of it.
    pub phone_number_id: String,
    /// Whether it may be used.
    pub is_registered: bool,
    /// When a webhook named it last.
    pub last_webhook_at: Option<Timestamp>,
}

/// All numbers of all accounts.
///
/// # Errors
/// When the database does not answer.
pub async fn list_numbers(client: &impl GenericClient) -> Result<Vec<HeardNumber>, DbError> {
    const LIST: &str = "
        select p.phone_number_id::text, coalesce(bool_or(p.is_registered::boolean), false), max(n.last_webhook_at)
        from phone_numbers p
        join waba_accounts a on a.waba_id = p.waba_id
        left join chat_phone_numbers n on n.phone_number_id = p.phone_number_id
        where p.phone_number_id is not null
        group by 1 order by 1";
    let rows = client.query_typed(LIST, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(HeardNumber {
                phone_number_id: row.try_get(0)?,
                is_registered: row.try_get(1)?,
                last_webhook_at: row.try_get(2)?,
            })
        })
        .collect()
}
