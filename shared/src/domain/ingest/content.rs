//! What a message of each type says, as the inbox shows it.
//! Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>.

use serde_json::{Map, Value, json};

use super::message::NewMedia;
use crate::domain::message::MEDIA_TYPES;
use crate::whatsapp::json::{parse_clean, text};

/// A message's type, its words and its parts.
pub(super) struct Content {
    pub(super) message_type: &'static str,
    pub(super) words: Option<String>,
    pub(super) media_caption: Option<String>,
    pub(super) media: Option<NewMedia>,
    pub(super) metadata: Option<Value>,
    /// Whether it only announces a file that comes in a later webhook.
    pub(super) is_placeholder: bool,
}

/// What the body of a type says: its words, its caption, its file, and what has no column.
#[derive(Default)]
struct Body {
    content: Option<String>,
    caption: Option<String>,
    media: Option<NewMedia>,
    /// Kept in the metadata under the type's name.
    details: Option<Value>,
}

/// Reads a message. What has a type we do not know, or not the shape of its type, is `unsupported` with the whole item in its metadata.
pub(super) fn content_of(message: &Value) -> Content {
    let declared = text(message, "type").unwrap_or_default();
    let known = TYPES
        .iter()
        .find(|(name, _)| *name == declared)
        .and_then(|(name, read)| Some((*name, read(message.get(*name)?)?)));
    let mut metadata = common_metadata(message);
    let (message_type, body) = known.unwrap_or_else(|| {
        metadata.insert("raw".to_owned(), message.clone());
        ("unsupported", Body::default())
    });
    if let Some(details) = body.details {
        metadata.insert(message_type.to_owned(), details);
    }
    Content {
        message_type,
        words: body.content,
        media_caption: body.caption,
        media: body.media,
        metadata: (!metadata.is_empty()).then_some(Value::Object(metadata)),
        is_placeholder: declared == "media_placeholder",
    }
}

/// The new words of an edited message: `{content}` or `{media_caption}`. `None` where it has no words.
pub(super) fn edited(message: &Value) -> Option<Value> {
    let kind = text(message, "type")?;
    if MEDIA_TYPES.contains(&kind.as_str()) {
        return Some(json!({"media_caption": text(message.get(&kind)?, "caption")}));
    }
    Some(json!({"content": content_of(message).words?}))
}

/// How the body of a type is read; `None` where it has another shape.
type Read = fn(&Value) -> Option<Body>;

const TYPES: [(&str, Read); 12] = [
    ("text", read_text),
    ("image", read_media),
    ("video", read_media),
    ("audio", read_media),
    ("document", read_media),
    ("sticker", read_media),
    ("location", read_location),
    ("contacts", read_contacts),
    ("interactive", read_interactive),
    ("button", read_button),
    ("order", read_order),
    ("system", read_system),
];

/// The parts of a message of any type that have no column of their own and say something about it.
fn common_metadata(message: &Value) -> Map<String, Value> {
    let mut kept: Map<String, Value> = ["context", "errors", "identity", "history_context"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), message.get(*key)?.clone())))
        .collect();
    let context = message.get("context");
    for key in ["forwarded", "frequently_forwarded"] {
        if context.and_then(|context| context.get(key)) == Some(&Value::Bool(true)) {
            kept.insert(key.to_owned(), Value::Bool(true));
        }
    }
    kept
}

/// A string, be it empty, or a number.
fn words(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(words) => Some(words.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn read_text(body: &Value) -> Option<Body> {
    Some(Body {
        content: Some(words(body, "body")?),
        ..Body::default()
    })
}

fn read_media(body: &Value) -> Option<Body> {
    Some(Body {
        caption: text(body, "caption"),
        media: Some(NewMedia {
            wa_media_id: text(body, "id")?,
            mime_type: text(body, "mime_type"),
            filename: text(body, "filename"),
            sha256: text(body, "sha256"),
            voice: body.get("voice").and_then(Value::as_bool),
            animated: body.get("animated").and_then(Value::as_bool),
        }),
        ..Body::default()
    })
}

fn read_location(body: &Value) -> Option<Body> {
    let coordinates = || Some(format!("{},{}", words(body, "latitude")?, words(body, "longitude")?));
    Some(Body {
        content: Some(
            text(body, "name")
                .or_else(|| text(body, "address"))
                .or_else(coordinates)?,
        ),
        details: Some(body.clone()),
        ..Body::default()
    })
}

fn read_contacts(body: &Value) -> Option<Body> {
    let names: Vec<String> = body
        .as_array()?
        .iter()
        .filter_map(|card| text(card.get("name")?, "formatted_name"))
        .collect();
    Some(Body {
        content: (!names.is_empty()).then(|| names.join(", ")),
        details: Some(body.clone()),
        ..Body::default()
    })
}

/// The answer to buttons, a list, a flow or a request to call. An answer to a flow is JSON within a string: it is read where it can be.
fn read_interactive(body: &Value) -> Option<Body> {
    let kind = text(body, "type")?;
    let reply = body.get(kind.as_str()).filter(|reply| reply.is_object())?;
    let mut details = body.clone();
    let content = match kind.as_str() {
        "button_reply" | "list_reply" => words(reply, "title")?,
        "nfm_reply" => {
            let answer = reply.get("response_json").and_then(Value::as_str);
            // JSON within a string has escapes of its own.
            if let Some(answer) = answer.and_then(parse_clean) {
                details[kind.as_str()]["response"] = answer;
            }
            words(reply, "body")?
        }
        "call_permission_reply" => words(reply, "response")?,
        _ => return None,
    };
    Some(Body {
        content: Some(content),
        details: Some(details),
        ..Body::default()
    })
}

fn read_button(body: &Value) -> Option<Body> {
    Some(Body {
        content: Some(words(body, "text")?),
        details: Some(body.clone()),
        ..Body::default()
    })
}

fn read_order(body: &Value) -> Option<Body> {
    let count = body.get("product_items").and_then(Value::as_array).map(Vec::len);
    let items = || match count? {
        1 => Some("1 item".to_owned()),
        count => Some(format!("{count} items")),
    };
    Some(Body {
        content: Some(text(body, "text").or_else(items)?),
        details: Some(body.clone()),
        ..Body::default()
    })
}

fn read_system(body: &Value) -> Option<Body> {
    body.is_object().then(|| Body {
        content: text(body, "body"),
        details: Some(body.clone()),
        ..Body::default()
    })
}
