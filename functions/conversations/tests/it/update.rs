//! `PATCH` of a conversation.

use axum::http::Method;
use serde_json::{Value, json};
use shared::testing::api::Reply;

use super::support::{Fixture, LIST, text_webhook};

async fn patch(fixture: &Fixture, id: i64, body: impl ToString) -> Reply {
    fixture
        .api
        .send(Method::PATCH, &format!("{LIST}/{id}"), body.to_string())
        .await
}

#[tokio::test]
async fn status_and_name_are_changed_and_what_is_missing_stays() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let before = fixture.one(id).await;

    let archived = patch(&fixture, id, json!({"status": "archived"})).await.ok();
    let mut expected = before.clone();
    expected["status"] = "archived".into();
    expected["updated_at"] = archived["conversation"]["updated_at"].clone();
    assert_eq!(archived, json!({"success": true, "conversation": expected}));
    assert_ne!(expected["updated_at"], before["updated_at"]);

    let named = patch(&fixture, id, json!({"customer_name": "  Ana  "})).await.ok();
    assert_eq!(named["conversation"]["customer_name"], "Ana");
    assert_eq!(named["conversation"]["status"], "archived");
    assert_eq!(named["conversation"], fixture.one(id).await);

    let active = json!({"status": "active", "customer_name": null, "unknown": [1]});
    let active = patch(&fixture, id, active).await.ok();
    assert_eq!(active["conversation"]["customer_name"], "Ana");
    assert_eq!(active["conversation"]["status"], "active");
}

#[tokio::test]
async fn an_update_without_a_change_answers_with_the_conversation() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let before = fixture.one(id).await;
    assert_eq!(patch(&fixture, id, "{}").await.ok()["conversation"], before);
}

#[tokio::test]
async fn an_update_does_not_move_a_conversation_in_the_list() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(2).await;
    patch(&fixture, rows[0], json!({"customer_name": "Ana"})).await.ok();
    assert_eq!(super::support::ids(&fixture.list("").await), [rows[1], rows[0]]);
}

#[tokio::test]
async fn values_that_are_not_accepted_are_named() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let before = fixture.one(id).await;
    for (body, field) in [
        (json!({"status": "closed"}), "status"),
        (json!({"status": ""}), "status"),
        (json!({"status": 1}), "status"),
        (json!({"status": ["active"]}), "status"),
        (json!({"customer_name": ""}), "customer_name"),
        (json!({"customer_name": " \t\n\u{a0}"}), "customer_name"),
        (json!({"customer_name": "x".repeat(256)}), "customer_name"),
        (json!({"customer_name": "é".repeat(256)}), "customer_name"),
        (json!({"customer_name": "a\0b"}), "customer_name"),
        (json!({"customer_name": 5}), "customer_name"),
        (json!({"customer_name": {"a": 1}}), "customer_name"),
        // One good field does not let the other pass.
        (json!({"status": "archived", "customer_name": true}), "customer_name"),
        (json!({"status": "gone", "customer_name": "Ana"}), "status"),
    ] {
        let error = patch(&fixture, id, &body).await.refuses_field(field);
        let message = error["message"].as_str().unwrap();
        assert!(
            !message.contains("gone") && !message.contains("closed"),
            "a value comes back: {message}"
        );
    }
    let message = patch(&fixture, id, json!({"status": "closed"})).await.refused(422)["message"].to_string();
    assert!(message.contains("active") && message.contains("archived"), "{message}");
    assert_eq!(fixture.one(id).await, before);
}

#[tokio::test]
async fn a_name_may_have_255_characters_of_any_script() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    for name in [
        "x".repeat(255),
        "😀".repeat(255),
        "'; drop table users; --".to_owned(),
        "מרים".to_owned(),
    ] {
        let reply = patch(&fixture, id, json!({ "customer_name": name })).await.ok();
        assert_eq!(reply["conversation"]["customer_name"], *name);
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_malformed() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "status=archived",
        "[]",
        "null",
        "\"x\"",
        "{\"status\":\"active\"}}",
        "\u{feff}{}",
        &deep,
    ] {
        let error = patch(&fixture, id, body).await.refused(400);
        assert_eq!(error["code"], "malformed_request");
    }
    let invalid_utf8 = b"{\"customer_name\":\"\xff\"}".to_vec();
    fixture
        .api
        .send(Method::PATCH, &format!("{LIST}/{id}"), invalid_utf8)
        .await
        .refused(400);
}

#[tokio::test]
async fn a_body_of_256_kb_is_read_and_a_larger_one_is_refused() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let json = r#"{"status":"archived"}"#;
    let body = |length: usize| json.to_owned() + &" ".repeat(length - json.len());
    patch(&fixture, id, body(256 * 1024)).await.ok();
    let error = patch(&fixture, id, body(256 * 1024 + 1)).await.refused(413);
    assert_eq!(error["code"], "body_too_large");
}

#[tokio::test]
async fn a_name_that_an_agent_gave_stays_whatever_the_profile_says_later() {
    let mut fixture = Fixture::new().await;
    let noon: jiff::Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
    let webhook = |name: &str, wamid: &str, time| text_webhook("15550123", name, wamid, time, "hi");
    fixture
        .database
        .ingest(&webhook("Ana", "wamid.A", 1_782_907_000), noon)
        .await;
    let id = fixture.list("").await["conversations"][0]["id"].as_i64().unwrap();
    patch(
        &fixture,
        id,
        json!({"customer_name": "Ana of Lisbon", "status": "archived"}),
    )
    .await
    .ok();
    fixture
        .database
        .ingest(&webhook("Ana Silva", "wamid.B", 1_782_907_100), noon)
        .await;
    let conversation = fixture.one(id).await;
    assert_eq!(conversation["customer_name"], "Ana of Lisbon");
    assert_eq!(conversation["status"], "active", "a new message makes it active");
    assert_ne!(conversation["customer_name"], Value::Null);
}
