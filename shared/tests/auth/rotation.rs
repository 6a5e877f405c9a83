//! Published keys come and go. They are aged, not waited for.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use futures_util::future::join_all;
use shared::http::auth::Authenticator;
use shared::testing::api::Api;
use shared::testing::{ISSUER, claims};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::issuer::{Issuer, SigningKey};
use super::{accepts, authenticator_of, refuses, service};

/// Lets time go by for the keys.
async fn pass(authenticator: &Authenticator, seconds: u64) {
    authenticator.age_keys(Duration::from_secs(seconds)).await;
}

async fn is_unavailable(api: &Api, token: &str) {
    let reply = api.with_authorization(Some(&format!("Bearer {token}"))).get("/").await;
    assert_eq!(reply.headers[RETRY_AFTER], "5");
    assert_eq!(reply.refused(503)["code"], "unavailable");
}

#[tokio::test]
async fn keys_are_asked_for_once_and_again_after_ten_minutes() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let authenticator = authenticator_of(&issuer);
    let api = service(authenticator.clone());
    let user = Uuid::new_v4();
    let token = key.token(&claims(user));
    join_all((0..20).map(|_| accepts(&api, &token, user))).await;
    pass(&authenticator, 599).await;
    accepts(&api, &token, user).await;
    assert_eq!(issuer.asked(), 1);
    pass(&authenticator, 2).await;
    join_all((0..20).map(|_| accepts(&api, &token, user))).await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_unknown_ones_make_us_ask_at_most_once_a_minute() {
    let (old, new) = (SigningKey::es256("old"), SigningKey::rs256("new"));
    let issuer = Issuer::publishing(&[&old]).await;
    let authenticator = authenticator_of(&issuer);
    let api = service(authenticator.clone());
    let user = Uuid::new_v4();
    let (by_old, by_new) = (old.token(&claims(user)), new.token(&claims(user)));
    accepts(&api, &by_old, user).await;

    issuer.publish(&[&old, &new]);
    refuses(&api, &by_new).await;
    assert_eq!(issuer.asked(), 1, "the keys are less than a minute old");
    pass(&authenticator, 61).await;
    accepts(&api, &by_new, user).await;
    accepts(&api, &by_old, user).await;
    assert_eq!(issuer.asked(), 2);

    for minute in 0..3 {
        pass(&authenticator, 61).await;
        for attempt in 0..10 {
            let unknown = SigningKey::es256(&format!("unknown {minute} {attempt}"));
            refuses(&api, &unknown.token(&claims(user))).await;
            pass(&authenticator, 1).await;
        }
        assert_eq!(issuer.asked(), 3 + minute);
    }
    accepts(&api, &by_new, user).await;
}

#[tokio::test]
async fn a_removed_key_is_dropped_after_ten_minutes_at_the_latest() {
    let (old, new) = (SigningKey::es256("old"), SigningKey::es256("new"));
    let issuer = Issuer::publishing(&[&old]).await;
    let authenticator = authenticator_of(&issuer);
    let api = service(authenticator.clone());
    let user = Uuid::new_v4();
    let by_old = old.token(&claims(user));
    accepts(&api, &by_old, user).await;
    issuer.publish(&[&new]);
    pass(&authenticator, 601).await;
    refuses(&api, &by_old).await;
    accepts(&api, &new.token(&claims(user)), user).await;
}

#[tokio::test]
async fn a_key_that_replaces_another_under_its_id_is_used_alone() {
    let (old, new) = (SigningKey::es256("k1"), SigningKey::es256("k1"));
    let issuer = Issuer::publishing(&[&old]).await;
    let authenticator = authenticator_of(&issuer);
    let api = service(authenticator.clone());
    let user = Uuid::new_v4();
    accepts(&api, &old.token(&claims(user)), user).await;
    issuer.publish(&[&new]);
    pass(&authenticator, 601).await;
    accepts(&api, &new.token(&claims(user)), user).await;
    refuses(&api, &old.token(&claims(user))).await;
}

#[tokio::test]
async fn known_keys_serve_on_while_the_issuer_is_away() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[&key]).await;
    let authenticator = authenticator_of(&issuer);
    let api = service(authenticator.clone());
    let user = Uuid::new_v4();
    let token = key.token(&claims(user));
    accepts(&api, &token, user).await;
    for body in ["", "<html>", "{}", r#"{"keys":{}}"#] {
        issuer.answer_with(StatusCode::OK, body);
        pass(&authenticator, 601).await;
        accepts(&api, &token, user).await;
        issuer.answer_with(
            StatusCode::INTERNAL_SERVER_ERROR,
            &serde_json::json!({"keys": []}).to_string(),
        );
        pass(&authenticator, 601).await;
        accepts(&api, &token, user).await;
    }
}

#[tokio::test]
async fn without_any_key_the_answer_is_503_until_the_issuer_is_back() {
    let key = SigningKey::es256("k1");
    let issuer = Issuer::publishing(&[]).await;
    let authenticator = authenticator_of(&issuer);
    let api = service(authenticator.clone());
    let user = Uuid::new_v4();
    let token = key.token(&claims(user));
    issuer.answer_with(StatusCode::SERVICE_UNAVAILABLE, "");
    for _ in 0..5 {
        is_unavailable(&api, &token).await;
    }
    assert_eq!(issuer.asked(), 1, "an issuer in trouble is not stormed");
    issuer.publish(&[&key]);
    // What Retry-After promises.
    pass(&authenticator, 6).await;
    accepts(&api, &token, user).await;
}

#[tokio::test]
async fn an_issuer_that_hangs_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let api = service(Authenticator::new(ISSUER, Some(&url), None).unwrap());
    let started = Instant::now();
    is_unavailable(&api, &SigningKey::es256("k1").token(&claims(Uuid::new_v4()))).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
