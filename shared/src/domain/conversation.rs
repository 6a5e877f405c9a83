//! A conversation and a business phone number as the API shows them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All that one customer and one business phone number say to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    /// The row's id.
    pub id: i64,
    /// The WhatsApp Business account.
    pub waba_id: Option<String>,
    /// The business phone number's id.
    pub phone_number_id: Option<String>,
    /// E.164 with `+`; null for a customer who shows no phone number.
    pub customer_phone: Option<String>,
    /// The customer's business-scoped user id.
    pub customer_user_id: Option<String>,
    /// The customer's WhatsApp username.
    pub customer_username: Option<String>,
    /// The profile name, or the one that an agent gave.
    pub customer_name: Option<String>,
    /// The text or caption of the last message; null for media without a caption.
    pub last_message: Option<String>,
    /// Its type.
    pub last_message_type: Option<String>,
    /// `user` or `customer`.
    pub last_message_sender: Option<String>,
    /// Its status.
    pub last_message_status: Option<String>,
    /// When it was written.
    pub last_message_time: Option<Timestamp>,
    /// The customer's messages that no agent has read.
    pub unread_count: i64,
    /// Whether the customer waits for an answer.
    pub needs_reply: bool,
    /// When the customer service window closes, or closed; null where the customer never wrote.
    pub window_expires_at: Option<Timestamp>,
    /// `active` or `archived`.
    pub status: Option<String>,
    /// Since when the customer wants no marketing messages; null where they do not mind.
    pub marketing_opted_out_at: Option<Timestamp>,
    /// When the conversation began.
    pub created_at: Option<Timestamp>,
    /// When anything of it last changed.
    pub updated_at: Option<Timestamp>,
    /// Since when the customer waits for an answer: the time of their first message after the agent's last one that did not fail. Null where
    /// nobody waits.
    pub waiting_since: Option<Timestamp>,
    /// When it was read, see `Snapshot::version`; changes say so beside it.
    #[serde(skip)]
    pub version: i64,
}

/// What a list of conversations is narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowing {
    /// Something of the customer's is unread.
    Unread,
    /// The customer waits for an answer.
    Unanswered,
    /// The customer service window is open, and not for much longer.
    WindowClosing,
}

impl Narrowing {
    /// As clients name them.
    pub const NAMES: [&str; 3] = ["unread", "unanswered", "window_closing"];

    /// Reads one of [`Self::NAMES`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "unread" => Some(Self::Unread),
            "unanswered" => Some(Self::Unanswered),
            "window_closing" => Some(Self::WindowClosing),
            _ => None,
        }
    }
}

/// The order of a list of conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By the last message, newest first.
    #[default]
    Recent,
    /// Those who wait for an answer, longest first; then the others, newest first.
    Waiting,
}

impl Sort {
    /// As clients name them.
    pub const NAMES: [&str; 2] = ["recent", "waiting"];

    /// Reads one of [`Self::NAMES`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "recent" => Some(Self::Recent),
            "waiting" => Some(Self::Waiting),
            _ => None,
        }
    }
}

/// A business phone number of the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneNumber {
    /// Meta's id of it, which every route takes.
    pub phone_number_id: String,
    /// The WhatsApp Business account it belongs to.
    pub waba_id: String,
    /// As people write it.
    pub display_phone_number: Option<String>,
    /// The name that customers see.
    pub verified_name: Option<String>,
    /// Whether it can send and receive.
    pub is_registered: Option<bool>,
    /// The unread messages of all its conversations.
    pub unread_count: i64,
    /// Meta's quality rating: `RED` while Meta flags the number for low quality, `UNKNOWN` once it no longer does; null until Meta
    /// reported anything.
    pub quality_rating: Option<String>,
    /// How many customers the number may begin to write to in 24 hours, as Meta calls it (`TIER_1K`…); null until Meta reported it.
    pub messaging_limit: Option<String>,
    /// The account's state: `active`, or what keeps it from sending: `reconnect_required`, `payment_required`, `registration_required`,
    /// `spam_limited`, `restricted`, `disabled`, `disable_scheduled`, `rejected` or `deleted`. Messages wait meanwhile.
    pub account_status: String,
    /// When customers are told that their messages were read; holds for all numbers of the account.
    pub read_receipts: ReadReceipts,
    /// When the last message or status for this number arrived.
    pub last_webhook_at: Option<Timestamp>,
    /// When it was read, see `Snapshot::version`; changes say so beside it.
    #[serde(skip)]
    pub version: i64,
}

/// When a customer is told that their messages were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadReceipts {
    /// As soon as an agent reads them.
    OnOpen,
    /// When an agent answers.
    #[default]
    OnReply,
    /// Never; then no typing indicator is shown either, since WhatsApp marks messages as read with it.
    Never,
}

impl ReadReceipts {
    /// The value of the `read_receipts` column.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnOpen => "on_open",
            Self::OnReply => "on_reply",
            Self::Never => "never",
        }
    }

    /// Reads the column; without a row the default holds.
    #[must_use]
    pub fn from_column(value: Option<&str>) -> Self {
        let all = [Self::OnOpen, Self::OnReply, Self::Never];
        all.into_iter()
            .find(|policy| Some(policy.as_str()) == value)
            .unwrap_or_default()
    }
}
