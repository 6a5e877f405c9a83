//! What becomes of the file of an inbound message: what is announced of it, which trouble passes, when it is tried again. The job that
//! does it is `functions/media`.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::whatsapp::unit::{self, QueueMessage};

/// How long Meta keeps the file of an inbound message.
/// Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media>.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The largest file that WhatsApp carries (bytes).
pub const LARGEST: u64 = 100 * 1024 * 1024;

/// What a trigger on the media queue says. It is only that: what is owed stands in `chat_media`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaTask {
    /// `chat_messages.id`.
    pub message_id: i64,
}

impl MediaTask {
    /// The trigger as SQS takes it. `phone_number_id` keeps the queue fair between numbers.
    #[must_use]
    pub fn to_message(self, phone_number_id: &str) -> QueueMessage {
        unit::message(serde_json::json!(self).to_string(), Some(phone_number_id))
    }

    /// Reads a trigger's body; `None` for what is none.
    #[must_use]
    pub fn from_body(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

/// Why a file is not stored yet, or never will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.code())]
pub enum Trouble {
    /// Graph or its file server: no connection, no answer in time, throttled, 5xx, or an answer that cannot be read.
    GraphUnavailable,
    /// Graph refused for another reason.
    GraphRefused,
    /// The account has no usable access token.
    NoToken,
    /// Graph does not take the account's access token.
    TokenRefused,
    /// The link leads nowhere any more: links live five minutes, a new one is asked for.
    LinkExpired,
    /// The link leads to a host that is not Meta's, or elsewhere by a redirect.
    ForeignHost,
    /// The connection ended, or went silent, in the middle of the file.
    Cut,
    /// It took longer than the function may.
    TooSlow,
    /// The temporary folder did not take the file.
    Disk,
    /// S3 did not take it, or did not delete its forerunner.
    StorageUnavailable,
    /// Other bytes than announced.
    WrongHash,
    /// More or fewer bytes than announced.
    WrongSize,
    /// Graph knows no such file.
    NotFound,
    /// Larger than WhatsApp's own limit.
    TooLarge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// May be over at the next try.
    Passing,
    /// A damaged transfer, or a file that is not what was announced: a few tries tell.
    Suspicious,
    /// Every try would end the same.
    Final,
}

impl Trouble {
    /// The value of `last_error`: says what, never where.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::GraphUnavailable => "graph_unavailable",
            Self::GraphRefused => "graph_refused",
            Self::NoToken => "no_token",
            Self::TokenRefused => "token_refused",
            Self::LinkExpired => "link_expired",
            Self::ForeignHost => "foreign_host",
            Self::Cut => "cut",
            Self::TooSlow => "too_slow",
            Self::Disk => "disk",
            Self::StorageUnavailable => "storage_unavailable",
            Self::WrongHash => "wrong_hash",
            Self::WrongSize => "wrong_size",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
        }
    }

    fn class(self) -> Class {
        match self {
            Self::WrongHash | Self::WrongSize => Class::Suspicious,
            Self::NotFound | Self::TooLarge => Class::Final,
            _ => Class::Passing,
        }
    }
}

/// `last_error` of a file whose message was deleted.
pub const MESSAGE_DELETED: &str = "message_deleted";

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The file lies in the bucket.
    Stored(StoredFile),
    /// Its message was deleted, and what there was of the file with it.
    Deleted,
    /// Meta keeps it no longer.
    Expired,
    /// It did not come.
    Trouble(Trouble),
}

/// What is known of a file once it lies in the bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredFile {
    /// What Graph says it is, for a webhook that did not.
    pub mime_type: Option<String>,
    /// Bytes.
    pub size: i64,
    /// Pixels.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
    /// Milliseconds.
    pub duration_ms: Option<i64>,
    /// The loudness over time, 0 to 100.
    pub peaks: Option<Vec<i16>>,
}

/// What a file's row becomes after a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// pending, stored, failed or expired.
    pub state: &'static str,
    /// When it is due again.
    pub next_try_at: Timestamp,
    /// Tries in a row, of one kind where they are counted.
    pub attempts: i32,
    /// Why it is not stored.
    pub last_error: Option<String>,
    /// Of a stored one.
    pub file: Option<StoredFile>,
}

/// What the row said when the try began.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// When the message came.
    pub received_at: Timestamp,
    /// Tries in a row, this one included.
    pub attempts: i32,
    /// How the try before ended.
    pub last_error: Option<&'a str>,
    /// Whether the message was deleted.
    pub is_deleted: bool,
}

impl History<'_> {
    /// Whether Meta has given the file up.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.received_at + KEPT_FOR
    }
}

/// Waits before the next tries; later ones are six hours apart.
const WAITS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
];
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// How often a file may be another than announced.
const SUSPICIONS: i32 = 3;

/// What becomes of the row. `jitter`, from 0 to 1, spreads what failed together.
#[must_use]
pub fn settle(history: &History<'_>, ending: Ending, now: Timestamp, jitter: f64) -> Settlement {
    let ended = |state, last_error: Option<&str>| Settlement {
        state,
        next_try_at: now,
        attempts: history.attempts,
        last_error: last_error.map(str::to_owned),
        file: None,
    };
    let trouble = match ending {
        Ending::Stored(file) => {
            return Settlement {
                file: Some(file),
                ..ended("stored", None)
            };
        }
        Ending::Deleted => return ended("expired", Some(MESSAGE_DELETED)),
        Ending::Expired => return ended("expired", history.last_error),
        Ending::Trouble(trouble) => trouble,
    };
    let code = Some(trouble.code());
    // Other trouble before it says nothing about the file.
    let attempts = if trouble.class() == Class::Suspicious && history.last_error != code {
        1
    } else {
        history.attempts
    };
    // What a deleted message leaves has to go, however long that takes.
    let is_over = match trouble.class() {
        Class::Final => !history.is_deleted,
        Class::Suspicious => attempts >= SUSPICIONS,
        Class::Passing => false,
    };
    if is_over {
        return ended("failed", code);
    }
    let mut next_try_at = now + wait(attempts, jitter);
    let deadline = history.received_at + KEPT_FOR;
    if !history.is_deleted && deadline > now {
        // So that it is said to be gone when it is.
        next_try_at = next_try_at.min(deadline);
    }
    Settlement {
        next_try_at,
        attempts,
        ..ended("pending", code)
    }
}

fn wait(attempts: i32, jitter: f64) -> Duration {
    let index = usize::try_from(attempts - 1).unwrap_or_default();
    let wait = WAITS.get(index).copied().unwrap_or(LONGEST_WAIT);
    wait.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

/// The 32 bytes of a SHA-256 in either of the forms that Meta writes: base64 in webhooks, hexadecimal digits in Graph's answers. `None`
/// for what is neither.
#[must_use]
pub fn decode_sha256(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes = match text.len() {
        64 => hex::decode(text).ok()?,
        _ => BASE64_STANDARD.decode(text).ok()?,
    };
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn history(attempts: i32, last_error: Option<&'static str>) -> History<'static> {
        History {
            received_at: at("2026-07-01T00:00:00Z"),
            attempts,
            last_error,
            is_deleted: false,
        }
    }

    fn after(history: &History<'_>, trouble: Trouble) -> Settlement {
        settle(history, Ending::Trouble(trouble), at("2026-07-01T12:00:00Z"), 0.5)
    }

    #[test]
    fn what_may_pass_is_tried_again_ever_more_rarely() {
        let waits: Vec<i64> = (1..=7)
            .map(|attempts| {
                let settled = after(&history(attempts, None), Trouble::GraphUnavailable);
                assert_eq!((settled.state, settled.attempts), ("pending", attempts));
                assert_eq!(settled.last_error.as_deref(), Some("graph_unavailable"));
                settled.next_try_at.as_second() - at("2026-07-01T12:00:00Z").as_second()
            })
            .collect();
        assert_eq!(waits, [10, 30, 120, 600, 3600, 21_600, 21_600]);
    }

    #[test]
    fn what_failed_together_is_not_tried_again_together() {
        let ends = [0.0, 1.0].map(|jitter| wait(9, jitter).as_secs());
        assert_eq!(ends, [19_440, 23_760]);
    }

    #[test]
    fn the_last_try_is_when_meta_gives_the_file_up() {
        let settle_at = |now| {
            settle(
                &history(30, None),
                Ending::Trouble(Trouble::GraphUnavailable),
                at(now),
                0.5,
            )
        };
        assert_eq!(
            settle_at("2026-07-07T20:00:00Z").next_try_at,
            at("2026-07-08T00:00:00Z")
        );
        assert!(!history(1, None).is_expired(at("2026-07-07T23:59:59Z")));
        assert!(history(1, None).is_expired(at("2026-07-08T00:00:00Z")));
        let expired = settle(
            &history(30, Some("no_token")),
            Ending::Expired,
            at("2026-07-08T00:00:00Z"),
            0.5,
        );
        assert_eq!(
            (expired.state, expired.last_error.as_deref()),
            ("expired", Some("no_token"))
        );
    }

    #[test]
    fn a_file_that_is_not_what_was_announced_has_three_tries_of_its_own() {
        let first = after(&history(9, Some("graph_unavailable")), Trouble::WrongHash);
        assert_eq!((first.state, first.attempts), ("pending", 1));
        let second = after(&history(2, Some("wrong_hash")), Trouble::WrongHash);
        assert_eq!((second.state, second.attempts), ("pending", 2));
        let third = after(&history(3, Some("wrong_hash")), Trouble::WrongHash);
        assert_eq!(
            (third.state, third.last_error.as_deref()),
            ("failed", Some("wrong_hash"))
        );
        assert_eq!(
            after(&history(3, Some("wrong_hash")), Trouble::WrongSize).state,
            "pending"
        );
    }

    #[test]
    fn what_cannot_change_is_not_tried_again() {
        for trouble in [Trouble::NotFound, Trouble::TooLarge] {
            let settled = after(&history(1, None), trouble);
            assert_eq!(
                (settled.state, settled.last_error.as_deref()),
                ("failed", Some(trouble.code()))
            );
        }
    }

    #[test]
    fn what_a_deleted_message_leaves_stays_owed_beyond_seven_days() {
        let deleted = History {
            is_deleted: true,
            ..history(1, None)
        };
        let now = at("2026-08-01T00:00:00Z");
        let trouble = Ending::Trouble(Trouble::StorageUnavailable);
        let settled = settle(&deleted, trouble, now, 0.5);
        assert_eq!((settled.state, settled.next_try_at > now), ("pending", true));
        let gone = settle(&deleted, Ending::Deleted, now, 0.5);
        assert_eq!(
            (gone.state, gone.last_error.as_deref()),
            ("expired", Some("message_deleted"))
        );
    }

    #[test]
    fn a_hash_is_read_in_both_forms() {
        let expected = Some([7; 32]);
        assert_eq!(decode_sha256(&hex::encode([7; 32])), expected);
        assert_eq!(decode_sha256(&hex::encode_upper([7; 32])), expected);
        assert_eq!(decode_sha256(&BASE64_STANDARD.encode([7; 32])), expected);
        for wrong in ["", "aGFzaA==", "not a hash", &"x".repeat(64)] {
            assert_eq!(decode_sha256(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_trigger_is_read_as_it_was_written() {
        let task = MediaTask { message_id: 7 };
        let message = task.to_message("700100");
        assert_eq!(message.body, r#"{"message_id":7}"#);
        assert_eq!(MediaTask::from_body(&message.body), Some(task));
        assert_eq!(MediaTask::from_body("{}"), None);
    }
}
