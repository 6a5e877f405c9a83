//! What becomes of webhooks: rows, or the quarantine, never nothing.

use crate::support::{Fixture, NOON, NUMBER, WABA, message, status, text, value, webhook};
use serde_json::{Value, json};
use shared::whatsapp::split::Unit;
use shared::whatsapp::unit;

#[tokio::test]
async fn a_text_becomes_a_message_of_its_customers_conversation() {
    let fixture = Fixture::new().await;
    assert!(
        fixture
            .consume(&[text("15550111", "wamid.A", NOON, "Hello")])
            .await
            .is_empty()
    );
    assert_eq!(
        fixture.messages().await,
        [
            json!({"wamid": "wamid.A", "type": "text", "content": "Hello", "caption": null, "sender": "customer", "status": "delivered", "time": NOON})
        ]
    );
    assert_eq!(
        fixture.conversations().await,
        [
            json!({"phone": "+15550111", "user_id": null, "name": "Ana", "username": null, "last": "Hello", "unread": 1, "status": "active"})
        ]
    );
    let owner = "select count(*) from chat_conversations c join waba_accounts a using (waba_id, user_id)";
    assert_eq!(fixture.database.count(owner).await, 1);
}

#[tokio::test]
async fn media_is_stored_with_its_ids_to_be_fetched_later() {
    let fixture = Fixture::new().await;
    let kinds = [
        (
            "image",
            json!({"id": "M1", "mime_type": "image/jpeg", "sha256": "aGFzaA==", "caption": "Look"}),
        ),
        (
            "video",
            json!({"id": "M2", "mime_type": "video/mp4", "sha256": "aGFzaA=="}),
        ),
        (
            "audio",
            json!({"id": "M3", "mime_type": "audio/ogg; codecs=opus", "sha256": "aGFzaA==", "voice": true}),
        ),
        (
            "document",
            json!({"id": "M4", "mime_type": "application/pdf", "sha256": "aGFzaA==", "filename": "facture é.pdf"}),
        ),
        (
            "sticker",
            json!({"id": "M5", "mime_type": "image/webp", "sha256": "aGFzaA==", "animated": true}),
        ),
    ];
    for (index, (kind, body)) in (0..).zip(&kinds) {
        let item = json!({"id": format!("wamid.{kind}"), "timestamp": (NOON + index).to_string(), "type": kind, (*kind): body});
        fixture.consume(&[message("15550111", "Ana", item)]).await;
    }
    let stored = fixture
        .database
        .json(
            "select jsonb_build_array(m.message_type, f.wa_media_id, f.mime_type, f.filename, f.voice, f.animated, f.state, m.media_caption)
             from chat_media f join chat_messages m on m.id = f.message_id order by m.timestamp",
        )
        .await;
    assert_eq!(
        stored,
        [
            json!(["image", "M1", "image/jpeg", null, null, null, "pending", "Look"]),
            json!(["video", "M2", "video/mp4", null, null, null, "pending", null]),
            json!([
                "audio",
                "M3",
                "audio/ogg; codecs=opus",
                null,
                true,
                null,
                "pending",
                null
            ]),
            json!([
                "document",
                "M4",
                "application/pdf",
                "facture é.pdf",
                null,
                null,
                "pending",
                null
            ]),
            json!(["sticker", "M5", "image/webp", null, null, true, "pending", null]),
        ]
    );
    assert_eq!(fixture.conversations().await[0]["last"], Value::Null);
    let asked: Vec<Value> = fixture
        .media_sqs
        .calls()
        .iter()
        .flat_map(|(_, input)| input["Entries"].as_array().cloned().unwrap_or_default())
        .map(|entry| {
            serde_json::from_str::<Value>(entry["MessageBody"].as_str().unwrap()).unwrap()["message_id"].clone()
        })
        .collect();
    let ids = fixture
        .database
        .json("select to_jsonb(id) from chat_messages order by id")
        .await;
    assert_eq!(asked, ids);
}

#[tokio::test]
async fn everything_delivered_three_times_is_there_once() {
    let fixture = Fixture::new().await;
    let bodies = [
        text("15550111", "wamid.A", NOON, "one"),
        status("wamid.S", "sent", NOON),
        webhook(&json!({"strange": true})),
        "not a webhook".to_owned(),
    ];
    let thrice: Vec<String> = bodies.iter().cycle().take(12).cloned().collect();
    fixture.consume(&thrice).await;
    let before = dump(&fixture).await;
    fixture.consume(&bodies).await;
    assert_eq!(dump(&fixture).await, before);
    assert_eq!(fixture.messages().await.len(), 1);
    assert_eq!(fixture.quarantine().await, [json!("no_items"), json!("not_an_object")]);
    assert_eq!(
        fixture.database.count("select count(*) from chat_message_events").await,
        1
    );
    assert_eq!(fixture.conversations().await[0]["unread"], 1);
}

async fn dump(fixture: &Fixture) -> Vec<Value> {
    let mut all = Vec::new();
    for table in [
        "chat_conversations",
        "chat_messages",
        "chat_message_events",
        "chat_message_sources",
        "chat_media",
        "chat_quarantine",
    ] {
        all.extend(
            fixture
                .database
                .json(&format!("select to_jsonb(t) from {table} t order by 1"))
                .await,
        );
    }
    all
}

/// Puts a message of the agent into the customer's conversation, as the send function does.
async fn insert_sent(fixture: &Fixture, message_id: &str, wamid: Option<&str>) {
    fixture
        .database
        .client
        .execute(
            "insert into chat_messages (conversation_id, message_id, wa_message_id, message_type, content, sender, status, timestamp)
             select id, $1, $2, 'text', 'Hi', 'user', 'pending', now() from chat_conversations limit 1",
            &[&message_id, &wamid],
        )
        .await
        .unwrap();
}

async fn sent_state(fixture: &Fixture) -> Value {
    let rows = fixture
        .database
        .json(
            "select jsonb_build_object('status', status, 'wamid', wa_message_id, 'error', error, 'sent', extract(epoch from sent_at)::bigint,
               'delivered', extract(epoch from delivered_at)::bigint, 'read', extract(epoch from read_at)::bigint)
             from chat_messages where sender = 'user'",
        )
        .await;
    rows[0].clone()
}

#[tokio::test]
async fn statuses_end_in_the_same_state_in_any_order() {
    let events = [("sent", 1), ("delivered", 2), ("read", 3), ("failed", 4)];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let fixture = Fixture::new().await;
        fixture.consume(&[text("15550111", "wamid.A", NOON, "Hello")]).await;
        insert_sent(&fixture, "our-id", Some("wamid.S")).await;
        for index in order {
            let (name, second) = events[index];
            fixture.consume(&[status("wamid.S", name, NOON + second)]).await;
        }
        assert_eq!(
            sent_state(&fixture).await,
            json!({"status": "read", "wamid": "wamid.S", "error": null, "sent": NOON + 1, "delivered": NOON + 2, "read": NOON + 3})
        );
    }
}

#[tokio::test]
async fn a_failure_says_why_and_outranks_sent_only() {
    let fixture = Fixture::new().await;
    fixture.consume(&[text("15550111", "wamid.A", NOON, "Hello")]).await;
    insert_sent(&fixture, "our-id", Some("wamid.S")).await;
    let failed = webhook(&value(
        json!({"statuses": [{"id": "wamid.S", "status": "failed", "timestamp": (NOON + 2).to_string(),
        "errors": [{"code": 131_026, "title": "Message undeliverable", "error_data": {"details": "Not on WhatsApp."}}]}]}),
    ));
    fixture.consume(&[failed, status("wamid.S", "sent", NOON + 1)]).await;
    let state = sent_state(&fixture).await;
    assert_eq!(state["status"], "failed");
    assert_eq!(
        state["error"],
        json!({"code": 131_026, "title": "Message undeliverable", "details": "Not on WhatsApp.", "retryable": false})
    );
    fixture.consume(&[status("wamid.S", "delivered", NOON + 3)]).await;
    assert_eq!(sent_state(&fixture).await["status"], "delivered");
}

#[tokio::test]
async fn a_status_with_our_id_settles_a_message_whose_answer_was_lost() {
    let fixture = Fixture::new().await;
    fixture.consume(&[text("15550111", "wamid.A", NOON, "Hello")]).await;
    insert_sent(&fixture, "our-id", None).await;
    let told = webhook(&value(
        json!({"statuses": [{"id": "wamid.S", "status": "delivered", "timestamp": NOON.to_string(),
        "recipient_id": "15550111", "biz_opaque_callback_data": "our-id"}]}),
    ));
    fixture.consume(&[told]).await;
    let state = sent_state(&fixture).await;
    assert_eq!(
        (state["status"].as_str(), state["wamid"].as_str()),
        (Some("delivered"), Some("wamid.S"))
    );
}

#[tokio::test]
async fn a_status_before_its_message_waits_for_it() {
    let fixture = Fixture::new().await;
    fixture.consume(&[status("wamid.S", "read", NOON)]).await;
    assert_eq!(
        fixture
            .database
            .count("select count(*) from chat_message_events where status = 'read'")
            .await,
        1
    );
    assert!(fixture.quarantine().await.is_empty());
}

#[tokio::test]
async fn of_two_items_with_one_wamid_the_earlier_stands_in_any_order() {
    let early = text("15550111", "wamid.A", NOON, "early");
    let late = text("15550111", "wamid.A", NOON + 9, "late");
    let mut outcomes = Vec::new();
    for batches in [
        vec![vec![&early, &late]],
        vec![vec![&late], vec![&early]],
        vec![vec![&early], vec![&late], vec![&early]],
    ] {
        let fixture = Fixture::new().await;
        for batch in batches {
            let bodies: Vec<String> = batch.into_iter().cloned().collect();
            fixture.consume(&bodies).await;
        }
        let kept = fixture
            .database
            .json("select to_jsonb(convert_from(body, 'UTF8')) from chat_quarantine")
            .await;
        outcomes.push((
            fixture.messages().await,
            fixture.conversations().await,
            fixture.quarantine().await,
            kept,
        ));
    }
    assert_eq!(outcomes[0].0[0]["content"], "early");
    assert_eq!(outcomes[0].1[0]["unread"], 1);
    assert_eq!(outcomes[0].2, [json!("conflicting_wamid")]);
    assert!(outcomes[0].3[0].as_str().unwrap().contains("late"));
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:#?}");
}

#[tokio::test]
async fn what_cannot_be_applied_is_kept_with_its_reason_and_disturbs_nobody() {
    let fixture = Fixture::new().await;
    let item = |change: Value| {
        let mut item = json!({"id": "wamid.X", "timestamp": NOON.to_string(), "type": "text", "text": {"body": "x"}});
        item.as_object_mut()
            .unwrap()
            .extend(change.as_object().cloned().unwrap_or_default());
        message("15550111", "Ana", item)
    };
    let no_metadata = webhook(
        &json!({"messages": [{"from": "15550111", "id": "wamid.M", "timestamp": "1", "type": "text", "text": {"body": "x"}}]}),
    );
    let foreign = webhook(&json!({"metadata": {"phone_number_id": "404"},
        "messages": [{"from": "15550111", "id": "wamid.F", "timestamp": "1", "type": "text", "text": {"body": "x"}}]}));
    let cases = [
        (item(json!({"id": null})), "missing_id"),
        (item(json!({"id": "w".repeat(256)})), "id_too_long"),
        (item(json!({"timestamp": "0"})), "invalid_timestamp"),
        (item(json!({"timestamp": "soon"})), "invalid_timestamp"),
        (item(json!({"timestamp": (NOON + 90_000).to_string()})), "invalid_timestamp"),
        (item(json!({"timestamp": "99999999999999999999"})), "invalid_timestamp"),
        (item(json!({"type": "reaction", "reaction": {"emoji": "x"}})), "missing_message_id"),
        (item(json!({"type": "edit", "edit": {"original_message_id": "wamid.O"}})), "malformed_edit"),
        (item(json!({"type": "revoke"})), "missing_original_message_id"),
        (item(json!({"group_id": "G"})), "group"),
        (no_metadata, "missing_phone_number_id"),
        (foreign, "unknown_phone_number"),
        (webhook(&value(json!({"messages": [{"id": "wamid.N", "timestamp": "1", "type": "text", "text": {"body": "x"}}]}))), "missing_sender"),
        (status("wamid.S", "RINGING", NOON), "status:RINGING"),
        (webhook(&value(json!({"errors": [{"code": 130_429}]}))), "value_error"),
        (json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "security", "value": {"a": 1}}]}]}).to_string(), "field:security"),
        ("{}".to_owned(), "not_whatsapp"),
        ("\"text\"".to_owned(), "not_an_object"),
    ];
    let mut bodies: Vec<String> = cases.iter().map(|(body, _)| body.clone()).collect();
    bodies.insert(7, text("15550111", "wamid.good", NOON, "good"));
    assert!(fixture.consume(&bodies).await.is_empty());
    let mut expected: Vec<Value> = cases.iter().map(|(_, reason)| json!(reason)).collect();
    expected.sort_by_key(ToString::to_string);
    let mut reasons = fixture.quarantine().await;
    reasons.sort_by_key(ToString::to_string);
    assert_eq!(reasons, expected);
    assert_eq!(fixture.messages().await.len(), 1);
}

#[tokio::test]
async fn strange_text_is_stored_and_poisons_nothing() {
    let fixture = Fixture::new().await;
    let long = "x".repeat(64 * 1024);
    let texts = [
        (r"nul \u0000 here".to_owned(), "nul  here".to_owned()),
        (
            r"lone \ud800 surrogate".to_owned(),
            "lone \u{fffd} surrogate".to_owned(),
        ),
        (r"\ufffe\uffff".to_owned(), "\u{fffe}\u{ffff}".to_owned()),
        ("👩‍👩‍👧‍👦 \u{202e}rtl".to_owned(), "👩‍👩‍👧‍👦 \u{202e}rtl".to_owned()),
        (long.clone(), long),
        (String::new(), String::new()),
    ];
    let bodies: Vec<String> = texts
        .iter()
        .enumerate()
        .map(|(index, (raw, _))| {
            text(
                "15550111",
                &format!("wamid.{index}"),
                NOON + i64::try_from(index).unwrap(),
                "PLACE",
            )
            .replace("PLACE", raw)
        })
        .collect();
    assert!(fixture.consume(&bodies).await.is_empty());
    let stored: Vec<Value> = fixture
        .messages()
        .await
        .into_iter()
        .map(|message| message["content"].clone())
        .collect();
    let expected: Vec<Value> = texts.iter().map(|(_, text)| json!(text)).collect();
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn nesting_of_any_depth_beside_a_good_message_keeps_both() {
    let fixture = Fixture::new().await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let good = r#"{"from":"15550111","id":"wamid.good","timestamp":"1782907200","type":"text","text":{"body":"good"}}"#;
    let body = webhook(&value(json!({"messages": "ITEMS", "deep": "DEEP"})))
        .replace("\"ITEMS\"", &format!(r#"[{{"id":"wamid.deep","x":{deep}}},{good}]"#))
        .replace("\"DEEP\"", &deep);
    assert!(fixture.consume(&[body]).await.is_empty());
    assert_eq!(fixture.messages().await[0]["content"], "good");
    assert_eq!(fixture.quarantine().await, [json!("unreadable_item")]);
}

#[tokio::test]
async fn packed_units_are_unpacked_and_bytes_that_are_no_text_are_kept() {
    let fixture = Fixture::new().await;
    let pack = |bytes: &[u8]| {
        let unit = Unit {
            group: None,
            body: bytes.to_vec(),
        };
        let packed = unit::encode(&unit).remove(0);
        assert!(packed.packed);
        packed.body
    };
    let bodies = [
        pack(text("15550111", "wamid.A", NOON, "a\u{fffe}b").as_bytes()),
        pack(b"{\"a\":\"\xff\"}"),
        "AAAA".to_owned(),
    ];
    let mut records = crate::support::records(&bodies);
    for record in &mut records {
        let attribute = json!({"stringValue": "gzip+base64", "dataType": "String"});
        record
            .message_attributes
            .insert("encoding".to_owned(), serde_json::from_value(attribute).unwrap());
    }
    let response = consumer::handle(&fixture.app, records).await;
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(fixture.messages().await[0]["content"], "a\u{fffe}b");
    assert_eq!(
        fixture.quarantine().await,
        [json!("invalid_utf8"), json!("undecodable")]
    );
}

#[tokio::test]
async fn an_old_conversation_without_a_plus_is_gone_on_with() {
    let fixture = Fixture::new().await;
    fixture
        .database
        .client
        .batch_execute(&format!(
            "insert into chat_conversations (waba_id, phone_number_id, customer_phone, unread_count, status) values ('{WABA}', '{NUMBER}', '15550111', 2, 'archived')"
        ))
        .await
        .unwrap();
    fixture.consume(&[text("15550111", "wamid.A", NOON, "again")]).await;
    let conversations = fixture.conversations().await;
    assert_eq!(conversations.len(), 1);
    assert_eq!(
        (&conversations[0]["unread"], &conversations[0]["status"]),
        (&json!(3), &json!("active"))
    );
}

#[tokio::test]
async fn a_customer_without_a_phone_number_has_one_conversation() {
    let fixture = Fixture::new().await;
    let from_id = |wamid: &str, time: i64| {
        webhook(&value(json!({
            "contacts": [{"user_id": "BR.77", "profile": {"name": "Bia", "username": "bia"}}],
            "messages": [{"from_user_id": "BR.77", "id": wamid, "timestamp": time.to_string(), "type": "text", "text": {"body": wamid}}]})))
    };
    fixture.consume(&[from_id("wamid.1", NOON)]).await;
    fixture.consume(&[from_id("wamid.2", NOON + 1)]).await;
    let conversations = fixture.conversations().await;
    assert_eq!(conversations.len(), 1);
    assert_eq!(
        (
            &conversations[0]["user_id"],
            &conversations[0]["username"],
            &conversations[0]["unread"]
        ),
        (&json!("BR.77"), &json!("bia"), &json!(2))
    );
    assert!(conversations[0]["phone"].as_str().unwrap().starts_with("bsuid:"));
}

#[tokio::test]
async fn the_newest_profile_names_the_customer_whatever_comes_last() {
    let fixture = Fixture::new().await;
    let named = |name: &str, wamid: &str, time: i64| {
        message(
            "15550111",
            name,
            json!({"id": wamid, "timestamp": time.to_string(), "type": "text", "text": {"body": "x"}}),
        )
    };
    fixture.consume(&[named("New", "wamid.2", NOON + 5)]).await;
    fixture.consume(&[named("Old", "wamid.1", NOON)]).await;
    assert_eq!(fixture.conversations().await[0]["name"], "New");
    let twice = named("Newest", "wamid.3", NOON + 9);
    fixture.consume(&[twice, named("Older", "wamid.0", NOON - 5)]).await;
    assert_eq!(fixture.conversations().await[0]["name"], "Newest");
}
