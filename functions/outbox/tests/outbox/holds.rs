//! What keeps an account or a number from sending: its messages wait.

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::testing::{create_secret, emulated_aws};

use crate::support::{Desk, TOKEN, WABA};

const CUSTOMER: &str = "+4915112345678";
const OTHER: &str = "+4915112345679";

impl Desk {
    pub(crate) async fn account_status(&self) -> String {
        let user = self.user;
        let numbers = self
            .outbound
            .database
            .run(async |client| shared::db::accounts::list_numbers(client, user, jiff::Timestamp::now()).await);
        numbers.await.unwrap().remove(0).account_status
    }
}

#[tokio::test]
async fn a_refused_token_marks_the_account_and_its_queue_waits_until_there_is_another_token() {
    let desk = Desk::new().await;
    let (conversation, other) = (desk.conversation(CUSTOMER).await, desk.conversation(OTHER).await);
    assert_eq!(desk.account_status().await, "active");
    let revoked = desk.ring.encrypt(WABA, "EAArevoked").unwrap();
    desk.store_token(&revoked).await;
    let (first, status) = desk.text(conversation, "1").await;
    assert_eq!(
        (status.as_str(), desk.account_status().await.as_str()),
        ("pending", "reconnect_required")
    );
    let (second, status) = desk.text(other, "2").await;
    assert_eq!(status, "pending");
    assert_eq!(
        desk.requests().await.len(),
        1,
        "the account's other messages do not ask to be refused"
    );
    desk.tick().await;
    assert_eq!(desk.requests().await.len(), 1);
    desk.store_token(&desk.ring.encrypt(WABA, TOKEN).unwrap()).await;
    desk.tick().await;
    desk.reaches(&first, "read").await;
    desk.reaches(&second, "read").await;
    assert_eq!(desk.account_status().await, "active");
}

#[tokio::test]
async fn one_message_at_a_time_tries_whether_an_account_may_send_again() {
    let desk = Desk::new().await;
    let conversations = [desk.conversation(CUSTOMER).await, desk.conversation(OTHER).await];
    for (code, status) in [
        (368, "restricted"),
        (131_031, "restricted"),
        (131_042, "payment_required"),
        (131_045, "registration_required"),
        (131_048, "spam_limited"),
        (131_064, "spam_limited"),
        (190, "reconnect_required"),
        (10, "reconnect_required"),
    ] {
        let asked = desk.requests().await.len();
        desk.fault(json!({"kind": "http_error", "status": 400, "code": code}))
            .await;
        let mut ids = Vec::new();
        for conversation in conversations {
            let (id, status) = desk.text(conversation, "Hello!").await;
            assert_eq!(status, "pending", "{code}");
            ids.push(id);
        }
        assert_eq!(desk.account_status().await, status, "{code}");
        desk.pass_time().await;
        desk.tick().await;
        assert_eq!(desk.requests().await.len(), asked + 2, "{code}: one probe");
        desk.clear_faults().await;
        desk.pass_time().await;
        desk.tick().await;
        // The probe went through, so that the next round takes the rest.
        desk.tick().await;
        for id in &ids {
            desk.reaches(id, "read").await;
        }
        assert_eq!(desk.account_status().await, "active", "{code}");
    }
}

#[tokio::test]
async fn what_waits_too_long_for_its_account_fails_and_may_be_sent_again() {
    let desk = Desk::new().await;
    desk.fault(json!({"kind": "http_error", "status": 401, "code": 190}))
        .await;
    let mut ids = Vec::new();
    for conversation in [desk.conversation(CUSTOMER).await, desk.conversation(OTHER).await] {
        ids.push(desk.text(conversation, "Hello!").await.0);
    }
    let age = "update chat_sends set reserved_at = now() - interval '24 hours'";
    desk.database.client.batch_execute(age).await.unwrap();
    desk.pass_time().await;
    desk.tick().await;
    for id in &ids {
        let (status, error) = desk.state(id).await;
        assert_eq!((status.as_str(), &error["retryable"]), ("failed", &json!(true)));
        let details = error["details"].as_str().unwrap();
        assert!(details.contains("reconnect_required"), "{error}");
    }
    assert_eq!(desk.requests().await.len(), 1, "no message has to try for that");
}

#[tokio::test]
async fn after_a_hold_the_first_trouble_is_not_the_last() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "http_error", "status": 401, "code": 190, "times": 1}))
        .await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    let age = "update chat_sends set reserved_at = now() - interval '3 hours'";
    desk.database.client.batch_execute(age).await.unwrap();
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 2, "times": 1, "retry_after": 60}))
        .await;
    for _ in 0..2 {
        assert_eq!(desk.state(&id).await.0, "pending");
        desk.pass_time().await;
        desk.tick().await;
    }
    desk.reaches(&id, "read").await;
}

#[tokio::test]
async fn what_meta_tells_by_webhook_alone_holds_the_account_too() {
    let desk = Desk::new().await;
    let (conversation, other) = (desk.conversation(CUSTOMER).await, desk.conversation(OTHER).await);
    desk.fault(json!({"kind": "status_failed", "code": 131_042, "times": 1}))
        .await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    desk.reaches(&id, "failed").await;
    assert_eq!(desk.account_status().await, "payment_required");
    assert_eq!(desk.text(other, "Hello!").await.1, "pending");
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!(desk.account_status().await, "active");
    assert_eq!(desk.accepted().await.len(), 2);
}

#[tokio::test]
async fn a_token_that_is_a_secret_goes_on_when_the_secret_does() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let arn = create_secret(&emulated_aws().await, TOKEN).await;
    desk.store_token(&arn).await;
    let (status, reply) = desk
        .send(json!({"conversation_id": conversation, "message": "Hi"}))
        .await;
    assert_eq!((status, &reply["message"]["error"]), (StatusCode::OK, &Value::Null));
}
