//! How a unit travels through SQS: as text where SQS takes it, else as gzip + base64, in several parts where even that is too large.
//! Limits: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.

use std::io::{Read, Write};
use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::split::Unit;

/// What one SQS message may hold, less room for its attributes (bytes).
pub const MESSAGE_SIZE: usize = 1024 * 1024 - 1024;

/// The largest body that a consumer unpacks: Meta's own limit is 3 MB, so more is no webhook (bytes).
const UNPACKED_SIZE: u64 = 32 * 1024 * 1024;

/// The marker of a packed body; the value of the message attribute [`ENCODING_ATTRIBUTE`].
pub const GZIP_BASE64: &str = "gzip+base64";
/// The message attribute that says how the body is packed; absent for plain text.
pub const ENCODING_ATTRIBUTE: &str = "encoding";
/// The message attribute `<number>/<count>:<SHA-256 of the whole>` of a unit that travels in parts.
pub const PART_ATTRIBUTE: &str = "part";

/// The message attribute of a message that was put back: when its first forerunner reached the queue, in unix milliseconds.
pub const RECEIVED_AT_ATTRIBUTE: &str = "received_at";

/// The message attribute with the id by which logs tell what follows from one request.
pub const CORRELATION_ATTRIBUTE: &str = "correlation_id";

/// A text among a record's message attributes.
#[must_use]
pub fn attribute<'a>(record: &'a SqsMessage, name: &str) -> Option<&'a str> {
    record.message_attributes.get(name)?.string_value.as_deref()
}

/// The id by which logs tell what follows from one request. Whoever may write to a queue may write anything there, and logs may not hold it.
#[must_use]
pub fn correlation_id(record: &SqsMessage) -> Option<&str> {
    let is_plain = |id: &&str| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic());
    attribute(record, CORRELATION_ATTRIBUTE).filter(is_plain)
}

/// A message as SQS takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueMessage {
    /// The body.
    pub body: String,
    /// Whether the body is gzip + base64.
    pub packed: bool,
    /// Set where the unit did not fit one message.
    pub part: Option<String>,
    /// `MessageGroupId`.
    pub group: String,
    /// Set where the message takes the place of one that came before, in unix milliseconds.
    pub received_at: Option<i64>,
    /// Set where it follows from another request than the one that is under way.
    pub correlation_id: Option<String>,
    /// How long nobody sees it (SQS: 15 minutes at the most).
    pub delay: Duration,
}

/// A message of our own making, as text; SQS takes all of it.
#[must_use]
pub fn message(body: String, group: Option<&str>) -> QueueMessage {
    QueueMessage {
        body,
        group: group_id(group),
        ..QueueMessage::default()
    }
}

/// Packs a unit into as few messages as it needs.
#[must_use]
pub fn encode(unit: &Unit) -> Vec<QueueMessage> {
    let group = group_id(unit.group.as_deref());
    if let Ok(text) = std::str::from_utf8(&unit.body)
        && text.len() <= MESSAGE_SIZE
        && !text.is_empty()
        && text.chars().all(is_accepted)
    {
        return vec![QueueMessage {
            body: text.to_owned(),
            group,
            ..QueueMessage::default()
        }];
    }
    let message = |bytes: &[u8], part| QueueMessage {
        body: pack(bytes),
        packed: true,
        part,
        group: group.clone(),
        ..QueueMessage::default()
    };
    let whole = message(&unit.body, None);
    if whole.body.len() <= MESSAGE_SIZE {
        return vec![whole];
    }
    // Bytes that do not compress: base64 of a gzip of this many stays below the limit.
    let parts: Vec<&[u8]> = unit.body.chunks(MESSAGE_SIZE / 4 * 3 - 4096).collect();
    let digest = hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &unit.body));
    parts
        .iter()
        .enumerate()
        .map(|(index, bytes)| message(bytes, Some(format!("{}/{}:{digest}", index + 1, parts.len()))))
        .collect()
}

/// Unpacks what [`encode`] packed. `None` where the body is not what its marker says.
#[must_use]
pub fn decode(body: &str, packed: bool) -> Option<Vec<u8>> {
    if !packed {
        return Some(body.as_bytes().to_vec());
    }
    let bytes = BASE64_STANDARD.decode(body).ok()?;
    let mut unpacked = Vec::new();
    let read = GzDecoder::new(bytes.as_slice())
        .take(UNPACKED_SIZE + 1)
        .read_to_end(&mut unpacked)
        .ok()?;
    (read as u64 <= UNPACKED_SIZE).then_some(unpacked)
}

fn pack(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail");
    BASE64_STANDARD.encode(packed)
}

/// The characters of XML 1.0, which is what SQS takes.
fn is_accepted(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// A group id has 1 to 128 printable ASCII characters; what comes from a webhook may be anything.
fn group_id(group: Option<&str>) -> String {
    let id: String = group
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_graphic)
        .take(128)
        .collect();
    if id.is_empty() { "unknown".to_owned() } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(body: Vec<u8>) -> Unit {
        Unit {
            group: Some("1 2\u{e9}3".to_owned()),
            body,
        }
    }

    fn unpacked(messages: &[QueueMessage]) -> Vec<u8> {
        messages
            .iter()
            .flat_map(|message| decode(&message.body, message.packed).unwrap())
            .collect()
    }

    #[test]
    fn text_that_sqs_takes_travels_as_text() {
        let messages = encode(&unit("{\"a\":\"é😀\u{fffd}\"}\n".into()));
        assert_eq!(messages.len(), 1);
        assert!(!messages[0].packed);
        assert_eq!(messages[0].group, "123");
        assert_eq!(
            encode(&Unit {
                group: None,
                body: b"{}".to_vec()
            })[0]
                .group,
            "unknown"
        );
    }

    #[test]
    fn what_sqs_refuses_is_packed() {
        for body in [
            "\u{fffe}".as_bytes().to_vec(),
            "\u{ffff}".as_bytes().to_vec(),
            vec![1],
            vec![0xff, 0],
            vec![b'a'; MESSAGE_SIZE + 1],
        ] {
            let messages = encode(&unit(body.clone()));
            assert_eq!(messages.len(), 1);
            assert!(messages[0].packed);
            assert_eq!(unpacked(&messages), body);
        }
    }

    #[test]
    fn what_does_not_fit_even_packed_travels_in_parts() {
        // A xorshift sequence does not compress.
        let mut state = 1u64;
        let body: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(3_000_000 / 8)
        .flatten()
        .collect();
        let messages = encode(&unit(body.clone()));
        assert!(messages.len() > 1);
        assert!(messages.iter().all(|message| message.body.len() <= MESSAGE_SIZE));
        assert!(messages[0].part.as_ref().unwrap().starts_with("1/4:"));
        assert_eq!(unpacked(&messages), body);
    }

    #[test]
    fn a_body_that_is_not_what_its_marker_says_is_not_unpacked() {
        assert_eq!(decode("not base64!", true), None);
        assert_eq!(decode("aGVsbG8=", true), None);
    }
}
