//! A message of a webhook → the row that it becomes.

use jiff::Timestamp;
use serde_json::Value;

use super::content::{Content, content_of};
use super::{COLUMN_LENGTH, Origin, origin, timestamp, wamid};
use crate::domain::customer::{Customer, CustomerId, Identity};
use crate::domain::message::{Sender, Status};
use crate::whatsapp::json::text;
use crate::whatsapp::webhook::{Item, Thread, Via, contact_of};

/// A message that did not go through our send function.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Where it came in.
    pub origin: Origin,
    /// Whose conversation it belongs to.
    pub identity: Identity,
    /// Who wrote it.
    pub sender: Sender,
    /// Whether it was on the phone before the number was connected: never unread, and it opens no window.
    pub is_history: bool,
    /// Of two items with one wamid the one with the smaller (precedence, time, digest) stands: a history repeats what came live, and
    /// announces files that come in later webhooks.
    pub precedence: i16,
    /// What the business's own message is known to have reached already.
    pub status: Status,
    /// The profile's name.
    pub customer_name: Option<String>,
    /// The profile's username.
    pub customer_username: Option<String>,
    /// WhatsApp's id of it.
    pub wa_message_id: String,
    /// One of the types of the API.
    pub message_type: &'static str,
    /// Its text.
    pub content: Option<String>,
    /// Its caption.
    pub media_caption: Option<String>,
    /// WhatsApp's time of it, in whole seconds.
    pub timestamp: Timestamp,
    /// The wamid of the message that it answers.
    pub reply_to_wa_message_id: Option<String>,
    /// The ad it came from.
    pub referral: Option<Value>,
    /// What else was said and has no column.
    pub metadata: Option<Value>,
    /// Its file.
    pub media: Option<NewMedia>,
}

impl NewMessage {
    /// Whether the customer wrote it to us just now: it is unread, and opens the customer service window.
    #[must_use]
    pub fn is_inbound(&self) -> bool {
        self.sender == Sender::Customer && !self.is_history && self.message_type != "system"
    }
}

/// The file of a message, to be fetched.
#[derive(Debug, Clone)]
pub struct NewMedia {
    /// WhatsApp's id of the file.
    pub wa_media_id: String,
    /// As declared.
    pub mime_type: Option<String>,
    /// A document's name.
    pub filename: Option<String>,
    /// As declared, base64.
    pub sha256: Option<String>,
    /// Whether an audio is a voice note.
    pub voice: Option<bool>,
    /// Whether a sticker moves.
    pub animated: Option<bool>,
}

/// What messages and events about messages have in common.
pub(super) struct Base<'a> {
    pub(super) origin: Origin,
    pub(super) wa_message_id: String,
    pub(super) timestamp: Timestamp,
    pub(super) sender: Sender,
    pub(super) identity: Identity,
    profile: Option<&'a Value>,
    via: &'a Via,
}

impl<'a> Base<'a> {
    pub(super) fn read(
        item: &Item,
        message: &Value,
        contacts: &'a [Value],
        via: &'a Via,
        received_at: Timestamp,
    ) -> Result<Self, String> {
        let wa_message_id = wamid(message, "id")?;
        let timestamp = timestamp(message, received_at)?;
        let (sender, phone, user_id) = parties(message, via);
        let contact = contact_of(contacts, phone.as_deref(), user_id.as_deref());
        let in_contact = |key| contact.and_then(|contact| text(contact, key));
        let customer = Customer::new(
            phone.or_else(|| in_contact("wa_id")).as_deref(),
            user_id.or_else(|| in_contact("user_id")).as_deref(),
        )
        .ok_or(match sender {
            Sender::Customer => "missing_sender",
            Sender::User => "missing_recipient",
        })?;
        Ok(Self {
            origin: origin(item)?,
            wa_message_id,
            timestamp,
            sender,
            identity: match message.get("system") {
                Some(system) => changed_identity(customer, system),
                None => customer.into(),
            },
            profile: contact
                // Whose profile stands alone beside a message wrote it, be it under another form of the number.
                .or(contacts.first().filter(|_| *via == Via::Live && contacts.len() == 1))
                .and_then(|contact| contact.get("profile")),
            via,
        })
    }
}

/// Who wrote, and the customer's phone number and user id. An echo names the customer as its recipient; a history by its thread.
fn parties(message: &Value, via: &Via) -> (Sender, Option<String>, Option<String>) {
    let field = |key| text(message, key);
    let thread = match via {
        Via::Live => return (Sender::Customer, field("from"), field("from_user_id")),
        Via::Echo => return (Sender::User, field("to"), field("to_user_id")),
        Via::History(thread) => thread.as_ref(),
    };
    let from_customer = (Sender::Customer, field("from"), field("from_user_id"));
    let Some(Thread { id, user_id }) = thread else {
        // A file that comes after its history has no thread: with a recipient it is the business's.
        return match (field("to"), field("to_user_id")) {
            (None, None) => from_customer,
            (to, to_user_id) => (Sender::User, to, to_user_id),
        };
    };
    let thread = Customer::new(Some(id), user_id.as_deref());
    let author = Customer::new(field("from").as_deref(), field("from_user_id").as_deref());
    let is_customer = thread
        .iter()
        .flat_map(Customer::ids)
        .any(|id| author.iter().flat_map(Customer::ids).any(|other| other == id));
    if is_customer {
        let (sender, from, from_user_id) = from_customer;
        return (sender, from, from_user_id.or_else(|| user_id.clone()));
    }
    (Sender::User, Some(id.clone()), user_id.clone())
}

/// A system message tells that the customer has other ids from now on.
/// Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system>.
fn changed_identity(before: Customer, system: &Value) -> Identity {
    let field = |key| text(system, key);
    let kind = field("type").unwrap_or_default();
    let phone = kind
        .ends_with("changed_number")
        .then(|| field("new_wa_id").or_else(|| field("wa_id")))
        .flatten();
    let user_id = (kind.ends_with("changed_number") || kind.ends_with("changed_user_id"))
        .then(|| field("user_id"))
        .flatten();
    let Some(now) = Customer::new(phone.as_deref(), user_id.as_deref()) else {
        return before.into();
    };
    // `customer` and `wa_id` beside `new_wa_id` are names of old for the number before.
    let former = Customer::new(
        field("customer")
            .or_else(|| field("new_wa_id").and(field("wa_id")))
            .as_deref(),
        field("previous_user_id").as_deref(),
    );
    let others: Vec<CustomerId> = before
        .ids()
        .chain(former.iter().flat_map(Customer::ids))
        .filter(|id| now.ids().all(|other| other != *id))
        .collect();
    Identity { customer: now, others }
}

pub(super) fn plan_message(base: Base<'_>, message: &Value) -> NewMessage {
    let Content {
        message_type,
        words: content,
        media_caption,
        media,
        metadata,
        is_placeholder,
    } = content_of(message);
    let in_profile = |key| {
        base.profile
            .and_then(|profile| text(profile, key))
            .map(|name| name.chars().take(COLUMN_LENGTH).collect())
    };
    let is_history = matches!(base.via, Via::History(_));
    let reached = message.pointer("/history_context/status").and_then(Value::as_str);
    NewMessage {
        customer_name: in_profile("name"),
        customer_username: in_profile("username"),
        wa_message_id: base.wa_message_id,
        timestamp: base.timestamp,
        identity: base.identity,
        sender: base.sender,
        is_history,
        precedence: i16::from(is_history) + i16::from(is_history && is_placeholder),
        status: reached.map_or(Status::Sent, Status::from_history),
        message_type,
        content,
        media_caption,
        media,
        metadata,
        reply_to_wa_message_id: message
            .get("context")
            .and_then(|context| text(context, "id"))
            .filter(|id| id.chars().count() <= COLUMN_LENGTH),
        referral: message.get("referral").filter(|it| it.is_object()).cloned(),
        origin: base.origin,
    }
}
