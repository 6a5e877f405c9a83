//! Items → plan: what of a batch becomes a message, an event about a message, or a row in the quarantine. The same plan applied twice
//! changes nothing, and plans may be applied in any order.

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::customer::Customer;
use super::message::{MEDIA_TYPES, Status};
use crate::whatsapp::errors::MessageError;
use crate::whatsapp::json::text;
use crate::whatsapp::webhook::{Content, Item, contact_of};

/// `message_id`, `wa_message_id` and the customer's name are columns of 255 characters.
const COLUMN_LENGTH: usize = 255;

/// SHA-256.
pub type Digest = [u8; 32];

/// What a batch does to the database.
#[derive(Debug, Default)]
pub struct Plan {
    /// Messages to insert.
    pub messages: Vec<NewMessage>,
    /// Statuses to insert.
    pub events: Vec<StatusEvent>,
    /// What is kept raw.
    pub quarantined: Vec<Quarantined>,
}

/// An inbound message.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Where it came in.
    pub origin: Origin,
    /// Who wrote it.
    pub customer: Customer,
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

/// The file of an inbound message, to be fetched.
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

/// A status of a message.
#[derive(Debug, Clone)]
pub struct StatusEvent {
    /// Where it came in.
    pub origin: Origin,
    /// The wamid of the message.
    pub wa_message_id: String,
    /// Our id, where the message was sent with it.
    pub message_id: Option<String>,
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

/// Where an item came in, and the item itself.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The WABA that the webhook names.
    pub waba_id: Option<String>,
    /// The business phone number's id.
    pub phone_number_id: String,
    /// Identifies the item whatever else its webhook held.
    pub digest: Digest,
    /// The item as a webhook body of its own.
    pub body: String,
}

/// What is kept raw, with its reason.
#[derive(Debug, Clone)]
pub struct Quarantined {
    /// The same digest is the same row.
    pub digest: Digest,
    /// A code: what kept it from the tables.
    pub reason: String,
    /// The change's `field`.
    pub field: Option<String>,
    /// As the webhook names it.
    pub waba_id: Option<String>,
    /// As the webhook names it.
    pub phone_number_id: Option<String>,
    /// The raw bytes.
    pub body: Vec<u8>,
}

impl Quarantined {
    /// Bytes that are no webhook.
    #[must_use]
    pub fn opaque(reason: &str, body: Vec<u8>) -> Self {
        Self {
            digest: digest(&[&body]),
            reason: reason.to_owned(),
            field: None,
            waba_id: None,
            phone_number_id: None,
            body,
        }
    }

    /// An item that was understood and cannot be applied.
    #[must_use]
    pub fn item(origin: &Origin, reason: &str) -> Self {
        Self {
            digest: origin.digest,
            reason: reason.to_owned(),
            field: Some("messages".to_owned()),
            waba_id: origin.waba_id.clone(),
            phone_number_id: Some(origin.phone_number_id.clone()),
            body: origin.body.clone().into_bytes(),
        }
    }
}

/// Plans the items of one unit. `received_at` is when the unit reached the queue: an item that is delivered again days later is judged
/// as it was the first time.
pub fn plan(items: Vec<Item>, received_at: Timestamp, plan: &mut Plan) {
    for item in items {
        let planned = match &item.content {
            Content::Message { message, contacts } => {
                plan_message(&item, message, contacts, received_at).map(|message| plan.messages.push(message))
            }
            Content::Status(status) => plan_status(&item, status, received_at).map(|event| plan.events.push(event)),
            Content::Unknown { reason } => Err(reason.clone()),
        };
        if let Err(reason) = planned {
            plan.quarantined.push(Quarantined {
                digest: item_digest(&item),
                reason,
                field: item.field,
                waba_id: item.waba_id,
                phone_number_id: item.phone_number_id,
                body: item.body.into_bytes(),
            });
        }
    }
}

fn plan_message(
    item: &Item,
    message: &Value,
    contacts: &[Value],
    received_at: Timestamp,
) -> Result<NewMessage, String> {
    if message.get("group_id").is_some_and(|id| !id.is_null()) {
        return Err("group".to_owned());
    }
    let wa_message_id = wamid(message)?;
    let timestamp = timestamp(message, received_at)?;
    let declared = text(message, "type").unwrap_or_default();
    let message_type = ["text"]
        .into_iter()
        .chain(MEDIA_TYPES)
        .find(|known| *known == declared)
        .ok_or_else(|| format!("message_type:{declared}"))?;

    let (from, user_id) = (text(message, "from"), text(message, "from_user_id"));
    let contact = contact_of(contacts, from.as_deref(), user_id.as_deref());
    let in_contact = |key| contact.and_then(|contact| text(contact, key));
    let customer = Customer::new(
        from.or_else(|| in_contact("wa_id")).as_deref(),
        user_id.or_else(|| in_contact("user_id")).as_deref(),
    )
    .ok_or("missing_sender")?;
    let profile = contact.and_then(|contact| contact.get("profile"));
    let in_profile = |key| {
        profile
            .and_then(|profile| text(profile, key))
            .map(|name| name.chars().take(COLUMN_LENGTH).collect())
    };

    let body = &message[message_type];
    let (content, media) = if message_type == "text" {
        // An empty text is a text, though nobody can type one.
        let content = body.get("body").and_then(Value::as_str);
        (Some(content.ok_or("malformed_message")?.to_owned()), None)
    } else {
        (None, Some(media(body).ok_or("malformed_message")?))
    };
    Ok(NewMessage {
        origin: origin(item)?,
        customer,
        customer_name: in_profile("name"),
        customer_username: in_profile("username"),
        wa_message_id,
        message_type,
        content,
        media_caption: text(body, "caption"),
        timestamp,
        reply_to_wa_message_id: message.get("context").and_then(|context| text(context, "id")),
        referral: message.get("referral").filter(|it| it.is_object()).cloned(),
        metadata: metadata(message),
        media,
    })
}

fn media(body: &Value) -> Option<NewMedia> {
    Some(NewMedia {
        wa_media_id: text(body, "id")?,
        mime_type: text(body, "mime_type"),
        filename: text(body, "filename"),
        sha256: text(body, "sha256"),
        voice: body.get("voice").and_then(Value::as_bool),
        animated: body.get("animated").and_then(Value::as_bool),
    })
}

/// The parts of a message that have no column of their own and say something about it.
fn metadata(message: &Value) -> Option<Value> {
    let kept: Map<String, Value> = ["context", "errors"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), message.get(*key)?.clone())))
        .collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}

fn plan_status(item: &Item, status: &Value, received_at: Timestamp) -> Result<StatusEvent, String> {
    if text(status, "recipient_type").as_deref() == Some("group") {
        return Err("group".to_owned());
    }
    let name = text(status, "status").unwrap_or_default();
    Ok(StatusEvent {
        wa_message_id: wamid(status)?,
        message_id: text(status, "biz_opaque_callback_data").filter(|id| id.chars().count() <= COLUMN_LENGTH),
        status: Status::from_webhook(&name).ok_or_else(|| format!("status:{name}"))?,
        occurred_at: timestamp(status, received_at)?,
        error: status.pointer("/errors/0").map(MessageError::from_meta),
        pricing: status.get("pricing").filter(|it| it.is_object()).cloned(),
        item: status.clone(),
        origin: origin(item)?,
    })
}

fn origin(item: &Item) -> Result<Origin, String> {
    Ok(Origin {
        waba_id: item.waba_id.clone(),
        phone_number_id: item.phone_number_id.clone().ok_or("missing_phone_number_id")?,
        digest: item_digest(item),
        body: item.body.clone(),
    })
}

fn wamid(item: &Value) -> Result<String, String> {
    match text(item, "id") {
        None => Err("missing_id".to_owned()),
        Some(id) if id.chars().count() > COLUMN_LENGTH => Err("id_too_long".to_owned()),
        Some(id) => Ok(id),
    }
}

/// Unix seconds, from 1 to one day ahead of now.
fn timestamp(item: &Value, received_at: Timestamp) -> Result<Timestamp, String> {
    text(item, "timestamp")
        .and_then(|seconds| seconds.parse::<i64>().ok())
        .filter(|seconds| *seconds >= 1)
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .filter(|time| *time <= received_at + SignedDuration::from_hours(24))
        .ok_or_else(|| "invalid_timestamp".to_owned())
}

/// The same item has the same digest whatever the order of its members and whatever else its webhook held.
fn item_digest(item: &Item) -> Digest {
    let number = item.phone_number_id.as_deref().unwrap_or_default();
    match &item.content {
        Content::Message { message, .. } => digest(&[b"message", number.as_bytes(), message.to_string().as_bytes()]),
        Content::Status(status) => digest(&[b"status", number.as_bytes(), status.to_string().as_bytes()]),
        Content::Unknown { .. } => digest(&[item.body.as_bytes()]),
    }
}

fn digest(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}
