//! `chat_quarantine`: what could not be applied, raw, with its reason. The same item twice is one row.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::DbError;
use crate::domain::ingest::Quarantined;

/// What comes from outside may be of any length, and an index row may not.
const LABEL_LENGTH: usize = 255;

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

fn label(text: &str) -> String {
    text.chars().take(LABEL_LENGTH).collect()
}
