//! `POST /{phone_number_id}/messages`: sending, read receipts and typing indicators.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::content::{self, TYPES, check_wamid};
use super::errors::{Checked, GraphError};
use super::schema::Fields;
use super::{Caller, NoAnswer};
use crate::config::Number;
use crate::faults::Kind;
use crate::ids;
use crate::state::{Customer, Message, Sender, Simulator};
use crate::statuses::{self, Outcome};
use crate::webhooks::{Traits, digits_of};

const WINDOW: SignedDuration = SignedDuration::from_hours(24);
const READABLE: SignedDuration = SignedDuration::from_hours(30 * 24);
const TYPING: SignedDuration = SignedDuration::from_secs(25);
const ENVELOPE: [&str; 7] = [
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
];

pub(super) async fn post(
    State(simulator): State<Arc<Simulator>>,
    Path((_, id)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Checked<Response> {
    let number = simulator.number_of(&caller, "post", &id)?;
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"));
    let body: Value = serde_json::from_slice(&bytes)
        .ok()
        .filter(|_| is_json)
        .ok_or_else(|| GraphError::required("messaging_product"))?;
    let message = Fields::of_request(&body)?;
    message.required_choice("messaging_product", &["whatsapp"])?;
    if message.has("status") {
        return mark_read(&simulator, number, &message).map(IntoResponse::into_response);
    }
    let kind = message.choice("type", &TYPES)?.unwrap_or("text");
    message.only(&[&ENVELOPE[..], &[kind]].concat())?;
    message.choice("recipient_type", &["individual"])?;
    message.text("biz_opaque_callback_data", 512)?;
    if let Some(context) = message.object("context")? {
        context.only(&["message_id"])?;
        check_wamid(&context, "message_id")?;
    }
    let recipient = read_recipient(number, &message)?;
    content::check(&simulator, number, kind, &message)?;
    let customer = identify(&simulator, number, &recipient);
    simulator.rates.count(&number.phone_number_id, customer.key())?;
    Ok(accept(&simulator, number, customer, &recipient, kind, &body))
}

/// Whom a message is for.
enum Recipient {
    Phone { input: String, digits: String },
    UserId(String),
}

fn read_recipient(number: &Number, message: &Fields<'_>) -> Checked<Recipient> {
    let user_id = message.text("recipient", 256)?;
    if let Some(to) = message.text("to", 64)? {
        let digits = ids::phone_digits(to).ok_or_else(|| GraphError::invalid("to is not a phone number."))?;
        if digits == digits_of(&number.display_phone_number) {
            return Err(GraphError::refused(400, 131_021, "Recipient cannot be the sender."));
        }
        return Ok(Recipient::Phone {
            input: to.to_owned(),
            digits,
        });
    }
    match user_id {
        None => Err(GraphError::required("to")),
        Some(id) if id.is_empty() || id.chars().any(char::is_whitespace) => {
            Err(GraphError::invalid("recipient is not a user id."))
        }
        Some(id) => Ok(Recipient::UserId(id.to_owned())),
    }
}

/// The customer behind a recipient: one that wrote before, or a new one.
fn identify(simulator: &Simulator, number: &Number, recipient: &Recipient) -> Customer {
    let world = simulator.world();
    let known = |key: &str| {
        world
            .conversation(&number.phone_number_id, key)
            .map(|conversation| conversation.customer.clone())
    };
    match recipient {
        Recipient::Phone { digits, .. } => known(digits).unwrap_or_else(|| {
            let wa_id = ids::canonical_wa_id(digits);
            known(&wa_id).unwrap_or_else(|| Customer {
                user_id: ids::make_user_id(&number.waba_id, &wa_id),
                wa_id: Some(wa_id),
                username: None,
                name: None,
            })
        }),
        Recipient::UserId(id) => known(id).unwrap_or_else(|| Customer {
            wa_id: None,
            user_id: id.clone(),
            username: None,
            name: None,
        }),
    }
}

/// From here on the message is Meta's: whatever goes wrong now is told by webhook.
fn accept(
    simulator: &Arc<Simulator>,
    number: &Number,
    customer: Customer,
    recipient: &Recipient,
    kind: &str,
    body: &Value,
) -> Response {
    let phone_number_id = &number.phone_number_id;
    let key = customer.key().to_owned();
    let wamid = ids::make_wamid(&key, true);
    let contact = match recipient {
        Recipient::Phone { input, .. } => json!({"input": input, "wa_id": key}),
        Recipient::UserId(id) => json!({"input": id, "user_id": id}),
    };
    let mut outcome = find_outcome(simulator, phone_number_id, &key, kind, body);
    let (mut traits, mut silence) = (Traits::default(), None);
    for fault in simulator.faults.take_for_message(phone_number_id, &key) {
        match fault {
            Kind::NoAnswer { hang_ms } => silence = Some(hang_ms),
            Kind::StatusFailed {
                code,
                title,
                details,
                after_sent,
            } => {
                outcome = Outcome::Failed {
                    code,
                    title,
                    details,
                    after_sent,
                }
            }
            other => other.change(&mut traits),
        }
    }
    {
        let mut world = simulator.world();
        let conversation = world.open_conversation(phone_number_id, customer);
        conversation.typing_until = None;
        conversation.messages.push(Message {
            id: wamid.clone(),
            sender: Sender::Business,
            kind: kind.to_owned(),
            body: body.clone(),
            timestamp: Timestamp::now(),
            statuses: Vec::new(),
            read_by_business: false,
        });
    }
    simulator.announce(phone_number_id, &key);
    statuses::plan(simulator, phone_number_id, &wamid, &outcome, traits);
    if let Some(hang_ms) = silence {
        return NoAnswer::after(hang_ms);
    }
    Json(json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{"id": wamid}],
    }))
    .into_response()
}

/// What becomes of an accepted message without faults.
fn find_outcome(simulator: &Simulator, phone_number_id: &str, customer: &str, kind: &str, body: &Value) -> Outcome {
    let world = simulator.world();
    let conversation = world.conversation(phone_number_id, customer);
    let trusted = simulator.config.trust_unseen;
    let now = Timestamp::now();
    let is_open = match conversation.and_then(|c| c.last_inbound) {
        Some(last) => now.duration_since(last) < WINDOW,
        None => trusted,
    };
    if kind != "template" && !is_open {
        return Outcome::failed(
            131_047,
            "Message failed to send because more than 24 hours have passed since the customer \
             last replied to this number.",
        );
    }
    if kind != "reaction" {
        return Outcome::Read;
    }
    let target = body["reaction"]["message_id"].as_str().unwrap_or_default();
    let can_react = match world.find_message(phone_number_id, target) {
        Some((in_conversation, message)) => {
            conversation.is_some_and(|c| c.id == in_conversation.id)
                && message.kind != "reaction"
                && now.duration_since(message.timestamp) < READABLE
        }
        None => trusted,
    };
    if can_react {
        Outcome::Sent
    } else {
        Outcome::failed(131_009, "The message to react to cannot be found in this conversation.")
    }
}

/// `status: read`: the message and all before it; with a typing indicator, the customer sees one.
fn mark_read(simulator: &Simulator, number: &Number, message: &Fields<'_>) -> Checked<Json<Value>> {
    message.only(&["messaging_product", "status", "message_id", "typing_indicator"])?;
    message.required_choice("status", &["read"])?;
    let wamid = message.required_text("message_id", 1024)?;
    let typing = message.object("typing_indicator")?;
    if let Some(typing) = &typing {
        typing.only(&["type"])?;
        typing.required_choice("type", &["text"])?;
    }
    let not_found = || GraphError::invalid("message_id is not a message that can be marked as read.");
    let now = Timestamp::now();
    let mut world = simulator.world();
    let conversation = world
        .conversations
        .iter_mut()
        .filter(|conversation| conversation.phone_number_id == number.phone_number_id)
        .find(|conversation| conversation.messages.iter().any(|m| m.id == wamid));
    let Some(conversation) = conversation else {
        if simulator.config.trust_unseen && ids::is_wamid(wamid) {
            return Ok(Json(json!({"success": true})));
        }
        return Err(not_found());
    };
    let target = conversation
        .messages
        .iter()
        .find(|m| m.id == wamid && m.sender == Sender::Customer)
        .filter(|m| now.duration_since(m.timestamp) < READABLE)
        .ok_or_else(not_found)?;
    let until = target.timestamp;
    for earlier in &mut conversation.messages {
        if earlier.sender == Sender::Customer && earlier.timestamp <= until {
            earlier.read_by_business = true;
        }
    }
    if typing.is_some() {
        conversation.typing_until = Some(now + TYPING);
    }
    let key = conversation.customer.key().to_owned();
    drop(world);
    simulator.announce(&number.phone_number_id, &key);
    Ok(Json(json!({"success": true})))
}
