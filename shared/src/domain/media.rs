//! The files of messages.

use serde::{Deserialize, Serialize};

/// Asks for the file of a message to be fetched: what travels on the media queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaTask {
    /// The message's row.
    pub message_id: i64,
}
