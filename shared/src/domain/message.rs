//! A message as the API shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::search::Snippet;
use crate::whatsapp::errors::MessageError;

/// Who wrote a message: the business (`user`) or its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// An agent, or the business by another way.
    User,
    /// The customer.
    Customer,
}

impl Sender {
    /// The value of the `sender` column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Customer => "customer",
        }
    }
}

/// The states of a message, in the order in which one replaces another whatever the order of arrival: WhatsApp may report them in
/// any order, more than once, and `delivered` not at all. A message that was delivered did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Stored, and not yet known to be accepted by WhatsApp.
    Pending,
    /// Accepted by WhatsApp.
    Sent,
    /// Refused, or not deliverable; `error` says why.
    Failed,
    /// On the customer's phone, or, from a customer, with us.
    Delivered,
    /// Seen.
    Read,
}

impl Status {
    /// The value of the `status` column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }

    /// Reads what a history says that a message of the business reached.
    #[must_use]
    pub fn from_history(status: &str) -> Self {
        match status {
            "DELIVERED" => Self::Delivered,
            "READ" | "PLAYED" => Self::Read,
            "ERROR" => Self::Failed,
            _ => Self::Sent,
        }
    }

    /// Reads a webhook's status; `played` (a voice note was listened to) implies read. `None` for one we do not know.
    #[must_use]
    pub fn from_webhook(status: &str) -> Option<Self> {
        match status {
            "sent" => Some(Self::Sent),
            "delivered" => Some(Self::Delivered),
            "read" | "played" => Some(Self::Read),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The message types that are a file.
pub const MEDIA_TYPES: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// The row's id.
    pub id: i64,
    /// Our id: the client's idempotency key, or made by us. Null for rows older than this project.
    pub message_id: Option<String>,
    /// WhatsApp's id; null until WhatsApp accepted the message.
    pub wa_message_id: Option<String>,
    /// The conversation it belongs to.
    pub conversation_id: i64,
    /// What it says in words: the text, a location's name, contacts' names, the choice made, an order's text. Null for media and for
    /// what is not supported.
    pub content: Option<String>,
    /// text, image, video, audio, document, sticker, location, contacts, interactive, button, order, system or unsupported.
    pub message_type: Option<String>,
    /// `user` (the business) or `customer`.
    pub sender: Option<String>,
    /// When it was written, by WhatsApp's clock for the customer's messages (whole seconds) and by ours for the agent's.
    pub timestamp: Option<Timestamp>,
    /// pending, sent, delivered, read or failed.
    pub status: Option<String>,
    /// When WhatsApp took it.
    pub sent_at: Option<Timestamp>,
    /// When it reached the customer's phone.
    pub delivered_at: Option<Timestamp>,
    /// When the customer saw it.
    pub read_at: Option<Timestamp>,
    /// Why it failed; null unless `status` is failed.
    pub error: Option<MessageError>,
    /// The file of a media message; null for other types.
    pub media: Option<Media>,
    /// The text below a picture, video or document.
    pub media_caption: Option<String>,
    /// The message it answers.
    pub reply_to: Option<ReplyTo>,
    /// One a sender, the newest.
    pub reactions: Vec<Reaction>,
    /// When its author last edited it.
    pub edited_at: Option<Timestamp>,
    /// When its author deleted it; content, caption, file and metadata are null then.
    pub deleted_at: Option<Timestamp>,
    /// The ad it came from, as WhatsApp describes it.
    pub referral: Option<Value>,
    /// What WhatsApp says of its price.
    pub pricing: Option<Value>,
    /// What else WhatsApp told about it: under the type's name what the type holds (a location's coordinates, contact cards, the reply
    /// with a flow's answer as `response`, order lines); `forwarded`, `frequently_forwarded`, `context`, `errors`; for `unsupported` the
    /// item itself as `raw`.
    pub metadata: Option<Value>,
    /// Of a search: where the message has what was searched for; null otherwise.
    #[serde(default)]
    pub snippet: Option<Snippet>,
    /// When it was read, see `Snapshot::version`; changes say so beside it.
    #[serde(skip)]
    pub version: i64,
}

/// The file of a media message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Media {
    /// pending, stored, failed or expired.
    pub state: String,
    /// As the sender's phone declared it.
    pub mime_type: Option<String>,
    /// A document's name.
    pub filename: Option<String>,
    /// Bytes.
    pub size: Option<i64>,
    /// SHA-256 as WhatsApp gives it (base64).
    pub sha256: Option<String>,
    /// Pixels.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
    /// Milliseconds.
    pub duration_ms: Option<i64>,
    /// The loudness over time of a voice note, 0 to 100.
    pub peaks: Option<Vec<i16>>,
    /// Whether an audio was recorded as a voice note.
    pub voice: Option<bool>,
    /// Whether a sticker moves.
    pub animated: Option<bool>,
}

/// The quoted message; all but the wamid is null where we do not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplyTo {
    /// Our id.
    pub message_id: Option<String>,
    /// WhatsApp's id.
    pub wa_message_id: Option<String>,
    /// `user` or `customer`.
    pub sender: Option<String>,
    /// Its type.
    pub message_type: Option<String>,
    /// Its text or caption.
    pub content: Option<String>,
}

/// An emoji on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reaction {
    /// The emoji.
    pub emoji: String,
    /// `user` or `customer`.
    pub sender: Sender,
    /// When.
    pub timestamp: Timestamp,
}

/// Our id of a message that a client names, or a new one.
#[must_use]
pub fn parse_message_id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_state_outranks_an_earlier_one_and_delivery_outranks_failure() {
        assert!(Status::Pending < Status::Sent);
        assert!(Status::Sent < Status::Failed);
        assert!(Status::Failed < Status::Delivered);
        assert!(Status::Delivered < Status::Read);
        assert_eq!(Status::from_webhook("played"), Some(Status::Read));
        assert_eq!(Status::from_webhook("RINGING"), None);
    }
}
