//! Read receipts and typing indicators.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Desk, WABA};

const CUSTOMER: &str = "+4915112345678";

impl Desk {
    async fn type_in(&self, conversation: i64) -> (StatusCode, Value) {
        let body = json!({"conversation_id": conversation});
        self.post(self.send_function(None), "/api/live-chat/typing", &body)
            .await
    }

    async fn set_policy(&self, policy: &str) {
        let set = format!(
            "insert into chat_account_settings values ('{WABA}', '{policy}') on conflict (waba_id) do update set read_receipts = '{policy}'"
        );
        self.database.client.batch_execute(&set).await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_reports_the_customers_messages_as_read() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.text(conversation, "1").await;
    desk.tick().await;
    desk.text(conversation, "2").await;
    desk.tick().await;
    let wamid = format!("wamid.inbound{conversation}");
    assert_eq!(
        desk.receipts().await,
        [json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid})]
    );
}

#[tokio::test]
async fn no_answer_reports_anything_where_the_account_says_otherwise() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    for policy in ["never", "on_open"] {
        desk.set_policy(policy).await;
        desk.text(conversation, policy).await;
        desk.tick().await;
    }
    assert!(desk.receipts().await.is_empty());
}

#[tokio::test]
async fn a_receipt_that_graph_could_not_take_is_told_again_and_one_that_it_refuses_is_over() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let owed = "select count(*) from chat_conversation_signals where receipt_next_try_at is not null";
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 2, "times": 1, "match": {"operation": "read"}}))
        .await;
    desk.text(conversation, "1").await;
    desk.tick().await;
    assert_eq!((desk.receipts().await.len(), desk.database.count(owed).await), (1, 1));
    desk.tick().await;
    assert_eq!(desk.receipts().await.len(), 1, "it is not due");
    desk.fault(
        json!({"kind": "http_error", "status": 400, "code": 131_009, "times": 1, "match": {"operation": "read"}}),
    )
    .await;
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!((desk.receipts().await.len(), desk.database.count(owed).await), (2, 0));
}

#[tokio::test]
async fn typing_is_shown_once_in_20_seconds() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    for sent in [true, false] {
        assert_eq!(
            desk.type_in(conversation).await,
            (StatusCode::OK, json!({"success": true, "sent": sent}))
        );
    }
    let pass = "update chat_conversation_signals set typing_sent_at = now() - interval '20 seconds'";
    desk.database.client.batch_execute(pass).await.unwrap();
    assert_eq!(desk.type_in(conversation).await.1["sent"], true);
    let receipts = desk.receipts().await;
    assert_eq!(receipts.len(), 2);
    assert_eq!(receipts[0]["typing_indicator"], json!({"type": "text"}));
}

#[tokio::test]
async fn typing_needs_something_to_answer_and_its_own_conversation() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let age = "update chat_messages set timestamp = now() - interval '31 days'";
    desk.database.client.batch_execute(age).await.unwrap();
    let (status, reply) = desk.type_in(conversation).await;
    assert_eq!(
        (status, &reply["error"]["code"]),
        (StatusCode::CONFLICT, &json!("nothing_to_answer"))
    );
    assert_eq!(desk.type_in(conversation + 1).await.0, StatusCode::NOT_FOUND);
    assert!(desk.receipts().await.is_empty());
}

#[tokio::test]
async fn typing_shows_nothing_where_nothing_may_be_known_as_read_and_fails_nobody() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.set_policy("never").await;
    assert_eq!(desk.type_in(conversation).await.1["sent"], false);
    assert!(desk.receipts().await.is_empty());
    desk.set_policy("on_reply").await;
    desk.fault(json!({"kind": "http_error", "status": 500, "code": 1, "match": {"operation": "read"}}))
        .await;
    assert_eq!(
        desk.type_in(conversation).await,
        (StatusCode::OK, json!({"success": true, "sent": false}))
    );
}
