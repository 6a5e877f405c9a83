//! Items → plan: what of a batch becomes a message, an event about a message, a fact, or a row in the quarantine. The same plan applied
//! twice changes nothing, and plans may be applied in any order.

mod content;
mod event;
mod fact;
mod message;

use aws_lc_rs::digest::{Context, SHA256};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use event::{MessageEvent, StatusEvent, What};
pub use fact::{Fact, Subject};
pub use message::{NewMedia, NewMessage};

use crate::whatsapp::envelope::{Change, Part, parts};
use crate::whatsapp::json::text;
use crate::whatsapp::webhook::{Content, Item, Via};

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
    pub statuses: Vec<StatusEvent>,
    /// Reactions, edits and revocations to insert.
    pub events: Vec<MessageEvent>,
    /// What webhooks say of contacts, numbers, accounts and templates.
    pub facts: Vec<Fact>,
    /// What is kept raw.
    pub quarantined: Vec<Quarantined>,
}

impl Plan {
    /// Every item that is about one of our phone numbers, by where it came in.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        let messages = self.messages.iter().map(|message| &message.origin);
        let statuses = self.statuses.iter().map(|status| &status.origin);
        let events = self.events.iter().map(|event| &event.origin);
        let facts = self.facts.iter().filter_map(|fact| fact.origin.as_ref());
        messages.chain(statuses).chain(events).chain(facts)
    }
}

/// Where an item came in, and the item itself.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The WABA that the webhook names.
    pub waba_id: Option<String>,
    /// The business phone number's id.
    pub phone_number_id: String,
    /// The change's `field`.
    pub field: Option<String>,
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
            field: origin.field.clone(),
            waba_id: origin.waba_id.clone(),
            phone_number_id: Some(origin.phone_number_id.clone()),
            body: origin.body.clone().into_bytes(),
        }
    }

    /// An item that has to give up its place, from the body that was kept of it.
    #[must_use]
    pub fn displaced(digest: Digest, reason: &str, body: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&body);
        let change = parts(&text).into_iter().find_map(|part| match part {
            Part::Change(change) => Some(change),
            Part::Malformed { .. } => None,
        });
        Self {
            digest,
            reason: reason.to_owned(),
            field: change.as_ref().and_then(Change::field),
            waba_id: change.as_ref().and_then(Change::waba_id),
            phone_number_id: change.as_ref().and_then(Change::phone_number_id),
            body,
        }
    }

    fn of(item: Item, reason: String) -> Self {
        Self {
            digest: item_digest(&item),
            reason,
            field: item.field,
            waba_id: item.waba_id,
            phone_number_id: item.phone_number_id,
            body: item.body.into_bytes(),
        }
    }
}

/// Plans the items of one unit. `received_at` is when the unit reached the queue: an item that is delivered again days later is judged
/// as it was the first time.
pub fn plan(items: Vec<Item>, received_at: Timestamp, plan: &mut Plan) {
    for item in items {
        let planned = match &item.content {
            Content::Message { message, contacts, via } => {
                plan_message(&item, message, contacts, via, received_at, plan)
            }
            Content::Status(status) => event::plan_status(&item, status, received_at, plan),
            // What has a meaning and no place of its own is applied and kept raw too.
            Content::ContactSync(contact) => fact::plan_contact(&item, contact, received_at, plan),
            Content::Preference(preference) => fact::plan_preference(&item, preference, received_at, plan),
            Content::Update { value, time } => fact::plan_update(&item, value, *time, received_at, plan),
            Content::Unknown { reason } => Err(reason.clone()),
        };
        if let Err(reason) = planned {
            plan.quarantined.push(Quarantined::of(item, reason));
        }
    }
}

fn plan_message(
    item: &Item,
    message: &Value,
    contacts: &[Value],
    via: &Via,
    received_at: Timestamp,
    plan: &mut Plan,
) -> Result<(), String> {
    if message.get("group_id").is_some_and(|id| !id.is_null()) {
        return Err("group".to_owned());
    }
    let base = message::Base::read(item, message, contacts, via, received_at)?;
    match text(message, "type").as_deref() {
        Some(kind @ ("reaction" | "edit" | "revoke")) => plan.events.push(event::plan_event(base, kind, message)?),
        _ => plan.messages.push(message::plan_message(base, message)),
    }
    Ok(())
}

fn origin(item: &Item) -> Result<Origin, String> {
    Ok(Origin {
        waba_id: item.waba_id.clone(),
        phone_number_id: item.phone_number_id.clone().ok_or("missing_phone_number_id")?,
        field: item.field.clone(),
        digest: item_digest(item),
        body: item.body.clone(),
    })
}

fn wamid(item: &Value, key: &str) -> Result<String, String> {
    match text(item, key) {
        None => Err(format!("missing_{key}")),
        Some(id) if id.chars().count() > COLUMN_LENGTH => Err(format!("{key}_too_long")),
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
    let (kind, value) = match &item.content {
        Content::Message { message, via, .. } => match via {
            Via::Live => ("message", message),
            Via::Echo => ("echo", message),
            Via::History(_) => ("history", message),
        },
        Content::Status(status) => ("status", status),
        Content::ContactSync(contact) => ("contact", contact),
        Content::Preference(preference) => ("preference", preference),
        Content::Update { .. } | Content::Unknown { .. } => return digest(&[item.body.as_bytes()]),
    };
    digest(&[kind.as_bytes(), number.as_bytes(), value.to_string().as_bytes()])
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
