//! Identifiers and digests in the forms Meta gives them. They are opaque to a client; they look
//! real so that nothing downstream gets used to a shape that Meta would not send.

use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random numbers work");
    bytes
}

/// A random number below `end`.
pub(crate) fn random_below(end: u64) -> u64 {
    u64::from_le_bytes(random_bytes()) % end.max(1)
}

/// A message id (wamid); as Meta's, it carries the other party's number.
pub(crate) fn make_wamid(party: &str, outbound: bool) -> String {
    let digits: String = party.chars().filter(char::is_ascii_digit).take(20).collect();
    let mut bytes = vec![0x1c, 0x18, u8::try_from(digits.len()).unwrap_or_default()];
    bytes.extend_from_slice(digits.as_bytes());
    bytes.extend_from_slice(&[0x15, 0x02, 0x00, if outbound { 0x11 } else { 0x12 }, 0x18, 0x14]);
    bytes.extend_from_slice(hex::encode_upper(random_bytes::<10>()).as_bytes());
    bytes.push(0);
    format!("wamid.{}", STANDARD.encode(bytes))
}

/// Whether `id` could be a message id at all.
pub(crate) fn is_wamid(id: &str) -> bool {
    id.strip_prefix("wamid.")
        .is_some_and(|rest| !rest.is_empty() && id.len() <= 255 && rest.bytes().all(|b| b.is_ascii_graphic()))
}

/// A numeric Graph object id.
pub(crate) fn make_object_id() -> String {
    (1_000_000_000_000_000 + random_below(9_000_000_000_000_000)).to_string()
}

/// The `fbtrace_id` of an error.
pub(crate) fn make_trace_id() -> String {
    format!("A{}", URL_SAFE_NO_PAD.encode(random_bytes::<16>()))
}

/// The id of a conversation as statuses name it.
pub(crate) fn make_conversation_id() -> String {
    hex::encode(random_bytes::<16>())
}

/// The business-scoped id of a customer: the same for every number of one account, another for
/// another account.
pub(crate) fn make_user_id(waba_id: &str, customer: &str) -> String {
    let digest = digest::digest(&digest::SHA256, format!("{waba_id}/{customer}").as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_ref()[..8]);
    format!("US.{:017}", u64::from_be_bytes(first) % 100_000_000_000_000_000)
}

/// SHA-256 in base64, as webhooks give it.
pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, bytes))
}

/// SHA-256 in hexadecimal, as the media endpoint gives it.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// The digits of a phone number as people write it, or `None` when it is not one.
pub(crate) fn phone_digits(written: &str) -> Option<String> {
    let trimmed = written.trim();
    let rest = trimmed.strip_prefix('+').unwrap_or(trimmed);
    if !rest.chars().all(|c| c.is_ascii_digit() || " -().".contains(c)) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then_some(digits)
}

/// The identity (`wa_id`) of a number: Mexico and Argentina carry an extra digit, most of
/// Brazil lacks the ninth.
pub(crate) fn canonical_wa_id(digits: &str) -> String {
    let (country, rest) = digits.split_at(2);
    match (country, rest.len()) {
        ("52", 10) => format!("521{rest}"),
        ("54", 10) => format!("549{rest}"),
        ("55", 11) if &rest[2..3] == "9" && rest[..2] > *"30" => {
            format!("55{}{}", &rest[..2], &rest[3..])
        }
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wamid_is_unique_and_looks_like_one() {
        let (one, two) = (make_wamid("16505551234", true), make_wamid("16505551234", true));
        assert_ne!(one, two);
        assert!(one.starts_with("wamid.HBgLMTY1MDU1NTEyMzQV"), "{one}");
        assert!(is_wamid(&one));
    }

    #[test]
    fn a_phone_number_may_be_formatted_but_not_invented() {
        assert_eq!(phone_digits("+1 (650) 555-1234").as_deref(), Some("16505551234"));
        assert_eq!(phone_digits("650CALLNOW"), None);
        assert_eq!(phone_digits("12345"), None);
    }

    #[test]
    fn brazil_mexico_and_argentina_have_their_own_identities() {
        assert_eq!(canonical_wa_id("5531987654321"), "553187654321");
        assert_eq!(canonical_wa_id("5511987654321"), "5511987654321");
        assert_eq!(canonical_wa_id("525512345678"), "5215512345678");
        assert_eq!(canonical_wa_id("541123456789"), "5491123456789");
        assert_eq!(canonical_wa_id("16505551234"), "16505551234");
    }
}
