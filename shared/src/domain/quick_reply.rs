//! Quick replies: an agent's canned answers, found by a shortcut, with variables that a conversation fills.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::placeholder;
use super::send::InvalidField;

/// The longest shortcut, in characters.
const SHORTCUT_LIMIT: usize = 40;
/// WhatsApp's limit of a text body, in characters.
const CONTENT_LIMIT: usize = 4096;
/// How many quick replies a user may have.
pub const MOST: i64 = 500;

/// A canned answer of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"id": 7, "shortcut": "hours", "content": "Hello {{customer_name}}, we open at 9.", "media": null, "variables": ["customer_name"],
    "rendered": "Hello Ada, we open at 9.", "missing": [], "created_at": "2026-11-02T09:00:00Z", "updated_at": "2026-11-02T09:00:00Z"}))]
pub struct QuickReply {
    /// Its id.
    pub id: i64,
    /// What the agent types to find it.
    pub shortcut: String,
    /// The text; null where it is only a file.
    pub content: Option<String>,
    /// The file.
    pub media: Option<QuickReplyMedia>,
    /// The names between double braces in `content`, each once.
    pub variables: Vec<String>,
    /// `content` with the variables of the conversation that was asked for; null without one.
    pub rendered: Option<String>,
    /// The variables that the conversation has no value for: they stand in `rendered` as in `content`. Null without a conversation.
    pub missing: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// The file of a quick reply: one that the agent uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuickReplyMedia {
    /// The upload, as send-message takes it.
    pub media_id: Uuid,
    /// image, video, audio, document or sticker.
    pub kind: String,
    /// Its type.
    pub mime_type: String,
    /// A document's name.
    pub filename: Option<String>,
    /// Bytes.
    pub size: i64,
}

/// What a conversation has for variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// `customer_name`.
    pub customer_name: Option<String>,
    /// `customer_phone`, E.164 with `+`.
    pub customer_phone: Option<String>,
    /// `customer_username`.
    pub customer_username: Option<String>,
    /// `business_name`: the verified name of the business phone number.
    pub business_name: Option<String>,
}

impl Variables {
    /// A variable's value; `None` where there is no such variable or it is empty.
    fn get(&self, name: &str) -> Option<&str> {
        let value = match name {
            "customer_name" => &self.customer_name,
            "customer_phone" => &self.customer_phone,
            "customer_username" => &self.customer_username,
            "business_name" => &self.business_name,
            _ => return None,
        };
        value.as_deref().filter(|value| !value.trim().is_empty())
    }
}

impl QuickReply {
    /// Fills the variables with what a conversation has.
    pub fn render(&mut self, variables: &Variables) {
        let fill = |content: &String| placeholder::fill(content, |name| variables.get(name));
        self.rendered = self.content.as_ref().map(fill);
        let is_missing = |name: &&String| variables.get(name).is_none();
        self.missing = Some(self.variables.iter().filter(is_missing).cloned().collect());
    }
}

/// The variables in a text, each once.
#[must_use]
pub fn variables_in(content: Option<&str>) -> Vec<String> {
    let names = content.map(placeholder::names).unwrap_or_default();
    names.into_iter().map(str::to_owned).collect()
}

/// Looks at a shortcut.
///
/// # Errors
/// Says what a shortcut is.
pub fn check_shortcut(shortcut: &str) -> Result<(), InvalidField> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    if shortcut.is_empty() || shortcut.chars().count() > SHORTCUT_LIMIT || shortcut.contains(is_odd) {
        let message = format!("must have 1 to {SHORTCUT_LIMIT} characters and no space");
        return Err(InvalidField::new("shortcut", message));
    }
    Ok(())
}

/// Looks at a content.
///
/// # Errors
/// When it is blank, too long, or holds NUL.
pub fn check_content(content: &str) -> Result<(), InvalidField> {
    let invalid = |message: String| Err(InvalidField::new("content", message));
    if content.trim().is_empty() {
        return invalid("must not be blank".to_owned());
    }
    if content.contains('\0') {
        return invalid("must not contain NUL".to_owned());
    }
    if content.chars().count() > CONTENT_LIMIT {
        return invalid(format!("must have at most {CONTENT_LIMIT} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(content: Option<&str>) -> QuickReply {
        QuickReply {
            id: 1,
            shortcut: "x".to_owned(),
            content: content.map(str::to_owned),
            media: None,
            variables: variables_in(content),
            rendered: None,
            missing: None,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn unknown_and_empty_variables_stay_as_they_are_and_are_listed() {
        let variables = Variables {
            customer_name: Some("{{business_name}}".to_owned()),
            customer_username: Some(" ".to_owned()),
            business_name: Some("Leaf & Co".to_owned()),
            ..Variables::default()
        };
        let mut full = reply(Some(
            "{{customer_name}} ({{ customer_username }}, {{customer_phone}}), {{order}} of {{business_name}}",
        ));
        full.render(&variables);
        assert_eq!(
            full.rendered.as_deref(),
            Some("{{business_name}} ({{ customer_username }}, {{customer_phone}}), {{order}} of Leaf & Co")
        );
        assert_eq!(full.missing.unwrap(), ["customer_username", "customer_phone", "order"]);
        let mut file = reply(None);
        file.render(&variables);
        assert_eq!((file.rendered, file.missing), (None, Some(Vec::new())));
    }

    #[test]
    fn limits_count_characters() {
        assert!(check_shortcut(&"é".repeat(40)).is_ok());
        for shortcut in ["", "a b", "a\u{a0}b", "a\0", &"é".repeat(41)] {
            assert_eq!(check_shortcut(shortcut).unwrap_err().field, "shortcut");
        }
        assert!(check_content(&"é".repeat(4096)).is_ok());
        for content in [" \n", "a\0", &"é".repeat(4097)] {
            assert_eq!(check_content(content).unwrap_err().field, "content");
        }
    }
}
