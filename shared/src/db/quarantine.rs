//! `chat_quarantine`: what could not be applied, raw, with its reason. The same item twice is one row.

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};

use super::DbError;
use crate::domain::ingest::Quarantined;

/// What comes from outside may be of any length, and an index row may not.
const LABEL_LENGTH: usize = 255;

/// The rows that a [`Filter`] selects; its values are `$1` to `$4`. What was applied and is kept beside is no trouble, so it is selected
/// only by its name or on demand.
const SELECTED: &str = "
    ($1::text is null or reason = $1 or starts_with(reason, $1 || ':'))
    and ($2::text is null or phone_number_id = $2)
    and ($3::timestamptz is null or received_at >= $3)
    and ($4 or $1 is not null or not starts_with(reason, 'applied:'))";

/// Which rows.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// A reason, or what stands before the colon of several: `field` is every `field:…`.
    pub reason: Option<String>,
    /// A business phone number's id.
    pub phone_number_id: Option<String>,
    /// Received then or later.
    pub since: Option<Timestamp>,
    /// Also what was understood and applied, and is kept raw as well (`applied:…`). A `reason` that names it does so too.
    pub with_applied: bool,
}

impl Filter {
    fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 4] {
        [
            (&self.reason, Type::TEXT),
            (&self.phone_number_id, Type::TEXT),
            (&self.since, Type::TIMESTAMPTZ),
            (&self.with_applied, Type::BOOL),
        ]
    }
}

/// What is known of a row, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row's id.
    pub id: i64,
    /// When it came here.
    pub received_at: Timestamp,
    /// A code: what kept it from the tables.
    pub reason: String,
    /// Who put it here.
    pub source: String,
    /// The change's `field`.
    pub field: Option<String>,
    /// As the webhook named it.
    pub waba_id: Option<String>,
    /// As the webhook named it.
    pub phone_number_id: Option<String>,
    /// Bytes of the raw item.
    pub size: i32,
}

/// A row with its content, which is a customer's: it is shown to whoever asks for this row and to nobody else.
#[derive(Clone)]
pub struct Kept {
    /// All but the content.
    pub entry: Entry,
    /// The same digest is the same item.
    pub digest: Vec<u8>,
    /// The raw bytes: a webhook body, or what is none.
    pub body: Vec<u8>,
}

const ENTRY: &str = "id, received_at, reason, source, field, waba_id, phone_number_id, octet_length(body)";

fn entry_from(row: &Row) -> Result<Entry, DbError> {
    Ok(Entry {
        id: row.try_get(0)?,
        received_at: row.try_get(1)?,
        reason: row.try_get(2)?,
        source: row.try_get(3)?,
        field: row.try_get(4)?,
        waba_id: row.try_get(5)?,
        phone_number_id: row.try_get(6)?,
        size: row.try_get(7)?,
    })
}

/// Keeps items; those that are there already stay as they are.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(client: &impl GenericClient, items: &[Quarantined], source: &str) -> Result<(), DbError> {
    const INSERT: &str = "
        insert into chat_quarantine (digest, reason, source, waba_id, phone_number_id, field, body)
        select digest, reason, $7, waba_id, phone_number_id, field, body
        from unnest($1, $2, $3, $4, $5, $6) as item(digest, reason, waba_id, phone_number_id, field, body)
        order by digest
        on conflict (digest) do nothing";
    if items.is_empty() {
        return Ok(());
    }
    let digests: Vec<&[u8]> = items.iter().map(|item| item.digest.as_slice()).collect();
    let reasons: Vec<String> = items.iter().map(|item| label(&item.reason)).collect();
    let optional = |pick: fn(&Quarantined) -> Option<&String>| -> Vec<Option<String>> {
        items.iter().map(|item| pick(item).map(|text| label(text))).collect()
    };
    let bodies: Vec<&[u8]> = items.iter().map(|item| item.body.as_slice()).collect();
    client
        .execute_typed(
            INSERT,
            &[
                (&digests, Type::BYTEA_ARRAY),
                (&reasons, Type::TEXT_ARRAY),
                (&optional(|item| item.waba_id.as_ref()), Type::TEXT_ARRAY),
                (&optional(|item| item.phone_number_id.as_ref()), Type::TEXT_ARRAY),
                (&optional(|item| item.field.as_ref()), Type::TEXT_ARRAY),
                (&bodies, Type::BYTEA_ARRAY),
                (&source, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// The newest rows, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &impl GenericClient, filter: &Filter, limit: i64) -> Result<Vec<Entry>, DbError> {
    let sql =
        format!("select {ENTRY} from chat_quarantine where {SELECTED} order by received_at desc, id desc limit $5");
    let [reason, number, since, applied] = filter.parameters();
    let rows = client
        .query_typed(&sql, &[reason, number, since, applied, (&limit, Type::INT8)])
        .await?;
    rows.iter().map(entry_from).collect()
}

/// How many rows there are of each reason, the most frequent first.
///
/// # Errors
/// When the database does not answer.
pub async fn count_by_reason(client: &impl GenericClient, filter: &Filter) -> Result<Vec<(String, i64)>, DbError> {
    let sql = format!(
        r#"select reason, count(*) from chat_quarantine where {SELECTED} group by reason order by count(*) desc, reason collate "C""#
    );
    let rows = client.query_typed(&sql, &filter.parameters()).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// One row with its content.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, id: i64) -> Result<Option<Kept>, DbError> {
    let sql = format!("select {ENTRY}, digest, body from chat_quarantine where id = $1");
    let row = client.query_typed_opt(&sql, &[(&id, Type::INT8)]).await?;
    row.map(|row| {
        Ok(Kept {
            entry: entry_from(&row)?,
            digest: row.try_get(8)?,
            body: row.try_get(9)?,
        })
    })
    .transpose()
}

/// The ids of all selected rows, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn ids(client: &impl GenericClient, filter: &Filter) -> Result<Vec<i64>, DbError> {
    let sql = format!("select id from chat_quarantine where {SELECTED} order by id");
    let rows = client.query_typed(&sql, &filter.parameters()).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Those of `ids` that there are, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn existing(client: &impl GenericClient, ids: &[i64]) -> Result<Vec<i64>, DbError> {
    const EXISTING: &str = "select id from chat_quarantine where id = any($1) order by id";
    let rows = client.query_typed(EXISTING, &[(&ids, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn label(text: &str) -> String {
    text.chars().take(LABEL_LENGTH).collect()
}
