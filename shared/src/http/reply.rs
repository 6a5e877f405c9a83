//! The bodies of success.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::push::Subscription;
use crate::domain::change::Change;
use crate::domain::conversation::{Conversation, PhoneNumber};
use crate::domain::message::{Message, Reaction};
use crate::domain::push::host_of;
use crate::domain::quick_reply::QuickReply;
use crate::domain::template::Template;

/// `GET /api/live-chat/phone-numbers`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PhoneNumbersReply {
    /// Always true.
    pub success: bool,
    /// The agent's numbers.
    pub phone_numbers: Vec<PhoneNumber>,
}

/// One phone number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PhoneNumberReply {
    /// Always true.
    pub success: bool,
    /// As it stands now.
    pub phone_number: PhoneNumber,
}

/// `GET /api/live-chat/conversations`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConversationsReply {
    /// Always true.
    pub success: bool,
    /// Newest first.
    pub conversations: Vec<Conversation>,
    /// Leads to older ones; null at the end.
    pub next_cursor: Option<String>,
    /// Leads to newer ones; null at the end.
    pub prev_cursor: Option<String>,
}

/// One conversation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConversationReply {
    /// Always true.
    pub success: bool,
    /// As it stands now.
    pub conversation: Conversation,
}

/// `GET /api/live-chat/messages`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MessagesReply {
    /// Always true.
    pub success: bool,
    /// Newest first.
    pub messages: Vec<Message>,
    /// Of a search: the conversations of these messages, each once. Otherwise empty.
    #[serde(default)]
    pub conversations: Vec<Conversation>,
    /// Leads to older ones; null at the end.
    pub next_cursor: Option<String>,
    /// Leads to newer ones; null at the end.
    pub prev_cursor: Option<String>,
}

/// `GET /api/live-chat/changes`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangesReply {
    /// Always true.
    pub success: bool,
    /// In the order in which they are to be taken.
    pub changes: Vec<Change>,
    /// Where to go on.
    pub next_cursor: String,
    /// Whether there are more now.
    pub has_more: bool,
}

/// `POST /api/live-chat/realtime-ticket`.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TicketReply {
    /// Always true.
    pub success: bool,
    /// Where to connect. Whoever has it is let in as this agent: do not keep it.
    pub url: String,
    /// When it stops to work.
    pub expires_at: Timestamp,
}

/// `GET /api/live-chat/media/{message_id}`.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MediaLinkReply {
    /// Always true.
    pub success: bool,
    /// Where the file is. Whoever has the link has the file: do not keep it.
    pub url: String,
    /// When the link stops to work.
    pub expires_at: Timestamp,
}

/// `POST /api/live-chat/media`.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct UploadReply {
    /// Always true.
    pub success: bool,
    /// Names the file in messages and quick replies.
    pub media_id: Uuid,
    /// image, video, audio, document or sticker.
    pub kind: String,
    /// Where to put the file.
    pub upload: UploadTarget,
}

/// Where a browser puts a file: once, and exactly the file that was announced.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct UploadTarget {
    /// `PUT`.
    pub method: String,
    /// Whoever has it can store this one file: do not keep it.
    pub url: String,
    /// To be sent as they are. `Content-Length` is signed too and not among them: a browser sends it by itself, and a script may not set it.
    pub headers: BTreeMap<String, String>,
    /// When the upload has to have begun.
    pub expires_at: Timestamp,
}

/// One message.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MessageReply {
    /// Always true.
    pub success: bool,
    /// As it stands now.
    pub message: Message,
}

/// What a request to send did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendResult {
    /// It was new.
    Accepted,
    /// It was known: nothing was done.
    Replayed,
    /// It had failed, and was sent again.
    Retried,
}

/// `POST /api/live-chat/send-message`: a message, or a reaction, which is none.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum SendReply {
    /// Of everything else.
    Message(Box<SentMessage>),
    /// Of a reaction.
    Reaction(SentReaction),
}

/// A message that an agent sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SentMessage {
    /// Always true.
    pub success: bool,
    /// The message as it stands now.
    pub message: Message,
    /// What the request did.
    pub result: SendResult,
}

/// A reaction that an agent sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SentReaction {
    /// Always true.
    pub success: bool,
    /// The reaction; its emoji is empty where one was taken back.
    pub reaction: Reaction,
    /// What the request did.
    pub result: SendResult,
}

/// `POST /api/live-chat/typing`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TypingReply {
    /// Always true.
    pub success: bool,
    /// Whether the customer is shown now that an answer is being written.
    pub sent: bool,
}

impl TypingReply {
    /// Whether it was sent.
    #[must_use]
    pub fn new(sent: bool) -> Self {
        Self { success: true, sent }
    }
}

/// `GET /api/live-chat/templates`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TemplatesReply {
    /// Always true.
    pub success: bool,
    /// The approved ones, by name and language.
    pub templates: Vec<Template>,
    /// When WhatsApp was asked for them.
    pub refreshed_at: Timestamp,
}

/// `GET /api/live-chat/quick-replies`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct QuickRepliesReply {
    /// Always true.
    pub success: bool,
    /// By shortcut.
    pub quick_replies: Vec<QuickReply>,
}

/// One quick reply.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct QuickReplyReply {
    /// Always true.
    pub success: bool,
    /// As it stands now.
    pub quick_reply: QuickReply,
}

/// A browser in which an agent is notified.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PushSubscription {
    /// Its id.
    pub id: i64,
    /// The host of its push service.
    pub endpoint_host: Option<String>,
    /// Whether notifications say who wrote, and what.
    pub show_text: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<Subscription> for PushSubscription {
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id,
            endpoint_host: host_of(&subscription.endpoint),
            show_text: subscription.show_text,
            created_at: subscription.created_at,
        }
    }
}

/// `GET /api/live-chat/push-subscriptions`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PushSubscriptionsReply {
    /// Always true.
    pub success: bool,
    /// What a browser subscribes with (`applicationServerKey`), base64url; null where notifications are not set up.
    pub public_key: Option<String>,
    /// The newest first.
    pub subscriptions: Vec<PushSubscription>,
}

/// `POST /api/live-chat/push-subscriptions`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PushSubscriptionReply {
    /// Always true.
    pub success: bool,
    /// As it stands now.
    pub subscription: PushSubscription,
}

/// Something was done, and there is no more to say.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DoneReply {
    /// Always true.
    pub success: bool,
}
