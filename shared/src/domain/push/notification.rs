//! What a notification says.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use serde::Serialize;

use super::BASE64URL;
use crate::domain::customer::phone_in_key;

/// What one record of 4,096 bytes holds beside header and tag (bytes). Source: <https://www.rfc-editor.org/rfc/rfc8291#section-4>.
pub const LARGEST_PLAINTEXT: usize = 3_993;
/// What texts may take as JSON (bytes); everything else in a notification has less than a kilobyte.
const LONGEST_TITLE: usize = 400;
const LONGEST_BODY: usize = 2_400;

/// A conversation that has news for its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The conversation.
    pub conversation_id: i64,
    /// The number that the message came to.
    pub phone_number_id: String,
    /// Messages that the agent has not read.
    pub unread_count: i64,
    /// The customer's name, username or phone number.
    pub title: Option<String>,
    /// What the message says in words.
    pub text: Option<String>,
    /// The newest message's type.
    pub message_type: String,
    /// When the customer wrote it.
    pub timestamp: jiff::Timestamp,
}

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'static str,
    conversation_id: i64,
    phone_number_id: &'a str,
    unread_count: i64,
    title: Option<String>,
    body: Option<String>,
    message_type: &'a str,
    timestamp: jiff::Timestamp,
}

impl Notification {
    /// What the page's service worker is given, at most [`LARGEST_PLAINTEXT`] bytes. Without `has_names` it says neither who wrote nor what;
    /// without `has_text` not what.
    #[must_use]
    pub fn payload(&self, has_names: bool, has_text: bool) -> Vec<u8> {
        let cut_to = |text: &Option<String>, longest| text.as_deref().map(|text| cut(text, longest));
        let payload = Payload {
            r#type: "message",
            conversation_id: self.conversation_id,
            phone_number_id: &self.phone_number_id,
            unread_count: self.unread_count,
            title: cut_to(&self.title, LONGEST_TITLE).filter(|_| has_names),
            body: cut_to(&self.text, LONGEST_BODY).filter(|_| has_names && has_text),
            message_type: &self.message_type,
            timestamp: self.timestamp,
        };
        serde_json::json!(payload).to_string().into_bytes()
    }

    /// What a customer is called: their name, their username, or the phone number of a conversation's key.
    #[must_use]
    pub fn title_of(name: Option<String>, username: Option<String>, key: &str) -> Option<String> {
        let shown = |text: &String| !text.trim().is_empty();
        name.filter(shown)
            .or(username.filter(shown))
            .or_else(|| phone_in_key(key))
    }
}

/// The text as far as it takes `longest` bytes as JSON, with an ellipsis where something is missing.
fn cut(text: &str, longest: usize) -> String {
    const ELLIPSIS: char = '…';
    let size = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    };
    let mut taken = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        taken += size(c);
        if taken > longest {
            return format!("{}{ELLIPSIS}", &text[..end]);
        }
        if taken + ELLIPSIS.len_utf8() <= longest {
            end = at + c.len_utf8();
        }
    }
    text.to_owned()
}

/// By which a push service, which knows nothing of conversations, replaces a notification that it still has by a newer one of the same
/// conversation: at most 32 characters of base64url. Source: <https://www.rfc-editor.org/rfc/rfc8030#section-5.4>.
#[must_use]
pub fn topic(secret: &[u8], conversation_id: i64) -> String {
    let hash = digest(&SHA256, &[secret, &conversation_id.to_be_bytes()].concat());
    BASE64URL.encode(&hash.as_ref()[..24])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn notification(title: &str, text: &str) -> Notification {
        Notification {
            conversation_id: i64::MAX,
            phone_number_id: "1".repeat(255),
            unread_count: i64::from(i32::MAX),
            title: Some(title.to_owned()),
            text: Some(text.to_owned()),
            message_type: "text".to_owned(),
            timestamp: jiff::Timestamp::from_second(1_782_907_200).unwrap(),
        }
    }

    fn read(payload: &[u8]) -> Value {
        serde_json::from_slice(payload).unwrap()
    }

    #[test]
    fn it_says_who_wrote_what_or_only_that_somebody_did() {
        let notification = Notification {
            conversation_id: 7,
            phone_number_id: "700".to_owned(),
            unread_count: 2,
            ..notification("Ada", "Hello \"there\"")
        };
        let shown = json!({
            "type": "message", "conversation_id": 7, "phone_number_id": "700", "unread_count": 2, "title": "Ada",
            "body": "Hello \"there\"", "message_type": "text", "timestamp": "2026-07-01T12:00:00Z",
        });
        assert_eq!(read(&notification.payload(true, true)), shown);
        let hidden = read(&notification.payload(false, true));
        assert_eq!((&hidden["title"], &hidden["body"]), (&Value::Null, &Value::Null));
        let shortened = read(&notification.payload(true, false));
        assert_eq!((&shortened["title"], &shortened["body"]), (&json!("Ada"), &Value::Null));
    }

    #[test]
    fn whatever_is_written_it_fits_and_is_cut_between_characters() {
        for letter in ["a", "é", "字", "😀", "\"", "\\", "\u{1}", "\u{7f}", "\n", "\u{2028}"] {
            let long = letter.repeat(70_000);
            let payload = notification(&long, &long).payload(true, true);
            assert!(payload.len() <= LARGEST_PLAINTEXT, "{letter:?}: {}", payload.len());
            let body = read(&payload)["body"].as_str().unwrap().to_owned();
            assert!(body.ends_with('…') && body.len() > 300, "{letter:?}");
            assert!(long.starts_with(body.trim_end_matches('…')));
        }
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "…");
        assert_eq!(cut("abcde", 4), "a…");
        assert_eq!(cut("", 3), "");
    }

    #[test]
    fn a_customer_without_a_name_has_a_username_or_a_number() {
        let title = |name: Option<&str>, username: Option<&str>, key| {
            Notification::title_of(name.map(str::to_owned), username.map(str::to_owned), key)
        };
        assert_eq!(title(Some("Ada"), Some("ada"), "+49151").as_deref(), Some("Ada"));
        assert_eq!(title(Some(" "), Some("ada"), "+49151").as_deref(), Some("ada"));
        assert_eq!(title(None, None, "4915112345678").as_deref(), Some("+4915112345678"));
        assert_eq!(title(None, None, "bsuid:5f1d").as_deref(), None);
    }

    #[test]
    fn a_topic_is_short_and_a_conversation_s_own() {
        let topics = [topic(b"a", 1), topic(b"a", 2), topic(b"b", 1)];
        assert_eq!(topics[0], topic(b"a", 1));
        assert!(topics[0] != topics[1] && topics[0] != topics[2]);
        assert!(topics.iter().all(|topic| topic.len() == 32));
    }
}
