//! What a token has to say, and how it is handed over.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::http::auth::Authenticator;
use shared::testing::{ISSUER, JWT_SECRET, claims, sign_hs256};
use uuid::Uuid;

use super::issuer::{Issuer, SigningKey};
use super::{accepts, legacy_service, refuses, service, service_of};

/// The good claims, one of them replaced, or removed where it is `None`.
fn with(user: Uuid, name: &str, value: Option<Value>) -> Value {
    let mut claims = claims(user);
    match value {
        Some(value) => claims[name] = value,
        None => {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

/// Seconds from now.
fn from_now(seconds: i64) -> Value {
    (Timestamp::now().as_second() + seconds).into()
}

#[tokio::test]
async fn claims_are_judged_alike_whatever_signs_them() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let api = service_of(&issuer);
    let user = Uuid::new_v4();
    let some = |value: Value| Some(value);

    for (name, value) in [
        ("aud", some(json!(["other", "authenticated"]))),
        ("iat", None),
        ("exp", some(from_now(-20))),
        ("nbf", some(from_now(20))),
        ("nbf", some(from_now(-3600))),
        ("sub", some(user.to_string().to_uppercase().into())),
        ("unknown", some(json!({"a": [1]}))),
    ] {
        let good = with(user, name, value);
        accepts(&api, &sign_hs256(&good, JWT_SECRET), user).await;
        accepts(&api, &key.token(&good), user).await;
    }

    for (name, value) in [
        ("iss", None),
        ("iss", some("".into())),
        ("iss", some("https://other.example/auth/v1".into())),
        ("iss", some(format!("{ISSUER}/").into())),
        ("iss", some(Value::Null)),
        ("aud", None),
        ("aud", some("anon".into())),
        ("aud", some("".into())),
        ("aud", some(json!([]))),
        ("aud", some(json!(["other"]))),
        ("aud", some(Value::Null)),
        ("role", None),
        ("role", some("anon".into())),
        ("role", some("service_role".into())),
        ("role", some("Authenticated".into())),
        ("role", some(json!(["authenticated"]))),
        ("role", some(Value::Null)),
        ("exp", None),
        ("exp", some(from_now(-32))),
        ("exp", some(0.into())),
        ("exp", some((-1).into())),
        ("exp", some("9999999999".into())),
        ("exp", some(Value::Null)),
        ("nbf", some(from_now(60))),
        ("nbf", some("soon".into())),
        ("sub", None),
        ("sub", some("".into())),
        ("sub", some("admin".into())),
        ("sub", some(1.into())),
        ("sub", some(Value::Null)),
    ] {
        let bad = with(user, name, value);
        let by_secret = refuses(&api, &sign_hs256(&bad, JWT_SECRET)).await;
        let by_key = refuses(&api, &key.token(&bad)).await;
        assert_eq!(by_secret, by_key, "{bad}");
    }
    // `anon` and `service_role` keys of a project are tokens of its secret, without `sub` and `aud`.
    for role in ["anon", "service_role"] {
        let key = json!({"iss": "supabase", "ref": "project", "role": role, "iat": 1, "exp": 4_000_000_000_u32});
        refuses(&api, &sign_hs256(&key, JWT_SECRET)).await;
    }
}

#[tokio::test]
async fn an_expired_token_is_told_from_a_wrong_one() {
    let expired = with(Uuid::new_v4(), "exp", Some(from_now(-60)));
    let message = refuses(&legacy_service(), &sign_hs256(&expired, JWT_SECRET)).await;
    assert!(message.contains("expired"), "{message}");
    let forged = refuses(
        &legacy_service(),
        &sign_hs256(&expired, "another secret of another project"),
    )
    .await;
    assert!(!forged.contains("expired"), "a forged token learns nothing: {forged}");
}

#[tokio::test]
async fn hs256_needs_the_legacy_secret() {
    let user = Uuid::new_v4();
    let issuer = Issuer::publishing(&[]).await;
    accepts(&service_of(&issuer), &sign_hs256(&claims(user), JWT_SECRET), user).await;
    refuses(&service_of(&issuer), &sign_hs256(&claims(user), "another secret")).await;
    for secret in [None, Some("")] {
        let api = service(Authenticator::new(ISSUER, Some(&issuer.jwks_url()), secret).unwrap());
        refuses(&api, &sign_hs256(&claims(user), JWT_SECRET)).await;
        refuses(&api, &sign_hs256(&claims(user), "")).await;
    }
    assert_eq!(issuer.asked(), 0, "HS256 is none of the issuer's business");
}

#[tokio::test]
async fn es256_and_rs256_are_verified_by_the_published_keys() {
    let (ec, rsa) = (SigningKey::es256("ec"), SigningKey::rs256("rsa"));
    let issuer = Issuer::publishing(&[&ec, &rsa]).await;
    let api = service_of(&issuer);
    for key in [&ec, &rsa] {
        let user = Uuid::new_v4();
        accepts(&api, &key.token(&claims(user)), user).await;
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn the_keys_are_where_the_issuer_has_them_unless_said_otherwise() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let user = Uuid::new_v4();
    let token = key.token(&with(user, "iss", Some(issuer.url.clone().into())));
    accepts(
        &service(Authenticator::new(&issuer.url, None, None).unwrap()),
        &token,
        user,
    )
    .await;
    assert!(Authenticator::new("not a URL", None, None).is_err());
}

#[tokio::test]
async fn the_scheme_is_bearer_in_any_case() {
    let api = legacy_service();
    let user = Uuid::new_v4();
    let token = sign_hs256(&claims(user), JWT_SECRET);
    for authorization in [
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER {token}"),
        format!("Bearer   {token} "),
    ] {
        let reply = api.with_authorization(Some(&authorization)).get("/").await;
        assert_eq!(reply.ok()["user_id"], user.to_string());
    }
    for authorization in [
        None,
        Some(String::new()),
        Some(token.clone()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Bearer{token}")),
        Some(format!("Bearer:{token}")),
        Some(format!("Basic {token}")),
        Some(format!("Token {token}")),
        Some(format!("Bearer {token} {token}")),
        Some(format!("Bearer {token}, Bearer {token}")),
        Some(format!("Bearer \"{token}\"")),
        Some("Bearer é".to_owned()),
    ] {
        let api = api.with_authorization(authorization.as_deref());
        assert_eq!(
            api.get("/").await.refused(401)["code"],
            "unauthorized",
            "{authorization:?}"
        );
        // A token in the query is no token: addresses are logged.
        api.get(&format!("/?access_token={token}&token={token}"))
            .await
            .refused(401);
    }
}
