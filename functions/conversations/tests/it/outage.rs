//! A database that is gone, hangs, or comes back.

use std::time::{Duration, Instant};

use axum::http::Method;
use axum::http::header::RETRY_AFTER;
use serde_json::json;
use shared::db::Database;
use shared::db::settings::Settings;
use shared::metrics::{Metric, recording};
use shared::testing::api::{Api, REQUEST_ID};
use shared::testing::proxy::Proxy;

use super::support::{Fixture, LIST, api};

/// The service, whose only connection to the database goes through a proxy.
async fn through_proxy(fixture: &Fixture) -> (Proxy, Api) {
    let (proxy, url) = Proxy::before(&fixture.database.url).await;
    let database = Database::new(Settings::from_url(&url).unwrap(), 1);
    (proxy, api(database, fixture.agent).await.0)
}

async fn is_unavailable(api: &Api, method: Method, path: &str) {
    let started = Instant::now();
    recording::start();
    let reply = api.send(method, path, r#"{"status":"archived"}"#).await;
    assert_eq!(recording::told(Metric::ServerErrors), [1]);
    assert_eq!(reply.headers["x-request-id"], REQUEST_ID);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{path}: {:?}",
        started.elapsed()
    );
    let seconds: u64 = reply.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let body = reply.body.clone();
    reply.refused(503);
    let expected = json!({"success": false, "error": {
        "code": "unavailable", "message": "temporarily unavailable, try again soon", "request_id": REQUEST_ID}});
    assert_eq!(body, expected, "the body is constant and carries the request id");
}

#[tokio::test]
async fn a_database_that_hangs_is_answered_with_503_in_time_and_with_a_new_connection_afterwards() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let (proxy, api) = through_proxy(&fixture).await;
    api.get(LIST).await.ok();
    api.get(LIST).await.ok();
    assert_eq!(proxy.accepted(), 1, "a connection is kept");
    proxy.freeze();
    is_unavailable(&api, Method::GET, LIST).await;
    // Nor does a new connection get anywhere.
    is_unavailable(&api, Method::POST, &format!("{LIST}/{id}/read")).await;
    proxy.thaw();
    api.get(LIST).await.ok();
    let made = proxy.accepted();
    api.get(LIST).await.ok();
    assert_eq!(proxy.accepted(), made, "the new connection is kept");
}

#[tokio::test]
async fn requests_that_wait_for_a_hanging_connection_are_all_answered_in_time() {
    let fixture = Fixture::new().await;
    let (proxy, api) = through_proxy(&fixture).await;
    api.get(LIST).await.ok();
    proxy.freeze();
    tokio::join!(
        is_unavailable(&api, Method::GET, LIST),
        is_unavailable(&api, Method::GET, "/api/live-chat/phone-numbers"),
        is_unavailable(&api, Method::GET, LIST),
    );
    proxy.thaw();
    api.get(LIST).await.ok();
}

#[tokio::test]
async fn a_database_that_is_gone_is_answered_with_503_on_every_route() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let (mut proxy, api) = through_proxy(&fixture).await;
    api.get(LIST).await.ok();
    proxy.cut().await;
    for (method, path) in [
        (Method::GET, LIST.to_owned()),
        (Method::GET, format!("{LIST}/{id}")),
        (Method::PATCH, format!("{LIST}/{id}")),
        (Method::POST, format!("{LIST}/{id}/read")),
        (Method::GET, "/api/live-chat/phone-numbers".to_owned()),
    ] {
        is_unavailable(&api, method, &path).await;
    }
    assert_eq!(fixture.one(id).await["status"], "active");
}

#[tokio::test]
async fn a_lock_that_is_not_given_back_is_answered_with_503_and_changes_nothing_later() {
    let mut fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let other = fixture.database.pool();
    let (api, _sqs) = api(other, fixture.agent).await;
    let transaction = fixture.database.client.transaction().await.unwrap();
    transaction
        .execute("update chat_conversations set unread_count = 4", &[])
        .await
        .unwrap();
    is_unavailable(&api, Method::POST, &format!("{LIST}/{id}/read")).await;
    transaction.commit().await.unwrap();
    // Whoever was told that it failed may ask again; reading itself is not behind the lock.
    assert_eq!(
        api.get(&format!("{LIST}/{id}")).await.ok()["conversation"]["unread_count"],
        4
    );
}
