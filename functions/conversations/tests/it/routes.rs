//! What is no route, and who may not ask.

use axum::http::Method;
use axum::http::header::{ALLOW, WWW_AUTHENTICATE};

use super::support::{Fixture, LIST};

#[tokio::test]
async fn unknown_routes_are_not_found() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    for path in [
        "/",
        "/api/live-chat",
        "/api/live-chat/conversation",
        &format!("{LIST}/"),
        &format!("{LIST}/{id}/"),
        &format!("{LIST}/{id}/unknown"),
        &format!("{LIST}/{id}/unread/again"),
        &format!("{LIST}/{id}/read/again"),
        "/API/live-chat/conversations",
        "/api/live-chat/messages",
    ] {
        for method in [Method::GET, Method::POST, Method::PATCH] {
            let error = fixture.api.send(method, path, "{}").await.refused(404);
            assert_eq!(error["code"], "not_found", "{path}");
        }
    }
}

#[tokio::test]
async fn wrong_methods_are_refused_with_those_allowed() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    for (method, path, allowed) in [
        (Method::POST, "/api/live-chat/phone-numbers".to_owned(), "GET,HEAD"),
        (Method::POST, LIST.to_owned(), "GET,HEAD"),
        (Method::DELETE, format!("{LIST}/{id}"), "GET,HEAD,PATCH"),
        (Method::PUT, format!("{LIST}/{id}"), "GET,HEAD,PATCH"),
        (Method::GET, format!("{LIST}/{id}/read"), "POST"),
        (Method::GET, format!("{LIST}/{id}/unread"), "POST"),
    ] {
        let reply = fixture.api.send(method, &path, "").await;
        assert_eq!(reply.headers[ALLOW], allowed, "{path}");
        assert_eq!(reply.refused(405)["code"], "method_not_allowed", "{path}");
    }
}

#[tokio::test]
async fn every_route_asks_for_a_token_before_anything_else() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    for authorization in [None, Some("Bearer "), Some("Bearer not.a.token"), Some("Basic dTpw")] {
        let api = fixture.api.with_authorization(authorization);
        for (method, path) in [
            (Method::GET, "/api/live-chat/phone-numbers".to_owned()),
            (Method::GET, format!("{LIST}?limit=-1")),
            (Method::GET, format!("{LIST}/{id}")),
            (Method::GET, format!("{LIST}/abc")),
            (Method::PATCH, format!("{LIST}/{id}")),
            (Method::POST, format!("{LIST}/{id}/read")),
            (Method::POST, format!("{LIST}/{id}/unread")),
        ] {
            let reply = api.send(method, &path, "not JSON").await;
            assert_eq!(reply.headers[WWW_AUTHENTICATE], "Bearer");
            assert_eq!(reply.refused(401)["code"], "unauthorized");
        }
    }
}

#[tokio::test]
async fn ids_that_are_not_the_agents_or_no_ids_are_not_found() {
    let fixture = Fixture::new().await;
    let (_, _, foreign) = fixture.stranger().await;
    let before = fixture
        .database
        .json("select to_jsonb(c) from chat_conversations c")
        .await;
    let foreign = foreign.to_string();
    for id in [
        &foreign,
        "0",
        "-1",
        "abc",
        "1.0",
        "1e3",
        "0x1",
        "%00",
        "%FF",
        "%2F",
        "%20",
        "null",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
        "-99999999999999999999",
    ] {
        for (method, path) in [
            (Method::GET, format!("{LIST}/{id}")),
            (Method::PATCH, format!("{LIST}/{id}")),
            (Method::POST, format!("{LIST}/{id}/read")),
            (Method::POST, format!("{LIST}/{id}/unread")),
        ] {
            let body = r#"{"customer_name":"Mallory","status":"archived"}"#;
            let error = fixture.api.send(method, &path, body).await.refused(404);
            assert_eq!(error["code"], "not_found", "{path}");
        }
    }
    let after = fixture
        .database
        .json("select to_jsonb(c) from chat_conversations c")
        .await;
    assert_eq!(before, after, "nothing of somebody else's changed");
}
