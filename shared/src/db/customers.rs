//! `chat_customers` and `chat_customer_ids`: who a customer is within one business portfolio, under whatever ids they were seen.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::DbError;
use super::accounts::PORTFOLIO;
use crate::domain::customer::{CustomerId, phone_in_key};

/// An id within a portfolio.
pub type PortfolioId = (String, CustomerId);

/// An id and when it was last seen.
#[derive(Debug, Clone)]
pub struct SeenId {
    /// The id.
    pub id: PortfolioId,
    /// Whose it is.
    pub customer_id: i64,
    /// The (time, wamid) of the newest message that was sent under it.
    pub seen: Option<(Timestamp, String)>,
}

/// A conversation that belongs to no customer yet: made before there were any, by another program, or before its account changed hands.
#[derive(Debug)]
pub struct Orphan {
    /// The conversation.
    pub conversation_id: i64,
    /// Its account's portfolio.
    pub portfolio: String,
    /// The ids that it names.
    pub ids: Vec<CustomerId>,
}

/// Locks portfolios until the end of the transaction: alone where customers or conversations are to be made or united, together with
/// others where everything is known already. In order, so that nobody waits in a circle.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_portfolios<'a>(
    transaction: &impl GenericClient,
    portfolios: impl Iterator<Item = (&'a str, bool)>,
) -> Result<(), DbError> {
    const LOCK: &str = "
        select case when alone then pg_advisory_xact_lock(key) else pg_advisory_xact_lock_shared(key) end
        from unnest($1, $2) as locks(key, alone)";
    let mut locks: Vec<(i64, bool)> = portfolios
        .map(|(portfolio, alone)| (i64::from_be_bytes(super::hash(portfolio)), alone))
        .collect();
    locks.sort_unstable();
    let (keys, alone): (Vec<i64>, Vec<bool>) = locks.into_iter().unzip();
    if !keys.is_empty() {
        transaction
            .execute_typed(LOCK, &[(&keys, Type::INT8_ARRAY), (&alone, Type::BOOL_ARRAY)])
            .await?;
    }
    Ok(())
}

/// Whose these ids are, as far as they are known.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, ids: &[PortfolioId]) -> Result<Vec<(PortfolioId, i64)>, DbError> {
    const FIND: &str = "
        select i.portfolio, i.kind, i.value, i.customer_id
        from unnest($1, $2, $3) as k(portfolio, kind, value)
        join chat_customer_ids i on i.portfolio = k.portfolio and i.kind = k.kind and i.value = k.value";
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (portfolios, kinds, values) = columns(ids);
    let rows = client
        .query_typed(
            FIND,
            &[
                (&portfolios, Type::TEXT_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
                (&values, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok((read_id(row)?, row.try_get(3)?))).collect()
}

/// Every id of these customers.
///
/// # Errors
/// When the database does not answer.
pub async fn ids_of(client: &impl GenericClient, customers: &[i64]) -> Result<Vec<(PortfolioId, i64)>, DbError> {
    const FIND: &str = "select portfolio, kind, value, customer_id from chat_customer_ids where customer_id = any($1)";
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(FIND, &[(&customers, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| Ok((read_id(row)?, row.try_get(3)?))).collect()
}

/// Makes a customer for each portfolio named.
///
/// # Errors
/// When the database does not answer.
pub async fn create(transaction: &impl GenericClient, portfolios: &[&str]) -> Result<Vec<i64>, DbError> {
    const CREATE: &str = "insert into chat_customers (portfolio) select * from unnest($1) returning id, portfolio";
    if portfolios.is_empty() {
        return Ok(Vec::new());
    }
    let rows = transaction
        .query_typed(CREATE, &[(&portfolios, Type::TEXT_ARRAY)])
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Gives ids to customers, and remembers when they were seen.
///
/// # Errors
/// When the database does not answer.
pub async fn put_ids(transaction: &impl GenericClient, ids: &[SeenId]) -> Result<(), DbError> {
    // In the order of the key: two consumers that see the same customers wait in line.
    const PUT: &str = r#"
        insert into chat_customer_ids as i (portfolio, kind, value, customer_id, seen_at, seen_wamid)
        select * from unnest($1, $2, $3, $4, $5, $6) as k(portfolio, kind, value, customer_id, seen_at, seen_wamid)
        order by portfolio, kind, value
        on conflict (portfolio, kind, value) do update
        set customer_id = excluded.customer_id,
            seen_at = case when i.seen_at is null
                             or (excluded.seen_at, excluded.seen_wamid collate "C") > (i.seen_at, i.seen_wamid collate "C")
                           then excluded.seen_at else i.seen_at end,
            seen_wamid = case when i.seen_at is null
                                or (excluded.seen_at, excluded.seen_wamid collate "C") > (i.seen_at, i.seen_wamid collate "C")
                              then excluded.seen_wamid else i.seen_wamid end
        where i.customer_id <> excluded.customer_id
           or excluded.seen_at is not null
              and (i.seen_at is null
                   or (excluded.seen_at, excluded.seen_wamid collate "C") > (i.seen_at, i.seen_wamid collate "C"))"#;
    if ids.is_empty() {
        return Ok(());
    }
    let keys: Vec<PortfolioId> = ids.iter().map(|seen| seen.id.clone()).collect();
    let (portfolios, kinds, values) = columns(&keys);
    let customers: Vec<i64> = ids.iter().map(|seen| seen.customer_id).collect();
    let times: Vec<Option<Timestamp>> = ids
        .iter()
        .map(|seen| seen.seen.as_ref().map(|(time, _)| *time))
        .collect();
    let wamids: Vec<Option<&str>> = ids
        .iter()
        .map(|seen| seen.seen.as_ref().map(|(_, wamid)| wamid.as_str()))
        .collect();
    transaction
        .execute_typed(
            PUT,
            &[
                (&portfolios, Type::TEXT_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
                (&values, Type::TEXT_ARRAY),
                (&customers, Type::INT8_ARRAY),
                (&times, Type::TIMESTAMPTZ_ARRAY),
                (&wamids, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Makes one customer of two, for each pair (who goes, who stays). Their conversations are the caller's.
///
/// # Errors
/// When the database does not answer.
pub async fn unite(transaction: &impl GenericClient, pairs: &[(i64, i64)]) -> Result<(), DbError> {
    const STATEMENTS: [&str; 3] = [
        "update chat_customer_ids i set customer_id = p.stays from unnest($1, $2) as p(goes, stays) where i.customer_id = p.goes",
        "update chat_message_events e set customer_id = p.stays from unnest($1, $2) as p(goes, stays) where e.customer_id = p.goes",
        "delete from chat_customers c using unnest($1, $2) as p(goes, stays) where c.id = p.goes",
    ];
    if pairs.is_empty() {
        return Ok(());
    }
    let (goes, stays): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
    for statement in STATEMENTS {
        transaction
            .execute_typed(statement, &[(&goes, Type::INT8_ARRAY), (&stays, Type::INT8_ARRAY)])
            .await?;
    }
    Ok(())
}

/// Gives what customers did on a number to those whom their conversation there belongs to now: (before, phone number id, now). An account
/// that changes hands takes its conversations along, and a message that was revoked stays so.
///
/// # Errors
/// When the database does not answer.
pub async fn give_events(client: &impl GenericClient, former: &[(i64, &str, i64)]) -> Result<(), DbError> {
    const GIVE: &str = "
        update chat_message_events e set customer_id = k.now
        from unnest($1, $2, $3) as k(before, number, now)
        where e.customer_id = k.before and e.phone_number_id = k.number";
    if former.is_empty() {
        return Ok(());
    }
    let before: Vec<i64> = former.iter().map(|(before, _, _)| *before).collect();
    let numbers: Vec<&str> = former.iter().map(|(_, number, _)| *number).collect();
    let now: Vec<i64> = former.iter().map(|(_, _, now)| *now).collect();
    client
        .execute_typed(
            GIVE,
            &[
                (&before, Type::INT8_ARRAY),
                (&numbers, Type::TEXT_ARRAY),
                (&now, Type::INT8_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// The conversations on the portfolios' numbers that name one of these ids and belong to no customer of the portfolio. `owners` are the
/// users of the portfolios, which spares a look at everybody's accounts.
///
/// # Errors
/// When the database does not answer.
pub async fn find_orphans(
    client: &impl GenericClient,
    ids: &[PortfolioId],
    owners: &[Option<Uuid>],
) -> Result<Vec<Orphan>, DbError> {
    // Rows older than this project may lack the + of a phone number.
    let find = format!(
        "select distinct c.id, n.portfolio, c.customer_phone, c.customer_user_id
         from (select distinct {PORTFOLIO} as portfolio, a.waba_id::text, p.phone_number_id::text
               from waba_accounts a join phone_numbers p on p.waba_id = a.waba_id
               where a.user_id = any($4) or a.user_id is null) n
         join unnest($1, $2, $3) as k(portfolio, kind, value) on k.portfolio = n.portfolio
         join lateral (
           select c.* from chat_conversations c
           where k.kind = 'phone' and c.waba_id = n.waba_id and c.phone_number_id = n.phone_number_id
             and c.customer_phone in (k.value, ltrim(k.value, '+'))
           union all
           select c.* from chat_conversations c
           where k.kind = 'user_id' and c.waba_id = n.waba_id and c.phone_number_id = n.phone_number_id
             and c.customer_user_id = k.value
         ) c on true
         left join chat_customers o on o.id = c.customer_id
         where o.portfolio is distinct from n.portfolio"
    );
    let (portfolios, kinds, values) = columns(ids);
    let rows = client
        .query_typed(
            &find,
            &[
                (&portfolios, Type::TEXT_ARRAY),
                (&kinds, Type::TEXT_ARRAY),
                (&values, Type::TEXT_ARRAY),
                (&owners, Type::UUID_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let key: String = row.try_get(2)?;
            let user_id: Option<String> = row.try_get(3)?;
            let phone = phone_in_key(&key).map(CustomerId::Phone);
            Ok(Orphan {
                conversation_id: row.try_get(0)?,
                portfolio: row.try_get(1)?,
                ids: phone.into_iter().chain(user_id.map(CustomerId::UserId)).collect(),
            })
        })
        .collect()
}

fn columns(ids: &[PortfolioId]) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    (
        ids.iter().map(|(portfolio, _)| portfolio.as_str()).collect(),
        ids.iter().map(|(_, id)| id.kind()).collect(),
        ids.iter().map(|(_, id)| id.value()).collect(),
    )
}

fn read_id(row: &Row) -> Result<PortfolioId, DbError> {
    let value = row.try_get(2)?;
    let id = match row.try_get::<_, &str>(1)? {
        "phone" => CustomerId::Phone(value),
        _ => CustomerId::UserId(value),
    };
    Ok((row.try_get(0)?, id))
}
