//! Marking a conversation as unread.

use axum::http::Method;
use serde_json::{Value, json};

use super::support::{CONVERSATION_FIELDS, Fixture, LIST, fields, text_webhook};

/// A time on the first of July 2026.
const NOON: i64 = 1_782_907_200;

async fn mark(fixture: &Fixture, id: i64, state: &str) -> Value {
    let reply = fixture
        .api
        .send(Method::POST, &format!("{LIST}/{id}/{state}"), "")
        .await;
    reply.ok()["conversation"].clone()
}

async fn write(fixture: &mut Fixture, wamid: &str, time: i64) {
    let webhook = text_webhook("15550123", "Ana", wamid, time, "hi");
    let now = jiff::Timestamp::from_second(NOON + 3600).unwrap();
    fixture.database.ingest(&webhook, now).await;
}

async fn statuses(fixture: &Fixture) -> Vec<Value> {
    let sql = "select jsonb_build_array(wa_message_id, status, read_at is not null) from chat_messages order by wa_message_id";
    fixture.database.json(sql).await
}

#[tokio::test]
async fn the_newest_message_is_unread_again_later_ones_count_on_top_and_reading_clears_it() {
    let mut fixture = Fixture::new().await;
    for (wamid, time) in [("wamid.A", NOON), ("wamid.C", NOON + 60), ("wamid.B", NOON + 60)] {
        write(&mut fixture, wamid, time).await;
    }
    let id = fixture.list("").await["conversations"][0]["id"].as_i64().unwrap();
    mark(&fixture, id, "read").await;

    let unread = mark(&fixture, id, "unread").await;
    assert_eq!(fields(&unread), CONVERSATION_FIELDS);
    assert_eq!(unread["unread_count"], 1);
    assert_eq!(unread["last_message_status"], "delivered");
    assert_eq!(unread, fixture.one(id).await);
    let expected = [
        json!(["wamid.A", "read", true]),
        json!(["wamid.B", "read", true]),
        json!(["wamid.C", "delivered", false]),
    ];
    assert_eq!(statuses(&fixture).await, expected);
    assert_eq!(
        mark(&fixture, id, "unread").await,
        unread,
        "what is unread stays as it is"
    );

    // A repetition counts no more, and one from before what was read neither.
    write(&mut fixture, "wamid.C", NOON + 60).await;
    write(&mut fixture, "wamid.0", NOON - 60).await;
    assert_eq!(fixture.one(id).await["unread_count"], 1);
    write(&mut fixture, "wamid.D", NOON + 120).await;
    assert_eq!(fixture.one(id).await["unread_count"], 2);
    assert_eq!(mark(&fixture, id, "unread").await["unread_count"], 2);
    assert_eq!(mark(&fixture, id, "read").await["unread_count"], 0);
    assert!(statuses(&fixture).await.iter().all(|message| message[1] == "read"));
    write(&mut fixture, "wamid.Z", NOON + 1).await;
    assert_eq!(fixture.one(id).await["unread_count"], 0);
}

#[tokio::test]
async fn a_conversations_only_message_can_be_unread_again() {
    let mut fixture = Fixture::new().await;
    write(&mut fixture, "wamid.A", NOON).await;
    let id = fixture.list("").await["conversations"][0]["id"].as_i64().unwrap();
    mark(&fixture, id, "read").await;
    assert_eq!(mark(&fixture, id, "unread").await["unread_count"], 1);
    let totals = fixture.api.get("/api/live-chat/phone-numbers").await.ok();
    assert_eq!(totals["phone_numbers"][0]["unread_count"], 1);
    write(&mut fixture, "wamid.B", NOON + 1).await;
    assert_eq!(fixture.one(id).await["unread_count"], 2);
    assert_eq!(mark(&fixture, id, "read").await["unread_count"], 0);
}

#[tokio::test]
async fn where_the_customer_never_wrote_nothing_can_be_unread() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let others = format!(
        "insert into chat_messages (conversation_id, wa_message_id, sender, status, message_type, is_history) values
           ({id}, 'wamid.1', 'user', 'sent', 'text', false), ({id}, 'wamid.2', 'customer', 'read', 'text', true),
           ({id}, 'wamid.3', 'customer', 'read', 'system', false)"
    );
    fixture.database.client.batch_execute(&others).await.unwrap();
    let before = fixture.one(id).await;
    let reply = fixture.api.send(Method::POST, &format!("{LIST}/{id}/unread"), "").await;
    assert_eq!(reply.refused(409)["code"], "nothing_to_read");
    assert_eq!(fixture.one(id).await, before);
    assert!(statuses(&fixture).await.iter().all(|message| message[1] != "delivered"));
}

#[tokio::test]
async fn old_rows_without_times_or_wamids_can_be_unread_too() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("4912345678", "2026-07-01T12:00:00Z").await;
    let old = format!(
        r#"insert into chat_messages (conversation_id, wa_message_id, sender, status, "timestamp", created_at) values
             ({id}, null, 'customer', 'read', null, null), ({id}, null, 'customer', 'read', null, '2026-07-01')"#
    );
    fixture.database.client.batch_execute(&old).await.unwrap();
    assert_eq!(mark(&fixture, id, "unread").await["unread_count"], 1);
    assert_eq!(mark(&fixture, id, "read").await["unread_count"], 0);
}
