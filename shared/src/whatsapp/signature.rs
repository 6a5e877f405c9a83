//! Meta's webhook signature: HMAC-SHA256 of the body bytes as received, keyed with the app secret.

use aws_lc_rs::hmac;

/// The header that carries the signature, as `sha256=<hex>`.
pub const HEADER: &str = "x-hub-signature-256";

/// Whether `header` signs `body` with one of `app_secrets` (several during a rotation). Constant time for each secret.
/// False without a secret, a header or a readable hex digest.
#[must_use]
pub fn verify(app_secrets: &[String], header: Option<&str>, body: &[u8]) -> bool {
    let Some(signature) = header
        .and_then(|value| value.trim().strip_prefix("sha256="))
        .and_then(|digits| hex::decode(digits).ok())
    else {
        return false;
    };
    app_secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .any(|secret| hmac::verify(&key(secret), body, &signature).is_ok())
}

/// Compares two secrets in a time that does not tell where they differ.
#[must_use]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// The header value that signs `body`, for replays and tests.
#[must_use]
pub fn sign(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac::sign(&key(app_secret), body)))
}

fn key(app_secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, app_secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn signs_as_the_rfc_does() {
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn accepts_any_of_several_secrets_and_nothing_else() {
        let secrets = ["new".to_owned(), "old".to_owned()];
        let body = b"{}";
        assert!(verify(&secrets, Some(&sign("old", body)), body));
        assert!(verify(&secrets, Some(&sign("new", body)), body));
        assert!(!verify(&secrets, Some(&sign("other", body)), body));
        assert!(!verify(&secrets, Some(&sign("old", body)), b"{} "));
        assert!(!verify(&secrets, None, body));
        assert!(!verify(&secrets, Some("sha256=zz"), body));
        assert!(!verify(&secrets, Some("sha256="), body));
    }

    #[test]
    fn is_closed_without_a_secret() {
        let body = b"{}";
        assert!(!verify(&[], Some(&sign("", body)), body));
        assert!(!verify(&[String::new()], Some(&sign("", body)), body));
    }
}
