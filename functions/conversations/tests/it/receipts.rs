//! When customers are told that their messages were read.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Fixture, NUMBER, WABA};

impl Fixture {
    /// A conversation with a message of the customer of this age.
    async fn written(&self, age: &str) -> i64 {
        let id = self.conversation("+4915112345678", "2026-07-01T12:00:00Z").await;
        let insert = format!(
            "insert into chat_messages (conversation_id, wa_message_id, sender, message_type, content, timestamp)
             values ({id}, 'wamid.new', 'customer', 'text', 'Hi', now() - interval '{age}'),
                    ({id}, 'wamid.old', 'customer', 'text', 'Hi', now() - interval '{age}' - interval '1 minute'),
                    ({id}, 'wamid.echo', 'user', 'text', 'Hi', now())"
        );
        self.database.client.batch_execute(&insert).await.unwrap();
        id
    }

    async fn set_policy(&self, policy: &str) {
        let path = format!("/api/live-chat/phone-numbers/{NUMBER}");
        let reply = self
            .api
            .send(Method::PATCH, &path, json!({"read_receipts": policy}).to_string())
            .await
            .ok();
        assert_eq!(reply["phone_number"]["read_receipts"], policy);
    }

    async fn read(&self, id: i64) {
        let path = format!("/api/live-chat/conversations/{id}/read");
        self.api.send(Method::POST, &path, "").await.ok();
    }

    async fn owed(&self) -> Vec<Value> {
        let owed = "select to_jsonb(receipt_wamid) from chat_conversation_signals where receipt_next_try_at <= now()";
        self.database.json(owed).await
    }
}

#[tokio::test]
async fn a_customer_is_told_on_open_only_where_the_account_says_so() {
    let fixture = Fixture::new().await;
    let id = fixture.written("1 hour").await;
    let numbers = fixture.api.get("/api/live-chat/phone-numbers").await.ok();
    assert_eq!(numbers["phone_numbers"][0]["read_receipts"], "on_reply");
    for policy in ["on_reply", "never"] {
        fixture.set_policy(policy).await;
        fixture.read(id).await;
        assert!(fixture.owed().await.is_empty(), "{policy}");
    }
    assert!(fixture.sqs.taken().is_empty());
    fixture.set_policy("on_open").await;
    fixture.read(id).await;
    assert_eq!(fixture.owed().await, ["wamid.new"]);
    let triggers = fixture.sqs.taken();
    assert_eq!(triggers.len(), 1);
    assert_eq!(triggers[0]["MessageBody"], json!({"conversation_id": id}).to_string());
    // What was told once is not told again.
    let told = "update chat_conversation_signals set receipt_sent_wamid = receipt_wamid, receipt_next_try_at = null";
    fixture.database.client.batch_execute(told).await.unwrap();
    fixture.read(id).await;
    assert!(fixture.owed().await.is_empty());
}

#[tokio::test]
async fn what_is_older_than_30_days_cannot_be_reported() {
    let fixture = Fixture::new().await;
    fixture.set_policy("on_open").await;
    let id = fixture.written("31 days").await;
    fixture.read(id).await;
    assert!(fixture.owed().await.is_empty());
}

#[tokio::test]
async fn the_policy_is_its_owners_and_has_three_values() {
    let fixture = Fixture::new().await;
    let stranger = fixture.database.add_number("900101", "700101").await;
    let path = format!("/api/live-chat/phone-numbers/{NUMBER}");
    let body = json!({"read_receipts": "never"}).to_string();
    let foreign = fixture.api.as_agent(stranger);
    foreign.send(Method::PATCH, &path, body).await.refused(404);
    let settings = format!("select count(*) from chat_account_settings where waba_id = '{WABA}'");
    assert_eq!(fixture.database.count(&settings).await, 0);
    for body in [json!({"read_receipts": "sometimes"}), json!({})] {
        let reply = fixture.api.send(Method::PATCH, &path, body.to_string()).await;
        reply.refuses_field("read_receipts");
    }
}
