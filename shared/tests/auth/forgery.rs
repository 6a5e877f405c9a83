//! Tokens that nobody with a key made.

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::http::auth::Authenticator;
use shared::testing::{ISSUER, JWT_SECRET, claims, sign_hs256};
use uuid::Uuid;

use super::issuer::{Issuer, SigningKey, assemble, assemble_hs256};
use super::{accepts, legacy_service, refuses, service, service_of};

#[tokio::test]
async fn a_public_key_is_no_hs256_secret() {
    let key = SigningKey::rs256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let without_secret = service(Authenticator::new(ISSUER, Some(&issuer.jwks_url()), None).unwrap());
    let with_secret = service_of(&issuer);
    let claims = claims(Uuid::new_v4());
    for form in key.public_forms() {
        for header in [json!({"alg": "HS256", "kid": "k1"}), json!({"alg": "HS256"})] {
            let token = assemble_hs256(&header, &claims, &form);
            refuses(&without_secret, &token).await;
            refuses(&with_secret, &token).await;
        }
        // The signature of one algorithm under the name of another.
        let token = assemble_hs256(&json!({"alg": "RS256", "kid": "k1"}), &claims, &form);
        refuses(&without_secret, &token).await;
    }
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let api = service_of(&issuer);
    let claims = claims(Uuid::new_v4());
    for algorithm in ["none", "None", "NONE", "nOnE", "", "HS256", "ES256", "RS256"] {
        for header in [json!({ "alg": algorithm }), json!({"alg": algorithm, "kid": "k1"})] {
            let token = assemble(&header, &claims, |_| Vec::new());
            refuses(&api, &token).await;
            refuses(&api, token.trim_end_matches('.')).await;
        }
    }
    for header in [
        json!({}),
        json!({"kid": "k1"}),
        json!([]),
        json!({"alg": null, "kid": "k1"}),
    ] {
        refuses(&api, &key.sign(&header, &claims)).await;
    }
}

#[tokio::test]
async fn the_algorithm_is_the_keys_whatever_the_token_says() {
    let (ec, rsa) = (SigningKey::es256("ec"), SigningKey::rs256("rsa"));
    let issuer = Issuer::publishing(&[&ec, &rsa]).await;
    let api = service_of(&issuer);
    let claims = claims(Uuid::new_v4());
    for (key, header) in [
        (&rsa, json!({"alg": "RS256", "kid": "ec"})),
        (&ec, json!({"alg": "ES256", "kid": "rsa"})),
        (&rsa, json!({"alg": "ES256", "kid": "rsa"})),
        (&ec, json!({"alg": "RS256", "kid": "ec"})),
        (&rsa, json!({"alg": "RS512", "kid": "rsa"})),
        (&ec, json!({"alg": "ES384", "kid": "ec"})),
        (&ec, json!({"alg": "EdDSA", "kid": "ec"})),
        (&ec, json!({"alg": "ES256"})),
        (&ec, json!({"alg": "ES256", "kid": ""})),
        (&ec, json!({"alg": "ES256", "kid": 1})),
        (&ec, json!({"alg": "ES256", "kid": ["ec"]})),
        (&ec, json!({"alg": "ES256", "kid": "EC"})),
        (&ec, json!({"alg": "ES256", "kid": "../ec"})),
    ] {
        refuses(&api, &key.sign(&header, &claims)).await;
    }
    // A valid signature of the right key, by an algorithm that the issuer does not give it.
    refuses(&api, &rsa.sign_ps256(&claims)).await;
    // HS256 is the only one of its family.
    for algorithm in ["HS384", "HS512"] {
        refuses(
            &api,
            &assemble_hs256(&json!({ "alg": algorithm }), &claims, JWT_SECRET.as_bytes()),
        )
        .await;
    }
}

#[tokio::test]
async fn a_key_that_a_token_brings_along_is_not_used() {
    let (published, own) = (SigningKey::es256("k1"), SigningKey::es256("k1"));
    let issuer = Issuer::publishing(&[&published]).await;
    let foreign = Issuer::publishing(&[&own]).await;
    let api = service_of(&issuer);
    let claims = claims(Uuid::new_v4());
    for kid in ["k1", "k2"] {
        let header =
            json!({"alg": "ES256", "kid": kid, "jwk": own.jwk(), "jku": foreign.jwks_url(), "x5u": foreign.jwks_url()});
        refuses(&api, &own.sign(&header, &claims)).await;
    }
    assert_eq!(foreign.asked(), 0);
}

#[tokio::test]
async fn keys_that_are_not_for_this_are_passed_over() {
    let (good, other) = (SigningKey::es256("good"), SigningKey::rs256("other"));
    let change = |name: &str, value: Value| {
        let mut jwk = other.jwk();
        jwk["kid"] = format!("{name} {value}").into();
        jwk[name] = value;
        jwk
    };
    let unusable = [
        change("use", "enc".into()),
        change("alg", "RS512".into()),
        change("alg", "RSA-OAEP".into()),
        change("alg", "ML-DSA-44".into()),
        change("kty", "AKP".into()),
        change("n", "!".into()),
        json!({"kty": "oct", "kid": "symmetric", "alg": "HS256", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA"}),
        json!({"kty": "EC", "crv": "P-384", "kid": "p384", "x": "AA", "y": "AA"}),
        json!({"kty": "EC", "crv": "secp256k1", "kid": "k1", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AA"}),
        json!({"kty": "EC", "crv": "P-256", "x": good.jwk()["x"], "y": good.jwk()["y"]}),
        json!({"kid": "bare"}),
    ];
    let user = Uuid::new_v4();
    let secret = b"secret secret secret secret secret";
    for key in unusable {
        let issuer = Issuer::publishing(&[]).await;
        issuer.answer_with(StatusCode::OK, &json!({"keys": [key, good.jwk()]}).to_string());
        let api = service_of(&issuer);
        accepts(&api, &good.token(&claims(user)), user).await;
        let header = json!({"alg": "RS256", "kid": key["kid"]});
        refuses(&api, &other.sign(&header, &claims(user))).await;
        let header = json!({"alg": "HS256", "kid": key["kid"]});
        refuses(&api, &assemble_hs256(&header, &claims(user), secret)).await;
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let api = service_of(&issuer);
    let user = Uuid::new_v4();
    let good = key.token(&claims(user));
    accepts(&api, &good, user).await;
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let other = key.token(&claims(Uuid::new_v4()));
    let other_payload = other.split('.').nth(1).unwrap();
    let mut tampered = signature.to_owned();
    let replaced = if tampered.starts_with('A') { "B" } else { "A" };
    tampered.replace_range(..1, replaced);
    for token in [
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c",
        "null",
        "{}",
        "é.é.é",
        &"x".repeat(100_000),
        &format!("{}.{payload}.{signature}", "é"),
        &format!("{header}.{payload}"),
        &format!("{header}.{payload}."),
        &format!("{header}..{signature}"),
        &format!("{header}.{payload}.{tampered}"),
        &format!("{header}.{payload}.{signature}.{signature}"),
        &format!("{header}.{payload}.{}", &signature[..signature.len() - 4]),
        &format!("{header}.{payload}.{signature}AAAA"),
        &format!("{header}.{other_payload}.{signature}"),
        &format!("{payload}.{header}.{signature}"),
    ] {
        refuses(&api, token).await;
    }
    let not_an_object = sign_hs256(&json!(["sub"]), JWT_SECRET);
    refuses(&legacy_service(), &not_an_object).await;
}
