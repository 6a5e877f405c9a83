//! Reads messages as a browser does: RFC 8291 over RFC 8188, any number of records.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

/// What the message says, or why the browser drops it.
pub(super) fn decrypt(
    message: &[u8],
    private_key: &PrivateKey,
    public_key: &[u8],
    auth: &[u8],
) -> Result<Vec<u8>, &'static str> {
    let (salt, rest) = message.split_at_checked(16).ok_or("it has no salt")?;
    let (size, rest) = rest.split_first_chunk::<4>().ok_or("it has no record size")?;
    let (length, rest) = rest.split_first().ok_or("it has no key")?;
    let (sender, body) = rest
        .split_at_checked(usize::from(*length))
        .ok_or("its key is cut off")?;
    let size = usize::try_from(u32::from_be_bytes(*size)).map_err(|_| "its records are too large")?;
    if sender.len() != 65 || size < 18 || body.is_empty() {
        return Err("its header is malformed");
    }
    let theirs = UnparsedPublicKey::new(&ECDH_P256, sender);
    let agreed = agree(private_key, theirs, Unspecified, |secret| Ok(secret.to_vec()));
    let agreed = agreed.map_err(|_| "its key is no point of P-256")?;
    let info = [b"WebPush: info\0", public_key, sender].concat();
    let input = hkdf(auth, &agreed, &info, 32);
    let key = hkdf(salt, &input, b"Content-Encoding: aes128gcm\0", 16);
    let base = hkdf(salt, &input, b"Content-Encoding: nonce\0", 12);
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| "its key cannot be used")?;
    let key = LessSafeKey::new(key);

    let mut said = Vec::new();
    let count = body.len().div_ceil(size);
    for (index, record) in body.chunks(size).enumerate() {
        let mut nonce: [u8; 12] = base.as_slice().try_into().map_err(|_| "its nonce is malformed")?;
        let sequence = u64::try_from(index).unwrap_or_default().to_be_bytes();
        nonce[4..]
            .iter_mut()
            .zip(sequence)
            .for_each(|(byte, other)| *byte ^= other);
        let mut record = record.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = key.open_in_place(nonce, Aad::empty(), &mut record);
        let opened = opened.map_err(|_| "a record cannot be decrypted")?;
        let end = opened
            .iter()
            .rposition(|byte| *byte != 0)
            .ok_or("a record has no delimiter")?;
        let delimiter = if index + 1 == count { 2 } else { 1 };
        if opened[end] != delimiter {
            return Err("a record has the wrong delimiter");
        }
        said.extend_from_slice(&opened[..end]);
    }
    Ok(said)
}

/// RFC 5869, for at most 32 bytes.
fn hkdf(salt: &[u8], input: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let key = sign(&Key::new(HMAC_SHA256, salt), input);
    let block = sign(&Key::new(HMAC_SHA256, key.as_ref()), &[info, &[1]].concat());
    block.as_ref()[..length].to_vec()
}

#[cfg(test)]
mod tests {
    use base64::engine::Engine;

    use super::super::BASE64URL;
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // RFC 8291, appendix A.
        let decode = |text: &str| BASE64URL.decode(text).unwrap();
        let private = decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94");
        let private = PrivateKey::from_private_key(&ECDH_P256, &private).unwrap();
        let public = decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let auth = decode("BTBZMqHH6r4Tts7J_aSIgg");
        let mut message = decode(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        );
        let said = decrypt(&message, &private, &public, &auth).unwrap();
        assert_eq!(said, b"When I grow up, I want to be a watermelon");
        *message.last_mut().unwrap() ^= 1;
        assert!(decrypt(&message, &private, &public, &auth).is_err());
        assert!(decrypt(&message[..86], &private, &public, &auth).is_err());
    }
}
