//! `Authorization` headers that are not good, by what is wrong about them.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::tenant::Tenant;
use crate::stack::Stack;
use crate::tenants::token;

/// A token of any header and claims, by HMAC-SHA256 with any secret.
fn assemble(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
    let text = format!("{header}.{claims}");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
    format!("{text}.{}", encode(signature.as_ref()))
}

/// All of them name the victim, or would.
pub(super) async fn all(stack: &Stack, victim: &Tenant) -> Vec<(String, Option<String>)> {
    let now = Timestamp::now().as_second();
    let claims = json!({"sub": victim.user, "role": "authenticated", "aud": "authenticated",
                        "iss": stack.get("jwt_issuer"), "exp": now + 600});
    let secret = stack.get("jwt_secret").as_bytes();
    let changed = |name: &str, value: Value| token(stack, &json!({"sub": victim.user, name: value}));
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        assemble(&json!({"alg": "HS256"}), &claims, secret)
    };
    let mut tokens = vec![
        ("expired", changed("exp", json!(now - 60))),
        ("not yet valid", changed("nbf", json!(now + 600))),
        (
            "another issuer",
            changed("iss", json!("https://elsewhere.example/auth/v1")),
        ),
        ("another audience", changed("aud", json!("other"))),
        ("the role anon", changed("role", json!("anon"))),
        ("the role service_role", changed("role", json!("service_role"))),
        ("a sub that is no UUID", changed("sub", json!("admin"))),
        ("no sub", without("sub")),
        ("no exp", without("exp")),
        ("no aud", without("aud")),
        ("no iss", without("iss")),
        ("no role", without("role")),
        (
            "another secret",
            assemble(&json!({"alg": "HS256"}), &claims, b"another secret"),
        ),
        ("an empty secret", assemble(&json!({"alg": "HS256"}), &claims, b"")),
        ("alg HS512", assemble(&json!({"alg": "HS512"}), &claims, secret)),
        (
            "an unknown kid",
            assemble(&json!({"alg": "RS256", "kid": "unknown"}), &claims, secret),
        ),
        (
            "a published kid, forged",
            assemble(&json!({"alg": "ES256", "kid": "ec"}), &claims, secret),
        ),
        ("no alg", assemble(&json!({}), &claims, secret)),
        ("garbage", "garbage".to_owned()),
        ("nothing after Bearer", String::new()),
        ("only its first half", victim.token[..victim.token.len() / 2].to_owned()),
        ("a byte less", victim.token[..victim.token.len() - 1].to_owned()),
        (
            "another payload",
            spliced(&victim.token, &json!({"sub": victim.user, "role": "service_role"})),
        ),
    ];
    for algorithm in ["none", "None", "NONE"] {
        let token = assemble(&json!({ "alg": algorithm }), &claims, secret);
        let unsigned = token.rsplit_once('.').unwrap().0;
        tokens.push(("alg none", format!("{unsigned}.")));
        tokens.push(("alg none and two parts", unsigned.to_owned()));
    }
    // The public key as an HMAC secret, in the forms in which it is published.
    let published = format!("{}/.well-known/jwks.json", stack.get("jwt_issuer"));
    let published: Value = stack.http.get(published).send().await.unwrap().json().await.unwrap();
    for key in published["keys"].as_array().unwrap() {
        let text = key["n"].as_str().or(key["x"].as_str()).unwrap();
        let forms = [
            key.to_string().into_bytes(),
            text.into(),
            BASE64_URL_SAFE_NO_PAD.decode(text).unwrap(),
        ];
        for form in forms {
            tokens.push((
                "a public key as its secret",
                assemble(&json!({"alg": "HS256", "kid": key["kid"]}), &claims, &form),
            ));
            tokens.push((
                "RS256 by HMAC",
                assemble(&json!({"alg": key["alg"], "kid": key["kid"]}), &claims, &form),
            ));
        }
    }
    let good = &victim.token;
    let headers = [
        ("another scheme", format!("Basic {good}")),
        ("no scheme", good.clone()),
        ("two tokens", format!("Bearer {good}, Bearer {good}")),
        ("quotes", format!("Bearer \"{good}\"")),
    ];
    let tokens = tokens
        .into_iter()
        .map(|(name, token)| (name, format!("Bearer {token}")));
    let all = tokens
        .chain(headers)
        .map(|(name, header)| (name.to_owned(), Some(header)));
    [("no token".to_owned(), None)].into_iter().chain(all).collect()
}

/// A good token's header and signature around other claims.
fn spliced(token: &str, claims: &Value) -> String {
    let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a token has three parts");
    };
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{header}.{claims}.{signature}")
}
