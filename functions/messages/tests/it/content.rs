//! What a message shows.

use serde_json::{Value, json};

use super::support::{Fixture, NUMBER, WABA};

/// Everything a message shows, null where the row says nothing.
fn bare(id: i64, conversation: i64) -> Value {
    json!({
        "id": id, "message_id": null, "wa_message_id": null, "conversation_id": conversation, "content": null,
        "message_type": null, "sender": null, "timestamp": null, "status": null, "sent_at": null, "delivered_at": null,
        "read_at": null, "error": null, "media": null, "media_caption": null, "reply_to": null, "reactions": [],
        "edited_at": null, "deleted_at": null, "referral": null, "pricing": null, "metadata": null, "snippet": null,
    })
}

fn with(mut message: Value, rest: &Value) -> Value {
    let fields = message.as_object_mut().unwrap();
    for (name, value) in rest.as_object().unwrap() {
        assert!(
            fields.insert(name.clone(), value.clone()).is_some(),
            "{name} is no field of a message"
        );
    }
    message
}

#[tokio::test]
async fn a_bare_row_of_the_first_schema_has_every_field_and_null_for_what_it_lacks() {
    let fixture = Fixture::new().await;
    let id = fixture
        .insert(
            "message_type, status, created_at, media_url",
            "null, null, null, 'https://old.example/file'",
        )
        .await;
    assert_eq!(fixture.message(id).await, bare(id, fixture.conversation));
}

#[tokio::test]
async fn an_agents_text_shows_its_times_and_its_price() {
    let fixture = Fixture::new().await;
    let id = fixture
        .insert(
            r#"message_id, wa_message_id, content, message_type, sender, status, "timestamp", sent_at, delivered_at, read_at, pricing,
               referral, metadata, error"#,
            r#"'6f9619ff-8b86-4011-b42d-00c04fc964ff', 'wamid.A', 'hello', 'text', 'user', 'read', '2026-07-01 12:00:00.5+00',
               '2026-07-01 14:00:01+02', '2026-07-01 12:00:02+00', '2026-07-01 12:00:03+00', '{"category": "service"}',
               '{"source_id": "1"}', '{"k": [1]}', '{"code": 131000, "retryable": true}'"#,
        )
        .await;
    let expected = with(
        bare(id, fixture.conversation),
        &json!({
            "message_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "wa_message_id": "wamid.A", "content": "hello",
            "message_type": "text", "sender": "user", "status": "read", "timestamp": "2026-07-01T12:00:00.5Z",
            "sent_at": "2026-07-01T12:00:01Z", "delivered_at": "2026-07-01T12:00:02Z", "read_at": "2026-07-01T12:00:03Z",
            "pricing": {"category": "service"}, "referral": {"source_id": "1"}, "metadata": {"k": [1]}, "snippet": null,
        }),
    );
    assert_eq!(
        fixture.message(id).await,
        expected,
        "an error that delivery outranked is not shown"
    );
}

#[tokio::test]
async fn a_failed_message_says_why() {
    let fixture = Fixture::new().await;
    let columns = "sender, message_type, status, created_at, error";
    let id = fixture
        .insert(
            columns,
            r#"'user', 'text', 'failed', null,
               '{"code": 131026, "title": "Message undeliverable", "details": "Not on WhatsApp", "retryable": false}'"#,
        )
        .await;
    let error =
        json!({"code": 131_026, "title": "Message undeliverable", "details": "Not on WhatsApp", "retryable": false});
    let expected = json!({"sender": "user", "message_type": "text", "status": "failed", "error": error});
    assert_eq!(
        fixture.message(id).await,
        with(bare(id, fixture.conversation), &expected)
    );

    let partial = fixture
        .insert(
            columns,
            r#"'user', 'text', 'failed', null, '{"code": null, "retryable": true}'"#,
        )
        .await;
    let error = json!({"code": null, "title": null, "details": null, "retryable": true});
    assert_eq!(fixture.message(partial).await["error"], error);
    // A row of the first schema.
    let old = fixture.insert(columns, "'user', 'text', 'failed', null, null").await;
    assert_eq!(fixture.message(old).await["error"], Value::Null);
}

#[tokio::test]
async fn an_inbound_file_shows_its_media() {
    let mut fixture = Fixture::new().await;
    let message = |wamid: &str, kind: &str, file: Value| json!({"from": "15550001", "id": wamid, "timestamp": "1782907200", "type": kind, kind: file});
    let webhook = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER},
        "contacts": [{"wa_id": "15550001", "profile": {"name": "Ana"}}],
        "messages": [
            message("wamid.1", "document", json!({"id": "m1", "mime_type": "application/pdf", "sha256": "c2hh", "filename": "bill.pdf",
                                                  "caption": "the bill"})),
            message("wamid.2", "audio", json!({"id": "m2", "mime_type": "audio/ogg; codecs=opus", "sha256": "c2hh", "voice": true})),
            message("wamid.3", "sticker", json!({"id": "m3", "mime_type": "image/webp", "sha256": "c2hh", "animated": false})),
        ]
    }}]}]});
    fixture
        .database
        .ingest(&webhook, "2026-07-01T12:00:01Z".parse().unwrap())
        .await;
    let media = |rest: &Value| {
        with(
            json!({"state": "pending", "mime_type": null, "filename": null, "size": null, "sha256": "c2hh", "width": null,
                   "height": null, "duration_ms": null, "peaks": null, "voice": null, "animated": null}),
            rest,
        )
    };
    let page = fixture.page("").await;
    let expected = [
        media(&json!({"mime_type": "image/webp", "animated": false})),
        media(&json!({"mime_type": "audio/ogg; codecs=opus", "voice": true})),
        media(&json!({"mime_type": "application/pdf", "filename": "bill.pdf"})),
    ];
    let messages = page["messages"].as_array().unwrap();
    let shown: Vec<&Value> = messages.iter().map(|message| &message["media"]).collect();
    assert_eq!(shown, expected.iter().collect::<Vec<_>>());
    assert_eq!(messages[2]["media_caption"], "the bill");
    assert_eq!(messages[2]["content"], Value::Null);
    assert_eq!(messages[2]["message_type"], "document");
    assert!(
        messages
            .iter()
            .all(|message| message["status"] == "delivered" && message["sender"] == "customer")
    );
    assert!(
        !page.to_string().contains("m1"),
        "WhatsApp's id of the file is not the client's business"
    );
}

#[tokio::test]
async fn a_reply_shows_the_message_it_answers() {
    let fixture = Fixture::new().await;
    let columns = "message_id, wa_message_id, message_type, sender, content, media_caption, reply_to_wa_message_id";
    let quoted = "'6f9619ff-8b86-4011-b42d-00c04fc964ff', 'wamid.Q', 'text', 'user', 'how are you?', null, null";
    fixture.insert(columns, quoted).await;
    fixture
        .insert(columns, "null, 'wamid.P', 'image', 'customer', null, 'a picture', null")
        .await;
    for (target, expected) in [
        (
            "'wamid.Q'",
            json!({"message_id": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "wa_message_id": "wamid.Q", "sender": "user",
                   "message_type": "text", "content": "how are you?"}),
        ),
        (
            "'wamid.P'",
            json!({"message_id": null, "wa_message_id": "wamid.P", "sender": "customer", "message_type": "image",
                   "content": "a picture"}),
        ),
        (
            "'wamid.unknown'",
            json!({"message_id": null, "wa_message_id": "wamid.unknown", "sender": null, "message_type": null, "content": null}),
        ),
        ("null", Value::Null),
    ] {
        let values = format!("gen_random_uuid()::text, null, 'text', 'customer', 'fine', null, {target}");
        let id = fixture.insert(columns, &values).await;
        assert_eq!(fixture.message(id).await["reply_to"], expected, "{target}");
    }
}

#[tokio::test]
async fn a_reply_never_shows_a_message_of_another_conversation() {
    let fixture = Fixture::new().await;
    let stranger = format!(
        "with c as (insert into chat_conversations (waba_id, phone_number_id, customer_phone)
                    values ('900999', '{NUMBER}', '+1') returning id)
         insert into chat_messages (conversation_id, wa_message_id, content) select id, 'wamid.secret', 'secret' from c"
    );
    fixture.database.client.batch_execute(&stranger).await.unwrap();
    let id = fixture
        .insert("content, reply_to_wa_message_id", "'hm', 'wamid.secret'")
        .await;
    let reply_to = fixture.message(id).await["reply_to"].clone();
    assert_eq!(
        (&reply_to["wa_message_id"], &reply_to["content"]),
        (&json!("wamid.secret"), &Value::Null)
    );
}

#[tokio::test]
async fn any_text_comes_back_as_it_was_stored() {
    let fixture = Fixture::new().await;
    for text in [
        "👩‍👩‍👧‍👦 \u{202e}rtl\u{2028}",
        "\"quotes\" \\ <b>",
        " \n\t ",
        &"é".repeat(65_536),
    ] {
        let id = fixture
            .database
            .client
            .query_one(
                "insert into chat_messages (conversation_id, content) values ($1, $2) returning id",
                &[&fixture.conversation, &text],
            )
            .await
            .unwrap()
            .get(0);
        assert_eq!(fixture.message(id).await["content"], *text);
    }
}
