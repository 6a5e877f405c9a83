//! `chat_facts`: what webhooks said last about contacts, phone numbers, accounts and templates. A fact only ever gives way to a newer one.

use std::collections::HashMap;

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::DbError;
use crate::domain::ingest::{Fact, Subject};

/// The `subject_id` of a contact: one of our numbers, and one of the customer's ids. Matched by the folds of the ingest.
fn contact_key(phone_number_id: &str, kind: &str, value: &str) -> String {
    format!("{phone_number_id}:{kind}:{value}")
}

/// The rows that a fact has: a contact is known by each of its ids.
fn keys(fact: &Fact) -> Vec<(&'static str, String)> {
    match &fact.subject {
        Subject::Contact(identity) => {
            let number = fact
                .origin
                .as_ref()
                .map_or("", |origin| origin.phone_number_id.as_str());
            let ids = identity.ids();
            ids.map(|id| ("contact", contact_key(number, id.kind(), id.value())))
                .collect()
        }
        Subject::PhoneNumber { waba_id, digits } => vec![("phone_number", format!("{waba_id}:{digits}"))],
        Subject::Account { waba_id } => vec![("account", waba_id.clone())],
        Subject::Template { waba_id, template_id } => vec![("template", format!("{waba_id}:{template_id}"))],
    }
}

/// Puts facts; what is newer already stays.
///
/// # Errors
/// When the database does not answer.
pub async fn put(transaction: &impl GenericClient, facts: &[&Fact]) -> Result<(), DbError> {
    const PUT: &str = "
        insert into chat_facts as f (subject, subject_id, name, value, occurred_at, digest)
        select * from unnest($1, $2, $3, $4, $5, $6) as k(subject, subject_id, name, value, occurred_at, digest)
        order by subject, subject_id, name
        on conflict (subject, subject_id, name) do update
        set value = excluded.value, occurred_at = excluded.occurred_at, digest = excluded.digest
        where (excluded.occurred_at, excluded.digest) > (f.occurred_at, f.digest)";
    let mut newest: HashMap<(&'static str, String, &'static str), &Fact> = HashMap::new();
    for fact in facts {
        for (subject, id) in keys(fact) {
            let standing = newest.entry((subject, id, fact.name)).or_insert(fact);
            if (fact.occurred_at, fact.digest) > (standing.occurred_at, standing.digest) {
                *standing = fact;
            }
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = newest.iter().collect();
    macro_rules! column {
        (|$key:pat_param, $fact:pat_param| $value:expr) => {
            &rows.iter().map(|($key, $fact)| $value).collect::<Vec<_>>()
        };
    }
    transaction
        .execute_typed(
            PUT,
            &[
                (column!(|(subject, _, _), _| *subject), Type::TEXT_ARRAY),
                (column!(|(_, id, _), _| id.as_str()), Type::TEXT_ARRAY),
                (column!(|(_, _, name), _| *name), Type::TEXT_ARRAY),
                (column!(|_, fact| &fact.value), Type::JSONB_ARRAY),
                (column!(|_, fact| fact.occurred_at), Type::TIMESTAMPTZ_ARRAY),
                (column!(|_, fact| fact.digest.as_slice()), Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    Ok(())
}
