//! Request → what to store and what to ask Graph for; Graph's answer → what follows from it.

mod check;
mod contacts;
mod examples;
mod interactive;
mod location;
mod media;
mod reaction;
mod request;
mod template;
mod text;
mod verdict;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::whatsapp::errors::MessageError;
use crate::whatsapp::unit::{self, QueueMessage};

pub use contacts::{AddressObject, ContactObject, EmailObject, NameObject, OrgObject, PhoneObject, UrlObject};
pub use examples::{EXAMPLES, example};
pub use interactive::{
    ActionObject, ActionParametersObject, ButtonObject, FlowPayloadObject, HeaderObject, InteractiveObject,
    PhraseObject, ReplyObject, RowObject, SectionObject,
};
pub use location::LocationObject;
pub use media::MediaObject;
pub use reaction::ReactionObject;
pub use request::{SendRequest, plan};
pub use template::{ComponentObject, CurrencyObject, DateTimeObject, LanguageObject, ParameterObject, TemplateObject};
pub use text::TextObject;
pub use verdict::{HOLD_WAIT, History, Hold, LONGEST_WAIT, Patience, Verdict, judge};

/// The message type that may be sent at any time, and that may begin a conversation.
pub const TEMPLATE: &str = "template";

/// A request that was found well-formed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Our id of the message: the idempotency key.
    pub message_id: String,
    /// Where to send it.
    pub target: Target,
    /// To be compared with the conversation's.
    pub phone_number_id: Option<String>,
    /// To be compared with the conversation's; E.164 with `+`.
    pub to: Option<String>,
    /// What to send.
    pub content: Content,
    /// What it answers, or what a reaction is to: our `message_id` or the wamid.
    pub reply_to: Option<String>,
    /// Identifies the request: the same key with another hash is a conflict.
    pub request_hash: [u8; 32],
    /// Whether a message that failed for good shall be tried again.
    pub is_retry: bool,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Into this conversation.
    Conversation(i64),
    /// To the customer `to`, from the number `phone_number_id` of the plan; a template, which may begin a conversation.
    Customer,
}

/// What is to be sent: as Graph takes it, and as the inbox shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The message type, which is also the key of Graph's object.
    pub kind: &'static str,
    /// Graph's object. An uploaded file stands in it as `"media_id": "<our UUID>"`, wherever Graph takes `"id"`; a reaction's
    /// `message_id` is left out, since it is the plan's `reply_to`.
    pub object: Value,
    /// `content` of the message: what it says in words.
    pub words: Option<String>,
    /// `media_caption` of the message.
    pub media_caption: Option<String>,
    /// `metadata` of the message: what has no column, under the type's name.
    pub metadata: Option<Value>,
    /// The uploaded files in `object`, each with the kind that Graph takes there. The first of an image, video, audio, document or
    /// sticker message is the message's own file.
    pub files: Vec<FileUse>,
}

/// An uploaded file in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUse {
    /// `chat_uploads.id`.
    pub media_id: Uuid,
    /// image, video, audio, document or sticker.
    pub kind: &'static str,
    /// Where it was named in the request, for an error.
    pub field: String,
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField {
    /// The field, with its path: `interactive.action.buttons[0].reply.title`.
    pub field: String,
    /// The reason, for people. Holds no value of the request.
    pub message: String,
}

impl InvalidField {
    /// Names a field and a reason.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// What became of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Graph took it.
    Accepted {
        /// The wamid.
        wa_message_id: String,
        /// The customer's phone number by the answer, E.164 with `+`.
        customer_phone: Option<String>,
    },
    /// It was not taken, by Graph or already before; nothing was sent.
    Refused {
        /// Why.
        error: MessageError,
        /// How long Graph wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The account has no token that could be used.
    NoToken(MessageError),
    /// Nobody knows: the request was written and no answer came. Never sent again; a status that carries our id settles it.
    Unanswered,
}

/// What is kept of a message until it is settled: all that Graph has to be told, whenever that may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// [`Content::kind`].
    pub kind: String,
    /// [`Content::object`].
    pub object: Value,
    /// The wamid that it answers, or that a reaction is to.
    pub reply_to: Option<String>,
    /// The uploaded files in `object`.
    pub files: Vec<Uuid>,
    /// Whether the customer may have opted out of it.
    pub is_marketing: bool,
}

impl Request {
    /// Whether it may be sent at any time; everything else only while the customer service window is open.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.kind == TEMPLATE
    }

    /// Whether it shows as an emoji on another message.
    #[must_use]
    pub fn is_reaction(&self) -> bool {
        self.kind == "reaction"
    }

    /// A reaction's emoji; empty where it is taken back.
    #[must_use]
    pub fn emoji(&self) -> &str {
        self.object.get("emoji").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What a trigger on the outbox queue says. It is only that: what is owed stands in `chat_sends` and `chat_conversation_signals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxTask {
    /// The conversation in which something is due.
    pub conversation_id: i64,
}

impl OutboxTask {
    /// The trigger as SQS takes it, which shows it after `delay`. `phone_number_id` keeps the queue fair between numbers.
    #[must_use]
    pub fn to_message(self, phone_number_id: &str, delay: Duration) -> QueueMessage {
        let message = unit::message(serde_json::json!(self).to_string(), Some(phone_number_id));
        // SQS counts in seconds; a trigger that comes too early finds nothing.
        let delay = Duration::from_secs(delay.as_secs() + u64::from(delay.subsec_nanos() > 0));
        QueueMessage { delay, ..message }
    }

    /// Reads a trigger's body; `None` for what is none.
    #[must_use]
    pub fn from_body(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}
