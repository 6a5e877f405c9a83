//! An emoji on a message of the conversation.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Content;
use super::check::{self, Checked, refuse};

const EMOJI_LIMIT: usize = 32;
/// Longer than any id of a message.
const ID_LIMIT: usize = 255;

/// Graph's object of a reaction.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"message_id": "wamid.HBgLMTIzNDU2Nzg5MDA=", "emoji": "👍"}))]
pub struct ReactionObject {
    /// The message to react to: our `message_id` or the wamid.
    pub message_id: String,
    /// One emoji; an empty string takes the reaction back.
    pub emoji: String,
}

/// What to send; the message that it is to stands in the plan.
pub(super) fn content(reaction: &ReactionObject) -> Checked<Content> {
    check::text("reaction.message_id", &reaction.message_id, ID_LIMIT)?;
    check::at_most("reaction.emoji", Some(&reaction.emoji), EMOJI_LIMIT)?;
    if !reaction.emoji.is_empty() && !looks_like_emoji(&reaction.emoji) {
        return refuse(
            "reaction.emoji",
            "must be one emoji, or empty to take the reaction back",
        );
    }
    Ok(Content {
        kind: "reaction",
        object: json!({"emoji": reaction.emoji}),
        words: None,
        media_caption: None,
        metadata: None,
        files: Vec::new(),
    })
}

/// WhatsApp knows which emoji there are. Words are none; digits begin the keycaps.
fn looks_like_emoji(text: &str) -> bool {
    let is_part = |c: char| !c.is_ascii_alphabetic() && !c.is_whitespace() && !c.is_control();
    text.chars().all(is_part) && !text.is_ascii()
}
