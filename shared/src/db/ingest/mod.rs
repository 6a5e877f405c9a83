//! Applies a [`Plan`] in one transaction, in a handful of statements whatever its size. Insert-only rows with unique keys, then folds over
//! them: the same plan twice changes nothing, and plans may come in any order and on several connections at once.

mod batch;
mod fold;
mod insert;
mod place;
mod replay;

use std::collections::HashSet;

use jiff::Timestamp;
use tokio_postgres::Client;

pub use replay::{Replayed, replay_quarantined};

use super::accounts::{self, Number};
use super::{DbError, events, quarantine};
use crate::domain::ingest::{NewMessage, Origin, Plan, Quarantined, StatusEvent};

/// What a batch changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Messages that are new.
    pub inserted_messages: usize,
    /// Items kept raw, among them those that were there already.
    pub quarantined: usize,
    /// The conversations that show something new.
    pub conversations: Vec<i64>,
}

/// Applies the plan.
///
/// # Errors
/// Nothing was applied then.
pub async fn apply(client: &mut Client, plan: &Plan, now: Timestamp) -> Result<Applied, DbError> {
    let transaction = client.transaction().await?;
    let mut quarantined = plan.quarantined.clone();

    let origins = plan.messages.iter().map(|message| &message.origin);
    let origins = origins.chain(plan.events.iter().map(|event| &event.origin));
    let ids: HashSet<&str> = origins.map(|origin| origin.phone_number_id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let numbers = accounts::find_numbers(&transaction, &ids).await?;
    let number_of = |origin: &Origin| -> Option<&Number> {
        let candidates = numbers.get(&origin.phone_number_id)?;
        let named = candidates
            .iter()
            .find(|number| Some(&number.waba_id) == origin.waba_id.as_ref());
        named.or(candidates.first())
    };

    let mut messages: Vec<(&NewMessage, &Number)> = Vec::new();
    for message in &plan.messages {
        match number_of(&message.origin) {
            Some(number) => messages.push((message, number)),
            None => quarantined.push(Quarantined::item(&message.origin, "unknown_phone_number")),
        }
    }
    let mut known_events: Vec<&StatusEvent> = Vec::new();
    for event in &plan.events {
        if number_of(&event.origin).is_some() {
            known_events.push(event);
        } else {
            quarantined.push(Quarantined::item(&event.origin, "unknown_phone_number"));
        }
    }

    let wamids = messages
        .iter()
        .map(|(message, _)| (message.origin.phone_number_id.as_str(), message.wa_message_id.as_str()))
        .chain(events::wamids(&known_events));
    events::lock_wamids(&transaction, wamids).await?;
    place::insert_missing_conversations(&transaction, &messages).await?;
    let locked = place::lock_conversations(&transaction, &messages, &known_events).await?;
    let placed = place::place(&messages, &locked)?;

    let changed = insert::insert_messages(&transaction, &placed, &locked, &mut quarantined).await?;
    events::insert(&transaction, &known_events).await?;
    events::bind_unanswered(&transaction, &known_events).await?;
    let status_changes = events::fold_statuses(&transaction, events::wamids(&known_events)).await?;
    let mut conversations = fold::fold_conversations(&transaction, &placed, &locked, &changed).await?;
    fold::touch_conversations(&transaction, &status_changes).await?;
    conversations.extend(status_changes);
    conversations.sort_unstable();
    conversations.dedup();

    quarantine::insert(&transaction, &quarantined, "consumer").await?;
    let known: Vec<&str> = ids.into_iter().filter(|id| numbers.contains_key(*id)).collect();
    if !known.is_empty() {
        accounts::touch_numbers(&transaction, &known, now).await?;
    }
    transaction.commit().await?;
    Ok(Applied {
        inserted_messages: changed.values().filter(|change| change.is_new).count(),
        quarantined: quarantined.len(),
        conversations,
    })
}
