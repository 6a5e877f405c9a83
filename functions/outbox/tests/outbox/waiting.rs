//! Since when a customer waits, while answers are on their way: what is owed is an answer, what failed is none.

use axum::http::StatusCode;
use serde_json::json;
use shared::domain::ingest::{self, Plan};
use shared::whatsapp::webhook;

use crate::support::{Desk, NUMBER, WABA};

const CUSTOMER: &str = "+4915112345678";

impl Desk {
    /// Whether the conversation waits, and if so since the customer's only message.
    async fn waits(&self, conversation: i64) -> bool {
        let sql = format!(
            "select to_jsonb(case when c.waiting_since is null then 'no'
                                  when c.waiting_since = (select min(m.timestamp) from chat_messages m
                                                          where m.conversation_id = c.id and m.sender = 'customer') then 'yes' end)
             from chat_conversations c where c.id = {conversation}"
        );
        let found = self.database.json(&sql).await.remove(0);
        assert!(found == "yes" || found == "no", "since another time");
        found == "yes"
    }
}

#[tokio::test]
async fn an_answer_that_fails_leaves_the_customer_waiting_until_it_is_sent_again() {
    let desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    assert!(desk.waits(conversation).await);
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 131_000, "times": 1}))
        .await;
    let (id, status) = desk.text(conversation, "Hi!").await;
    assert_eq!(status, "pending");
    assert!(!desk.waits(conversation).await, "it is owed");
    desk.fault(json!({"kind": "http_error", "status": 400, "code": 131_026, "times": 1}))
        .await;
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!(desk.state(&id).await.0, "failed");
    assert!(desk.waits(conversation).await);
    desk.fault(json!({"kind": "no_answer_before_accept", "times": 1})).await;
    let again = json!({"conversation_id": conversation, "message": "Hi!", "message_id": id, "retry": true});
    assert_eq!(desk.send(again).await.0, StatusCode::ACCEPTED);
    assert!(!desk.waits(conversation).await);
}

#[tokio::test]
async fn an_answer_that_nobody_confirmed_is_none_until_a_status_says_otherwise() {
    let mut desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    desk.fault(json!({"kind": "no_answer_before_accept", "times": 1})).await;
    let (id, _) = desk.text(conversation, "Hi!").await;
    assert!(!desk.waits(conversation).await);
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!(desk.state(&id).await.0, "failed");
    assert!(desk.waits(conversation).await);
    let now = jiff::Timestamp::now();
    let status = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550300", "phone_number_id": NUMBER},
        "statuses": [{"id": "wamid.late", "status": "delivered", "timestamp": now.as_second().to_string(), "recipient_id": &CUSTOMER[1..],
            "biz_opaque_callback_data": id}]}}]}]});
    let mut plan = Plan::default();
    ingest::plan(webhook::parse(&status.to_string()), now, &mut plan);
    shared::db::ingest::apply(&mut desk.database.client, &plan, now)
        .await
        .unwrap();
    assert_eq!(desk.state(&id).await.0, "delivered");
    assert!(!desk.waits(conversation).await);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_any_more_is_none() {
    let desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 131_000, "times": 1}))
        .await;
    let (id, _) = desk.text(conversation, "Hi!").await;
    desk.database
        .client
        .batch_execute("update chat_sends set request = '[]' where settled_at is null")
        .await
        .unwrap();
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!(desk.state(&id).await.0, "failed");
    assert!(desk.waits(conversation).await);
}
