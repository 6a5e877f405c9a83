//! `waba_accounts` and `phone_numbers`, which another program fills, and what we know of a number beside them. Their columns are read
//! as text: their types are not ours.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};
use uuid::Uuid;

use super::DbError;
use crate::domain::conversation::{PhoneNumber, ReadReceipts};

/// The business portfolio of the account `a`, within which a business-scoped user id means one person. Two users' accounts are apart even
/// where they name the same business: what one knows of a customer is not the other's. Read through JSON, because not every installation
/// has the column.
pub(super) const PORTFOLIO: &str = "coalesce(nullif(to_jsonb(a) ->> 'owner_business_id', ''), a.waba_id::text) || '/' || coalesce(a.user_id::text, '')";

/// A registered business phone number and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Meta's id of it.
    pub phone_number_id: String,
    /// The account it belongs to.
    pub waba_id: String,
    /// The account's user.
    pub user_id: Option<Uuid>,
    /// The account's business portfolio.
    pub portfolio: String,
}

/// The accounts that each of these phone number ids belongs to: one as a rule, several where a number moved and was registered twice.
///
/// # Errors
/// When the database does not answer.
pub async fn find_numbers(
    client: &impl GenericClient,
    phone_number_ids: &[&str],
) -> Result<HashMap<String, Vec<Number>>, DbError> {
    let find = format!(
        "select p.phone_number_id::text, a.waba_id::text, a.user_id, {PORTFOLIO}
         from phone_numbers p
         join waba_accounts a on a.waba_id = p.waba_id
         where p.phone_number_id = any($1)
         order by p.id"
    );
    let rows = client
        .query_typed(&find, &[(&phone_number_ids, Type::TEXT_ARRAY)])
        .await?;
    let mut numbers: HashMap<String, Vec<Number>> = HashMap::new();
    for row in rows {
        let phone_number_id: String = row.try_get(0)?;
        numbers.entry(phone_number_id.clone()).or_default().push(Number {
            phone_number_id,
            waba_id: row.try_get(1)?,
            user_id: row.try_get(2)?,
            portfolio: row.try_get(3)?,
        });
    }
    Ok(numbers)
}

/// A number of one account.
///
/// # Errors
/// When the database does not answer.
pub async fn find_number(
    client: &impl GenericClient,
    waba_id: &str,
    phone_number_id: &str,
) -> Result<Option<Number>, DbError> {
    let numbers = find_numbers(client, &[phone_number_id]).await?;
    Ok(numbers.into_values().flatten().find(|number| number.waba_id == waba_id))
}

/// The agent's numbers, as the header's selector shows them.
///
/// # Errors
/// When the database does not answer.
pub async fn list_numbers(client: &Client, user_id: Uuid, now: Timestamp) -> Result<Vec<PhoneNumber>, DbError> {
    // What webhooks said since is newer than what was registered; they name a number by its digits.
    const LIST: &str = r"
        select p.phone_number_id, p.waba_id, p.display_phone_number, coalesce(name.value #>> '{}', p.verified_name), p.is_registered,
               coalesce((select sum(c.unread_count) from chat_conversations c
                         where c.waba_id = p.waba_id and c.phone_number_id = p.phone_number_id and c.unread_count > 0), 0)::bigint,
               coalesce(quality.value #>> '{}', n.quality_rating), messaging.value #>> '{}',
               case when not p.connected then 'reconnect_required'
                    when held.reason is not null then held.reason
                    when (account.value ->> 'until')::timestamptz < $2 then 'active'
                    else coalesce(account.value ->> 'status', 'active') end,
               n.last_webhook_at, settings.read_receipts, (select chat_version())
        from (select distinct on (a.waba_id, p.phone_number_id)
                     p.id, p.phone_number_id::text, a.waba_id::text, p.display_phone_number::text, p.verified_name::text,
                     p.is_registered::boolean, coalesce(a.access_token, '') <> '' as connected,
                     a.waba_id || ':' || regexp_replace(p.display_phone_number::text, '\D', '', 'g') as key
              from waba_accounts a
              join phone_numbers p on p.waba_id = a.waba_id
              where a.user_id = $1 and p.phone_number_id is not null
              order by a.waba_id, p.phone_number_id, p.id) p
        left join chat_phone_numbers n on n.phone_number_id = p.phone_number_id
        left join chat_facts name on name.subject = 'phone_number' and name.subject_id = p.key and name.name = 'verified_name'
        left join chat_facts quality on quality.subject = 'phone_number' and quality.subject_id = p.key and quality.name = 'quality_rating'
        left join chat_facts messaging
          on messaging.subject = 'phone_number' and messaging.subject_id = p.key and messaging.name = 'messaging_limit'
        left join lateral (
          select h.reason from chat_holds h
          where (h.scope = 'account' and h.scope_id = p.waba_id) or (h.scope = 'phone_number' and h.scope_id = p.phone_number_id)
          order by h.scope limit 1
        ) held on true
        left join chat_account_settings settings on settings.waba_id = p.waba_id
        left join chat_facts account on account.subject = 'account' and account.subject_id = p.waba_id and account.name = 'status'
        order by p.id";
    let rows = client
        .query_typed(LIST, &[(&user_id, Type::UUID), (&now, Type::TIMESTAMPTZ)])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(PhoneNumber {
                phone_number_id: row.try_get(0)?,
                waba_id: row.try_get(1)?,
                display_phone_number: row.try_get(2)?,
                verified_name: row.try_get(3)?,
                is_registered: row.try_get(4)?,
                unread_count: row.try_get(5)?,
                quality_rating: row.try_get(6)?,
                messaging_limit: row.try_get(7)?,
                account_status: row.try_get(8)?,
                last_webhook_at: row.try_get(9)?,
                read_receipts: ReadReceipts::from_column(row.try_get(10)?),
                version: row.try_get(11)?,
            })
        })
        .collect()
}

/// Sets when the customers of a number's account are told that their messages were read. Does nothing where the number is not the agent's.
///
/// # Errors
/// When the database does not answer.
pub async fn set_read_receipts(
    client: &Client,
    user_id: Uuid,
    phone_number_id: &str,
    read_receipts: ReadReceipts,
) -> Result<(), DbError> {
    const SET: &str = "
        insert into chat_account_settings (waba_id, read_receipts)
        select distinct a.waba_id::text, $3
        from phone_numbers p
        join waba_accounts a on a.waba_id = p.waba_id
        where a.user_id = $1 and p.phone_number_id = $2
        on conflict (waba_id) do update set read_receipts = excluded.read_receipts";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&user_id, Type::UUID),
        (&phone_number_id, Type::TEXT),
        (&read_receipts.as_str(), Type::TEXT),
    ];
    client.execute_typed(SET, &parameters).await?;
    Ok(())
}

/// Whether the number is the agent's.
///
/// # Errors
/// When the database does not answer.
pub async fn owns_number(client: &Client, user_id: Uuid, phone_number_id: &str) -> Result<bool, DbError> {
    const OWNS: &str = "
        select 1 from phone_numbers p
        join waba_accounts a on a.waba_id = p.waba_id
        where a.user_id = $1 and p.phone_number_id = $2
        limit 1";
    let row = client
        .query_typed_opt(OWNS, &[(&user_id, Type::UUID), (&phone_number_id, Type::TEXT)])
        .await?;
    Ok(row.is_some())
}

/// Remembers that something arrived for these numbers. Written at most every ten seconds a number and never waited for: all consumers
/// of a number would queue for its row otherwise.
///
/// # Errors
/// When the database does not answer.
pub async fn touch_numbers(
    client: &impl GenericClient,
    phone_number_ids: &[&str],
    now: Timestamp,
) -> Result<(), DbError> {
    const TOUCH: &str = "
        with late as (
          select phone_number_id from chat_phone_numbers
          where phone_number_id = any($1) and (last_webhook_at is null or last_webhook_at < $2 - interval '10 seconds')
          order by phone_number_id
          for update skip locked
        ), touched as (
          update chat_phone_numbers n set last_webhook_at = $2 from late where late.phone_number_id = n.phone_number_id
        )
        insert into chat_phone_numbers (phone_number_id, last_webhook_at)
        select id, $2 from unnest($1) id
        where not exists (select 1 from chat_phone_numbers n where n.phone_number_id = id)
        order by id
        on conflict do nothing";
    client
        .execute_typed(
            TOUCH,
            &[(&phone_number_ids, Type::TEXT_ARRAY), (&now, Type::TIMESTAMPTZ)],
        )
        .await?;
    Ok(())
}

/// The stored tokens of the next `limit` accounts after `after` by `waba_id` (empty for the first), for the tools that encrypt and check
/// them.
///
/// # Errors
/// When the database does not answer.
pub async fn list_tokens(client: &Client, after: &str, limit: i64) -> Result<Vec<(String, Option<String>)>, DbError> {
    const LIST: &str = "
        select waba_id::text, access_token::text from waba_accounts
        where waba_id > $1
        order by waba_id
        limit $2";
    let rows = client
        .query_typed(LIST, &[(&after, Type::TEXT), (&limit, Type::INT8)])
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Replaces an account's stored token, unless somebody else did so in between. Tells whether it was replaced.
///
/// # Errors
/// When the database does not answer.
pub async fn replace_token(client: &Client, waba_id: &str, old: &str, new: &str) -> Result<bool, DbError> {
    const REPLACE: &str = "update waba_accounts set access_token = $3 where waba_id = $1 and access_token = $2";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] =
        [(&waba_id, Type::TEXT), (&old, Type::TEXT), (&new, Type::TEXT)];
    Ok(client.execute_typed(REPLACE, &parameters).await? == 1)
}
