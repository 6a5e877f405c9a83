//! Web Push: notifications of customers' messages for agents whose page is closed or hidden. Which subscriptions are taken, what a
//! notification says, and what follows from a push service's answer.

mod answer;
mod endpoint;
mod notification;

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use answer::{Verdict, back_off, judge, parse_retry_after};
pub use endpoint::{Endpoint, host_of, parse_origin};
pub use notification::{LARGEST_PLAINTEXT, Notification, topic};
pub use url::Origin;

use crate::domain::send::InvalidField;
use crate::whatsapp::unit::{self, QueueMessage};

/// Subscriptions that one agent may have; the one that was renewed longest ago makes room.
pub const MOST: i64 = 20;
/// How long a notification is worth sending (seconds): a day.
pub const LIFETIME_SECONDS: i64 = 24 * 60 * 60;
/// Bytes of a browser's public key, an uncompressed point of P-256.
pub const PUBLIC_KEY_SIZE: usize = 65;
/// Bytes of a browser's secret.
pub const AUTH_SIZE: usize = 16;

/// Base64url as browsers and libraries write it: with or without padding.
pub const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys by which a browser's notifications are encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserKeys {
    /// Its public key: a point of P-256, uncompressed.
    pub p256dh: [u8; PUBLIC_KEY_SIZE],
    /// Its secret.
    pub auth: [u8; AUTH_SIZE],
}

impl BrowserKeys {
    /// Reads keys as a browser gives them, in base64url.
    ///
    /// # Errors
    /// Names the key that is none.
    pub fn parse(p256dh: &str, auth: &str) -> Result<Self, InvalidField> {
        let point = decode(p256dh).filter(is_point);
        let problem = |field, problem: &str| InvalidField::new(field, problem);
        Ok(Self {
            p256dh: point.ok_or_else(|| problem("keys.p256dh", "must be a point of P-256: 65 bytes in base64url"))?,
            auth: decode(auth).ok_or_else(|| problem("keys.auth", "must be 16 bytes in base64url"))?,
        })
    }
}

fn decode<const SIZE: usize>(text: &str) -> Option<[u8; SIZE]> {
    BASE64URL.decode(text).ok()?.try_into().ok()
}

/// Whether it lies on the curve; where it does not, an answer would give our key away.
fn is_point(bytes: &[u8; PUBLIC_KEY_SIZE]) -> bool {
    use aws_lc_rs::agreement::{ECDH_P256, ParsedPublicKey, UnparsedPublicKey};
    bytes[0] == 4 && ParsedPublicKey::try_from(&UnparsedPublicKey::new(&ECDH_P256, bytes)).is_ok()
}

/// When a subscription ends, as browsers say it: milliseconds since 1970.
///
/// # Errors
/// When it is no such time, or over.
pub fn parse_expiration(milliseconds: i64, now: Timestamp) -> Result<Timestamp, InvalidField> {
    Timestamp::from_millisecond(milliseconds)
        .ok()
        .filter(|at| *at > now)
        .ok_or_else(|| InvalidField::new("expiration_time", "must be a time to come, in milliseconds since 1970"))
}

/// What a trigger on the outbox queue says when notifications are owed; what is owed stands in `chat_push_owed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushTask {
    /// The conversation that has news for its agent.
    pub push_conversation_id: i64,
}

impl PushTask {
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

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn refused(p256dh: &str, auth: &str) -> String {
        BrowserKeys::parse(p256dh, auth).err().unwrap().field
    }

    #[test]
    fn keys_are_taken_with_and_without_padding() {
        let bare = BrowserKeys::parse(POINT, AUTH).ok().unwrap();
        let padded = BrowserKeys::parse(&format!("{POINT}="), &format!("{AUTH}=="))
            .ok()
            .unwrap();
        assert!(bare == padded);
    }

    #[test]
    fn what_is_no_key_is_named() {
        let off_curve = BASE64URL.encode([&[4u8][..], &[1; 64]].concat());
        let compressed = BASE64URL.encode([2; 33]);
        let of_zeros = BASE64URL.encode([0; 65]);
        for point in [
            off_curve.as_str(),
            &compressed,
            &of_zeros,
            "",
            "!",
            &POINT[1..],
            &POINT.replace('_', "/"),
        ] {
            assert_eq!(refused(point, AUTH), "keys.p256dh", "{point}");
        }
        for auth in ["", "BTBZMqHH6r4Tts7J_aSI", "BTBZMqHH6r4Tts7J_aSIggAA", "not base64!"] {
            assert_eq!(refused(POINT, auth), "keys.auth", "{auth}");
        }
    }

    #[test]
    fn a_subscription_that_is_over_is_refused() {
        let now = Timestamp::from_second(1_782_907_200).unwrap();
        assert!(parse_expiration(1_782_907_200_001, now).is_ok());
        for over in [1_782_907_200_000, 0, -1, i64::MAX] {
            assert_eq!(parse_expiration(over, now).unwrap_err().field, "expiration_time");
        }
    }

    #[test]
    fn a_trigger_is_not_taken_for_another() {
        use crate::domain::send::OutboxTask;
        let message = PushTask {
            push_conversation_id: 7,
        }
        .to_message("700")
        .body;
        assert_eq!(
            PushTask::from_body(&message),
            Some(PushTask {
                push_conversation_id: 7
            })
        );
        assert_eq!(OutboxTask::from_body(&message), None);
        assert_eq!(PushTask::from_body(r#"{"conversation_id": 7}"#), None);
    }
}
