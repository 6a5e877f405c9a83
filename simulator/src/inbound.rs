//! What customers send, as Meta's webhooks tell it: messages of every type, and the echoes of what
//! the business wrote on its own phone.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples>

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::config::Number;
use crate::graph::media::RECEIVED_FOR;
use crate::ids;
use crate::samples;
use crate::state::{Customer, Message, Sender, Simulator};
use crate::webhooks::{digits_of, envelope};

/// Notes a message that did not come through Graph and posts its webhook. `order` is the body of
/// the control call; what it lacks is made up. Answers with the wamid.
pub(crate) fn receive(
    simulator: &Arc<Simulator>,
    sender: Sender,
    mut order: Map<String, Value>,
) -> Result<String, String> {
    let phone_number_id: String = take(&mut order, "phone_number_id")?.ok_or("phone_number_id is required")?;
    let number = simulator
        .number(&phone_number_id)
        .ok_or("phone_number_id: this simulator has no such number")?;
    let party = if sender == Sender::Customer { "from" } else { "to" };
    let customer = take_customer(simulator, number, party, &mut order)?;
    let kind: String = take(&mut order, "type")?.unwrap_or_else(|| "text".to_owned());
    let timestamp = take_timestamp(&mut order)?;
    let wamid = take(&mut order, "id")?.unwrap_or_else(|| ids::make_wamid(customer.key(), false));
    let context: Option<Map<String, Value>> = take(&mut order, "context")?;
    let referral: Option<Map<String, Value>> = take(&mut order, "referral")?;
    let is_posted = take(&mut order, "deliver")?.unwrap_or(true);
    let given = order.remove(&kind);
    if let Some(unknown) = order.keys().next() {
        return Err(format!("{unknown}: not a field of a message of type {kind}"));
    }

    let mut message = Map::new();
    let mut set = |key: &str, value: Value| message.insert(key.to_owned(), value);
    if sender == Sender::Customer {
        if let Some(wa_id) = &customer.wa_id {
            set("from", json!(wa_id));
        }
        set("from_user_id", json!(customer.user_id));
    } else {
        set("from", json!(digits_of(&number.display_phone_number)));
        if let Some(wa_id) = &customer.wa_id {
            set("to", json!(wa_id));
        }
        set("to_user_id", json!(customer.user_id));
    }
    set("id", json!(wamid));
    set("timestamp", json!(timestamp.as_second().to_string()));
    if let Some(context) = context {
        set("context", quote(simulator, number, &customer, context));
    }
    if let Some(referral) = referral {
        set("referral", Value::Object(referral));
    }
    // A voice message is an audio message to WhatsApp.
    let kind = if kind == "voice" {
        ("audio", "voice")
    } else {
        (kind.as_str(), kind.as_str())
    };
    set("type", json!(kind.0));
    if kind.0 == "unsupported" {
        set("errors", unsupported());
    }
    if let Some(content) = make_content(simulator, number, &customer, kind.1, given)? {
        set(kind.0, content);
    }

    let (mut contact, mut profile) = (json!({"user_id": customer.user_id}), Map::new());
    let key = customer.key().to_owned();
    {
        let mut world = simulator.world();
        let conversation = world.open_conversation(&phone_number_id, customer);
        if let Some(name) = &conversation.customer.name {
            profile.insert("name".to_owned(), json!(name));
        }
        if let Some(username) = &conversation.customer.username {
            profile.insert("username".to_owned(), json!(username));
        }
        if let Some(wa_id) = &conversation.customer.wa_id {
            contact["wa_id"] = json!(wa_id);
        }
        contact["profile"] = Value::Object(profile);
        if sender == Sender::Customer && kind.0 != "system" {
            conversation.last_inbound = conversation.last_inbound.max(Some(timestamp));
        }
        conversation.messages.push(Message {
            id: wamid.clone(),
            sender,
            kind: kind.0.to_owned(),
            body: Value::Object(message.clone()),
            timestamp,
            statuses: Vec::new(),
            read_by_business: false,
        });
    }
    simulator.announce(&phone_number_id, &key);
    if is_posted {
        let contact = (kind.0 != "system").then_some(contact);
        post(simulator, number, &key, sender, &message, contact);
    }
    Ok(wamid)
}

fn post(
    simulator: &Arc<Simulator>,
    number: &Number,
    customer: &str,
    sender: Sender,
    message: &Map<String, Value>,
    contact: Option<Value>,
) {
    let (field, list) = if sender == Sender::Customer {
        ("messages", "messages")
    } else {
        ("smb_message_echoes", "message_echoes")
    };
    let mut value = json!({list: [message]});
    if let Some(contact) = contact {
        value["contacts"] = json!([contact]);
    }
    let payload = envelope(number, field, value);
    let traits = simulator.faults.take_for_webhook(&number.phone_number_id, customer);
    if traits.copies > 0 {
        let (own, phone_number_id) = (Arc::clone(simulator), number.phone_number_id.clone());
        simulator
            .deliveries
            .plan(async move { own.deliver(&phone_number_id, &payload, traits).await });
    }
}

fn take<T: DeserializeOwned>(order: &mut Map<String, Value>, name: &str) -> Result<Option<T>, String> {
    match order.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value).map_err(|error| format!("{name}: {error}")),
    }
}

fn take_customer(
    simulator: &Simulator,
    number: &Number,
    party: &str,
    order: &mut Map<String, Value>,
) -> Result<Customer, String> {
    let phone: Option<String> = take(order, party)?;
    let user_id: Option<String> = take(order, "user_id")?;
    let username: Option<String> = take(order, "username")?;
    let name = take(order, "name")?;
    let wa_id = phone
        .map(|phone| ids::phone_digits(&phone).ok_or(format!("{party}: not a phone number")))
        .transpose()?;
    let known_as = wa_id
        .as_deref()
        .or(username.as_deref())
        .or(user_id.as_deref())
        .ok_or(format!("one of {party}, user_id and username is required"))?;
    let user_id = user_id.clone().unwrap_or_else(|| {
        let world = simulator.world();
        let known = world.conversation(&number.phone_number_id, known_as);
        known.map_or_else(
            || ids::make_user_id(&number.waba_id, known_as),
            |conversation| conversation.customer.user_id.clone(),
        )
    });
    Ok(Customer {
        wa_id,
        user_id,
        username,
        name,
    })
}

/// Unix seconds, as a number or in a string, or RFC 3339; now when absent.
fn take_timestamp(order: &mut Map<String, Value>) -> Result<Timestamp, String> {
    let given = match order.remove("timestamp") {
        None | Some(Value::Null) => return Ok(Timestamp::now()),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    given
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .or_else(|| given.parse().ok())
        .ok_or_else(|| "timestamp: neither unix seconds nor RFC 3339".to_owned())
}

/// The context of a reply: whom the quoted message is from goes with its id.
fn quote(simulator: &Simulator, number: &Number, customer: &Customer, mut context: Map<String, Value>) -> Value {
    let quoted = context.remove("message_id").or_else(|| context.remove("id"));
    let business = digits_of(&number.display_phone_number);
    let mut from = Some(business);
    if let Some(id) = quoted {
        let world = simulator.world();
        let message = world.find_message(&number.phone_number_id, id.as_str().unwrap_or_default());
        if message.is_some_and(|(_, message)| message.sender == Sender::Customer) {
            from.clone_from(&customer.wa_id);
        }
        context.insert("id".to_owned(), id);
    }
    if let Some(from) = from {
        context.entry("from").or_insert(json!(from));
    }
    Value::Object(context)
}

fn unsupported() -> Value {
    json!([{
        "code": 131_051,
        "title": "Message type unknown",
        "message": "Message type unknown",
        "error_data": {"details": "Message type is currently not supported."},
    }])
}

/// The object of the message's type: a sample where nothing was given, and over it what was.
fn make_content(
    simulator: &Simulator,
    number: &Number,
    customer: &Customer,
    kind: &str,
    given: Option<Value>,
) -> Result<Option<Value>, String> {
    let sample = match kind {
        "image" | "video" | "audio" | "voice" | "document" | "sticker" => {
            return make_media(simulator, number, kind, given.unwrap_or(json!({}))).map(Some);
        }
        "text" => match given {
            Some(Value::String(body)) => return Ok(Some(json!({"body": body}))),
            Some(given) if given["body"].is_string() => return Ok(Some(given)),
            _ => return Err("text: body is required".to_owned()),
        },
        "interactive" => return make_reply(given).map(Some),
        "reaction" => json!({"emoji": "👍"}),
        "edit" | "revoke" => json!({}),
        "location" => json!({
            "latitude": 52.516_3, "longitude": 13.377_7,
            "name": "Brandenburg Gate", "address": "Pariser Platz, 10117 Berlin",
        }),
        "contacts" => json!([{
            "name": {"formatted_name": "Ada Example", "first_name": "Ada", "last_name": "Example"},
            "phones": [{"phone": "+1 650 555 0142", "wa_id": "16505550142", "type": "CELL"}],
            "emails": [{"email": "ada@example.com", "type": "WORK"}],
            "org": {"company": "Example Ltd"},
        }]),
        "button" => json!({"payload": "Yes", "text": "Yes"}),
        "order" => json!({
            "catalog_id": "700000000000001", "text": "Please send it as a gift.",
            "product_items": [
                {"product_retailer_id": "mug-blue", "quantity": 2, "item_price": 12.5, "currency": "EUR"},
                {"product_retailer_id": "tea-earl-grey", "quantity": 1, "item_price": 6, "currency": "EUR"},
            ],
        }),
        "system" => {
            let old = customer.key();
            json!({
                "type": "user_changed_number", "wa_id": "16505550199",
                "body": format!("User changed from {old} to 16505550199"),
            })
        }
        // Everything else, also what Meta has yet to invent, is passed on as it is.
        _ => return Ok(given),
    };
    let content = match (sample, given) {
        (Value::Object(mut sample), Some(Value::Object(given))) => {
            sample.extend(given);
            Value::Object(sample)
        }
        (sample, given) => given.unwrap_or(sample),
    };
    let needed = match kind {
        "reaction" => "message_id",
        "edit" | "revoke" => "original_message_id",
        _ => return Ok(Some(content)),
    };
    if content[needed].is_string() {
        Ok(Some(content))
    } else {
        Err(format!("{kind}: {needed} is required"))
    }
}

/// A file as the webhook tells it; a sample where none was named.
fn make_media(simulator: &Simulator, number: &Number, kind: &str, given: Value) -> Result<Value, String> {
    let Value::Object(given) = given else {
        return Err(format!("{kind}: must be an object"));
    };
    let id = if let Some(id) = given.get("id") {
        id.as_str().ok_or(format!("{kind}: id must be a string"))?.to_owned()
    } else {
        let (mime_type, bytes) = samples::find(kind).ok_or(format!("{kind}: there is no sample"))?;
        simulator.store_media(&number.phone_number_id, mime_type.to_owned(), bytes, RECEIVED_FOR)
    };
    let mut content = match kind {
        "audio" | "voice" => json!({"voice": kind == "voice"}),
        "document" => json!({"filename": "sample.pdf"}),
        "sticker" => json!({"animated": false}),
        _ => json!({}),
    };
    if let Some(media) = simulator.world().media.get(&id) {
        content["mime_type"] = json!(media.mime_type);
        content["sha256"] = json!(ids::sha256_base64(&media.bytes));
    }
    content["id"] = json!(id);
    if let Value::Object(content) = &mut content {
        content.extend(given);
    }
    Ok(content)
}

/// The answer to an interactive message; an answer to a flow may be given as JSON.
fn make_reply(given: Option<Value>) -> Result<Value, String> {
    let mut reply = given.ok_or("interactive: the reply is required")?;
    let kind = reply["type"]
        .as_str()
        .ok_or("interactive: type is required")?
        .to_owned();
    if !reply[&kind].is_object() {
        return Err(format!("interactive: {kind} is required"));
    }
    if kind == "nfm_reply" {
        let answer = &mut reply[&kind];
        let data = answer["response_json"].take();
        answer["response_json"] = match data {
            Value::String(text) => json!(text),
            Value::Null => json!("{}"),
            data => json!(data.to_string()),
        };
        for (key, usual) in [("name", "flow"), ("body", "Sent")] {
            if answer[key].is_null() {
                answer[key] = json!(usual);
            }
        }
    }
    Ok(reply)
}
