//! What comes back for an accepted message: signed, in sequence, with what it was sent with.

use aws_lc_rs::hmac;
use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{CUSTOMER, NUMBER, Received, Rig, SECRET, WABA, message, text};

fn names(statuses: &[Value]) -> Vec<&str> {
    statuses
        .iter()
        .map(|status| status["status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_is_sent_delivered_and_read_with_its_callback_data() {
    let rig = Rig::start().await;
    rig.open_window().await;
    let mut body = text("Grüße 👋");
    body["biz_opaque_callback_data"] = json!("ours");
    let wamid = rig.send_accepted(&body).await;
    let statuses = rig.all_statuses().await;
    assert_eq!(names(&statuses), ["sent", "delivered", "read"]);
    for status in &statuses {
        assert_eq!(status["id"], wamid);
        assert_eq!(status["recipient_id"], CUSTOMER);
        assert_eq!(status["biz_opaque_callback_data"], "ours");
        assert!(status["timestamp"].as_str().unwrap().parse::<i64>().is_ok());
        assert_eq!(status["pricing"]["category"], "service");
        assert_eq!(status["conversation"]["origin"]["type"], "service");
    }
    let webhook = &rig.received()[0];
    assert_eq!(webhook.json["object"], "whatsapp_business_account");
    assert_eq!(webhook.json["entry"][0]["id"], WABA);
    assert_eq!(webhook.json["entry"][0]["changes"][0]["field"], "messages");
    assert_eq!(webhook.value()["metadata"]["phone_number_id"], NUMBER);
}

#[tokio::test]
async fn the_signature_is_over_the_very_bytes() {
    let rig = Rig::start().await;
    rig.set_fault(json!({"kind": "escape_webhooks", "times": 1})).await;
    rig.customer_sends(json!({"text": "Grüße 👋 a/b"})).await;
    rig.flush().await;
    rig.customer_sends(json!({"text": "Grüße 👋 a/b"})).await;
    let received = rig.all_received().await;
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    for webhook in &received {
        let hex = webhook.signature.strip_prefix("sha256=").unwrap();
        hmac::verify(&key, &webhook.bytes, &hex::decode(hex).unwrap()).unwrap();
        assert_eq!(webhook.value()["messages"][0]["text"]["body"], "Grüße 👋 a/b");
    }
    assert!(received[0].bytes.is_ascii() && !received[1].bytes.is_ascii());
}

#[tokio::test]
async fn a_webhook_is_posted_until_it_is_answered_with_200() {
    let rig = Rig::start().await;
    rig.answer_webhooks_with(&[StatusCode::BAD_GATEWAY, StatusCode::ACCEPTED]);
    rig.customer_sends(json!({"text": "Once more"})).await;
    let received = rig.all_received().await;
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|webhook| webhook.bytes == received[0].bytes));
    let counts = rig.get("/_simulator/deliveries").await;
    assert_eq!(counts, json!({"pending": 0, "delivered": 1, "failed": 0}));
}

#[tokio::test]
async fn a_refused_webhook_holds_up_no_other() {
    let rig = Rig::start().await;
    rig.refuse_webhooks_with(Some("First"));
    rig.customer_sends(json!({"text": "First"})).await;
    rig.wait_for("the first try", |received| received.len() == 1).await;
    rig.customer_sends(json!({"text": "Second"})).await;
    let has = |received: &[Received], text: &str| {
        received
            .iter()
            .any(|webhook| webhook.value()["messages"][0]["text"]["body"] == text)
    };
    rig.wait_for("the second message", |received| has(received, "Second"))
        .await;
    rig.refuse_webhooks_with(None);
    rig.flush().await;
    let counts = rig.get("/_simulator/deliveries").await;
    assert_eq!(counts, json!({"pending": 0, "delivered": 2, "failed": 0}));
}

#[tokio::test]
async fn a_phone_that_is_put_away_reads_when_it_is_taken_up_again() {
    let rig = Rig::start().await;
    rig.open_window().await;
    let switch = async |open: bool| {
        let order = json!({"customer": CUSTOMER, "open": open});
        rig.call(Method::PUT, "/_simulator/phones", Some(&order)).await.unwrap();
    };
    switch(false).await;
    rig.send_accepted(&text("Are you there?")).await;
    assert_eq!(names(&rig.all_statuses().await), ["sent", "delivered"]);
    switch(true).await;
    assert_eq!(names(&rig.all_statuses().await), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn outside_the_window_a_message_is_accepted_and_fails_by_webhook() {
    let rig = Rig::start().await;
    let template = message(&json!({"type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}}}));
    rig.send_accepted(&template).await;
    assert_eq!(names(&rig.all_statuses().await), ["sent", "delivered", "read"]);
    rig.send_accepted(&text("Hello?")).await;
    rig.customer_sends(json!({"text": "Yesterday", "deliver": false, "timestamp": 1_600_000_000}))
        .await;
    rig.send_accepted(&text("Hello??")).await;
    let statuses = rig.all_statuses().await;
    assert_eq!(names(&statuses)[3..], ["failed", "failed"]);
    assert_eq!(statuses[4]["errors"][0]["code"], 131_047);
    assert!(statuses[4]["errors"][0]["error_data"]["details"].is_string());
    assert!(statuses[4].get("pricing").is_none());
}

#[tokio::test]
async fn what_was_never_seen_counts_as_real_where_the_configuration_says_so() {
    let rig = Rig::start_with(|config| config.trust_unseen = true).await;
    rig.send_accepted(&text("Hello")).await;
    assert_eq!(names(&rig.all_statuses().await), ["sent", "delivered", "read"]);
    let read = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.Elsewhere"});
    assert_eq!(rig.send(&read).await.0, 200);
    let old = json!({"text": "Long ago", "timestamp": 1_600_000_000, "from": "16505550177"});
    rig.customer_sends(old).await;
    let mut late = text("Too late");
    late["to"] = json!("16505550177");
    rig.send_accepted(&late).await;
    assert_eq!(rig.all_statuses().await.last().unwrap()["errors"][0]["code"], 131_047);
}

#[tokio::test]
async fn a_reaction_is_only_sent_and_needs_its_message() {
    let rig = Rig::start().await;
    let inbound = rig.open_window().await;
    let react = |wamid: &str| message(&json!({"type": "reaction", "reaction": {"message_id": wamid, "emoji": "👍"}}));
    rig.send_accepted(&react(&inbound)).await;
    assert_eq!(names(&rig.all_statuses().await), ["sent"]);
    rig.send_accepted(&react("wamid.Elsewhere")).await;
    assert_eq!(rig.all_statuses().await[1]["errors"][0]["code"], 131_009);
}
