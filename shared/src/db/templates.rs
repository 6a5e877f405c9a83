//! `chat_template_lists` and `chat_templates`: an account's message templates as Graph listed them last. What a webhook said of a
//! template's status and category after that wins.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::DbError;
use crate::domain::template::{Listed, Template, status_after};

/// An account of an agent, and how old its list is.
#[derive(Clone)]
pub struct Account {
    /// Its id.
    pub waba_id: String,
    /// Its token, as it is stored.
    pub access_token: Option<String>,
    /// As of when the list is; `None` where there is none.
    pub refreshed_at: Option<Timestamp>,
    /// Whether there is no list, or one that has to be asked for again: it is older than 15 minutes, or a webhook spoke of a template
    /// since. Graph's lists lag behind its webhooks, so a list counts as one of a minute earlier.
    pub is_stale: bool,
}

/// The account of the agent's phone number.
///
/// # Errors
/// When the database does not answer.
pub async fn account_of_number(
    client: &Client,
    user_id: Uuid,
    phone_number_id: &str,
    now: Timestamp,
) -> Result<Option<Account>, DbError> {
    const NUMBERS: &str =
        "exists (select 1 from phone_numbers p where p.waba_id = a.waba_id and p.phone_number_id = $2)";
    find_account(client, NUMBERS, user_id, phone_number_id, now).await
}

/// One of the agent's accounts.
///
/// # Errors
/// When the database does not answer.
pub async fn account(
    client: &Client,
    user_id: Uuid,
    waba_id: &str,
    now: Timestamp,
) -> Result<Option<Account>, DbError> {
    find_account(client, "a.waba_id = $2", user_id, waba_id, now).await
}

async fn find_account(
    client: &Client,
    condition: &str,
    user_id: Uuid,
    id: &str,
    now: Timestamp,
) -> Result<Option<Account>, DbError> {
    let find = format!(
        "select a.waba_id::text, a.access_token::text, l.refreshed_at,
                l.refreshed_at is null or l.refreshed_at < $3 - interval '15 minutes' or exists (
                  select 1 from chat_facts f
                  where f.subject = 'template' and split_part(f.subject_id, ':', 1) = l.waba_id
                    and f.occurred_at > l.refreshed_at - interval '60 seconds')
         from waba_accounts a
         left join chat_template_lists l on l.waba_id = a.waba_id
         where a.user_id = $1 and {condition}
         order by a.waba_id
         limit 1"
    );
    let row = client
        .query_typed_opt(
            &find,
            &[(&user_id, Type::UUID), (&id, Type::TEXT), (&now, Type::TIMESTAMPTZ)],
        )
        .await?;
    row.map(|row| {
        Ok(Account {
            waba_id: row.try_get(0)?,
            access_token: row.try_get(1)?,
            refreshed_at: row.try_get(2)?,
            is_stale: row.try_get(3)?,
        })
    })
    .transpose()
}

/// Replaces an account's list by one that Graph was asked for at `asked_at`. A list that was asked for later stays: of two refreshes at
/// once the younger wins, whoever ends first.
///
/// # Errors
/// When the database does not answer.
pub async fn replace(
    client: &mut Client,
    waba_id: &str,
    templates: &[Listed],
    asked_at: Timestamp,
) -> Result<(), DbError> {
    // Locks the list; the statements after it see what another refresh committed meanwhile.
    const TURN: &str = "
        insert into chat_template_lists as l (waba_id, refreshed_at) values ($1, $2)
        on conflict (waba_id) do update set refreshed_at = excluded.refreshed_at where l.refreshed_at < excluded.refreshed_at";
    const CLEAR: &str = "delete from chat_templates where waba_id = $1";
    // A list that changes while its pages are read can hold a template twice.
    const FILL: &str = "
        insert into chat_templates (waba_id, name, language, template_id, status, category, quality, parameter_format, components)
        select $1, * from unnest($2, $3, $4, $5, $6, $7, $8, $9)
        on conflict do nothing";
    let transaction = client.transaction().await?;
    let turn = [
        (&waba_id as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
        (&asked_at, Type::TIMESTAMPTZ),
    ];
    if transaction.execute_typed(TURN, &turn).await? == 0 {
        return Ok(());
    }
    transaction.execute_typed(CLEAR, &[(&waba_id, Type::TEXT)]).await?;
    macro_rules! column {
        (|$template:ident| $value:expr) => {
            &templates.iter().map(|$template| $value).collect::<Vec<_>>()
        };
    }
    transaction
        .execute_typed(
            FILL,
            &[
                (&waba_id, Type::TEXT),
                (column!(|it| it.name.as_str()), Type::TEXT_ARRAY),
                (column!(|it| it.language.as_str()), Type::TEXT_ARRAY),
                (column!(|it| it.template_id.as_str()), Type::TEXT_ARRAY),
                (column!(|it| it.status.as_str()), Type::TEXT_ARRAY),
                (column!(|it| it.category.as_deref()), Type::TEXT_ARRAY),
                (column!(|it| it.quality.as_deref()), Type::TEXT_ARRAY),
                (column!(|it| it.parameter_format.as_deref()), Type::TEXT_ARRAY),
                (column!(|it| &it.components), Type::JSONB_ARRAY),
            ],
        )
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// The templates `t` of the list `l`, with what webhooks said of each after the list was asked for.
const SELECT: &str = "
    select t.template_id, t.name, t.language, t.status, coalesce(category.value ->> 'new_category', t.category), t.quality,
           t.parameter_format, t.components, status.value ->> 'event'
    from chat_template_lists l
    join chat_templates t on t.waba_id = l.waba_id
    left join chat_facts status
      on status.subject = 'template' and status.subject_id = t.waba_id || ':' || t.template_id and status.name = 'status'
     and status.occurred_at > l.refreshed_at
    left join chat_facts category
      on category.subject = 'template' and category.subject_id = t.waba_id || ':' || t.template_id and category.name = 'category'
     and category.occurred_at > l.refreshed_at
    where l.waba_id = $1";

fn from_row(row: &Row) -> Result<Template, DbError> {
    let mut status: String = row.try_get(3)?;
    let event: Option<String> = row.try_get(8)?;
    if let Some(changed) = event.as_deref().and_then(status_after) {
        changed.clone_into(&mut status);
    }
    let listed = Listed {
        template_id: row.try_get(0)?,
        name: row.try_get(1)?,
        language: row.try_get(2)?,
        status,
        category: row.try_get(4)?,
        quality: row.try_get(5)?,
        parameter_format: row.try_get(6)?,
        components: row.try_get(7)?,
    };
    Ok(listed.into())
}

/// An account's templates in any state, by name and language. The account is the agent's: [`account`] found it.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &Client, waba_id: &str) -> Result<Vec<Template>, DbError> {
    let list = format!("{SELECT} order by t.name, t.language");
    let rows = client.query_typed(&list, &[(&waba_id, Type::TEXT)]).await?;
    rows.iter().map(from_row).collect()
}

/// One template of an account.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &Client, waba_id: &str, name: &str, language: &str) -> Result<Option<Template>, DbError> {
    let find = format!("{SELECT} and t.name = $2 and t.language = $3");
    let row = client
        .query_typed_opt(
            &find,
            &[(&waba_id, Type::TEXT), (&name, Type::TEXT), (&language, Type::TEXT)],
        )
        .await?;
    row.as_ref().map(from_row).transpose()
}
