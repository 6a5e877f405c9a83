//! What `POST /api/live-chat/send-message` takes, and what is wrong with it.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Content, InvalidField, Plan, Target};
use crate::domain::customer::phone_of;
use crate::domain::message::parse_message_id;

/// WhatsApp's limit of a text body, in code points.
const TEXT_LIMIT: usize = 4096;

/// What `POST /api/live-chat/send-message` takes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"conversation_id": 1, "phone_number_id": "123456", "to": "+1234567890", "message": "Hello!", "message_type": "text"}))]
pub struct SendRequest {
    /// The conversation to write in.
    pub conversation_id: i64,
    /// Must be the conversation's where it is given.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// The customer's phone number; must be the conversation's where it is given.
    #[serde(default)]
    pub to: Option<String>,
    /// The text; `text.body` says the same.
    #[serde(default)]
    pub message: Option<String>,
    /// `text`.
    #[serde(default)]
    pub message_type: Option<String>,
    /// Graph's own form of a text.
    #[serde(default)]
    pub text: Option<TextObject>,
    /// Whether WhatsApp shows a preview of the first link.
    #[serde(default)]
    pub preview_url: Option<bool>,
    /// The message to answer: our `message_id` or the wamid.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The idempotency key, a UUID: the same one again answers with the first result and sends nothing. Made by us where it is missing.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Tries a message again that failed for good; with its `message_id` and its body.
    #[serde(default)]
    pub retry: bool,
}

/// Graph's own form of a text.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TextObject {
    /// The text.
    pub body: String,
    /// Whether WhatsApp shows a preview of the first link.
    #[serde(default)]
    pub preview_url: Option<bool>,
}

/// Checks a request. `new_id` is used where the client gave no key.
///
/// # Errors
/// Names the first field that WhatsApp or we would refuse.
pub fn plan(request: &SendRequest, new_id: Uuid) -> Result<Plan, InvalidField> {
    let invalid = |field: &str, message: &str| Err(InvalidField::new(field, message));
    match request.message_type.as_deref() {
        None | Some("text") => {}
        Some(_) => return invalid("message_type", "must be one of: text"),
    }
    let text = match (&request.message, &request.text) {
        (Some(_), Some(_)) => {
            return invalid("text", "give either message or text, not both");
        }
        (Some(message), None) => message,
        (None, Some(object)) => &object.body,
        (None, None) => return invalid("message", "is required"),
    };
    let field = if request.text.is_some() { "text.body" } else { "message" };
    if text.trim().is_empty() {
        return invalid(field, "must not be blank");
    }
    if text.contains('\0') {
        return invalid(field, "must not contain NUL");
    }
    if text.chars().count() > TEXT_LIMIT {
        return Err(InvalidField::new(
            field,
            format!("must have at most {TEXT_LIMIT} characters"),
        ));
    }
    let message_id = match &request.message_id {
        None => new_id,
        Some(text) => match parse_message_id(text) {
            Some(id) => id,
            None => return invalid("message_id", "must be a UUID"),
        },
    };
    let to = match &request.to {
        None => None,
        Some(text) => match phone_of(text) {
            Some(phone) => Some(phone),
            None => return invalid("to", "must be a phone number with country code"),
        },
    };
    let preview_url = request
        .preview_url
        .or(request.text.as_ref().and_then(|text| text.preview_url))
        .unwrap_or(false);
    let reply_to = request.reply_to.clone().filter(|id| !id.is_empty());
    let content = Content {
        kind: "text",
        object: json!({"body": text, "preview_url": preview_url}),
        words: Some(text.clone()),
        media_caption: None,
        metadata: None,
        files: Vec::new(),
    };
    Ok(Plan {
        message_id: message_id.to_string(),
        target: Target::Conversation(request.conversation_id),
        phone_number_id: request.phone_number_id.clone(),
        request_hash: request_hash(&content, reply_to.as_deref()),
        to,
        content,
        reply_to,
        is_retry: request.retry,
    })
}

/// Covers what the customer would see. The conversation is compared beside it; `phone_number_id` and `to` either fit that or are refused.
fn request_hash(content: &Content, reply_to: Option<&str>) -> [u8; 32] {
    let normalised = json!([content.kind, content.object, reply_to]);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, normalised.to_string().as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const KEY: &str = "8f1b2c3d-0000-4000-8000-000000000001";

    fn request(change: &Value) -> Result<Plan, InvalidField> {
        let mut body = json!({"conversation_id": 1, "message": "Hello!"});
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        plan(&serde_json::from_value(body).unwrap(), Uuid::nil())
    }

    #[test]
    fn the_first_form_of_the_request_works() {
        let plan =
            request(&json!({"phone_number_id": "123456", "to": "+1 (234) 567-890", "message_type": "text"})).unwrap();
        assert_eq!(plan.content.words.as_deref(), Some("Hello!"));
        assert_eq!(plan.to.as_deref(), Some("+1234567890"));
        assert_eq!(plan.message_id, Uuid::nil().to_string());
    }

    #[test]
    fn a_refusal_names_the_field() {
        let long = "é".repeat(4097);
        for (change, field) in [
            (json!({"message": " \n"}), "message"),
            (json!({"message": long}), "message"),
            (json!({"message": "a\0"}), "message"),
            (json!({"message": null}), "message"),
            (json!({"message": null, "text": {"body": ""}}), "text.body"),
            (json!({"text": {"body": "x"}}), "text"),
            (json!({"message_type": "pigeon"}), "message_type"),
            (json!({"message_id": "1"}), "message_id"),
            (json!({"to": "somebody"}), "to"),
        ] {
            assert_eq!(request(&change).unwrap_err().field, field, "{change}");
        }
        assert!(request(&json!({"message": "é".repeat(4096)})).is_ok());
    }

    #[test]
    fn the_hash_covers_what_is_sent_and_not_how_it_was_said() {
        let hash = |change: Value| request(&change).unwrap().request_hash;
        let first = hash(json!({"message_id": KEY}));
        assert_eq!(
            first,
            hash(json!({"to": "1234567890", "message_id": KEY.to_uppercase()}))
        );
        assert_eq!(first, hash(json!({"message": null, "text": {"body": "Hello!"}})));
        assert_ne!(first, hash(json!({"message": "Hello"})));
        assert_ne!(first, hash(json!({"reply_to": "wamid.A"})));
        assert_ne!(first, hash(json!({"preview_url": true})));
    }
}
