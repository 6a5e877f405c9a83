//! The bodies that Graph's `POST /{version}/{phone_number_id}/messages` takes, and its answer.

use serde_json::{Value, json};

/// Whom a message is for: a phone number where there is one, else the business-scoped user id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// E.164 with `+`.
    Phone(String),
    /// A business-scoped user id, opaque.
    UserId(String),
}

/// A message of a type that Graph knows, with the object that stands under the type's name. `callback_data` comes back in every status of
/// it; ours is the message id.
#[must_use]
pub fn message(
    recipient: &Recipient,
    kind: &str,
    object: &Value,
    reply_to: Option<&str>,
    callback_data: &str,
) -> Value {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": kind,
        "biz_opaque_callback_data": callback_data,
    });
    body[kind] = object.clone();
    match recipient {
        Recipient::Phone(phone) => body["to"] = phone.trim_start_matches('+').into(),
        Recipient::UserId(id) => body["recipient"] = id.as_str().into(),
    }
    if let Some(wamid) = reply_to {
        body["context"] = json!({"message_id": wamid});
    }
    body
}

/// Reports a message of the customer, and with it all before it, as read. With a typing indicator the customer also sees that an answer is
/// being written, for 25 s or until it comes.
#[must_use]
pub fn read_receipt(wamid: &str, is_typing: bool) -> Value {
    let mut body = json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid});
    if is_typing {
        body["typing_indicator"] = json!({"type": "text"});
    }
    body
}

/// What Graph says when it accepts a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The message's wamid.
    pub wa_message_id: String,
    /// The customer's identity as WhatsApp knows it: digits without `+`. Differs from what was sent where numbers have two forms
    /// (Brazil's ninth digit, Mexico, Argentina).
    pub wa_id: Option<String>,
}

impl Accepted {
    /// Reads Graph's answer; `None` where it names no message.
    #[must_use]
    pub fn from_answer(answer: &Value) -> Option<Self> {
        Some(Self {
            wa_message_id: answer["messages"][0]["id"]
                .as_str()
                .filter(|id| !id.is_empty())?
                .to_owned(),
            wa_id: answer["contacts"][0]["wa_id"]
                .as_str()
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_the_body_that_graph_documents() {
        assert_eq!(
            message(
                &Recipient::Phone("+5511987654321".to_owned()),
                "text",
                &json!({"body": "Hi", "preview_url": true}),
                Some("wamid.A"),
                "our-id"
            ),
            json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "5511987654321", "type": "text",
                "text": {"body": "Hi", "preview_url": true}, "context": {"message_id": "wamid.A"},
                "biz_opaque_callback_data": "our-id"})
        );
        let by_id = message(&Recipient::UserId("BR.1".to_owned()), "text", &json!({}), None, "x");
        assert_eq!(by_id["recipient"], "BR.1");
        assert_eq!(by_id.get("to"), None);
        assert_eq!(by_id.get("context"), None);
    }
}
