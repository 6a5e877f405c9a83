//! Messages that only the browser can read: RFC 8291, which is `aes128gcm` of RFC 8188 with keys of an agreement on P-256. One record.
//! The crates that do this bring OpenSSL or a second provider of P-256.
//! Sources: <https://www.rfc-editor.org/rfc/rfc8291#section-3.4>, <https://www.rfc-editor.org/rfc/rfc8188#section-2>.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::rand;

use crate::domain::push::{BrowserKeys, LARGEST_PLAINTEXT};

const SALT_SIZE: usize = 16;
const RECORD_SIZE: u32 = 4_096;
/// Ends what is said; padding follows.
const LAST_RECORD: u8 = 2;
/// Messages take a multiple of this (bytes), so that their length says little: nearly all take one.
const BLOCK: usize = 1_024;

/// Encrypts for one browser, with a key and a salt of this message alone. `None` where it is too long, or the browser's key is none.
pub(super) fn encrypt(plaintext: &[u8], browser: &BrowserKeys) -> Option<Vec<u8>> {
    if plaintext.len() > LARGEST_PLAINTEXT {
        return None;
    }
    let mut salt = [0; SALT_SIZE];
    rand::fill(&mut salt).ok()?;
    let own = PrivateKey::generate(&ECDH_P256).ok()?;
    let padded = (plaintext.len() + 1).next_multiple_of(BLOCK).min(LARGEST_PLAINTEXT + 1);
    seal(plaintext, padded, browser, &own, salt).ok()
}

/// `padded` counts the delimiter.
fn seal(
    plaintext: &[u8],
    padded: usize,
    browser: &BrowserKeys,
    own: &PrivateKey,
    salt: [u8; SALT_SIZE],
) -> Result<Vec<u8>, Unspecified> {
    let own_public = own.compute_public_key()?;
    let own_public = own_public.as_ref();
    let theirs = UnparsedPublicKey::new(&ECDH_P256, &browser.p256dh);
    let secret: [u8; 32] = agree(own, theirs, Unspecified, |shared| {
        let key = Salt::new(HKDF_SHA256, &browser.auth).extract(shared);
        expand(&key, &[b"WebPush: info\0", &browser.p256dh, own_public])
    })?;
    let key = Salt::new(HKDF_SHA256, &salt).extract(&secret);
    let content_key: [u8; 16] = expand(&key, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expand(&key, &[b"Content-Encoding: nonce\0"])?;

    let mut record = plaintext.to_vec();
    record.push(LAST_RECORD);
    record.resize(padded.max(record.len()), 0);
    // The key is this message's alone.
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &content_key)?).seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut record,
    )?;
    let key_size = u8::try_from(own_public.len()).map_err(|_| Unspecified)?;
    Ok([&salt, &RECORD_SIZE.to_be_bytes()[..], &[key_size], own_public, &record].concat())
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const SIZE: usize>(key: &Prk, info: &[&[u8]]) -> Result<[u8; SIZE], Unspecified> {
    let mut out = [0; SIZE];
    key.expand(info, Length(SIZE))?.fill(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;
    use crate::domain::push::BASE64URL;

    /// The example of RFC 8291, appendix A.
    const PLAINTEXT: &[u8] = b"When I grow up, I want to be a watermelon";
    const BROWSER_PUBLIC: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const OWN_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
    const MESSAGE: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    fn browser() -> BrowserKeys {
        BrowserKeys::parse(BROWSER_PUBLIC, AUTH).ok().unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        let own = PrivateKey::from_private_key(&ECDH_P256, &BASE64URL.decode(OWN_PRIVATE).unwrap()).unwrap();
        let salt = BASE64URL.decode(SALT).unwrap().try_into().unwrap();
        let sealed = seal(PLAINTEXT, 0, &browser(), &own, salt).unwrap();
        assert_eq!(BASE64URL.encode(sealed), MESSAGE);
    }

    #[test]
    fn lengths_tell_little_and_stay_within_what_push_services_take() {
        let size = |length: usize| encrypt(&vec![b'x'; length], &browser()).map(|message| message.len());
        let overhead = 86 + 16;
        assert_eq!(size(0), Some(overhead + 1_024));
        assert_eq!(size(1_023), Some(overhead + 1_024));
        assert_eq!(size(1_024), Some(overhead + 2_048));
        assert_eq!(size(LARGEST_PLAINTEXT), Some(4_096));
        assert_eq!(size(LARGEST_PLAINTEXT + 1), None);
    }

    #[test]
    fn no_two_messages_are_alike() {
        let message = || encrypt(PLAINTEXT, &browser()).unwrap();
        let (one, other) = (message(), message());
        assert_ne!(one[..16], other[..16], "salt");
        assert_ne!(one[21..86], other[21..86], "key");
    }
}
