//! A text.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Content;
use super::check::{self, Checked, given, refuse};

/// WhatsApp's limit of a text body.
const TEXT_LIMIT: usize = 4096;

/// Graph's own form of a text.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"body": "Hello! https://example.com/", "preview_url": true}))]
pub struct TextObject {
    /// The text; at most 4096 characters.
    pub body: String,
    /// Whether WhatsApp shows a preview of the first link.
    #[serde(default)]
    pub preview_url: Option<bool>,
}

/// What to send, from either form of a text.
pub(super) fn content(
    message: Option<&str>,
    object: Option<&TextObject>,
    preview_url: Option<bool>,
) -> Checked<Content> {
    let (field, body) = match (message, object) {
        (Some(_), Some(_)) => return refuse("text", "give either message or text, not both"),
        (None, Some(object)) => ("text.body", object.body.as_str()),
        (message, None) => ("message", given("message", message)?),
    };
    check::text(field, body, TEXT_LIMIT)?;
    let preview_url = preview_url
        .or(object.and_then(|text| text.preview_url))
        .unwrap_or(false);
    Ok(Content {
        kind: "text",
        object: json!({"body": body, "preview_url": preview_url}),
        words: Some(body.to_owned()),
        media_caption: None,
        metadata: None,
        files: Vec::new(),
    })
}
