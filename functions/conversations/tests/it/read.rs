//! Marking a conversation as read.

use axum::http::Method;
use serde_json::{Value, json};

use super::support::{CONVERSATION_FIELDS, Fixture, LIST, fields, text_webhook};

/// A time on the first of July 2026.
const NOON: i64 = 1_782_907_200;

async fn mark_read(fixture: &Fixture, id: i64) -> Value {
    let reply = fixture.api.send(Method::POST, &format!("{LIST}/{id}/read"), "").await;
    reply.ok()["conversation"].clone()
}

async fn write(fixture: &mut Fixture, wamid: &str, time: i64) {
    let webhook = text_webhook("15550123", "Ana", wamid, time, "hi");
    let now = jiff::Timestamp::from_second(NOON + 3600).unwrap();
    fixture.database.ingest(&webhook, now).await;
}

async fn messages(fixture: &Fixture) -> Vec<Value> {
    let sql = "select jsonb_build_array(wa_message_id, status, read_at is not null) from chat_messages order by wa_message_id";
    fixture.database.json(sql).await
}

#[tokio::test]
async fn reading_sets_unread_to_zero_and_the_customers_messages_to_read_once() {
    let mut fixture = Fixture::new().await;
    write(&mut fixture, "wamid.A", NOON).await;
    write(&mut fixture, "wamid.B", NOON + 1).await;
    let id = fixture.list("").await["conversations"][0]["id"].as_i64().unwrap();
    let own = format!(
        "insert into chat_messages (conversation_id, wa_message_id, sender, status) values ({id}, 'wamid.C', 'user', 'sent')"
    );
    fixture.database.client.batch_execute(&own).await.unwrap();
    assert_eq!(fixture.one(id).await["unread_count"], 2);

    let read = mark_read(&fixture, id).await;
    assert_eq!(fields(&read), CONVERSATION_FIELDS);
    assert_eq!(read["unread_count"], 0);
    assert_eq!(read["last_message_status"], "read");
    assert_eq!(read, fixture.one(id).await);
    let expected = [
        json!(["wamid.A", "read", true]),
        json!(["wamid.B", "read", true]),
        json!(["wamid.C", "sent", false]),
    ];
    assert_eq!(messages(&fixture).await, expected);

    let rows = "select to_jsonb(m) from chat_messages m order by id";
    let before = fixture.database.json(rows).await;
    assert_eq!(mark_read(&fixture, id).await, read, "the second time changes nothing");
    assert_eq!(fixture.database.json(rows).await, before);
}

#[tokio::test]
async fn a_message_that_comes_after_the_reading_is_unread_and_one_from_before_is_not() {
    let mut fixture = Fixture::new().await;
    write(&mut fixture, "wamid.M", NOON).await;
    let id = fixture.list("").await["conversations"][0]["id"].as_i64().unwrap();
    mark_read(&fixture, id).await;
    // The read position is a message: of the same second, by the wamid.
    write(&mut fixture, "wamid.A", NOON).await;
    write(&mut fixture, "wamid.Z", NOON - 60).await;
    assert_eq!(fixture.one(id).await["unread_count"], 0);
    write(&mut fixture, "wamid.N", NOON).await;
    assert_eq!(fixture.one(id).await["unread_count"], 1);
    assert_eq!(mark_read(&fixture, id).await["unread_count"], 0);
}

#[tokio::test]
async fn reading_is_for_this_conversation_only() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(2).await;
    fixture
        .database
        .client
        .batch_execute("update chat_conversations set unread_count = 3")
        .await
        .unwrap();
    mark_read(&fixture, rows[0]).await;
    assert_eq!(fixture.one(rows[1]).await["unread_count"], 3);
}

#[tokio::test]
async fn old_rows_without_times_or_wamids_are_read_once_too() {
    let fixture = Fixture::new().await;
    let id = fixture.conversation("4912345678", "2026-07-01T12:00:00Z").await;
    let old = format!(
        r#"insert into chat_messages (conversation_id, wa_message_id, sender, status, "timestamp", created_at) values
             ({id}, 'wamid.1', 'customer', 'weird', '2026-06-01', '2026-06-01'),
             ({id}, 'wamid.2', 'customer', 'sent', null, null),
             ({id}, null, 'customer', 'delivered', null, '2026-07-01');
           update chat_conversations set unread_count = 3 where id = {id}"#
    );
    fixture.database.client.batch_execute(&old).await.unwrap();
    let read = mark_read(&fixture, id).await;
    assert_eq!(read["unread_count"], 0);
    let unread = "select count(*) from chat_messages where status is distinct from 'read'";
    assert_eq!(fixture.database.count(unread).await, 0);
    assert_eq!(mark_read(&fixture, id).await, read, "the second time changes nothing");
}

#[tokio::test]
async fn agents_who_read_at_once_do_not_disturb_each_other() {
    let mut fixture = Fixture::new().await;
    write(&mut fixture, "wamid.A", NOON).await;
    let id = fixture.list("").await["conversations"][0]["id"].as_i64().unwrap();
    let (one, two, three) = tokio::join!(
        mark_read(&fixture, id),
        mark_read(&fixture, id),
        mark_read(&fixture, id)
    );
    assert!(
        [one, two, three]
            .iter()
            .all(|conversation| conversation["unread_count"] == 0)
    );
}
