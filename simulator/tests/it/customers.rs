//! What customers do, in the shapes of Meta's webhooks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{CUSTOMER, NUMBER, Rig, WABA, text};

/// Lets the customer send `order` and returns the message of its webhook.
async fn message_of(rig: &Rig, order: Value) -> Value {
    let wamid = rig.customer_sends(order).await;
    let webhooks = rig.all_received().await;
    let webhook = webhooks.last().unwrap();
    assert_eq!(webhook.json["object"], "whatsapp_business_account");
    assert_eq!(webhook.json["entry"][0]["id"], WABA);
    assert_eq!(webhook.json["entry"][0]["changes"][0]["field"], "messages");
    let value = webhook.value();
    assert_eq!(value["metadata"]["phone_number_id"], NUMBER);
    let message = &value["messages"][0];
    assert_eq!(message["id"], wamid);
    assert_eq!(message["from"], CUSTOMER);
    assert!(message["timestamp"].as_str().unwrap().parse::<i64>().is_ok());
    if message["type"] == "system" {
        assert!(value.get("contacts").is_none());
    } else {
        assert_eq!(value["contacts"][0]["wa_id"], CUSTOMER);
        assert_eq!(value["contacts"][0]["profile"]["name"], "Ada");
        assert_eq!(value["contacts"][0]["user_id"], message["from_user_id"]);
    }
    message.clone()
}

#[tokio::test]
async fn every_type_of_message_has_its_shape() {
    let rig = Rig::start().await;
    let first = rig.open_window().await;
    let cases = [
        (json!({"text": "Hello"}), "text", vec!["body"]),
        (
            json!({"type": "image", "image": {"caption": "Look"}}),
            "image",
            vec!["id", "mime_type", "sha256", "caption"],
        ),
        (json!({"type": "video"}), "video", vec!["id", "mime_type", "sha256"]),
        (
            json!({"type": "audio"}),
            "audio",
            vec!["id", "mime_type", "sha256", "voice"],
        ),
        (
            json!({"type": "voice"}),
            "audio",
            vec!["id", "mime_type", "sha256", "voice"],
        ),
        (
            json!({"type": "document"}),
            "document",
            vec!["id", "mime_type", "sha256", "filename"],
        ),
        (
            json!({"type": "sticker"}),
            "sticker",
            vec!["id", "mime_type", "sha256", "animated"],
        ),
        (json!({"type": "location"}), "location", vec!["latitude", "longitude"]),
        (json!({"type": "contacts"}), "contacts", vec![]),
        (
            json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "1", "title": "Yes"}}}),
            "interactive",
            vec!["button_reply"],
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "Yes"}}}),
            "interactive",
            vec!["list_reply"],
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"response_json": {"a": 1}}}}),
            "interactive",
            vec!["nfm_reply"],
        ),
        (json!({"type": "button"}), "button", vec!["payload", "text"]),
        (
            json!({"type": "reaction", "reaction": {"message_id": first}}),
            "reaction",
            vec!["message_id", "emoji"],
        ),
        (json!({"type": "order"}), "order", vec!["catalog_id", "product_items"]),
        (json!({"type": "system"}), "system", vec!["body", "type", "wa_id"]),
        (
            json!({"type": "edit", "edit": {"original_message_id": first, "message": {"type": "text", "text": {"body": "Hi"}}}}),
            "edit",
            vec!["original_message_id", "message"],
        ),
        (
            json!({"type": "revoke", "revoke": {"original_message_id": first}}),
            "revoke",
            vec!["original_message_id"],
        ),
    ];
    for (order, kind, fields) in cases {
        let message = message_of(&rig, order).await;
        assert_eq!(message["type"], kind);
        for field in fields {
            assert!(message[kind].get(field).is_some(), "{field} is missing in {message}");
        }
        if kind == "interactive" && message[kind]["type"] == "nfm_reply" {
            assert_eq!(message[kind]["nfm_reply"]["response_json"], r#"{"a":1}"#);
        }
    }
    let unsupported = message_of(&rig, json!({"type": "unsupported"})).await;
    assert_eq!(unsupported["errors"][0]["code"], 131_051);
    assert!(unsupported.get("unsupported").is_none());
    let future = message_of(&rig, json!({"type": "hologram", "hologram": {"depth": 3}})).await;
    assert_eq!(future["hologram"]["depth"], 3);
}

#[tokio::test]
async fn replies_referrals_and_times_go_along() {
    let rig = Rig::start().await;
    let own = rig.open_window().await;
    let answer = rig.send_accepted(&text("Hello")).await;
    rig.flush().await;
    let to_business = message_of(&rig, json!({"text": "a", "context": {"message_id": answer}})).await;
    assert_eq!(to_business["context"], json!({"from": "155500001", "id": answer}));
    let to_self = message_of(&rig, json!({"text": "b", "context": {"id": own, "forwarded": true}})).await;
    assert_eq!(
        to_self["context"],
        json!({"from": CUSTOMER, "id": own, "forwarded": true})
    );
    let ad = message_of(
        &rig,
        json!({"text": "c", "referral": {"source_type": "ad"}, "timestamp": "1700000000"}),
    )
    .await;
    assert_eq!(ad["referral"]["source_type"], "ad");
    assert_eq!(ad["timestamp"], "1700000000");
}

#[tokio::test]
async fn a_customer_with_a_username_has_no_phone_anywhere() {
    let rig = Rig::start().await;
    let order = json!({"phone_number_id": NUMBER, "username": "ada", "name": "Ada", "text": "Hi"});
    let path = "/_simulator/customer-messages";
    rig.call(Method::POST, path, Some(&order)).await.unwrap();
    let webhook = rig.all_received().await.remove(0);
    let message = &webhook.value()["messages"][0];
    let user_id = message["from_user_id"].as_str().unwrap();
    assert!(message.get("from").is_none());
    let contact = json!({"profile": {"name": "Ada", "username": "ada"}, "user_id": user_id});
    assert_eq!(webhook.value()["contacts"], json!([contact]));

    let reply = json!({"messaging_product": "whatsapp", "recipient": user_id, "text": {"body": "Hi"}});
    rig.send_accepted(&reply).await;
    let statuses = rig.all_statuses().await;
    assert_eq!(statuses.len(), 3);
    assert!(
        statuses
            .iter()
            .all(|s| s["recipient_user_id"] == user_id && s.get("recipient_id").is_none())
    );
    assert_eq!(rig.get("/_simulator/conversations").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_echo_is_from_the_business_and_opens_no_window() {
    let rig = Rig::start().await;
    let order = json!({"phone_number_id": NUMBER, "to": CUSTOMER, "text": "From my phone"});
    rig.call(Method::POST, "/_simulator/echoes", Some(&order))
        .await
        .unwrap();
    let webhook = rig.all_received().await.remove(0);
    assert_eq!(webhook.json["entry"][0]["changes"][0]["field"], "smb_message_echoes");
    let echo = &webhook.value()["message_echoes"][0];
    assert_eq!((&echo["from"], &echo["to"]), (&json!("155500001"), &json!(CUSTOMER)));
    rig.send_accepted(&text("Hello")).await;
    assert_eq!(rig.all_statuses().await[0]["errors"][0]["code"], 131_047);
}

#[tokio::test]
async fn any_bytes_can_be_signed_and_posted_once() {
    let rig = Rig::start().await;
    let request = rig.client.post(format!("{}/_simulator/raw-webhooks", rig.base));
    let answer: Value = request
        .body("not JSON \u{1}")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["status"], 200);
    assert_eq!(rig.received()[0].bytes, "not JSON \u{1}".as_bytes());
}

#[tokio::test]
async fn an_order_that_cannot_be_is_refused() {
    let rig = Rig::start().await;
    for order in [
        json!({"from": CUSTOMER, "text": "x"}),
        json!({"phone_number_id": "999", "from": CUSTOMER, "text": "x"}),
        json!({"phone_number_id": NUMBER, "text": "x"}),
        json!({"phone_number_id": NUMBER, "from": "nobody", "text": "x"}),
        json!({"phone_number_id": NUMBER, "from": CUSTOMER}),
        json!({"phone_number_id": NUMBER, "from": CUSTOMER, "type": "image", "text": "x"}),
        json!({"phone_number_id": NUMBER, "from": CUSTOMER, "type": "reaction"}),
    ] {
        let path = "/_simulator/customer-messages";
        let (status, answer) = rig.call(Method::POST, path, Some(&order)).await.unwrap();
        assert_eq!(status, 422, "{order} was answered with {answer}");
        assert!(answer["error"].is_string());
    }
    assert!(rig.received().is_empty());
}

#[tokio::test]
async fn the_phone_is_a_page_and_hears_of_changes() {
    let rig = Rig::start().await;
    let page = rig.client.get(&rig.base).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("A customer's phone"));
    let mut events = rig
        .client
        .get(format!("{}/_simulator/events", rig.base))
        .send()
        .await
        .unwrap();
    rig.customer_sends(json!({"text": "Hello"})).await;
    let event = events.chunk().await.unwrap().unwrap();
    let event = String::from_utf8_lossy(&event);
    assert!(event.contains("event: change") && event.contains(CUSTOMER), "{event}");
}
