//! Events about messages: statuses, reactions, edits, revocations. Each is a row of its own; what a message shows of them is a fold, so
//! they may come in any order, and before their message.

use jiff::Timestamp;
use serde_json::Value;

use super::content::edited;
use super::fact::opt_out_of;
use super::message::Base;
use super::{COLUMN_LENGTH, Origin, Plan, digest, origin, timestamp, wamid};
use crate::domain::customer::{Customer, Identity};
use crate::domain::message::{Sender, Status};
use crate::whatsapp::errors::MessageError;
use crate::whatsapp::json::text;
use crate::whatsapp::webhook::Item;

/// A status of a message.
#[derive(Debug, Clone)]
pub struct StatusEvent {
    /// Where it came in.
    pub origin: Origin,
    /// The wamid of the message.
    pub wa_message_id: String,
    /// Our id, where the message was sent with it.
    pub message_id: Option<String>,
    /// The customer, where both their ids stand together: the status then tells that they are one person's.
    pub identity: Option<Identity>,
    /// The state it reports.
    pub status: Status,
    /// When the message took that state.
    pub occurred_at: Timestamp,
    /// Why it failed.
    pub error: Option<MessageError>,
    /// What it costs.
    pub pricing: Option<Value>,
    /// All of it, cleaned.
    pub item: Value,
}

/// Something that was done to a message.
#[derive(Debug, Clone)]
pub struct MessageEvent {
    /// Where it came in.
    pub origin: Origin,
    /// In whose conversation.
    pub identity: Identity,
    /// Who did it.
    pub sender: Sender,
    /// The event's own wamid.
    pub event_wamid: String,
    /// The wamid of the message.
    pub wa_message_id: String,
    /// When.
    pub occurred_at: Timestamp,
    /// What.
    pub what: What,
}

/// What was done to a message.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// An emoji on it; the empty one takes the sender's reaction back.
    Reaction {
        /// The emoji.
        emoji: String,
    },
    /// Its author gave it other words: `{content}` or `{media_caption}`.
    Edit(Value),
    /// Its author deleted it for everyone.
    Revoke,
}

impl What {
    /// The `kind` column.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Reaction { .. } => "reaction",
            Self::Edit(_) => "edit",
            Self::Revoke => "revoke",
        }
    }
}

impl MessageEvent {
    /// A reaction of ours that WhatsApp took; the customer is known by the conversation.
    #[must_use]
    pub fn own_reaction(
        phone_number_id: &str,
        wa_message_id: &str,
        event_wamid: &str,
        emoji: &str,
        occurred_at: Timestamp,
    ) -> Self {
        Self {
            origin: Origin {
                waba_id: None,
                phone_number_id: phone_number_id.to_owned(),
                field: None,
                digest: digest(&[b"own reaction", phone_number_id.as_bytes(), event_wamid.as_bytes()]),
                body: String::new(),
            },
            identity: Identity {
                customer: Customer {
                    phone: None,
                    user_id: None,
                },
                others: Vec::new(),
            },
            sender: Sender::User,
            event_wamid: event_wamid.to_owned(),
            wa_message_id: wa_message_id.to_owned(),
            occurred_at,
            what: What::Reaction {
                emoji: emoji.to_owned(),
            },
        }
    }
}

/// Plans a status, and what it says of its customer.
pub(super) fn plan_status(item: &Item, status: &Value, received_at: Timestamp, plan: &mut Plan) -> Result<(), String> {
    if text(status, "recipient_type").as_deref() == Some("group") {
        return Err("group".to_owned());
    }
    let name = text(status, "status").unwrap_or_default();
    let recipient = Customer::new(
        text(status, "recipient_id").as_deref(),
        text(status, "recipient_user_id").as_deref(),
    );
    let event = StatusEvent {
        wa_message_id: wamid(status, "id")?,
        message_id: text(status, "biz_opaque_callback_data").filter(|id| id.chars().count() <= COLUMN_LENGTH),
        identity: recipient
            .as_ref()
            .filter(|customer| customer.phone.is_some() && customer.user_id.is_some())
            .map(Identity::linked),
        status: Status::from_webhook(&name).ok_or_else(|| format!("status:{name}"))?,
        occurred_at: timestamp(status, received_at)?,
        error: status.pointer("/errors/0").map(MessageError::from_meta),
        pricing: status.get("pricing").filter(|it| it.is_object()).cloned(),
        item: status.clone(),
        origin: origin(item)?,
    };
    plan.facts
        .extend(recipient.and_then(|customer| opt_out_of(&event, &customer)));
    plan.statuses.push(event);
    Ok(())
}

pub(super) fn plan_event(base: Base<'_>, kind: &str, message: &Value) -> Result<MessageEvent, String> {
    let body = message.get(kind).unwrap_or(&Value::Null);
    let (target, what) = if kind == "reaction" {
        let emoji = text(body, "emoji").unwrap_or_default();
        ("message_id", What::Reaction { emoji })
    } else if kind == "edit" {
        let words = body.get("message").and_then(edited);
        ("original_message_id", What::Edit(words.ok_or("malformed_edit")?))
    } else {
        ("original_message_id", What::Revoke)
    };
    Ok(MessageEvent {
        wa_message_id: wamid(body, target)?,
        event_wamid: base.wa_message_id,
        occurred_at: base.timestamp,
        identity: base.identity,
        sender: base.sender,
        origin: base.origin,
        what,
    })
}
