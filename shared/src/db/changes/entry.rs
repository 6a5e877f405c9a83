//! Rows of the log, and what they are about as it is now.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join3;
use jiff::Timestamp;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::db::{DbError, accounts, conversations, messages};
use crate::domain::change::{Change, ChangeType};

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) row: (u64, i64),
    pub(super) what: What,
    pub(super) conversation_id: Option<i64>,
    pub(super) is_new: bool,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum What {
    Message(i64),
    Conversation(i64),
    PhoneNumber(String),
}

/// Reads columns `at` and on: xid, id, entity, action, conversation, message, phone number.
pub(super) fn entry(row: &Row, at: usize) -> Result<Option<Entry>, DbError> {
    let entity: String = row.try_get(at + 2)?;
    let action: String = row.try_get(at + 3)?;
    let conversation_id: Option<i64> = row.try_get(at + 4)?;
    let what = match entity.as_str() {
        "message" => row.try_get::<_, Option<i64>>(at + 5)?.map(What::Message),
        "conversation" => conversation_id.map(What::Conversation),
        _ => row.try_get::<_, Option<String>>(at + 6)?.map(What::PhoneNumber),
    };
    let row = (xid(row.try_get(at)?), row.try_get(at + 1)?);
    Ok(what.map(|what| Entry {
        row,
        what,
        conversation_id,
        is_new: action == "created",
    }))
}

pub(super) fn xid(number: i64) -> u64 {
    number.unsigned_abs()
}

/// What the rows of the log are about, as it is now, each once and where it was changed last. What is not found is gone: that is a deletion,
/// of `version`.
pub(super) async fn load(
    client: &Client,
    user_id: Uuid,
    entries: &[Entry],
    version: i64,
) -> Result<Vec<((u64, i64), Change)>, DbError> {
    let (mut last, mut created) = (HashMap::new(), HashSet::new());
    for entry in entries {
        last.insert(&entry.what, entry);
        if entry.is_new {
            created.insert(&entry.what);
        }
    }
    let (mut message_ids, mut conversation_ids, mut has_numbers) = (Vec::new(), Vec::new(), false);
    for what in last.keys() {
        match what {
            What::Message(id) => message_ids.push(*id),
            What::Conversation(id) => conversation_ids.push(*id),
            What::PhoneNumber(_) => has_numbers = true,
        }
    }
    // Sent together, answered one after the other.
    let (messages, conversations, numbers) = try_join3(
        async {
            match &message_ids[..] {
                [] => Ok(Vec::new()),
                ids => messages::find_all(client, user_id, ids).await,
            }
        },
        async {
            match &conversation_ids[..] {
                [] => Ok(Vec::new()),
                ids => conversations::find_all(client, user_id, ids).await,
            }
        },
        async {
            if has_numbers {
                accounts::list_numbers(client, user_id, Timestamp::now()).await
            } else {
                Ok(Vec::new())
            }
        },
    )
    .await?;
    let mut messages: HashMap<i64, _> = messages.into_iter().map(|message| (message.id, message)).collect();
    let mut conversations: HashMap<i64, _> = conversations.into_iter().map(|row| (row.id, row)).collect();
    let mut changes = Vec::with_capacity(last.len());
    for entry in entries.iter().filter(|entry| std::ptr::eq(last[&entry.what], *entry)) {
        let gone = |kind| Change {
            version: Some(version),
            conversation_id: entry.conversation_id,
            ..Change::of(kind)
        };
        // Rows come in the order in which transactions began: what was changed last may be gone all the same.
        let change = match &entry.what {
            What::Message(id) => Some(match messages.remove(id) {
                None => Change {
                    id: Some(*id),
                    ..gone(ChangeType::MessageDeleted)
                },
                Some(message) if created.contains(&entry.what) => Change::message(ChangeType::MessageCreated, message),
                Some(message) => Change::message(ChangeType::MessageUpdated, message),
            }),
            What::Conversation(id) => Some(match conversations.remove(id) {
                None => gone(ChangeType::ConversationDeleted),
                Some(conversation) => Change::conversation(conversation),
            }),
            What::PhoneNumber(id) => {
                let number = numbers.iter().find(|number| number.phone_number_id == *id);
                number.cloned().map(Change::phone_number)
            }
        };
        changes.extend(change.map(|change| (entry.row, change)));
    }
    Ok(changes)
}
