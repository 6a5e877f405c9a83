//! A batch whose numbers and conversations are known.

use jiff::Timestamp;

use crate::db::accounts::Number;
use crate::domain::ingest::NewMessage;

/// A message whose number is known, and the conversation it belongs to.
pub(super) struct Placed<'a> {
    pub(super) message: &'a NewMessage,
    pub(super) number: &'a Number,
    pub(super) conversation: usize,
}

/// A conversation of the batch, locked.
pub(super) struct Locked {
    pub(super) id: i64,
    pub(super) waba_id: String,
    pub(super) phone_number_id: String,
    pub(super) customer_phone: String,
    pub(super) customer_user_id: Option<String>,
    pub(super) read_position: Option<(Timestamp, String)>,
}

/// Whether the message is newer than what the agent has read.
pub(super) fn is_unread(row: &Placed<'_>, locked: &[Locked]) -> bool {
    let position = (row.message.timestamp, row.message.wa_message_id.as_str());
    locked[row.conversation]
        .read_position
        .as_ref()
        .is_none_or(|(time, wamid)| position > (*time, wamid.as_str()))
}

/// What became of a message of the batch.
pub(super) struct Change {
    /// Inserted, as opposed to corrected.
    pub(super) is_new: bool,
}
