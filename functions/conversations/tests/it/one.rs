//! One conversation: what it shows of old rows and of customers without a phone number.

use serde_json::{Value, json};

use super::support::{CONVERSATION_FIELDS, Fixture, NUMBER, WABA, fields};

#[tokio::test]
async fn a_bare_row_of_the_first_schema_has_every_field_and_null_for_what_it_lacks() {
    let fixture = Fixture::new().await;
    let id = fixture
        .insert(&format!(
            "(waba_id, phone_number_id, customer_phone, unread_count, status, created_at, updated_at)
             values ('{WABA}', '{NUMBER}', '4912345678', null, null, null, null)"
        ))
        .await;
    let conversation = fixture.one(id).await;
    assert_eq!(fields(&conversation), CONVERSATION_FIELDS);
    let expected = json!({
        "id": id, "waba_id": WABA, "phone_number_id": NUMBER, "customer_phone": "+4912345678", "customer_user_id": null,
        "customer_username": null, "customer_name": null, "last_message": null, "last_message_type": null,
        "last_message_sender": null, "last_message_status": null, "last_message_time": null, "unread_count": 0,
        "needs_reply": false, "waiting_since": null, "window_expires_at": null, "marketing_opted_out_at": null, "status": "active", "created_at": null, "updated_at": null,
    });
    assert_eq!(conversation, expected);
}

#[tokio::test]
async fn a_phone_number_is_e164_whatever_form_its_row_has() {
    let fixture = Fixture::new().await;
    for (stored, shown) in [
        ("4912345678", "+4912345678"),
        ("+4912345679", "+4912345679"),
        ("+49 (1234) 5680", "+4912345680"),
        // What is no phone number is shown as it stands.
        ("someone", "someone"),
    ] {
        let id = fixture.conversation(stored, "2026-07-01T12:00:00Z").await;
        assert_eq!(fixture.one(id).await["customer_phone"], shown);
    }
}

#[tokio::test]
async fn a_customer_without_a_phone_number_has_null_and_the_business_scoped_id() {
    let mut fixture = Fixture::new().await;
    let webhook = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER},
        "contacts": [{"user_id": "BR.Abc123", "profile": {"name": "Ana", "username": "ana.silva"}}],
        "messages": [{"from_user_id": "BR.Abc123", "id": "wamid.B", "timestamp": "1782907200", "type": "text", "text": {"body": "oi"}}]
    }}]}]});
    fixture
        .database
        .ingest(&webhook, "2026-07-01T12:00:01Z".parse().unwrap())
        .await;
    let stored = fixture
        .database
        .json("select to_jsonb(customer_phone) from chat_conversations")
        .await;
    assert!(stored[0].as_str().unwrap().starts_with("bsuid:"));
    let page = fixture.list("").await;
    let conversation = &page["conversations"][0];
    assert_eq!(conversation["customer_phone"], Value::Null);
    assert_eq!(conversation["customer_user_id"], "BR.Abc123");
    assert_eq!(conversation["customer_username"], "ana.silva");
    assert_eq!(conversation["customer_name"], "Ana");
}

#[tokio::test]
async fn a_conversation_shows_what_its_last_message_was() {
    let fixture = Fixture::new().await;
    for sender in ["'customer'", "'user'", "null"] {
        let id = fixture
            .conversation(&format!("+1555{}", sender.len()), "2026-07-01T12:00:00Z")
            .await;
        let add = format!(
            "with m as (insert into chat_messages (conversation_id, sender, status, message_type, content)
                        values ({id}, {sender}, 'read', 'image', null) returning id)
             update chat_conversations set last_message_id = m.id from m where chat_conversations.id = {id}"
        );
        fixture.database.client.batch_execute(&add).await.unwrap();
        let conversation = fixture.one(id).await;
        let stored = sender.trim_matches('\'');
        assert_eq!(conversation["last_message_sender"].as_str().unwrap_or("null"), stored);
        assert_eq!(conversation["last_message_type"], "image");
        assert_eq!(conversation["last_message_status"], "read");
        assert_eq!(conversation["last_message"], Value::Null);
    }
}
