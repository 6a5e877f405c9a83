//! Failures on demand, and that what they leave behind is what Meta would leave behind.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{NUMBER, Rig, text};

async fn accepted(rig: &Rig) -> usize {
    rig.get("/_simulator/messages").await.as_array().unwrap().len()
}

#[tokio::test]
async fn an_error_is_answered_as_often_as_asked_and_nothing_is_accepted() {
    let rig = Rig::start().await;
    rig.set_fault(
        json!({"kind": "http_error", "status": 503, "code": 131_016, "details": "Try later",
        "is_transient": true, "retry_after": 7, "times": 1}),
    )
    .await;
    let (status, answer) = rig.send(&text("Hello")).await;
    assert_eq!(status, 503);
    assert_eq!(answer["error"]["code"], 131_016);
    assert_eq!(answer["error"]["message"], "(#131016) Service unavailable");
    assert_eq!(answer["error"]["is_transient"], true);
    assert_eq!(answer["error"]["error_data"]["details"], "Try later");
    assert_eq!(accepted(&rig).await, 0);
    rig.send_accepted(&text("Hello")).await;
    assert_eq!(rig.get("/_simulator/faults").await, json!([]));
}

#[tokio::test]
async fn a_fault_for_one_customer_or_operation_spares_the_others() {
    let rig = Rig::start().await;
    rig.set_fault(json!({"kind": "http_error", "status": 400, "code": 131_026, "match": {"to": "+1 650 555 0199"}}))
        .await;
    rig.set_fault(json!({"kind": "http_error", "status": 500, "code": 2, "match": {"operation": "templates"}}))
        .await;
    rig.send_accepted(&text("Hello")).await;
    let mut other = text("Hello");
    other["to"] = json!("16505550199");
    assert_eq!(rig.send(&other).await.1["error"]["code"], 131_026);
    let templates = rig.get("/v26.0/200000000000001/message_templates").await;
    assert_eq!(templates["error"]["code"], 2);
    rig.call(Method::DELETE, "/_simulator/faults", None).await.unwrap();
    rig.send_accepted(&other).await;
}

#[tokio::test]
async fn without_an_answer_the_message_counts_and_its_statuses_come() {
    let rig = Rig::start().await;
    rig.open_window().await;
    rig.set_fault(json!({"kind": "no_answer", "times": 1})).await;
    let mut body = text("Hello");
    body["biz_opaque_callback_data"] = json!("ours");
    let path = format!("/v26.0/{NUMBER}/messages");
    rig.call(Method::POST, &path, Some(&body))
        .await
        .expect_err("there is no answer");
    assert_eq!(accepted(&rig).await, 1);
    assert_eq!(rig.all_statuses().await[2]["biz_opaque_callback_data"], "ours");
    let log = rig.get("/_simulator/requests").await;
    assert_eq!(log[0]["response"], Value::Null);
    assert_eq!(log[0]["body"], body);
}

#[tokio::test]
async fn without_an_answer_before_accepting_nothing_counts() {
    let rig = Rig::start().await;
    rig.set_fault(json!({"kind": "no_answer_before_accept", "times": 1}))
        .await;
    let path = format!("/v26.0/{NUMBER}/messages");
    rig.call(Method::POST, &path, Some(&text("Hello")))
        .await
        .expect_err("there is no answer");
    assert_eq!(accepted(&rig).await, 0);
}

#[tokio::test]
async fn a_delay_outlives_a_client_that_hangs_up() {
    let rig = Rig::start().await;
    rig.open_window().await;
    rig.set_fault(json!({"kind": "delay", "ms": 300, "times": 1})).await;
    let request = rig.client.post(format!("{}/v26.0/{NUMBER}/messages", rig.base));
    let request = request.bearer_auth(crate::harness::TOKEN).json(&text("Hello"));
    let error = request.timeout(Duration::from_millis(60)).send().await.unwrap_err();
    assert!(error.is_timeout());
    rig.wait_for("the statuses", |received| received.len() == 3).await;
    assert_eq!(accepted(&rig).await, 1);
}

#[tokio::test]
async fn a_message_can_be_made_to_fail_after_it_was_sent() {
    let rig = Rig::start().await;
    rig.open_window().await;
    rig.set_fault(json!({"kind": "status_failed", "code": 131_049, "after_sent": true, "times": 1}))
        .await;
    rig.send_accepted(&text("Hello")).await;
    let statuses = rig.all_statuses().await;
    assert_eq!(statuses[0]["status"], "sent");
    assert_eq!(statuses[1]["status"], "failed");
    assert_eq!(statuses[1]["errors"][0]["code"], 131_049);
    assert_eq!(statuses.len(), 2);
}

#[tokio::test]
async fn webhooks_can_be_withheld_doubled_and_turned_around() {
    let rig = Rig::start().await;
    rig.open_window().await;
    let order_of = async |fault: &str| {
        let before = rig.all_statuses().await.len();
        rig.set_fault(json!({"kind": fault, "times": 1})).await;
        rig.send_accepted(&text("Hello")).await;
        let statuses = rig.all_statuses().await.split_off(before);
        statuses
            .iter()
            .map(|s| s["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(order_of("no_webhooks").await, [] as [&str; 0]);
    assert_eq!(order_of("shuffle_webhooks").await, ["read", "delivered", "sent"]);
    let doubled = order_of("duplicate_webhooks").await;
    assert_eq!(doubled, ["sent", "sent", "delivered", "delivered", "read", "read"]);
}

#[tokio::test]
async fn a_fault_that_means_nothing_is_refused() {
    let rig = Rig::start().await;
    for fault in [
        json!({"kind": "earthquake"}),
        json!({"kind": "delay"}),
        json!({"kind": "no_webhooks", "tmies": 1}),
        json!({"kind": "delay", "ms": 1, "match": {"too": "1"}}),
        json!({"kind": "delay", "ms": 1, "probability": 2}),
    ] {
        let answer = rig
            .call(Method::POST, "/_simulator/faults", Some(&fault))
            .await
            .unwrap();
        assert_eq!(answer.0, 422, "{fault} was answered with {}", answer.1);
    }
}
