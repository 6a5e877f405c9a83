//! Who sends: RFC 8292.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::engine::Engine;
use jiff::Timestamp;
use serde_json::Value;

use super::BASE64URL;

/// A token is good for a day at the most (seconds).
const LONGEST: i64 = 24 * 60 * 60;

/// The key that signed, or why the sender is nobody.
pub(super) fn verify(authorization: &str, audience: &str, now: Timestamp) -> Result<Vec<u8>, &'static str> {
    let parameters = authorization.strip_prefix("vapid ").ok_or("the scheme is not vapid")?;
    let find = |name: &str| {
        let mut parameters = parameters.split(',').map(str::trim);
        parameters.find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))
    };
    let token = find("t").ok_or("there is no t")?;
    let key = find("k").ok_or("there is no k")?;
    if key.contains('=') {
        return Err("k has padding");
    }
    let key = BASE64URL.decode(key).map_err(|_| "k is not base64url")?;
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("t is no token");
    };
    let decode = |part: &str| BASE64URL.decode(part).map_err(|_| "t is no token");
    let signed = format!("{header}.{claims}");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| "t is not signed by k")?;
    let header: Value = serde_json::from_slice(&decode(header)?).map_err(|_| "t is no token")?;
    let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| "t is no token")?;
    if header["alg"] != "ES256" {
        return Err("alg is not ES256");
    }
    if claims["aud"] != audience {
        return Err("aud is another push service");
    }
    let lifetime = claims["exp"].as_i64().ok_or("there is no exp")? - now.as_second();
    if lifetime <= 0 {
        return Err("the token is over");
    }
    if lifetime > LONGEST {
        return Err("exp is more than a day ahead");
    }
    let subject = claims["sub"].as_str().unwrap_or_default();
    if !["mailto:", "https://"].iter().any(|scheme| subject.starts_with(scheme)) {
        return Err("sub is no address");
    }
    Ok(key)
}
