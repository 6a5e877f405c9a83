//! The bodies of success.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::conversation::{Conversation, PhoneNumber};
use crate::domain::message::Message;
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
    /// Leads to older ones; null at the end.
    pub next_cursor: Option<String>,
    /// Leads to newer ones; null at the end.
    pub prev_cursor: Option<String>,
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

/// One message.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MessageReply {
    /// Always true.
    pub success: bool,
    /// As it stands now.
    pub message: Message,
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

/// Something was done, and there is no more to say.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DoneReply {
    /// Always true.
    pub success: bool,
}
