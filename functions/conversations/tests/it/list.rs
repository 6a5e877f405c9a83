//! What a list holds, and what narrows it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{CONVERSATION_FIELDS, Fixture, LIST, NUMBER, WABA, fields, ids};

#[tokio::test]
async fn conversations_come_newest_first_with_every_field() {
    let fixture = Fixture::new().await;
    let older = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let newest = fixture.conversation("+15550002", "2026-07-02T00:00:00.000001Z").await;
    let middle = fixture.conversation("+15550003", "2026-07-02T00:00:00Z").await;
    let page = fixture.list("").await;
    assert_eq!(
        fields(&page),
        ["conversations", "next_cursor", "prev_cursor", "success"]
    );
    assert_eq!(ids(&page), [newest, middle, older]);
    assert_eq!(
        (&page["next_cursor"], &page["prev_cursor"]),
        (&Value::Null, &Value::Null)
    );
    for conversation in page["conversations"].as_array().unwrap() {
        assert_eq!(fields(conversation), CONVERSATION_FIELDS);
        assert_eq!(*conversation, fixture.one(conversation["id"].as_i64().unwrap()).await);
    }
}

#[tokio::test]
async fn an_agent_without_conversations_and_one_without_numbers_have_empty_lists() {
    let fixture = Fixture::new().await;
    let empty = json!({"success": true, "conversations": [], "next_cursor": null, "prev_cursor": null});
    assert_eq!(fixture.list("").await, empty);
    assert_eq!(
        fixture.list(&format!("phone_number_id={NUMBER}&status=archived")).await,
        empty
    );
    let nobody = fixture.api.as_agent(Uuid::new_v4());
    assert_eq!(nobody.get(LIST).await.ok(), empty);
}

#[tokio::test]
async fn the_limit_is_50_at_most_100_and_a_number() {
    let fixture = Fixture::new().await;
    let fill = format!(
        "insert into chat_conversations (waba_id, phone_number_id, customer_phone, last_message_time)
         select '{WABA}', '{NUMBER}', '+1555' || n, timestamptz '2026-07-01' + n * interval '1 second' from generate_series(1, 120) n"
    );
    fixture.database.client.batch_execute(&fill).await.unwrap();
    for (query, length) in [
        ("", 50),
        ("limit=", 50),
        ("limit=1", 1),
        ("limit=100", 100),
        ("limit=101", 100),
        ("limit=99999999999999999999", 100),
    ] {
        assert_eq!(ids(&fixture.list(query).await).len(), length, "{query}");
    }
    for limit in ["-1", "ten", "1.5", "1e1", "%2B5", "%20", "%D9%A3", "%00", "5;drop"] {
        let reply = fixture.api.get(&format!("{LIST}?limit={limit}")).await;
        reply.refuses_field("limit");
    }
}

#[tokio::test]
async fn a_list_is_narrowed_by_status_and_an_unknown_status_lists_the_known() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(4).await;
    let change = format!(
        "update chat_conversations set status = 'archived' where id = {};
         update chat_conversations set status = null where id = {}",
        rows[1], rows[3]
    );
    fixture.database.client.batch_execute(&change).await.unwrap();
    assert_eq!(ids(&fixture.list("").await), [rows[3], rows[2], rows[1], rows[0]]);
    assert_eq!(ids(&fixture.list("status=archived").await), [rows[1]]);
    // A row of the first schema without a status is active.
    assert_eq!(ids(&fixture.list("status=active").await), [rows[3], rows[2], rows[0]]);
    for status in ["Active", "closed", "active,archived", "%00", "'"] {
        let reply = fixture.api.get(&format!("{LIST}?status={status}")).await;
        let message = reply.refuses_field("status")["message"].to_string();
        assert!(message.contains("active") && message.contains("archived"), "{message}");
    }
}

#[tokio::test]
async fn a_list_is_narrowed_to_a_number_and_one_that_is_not_the_agents_is_not_found() {
    let fixture = Fixture::new().await;
    let (_, foreign, _) = fixture.stranger().await;
    let first = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let add = format!("insert into phone_numbers (waba_id, phone_number_id) values ('{WABA}', '700200')");
    fixture.database.client.batch_execute(&add).await.unwrap();
    let second = fixture
        .insert(&format!(
            "(waba_id, phone_number_id, customer_phone) values ('{WABA}', '700200', '+15550001')"
        ))
        .await;
    assert_eq!(ids(&fixture.list("phone_number_id=700200").await), [second]);
    assert_eq!(ids(&fixture.list(&format!("phone_number_id={NUMBER}")).await), [first]);
    assert_eq!(ids(&fixture.list("").await).len(), 2);
    // An empty value is as good as none.
    assert_eq!(ids(&fixture.list("phone_number_id=").await).len(), 2);
    let long = "7".repeat(5_000);
    for id in [
        foreign,
        "1",
        "unknown",
        "'",
        "%25",
        "%00",
        "700100%00",
        "%FF",
        " ",
        &long,
    ] {
        let id = id.replace(' ', "%20");
        fixture
            .api
            .get(&format!("{LIST}?phone_number_id={id}"))
            .await
            .refused(404);
    }
}

#[tokio::test]
async fn user_id_must_be_the_tokens_own() {
    let fixture = Fixture::new().await;
    let (stranger, _, _) = fixture.stranger().await;
    let id = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let own = fixture.agent.to_string();
    for user in [own.clone(), own.to_uppercase(), String::new()] {
        assert_eq!(ids(&fixture.list(&format!("user_id={user}")).await), [id]);
    }
    for user in [&stranger.to_string(), "me", "%00", "*"] {
        for path in [LIST, &format!("{LIST}/{id}"), "/api/live-chat/phone-numbers"] {
            let error = fixture.api.get(&format!("{path}?user_id={user}")).await.refused(403);
            assert_eq!(error["code"], "forbidden");
        }
    }
}

#[tokio::test]
async fn two_tenants_who_registered_the_same_number_see_their_own_conversations_only() {
    let fixture = Fixture::new().await;
    let other = fixture.database.add_number("900200", NUMBER).await;
    let mine = fixture.conversation("+15550001", "2026-07-01T12:00:00Z").await;
    let theirs = fixture
        .insert(&format!(
            "(waba_id, phone_number_id, customer_phone) values ('900200', '{NUMBER}', '+15550001')"
        ))
        .await;
    let query = format!("phone_number_id={NUMBER}");
    assert_eq!(ids(&fixture.list(&query).await), [mine]);
    let api = fixture.api.as_agent(other);
    assert_eq!(ids(&api.get(&format!("{LIST}?{query}")).await.ok()), [theirs]);
    api.get(&format!("{LIST}/{mine}")).await.refused(404);
}

#[tokio::test]
async fn a_number_that_is_registered_twice_shows_its_conversations_once() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(3).await;
    let again =
        format!("insert into phone_numbers (waba_id, phone_number_id) values ('{WABA}', '{NUMBER}'), ('{WABA}', null)");
    fixture.database.client.batch_execute(&again).await.unwrap();
    assert_eq!(ids(&fixture.list("").await), [rows[2], rows[1], rows[0]]);
    let page = fixture.list("limit=2").await;
    assert_eq!(ids(&page), [rows[2], rows[1]]);
    let page = fixture
        .list(&format!("limit=2&cursor={}", page["next_cursor"].as_str().unwrap()))
        .await;
    assert_eq!(ids(&page), [rows[0]]);
}

#[tokio::test]
async fn a_conversation_shows_its_last_message_and_window() {
    let mut fixture = Fixture::new().await;
    let webhook = super::support::text_webhook("15550123", "Ana", "wamid.A", 1_782_907_200, "hello");
    fixture
        .database
        .ingest(&webhook, "2026-07-01T12:00:01Z".parse().unwrap())
        .await;
    let mut page = fixture.list("").await;
    let conversation = page["conversations"][0].take();
    let expected = json!({
        "id": conversation["id"], "waba_id": WABA, "phone_number_id": NUMBER, "customer_phone": "+15550123",
        "customer_user_id": null, "customer_username": null, "customer_name": "Ana", "last_message": "hello",
        "last_message_type": "text", "last_message_sender": "customer", "last_message_status": "delivered",
        "last_message_time": "2026-07-01T12:00:00Z", "unread_count": 1, "needs_reply": true,
        "waiting_since": "2026-07-01T12:00:00Z",
        "window_expires_at": "2026-07-02T12:00:00Z", "marketing_opted_out_at": null, "status": "active",
        "created_at": conversation["created_at"], "updated_at": conversation["updated_at"],
    });
    assert_eq!(conversation, expected);
    for time in ["created_at", "updated_at"] {
        let text = conversation[time].as_str().unwrap();
        assert!(text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(), "{text}");
    }
}
