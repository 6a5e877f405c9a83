//! A batch whose numbers, customers and conversations are known.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::db::accounts::Number;
use crate::domain::ingest::NewMessage;

/// A message whose number is known, and the conversation it belongs to.
pub(super) struct Placed<'a> {
    pub(super) message: &'a NewMessage,
    pub(super) conversation: i64,
}

/// An item with its number, and the customer whom it names.
pub(super) struct Known<'a, T> {
    pub(super) item: &'a T,
    pub(super) number: &'a Number,
    pub(super) customer: Option<i64>,
}

/// What is known of a conversation that the batch holds locked: how far the agent has read.
pub(super) type ReadPositions = HashMap<i64, Option<(Timestamp, String)>>;

/// Whether the message is newer than what the agent has read.
pub(super) fn is_unread(row: &Placed<'_>, positions: &ReadPositions) -> bool {
    let position = (row.message.timestamp, row.message.wa_message_id.as_str());
    positions
        .get(&row.conversation)
        .and_then(Option::as_ref)
        .is_none_or(|(time, wamid)| position > (*time, wamid.as_str()))
}
