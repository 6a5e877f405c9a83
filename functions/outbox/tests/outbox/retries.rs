//! What passes is tried again, in the conversation's order; what an agent sends again keeps its id.

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::domain::ingest::{self, Plan};
use shared::whatsapp::webhook;
use uuid::Uuid;

use crate::support::{Desk, NUMBER, WABA};

const CUSTOMER: &str = "+4915112345678";

fn error(code: i64, times: u32) -> Value {
    json!({"kind": "http_error", "status": 400, "code": code, "times": times})
}

#[tokio::test]
async fn passing_trouble_is_tried_again_until_it_is_over() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(error(131_000, 3)).await;
    let (id, status) = desk.text(conversation, "Hello!").await;
    assert_eq!(status, "pending");
    for attempt in 1..=3 {
        let wait =
            "select (extract(epoch from next_try_at - now()) * 1000)::bigint from chat_sends where settled_at is null";
        let (least, most) = (1000 << (attempt - 1), 3000 << (attempt - 1));
        let wait = desk.database.count(wait).await;
        assert!((least - 900..=most).contains(&wait), "attempt {attempt}: {wait} ms");
        desk.tick().await;
        assert_eq!(desk.state(&id).await.0, "pending", "it is not due");
        desk.pass_time().await;
        desk.trigger(conversation).await;
    }
    desk.reaches(&id, "read").await;
    assert_eq!((desk.accepted().await.len(), desk.requests().await.len()), (1, 4));
    // The queue was asked to come back when it was due each time, and for the read receipt.
    let delays: Vec<i64> = desk
        .sqs
        .taken()
        .iter()
        .map(|trigger| trigger["DelaySeconds"].as_i64().unwrap_or_default())
        .collect();
    assert!(
        delays.len() == 4 && delays[..3].iter().all(|delay| (1..=12).contains(delay)),
        "{delays:?}"
    );
}

#[tokio::test]
async fn what_stands_behind_a_waiting_message_waits_too_and_comes_after_it() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let other = desk.conversation("+4915112345679").await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 2, "times": 1, "retry_after": 60, "match": {"to": CUSTOMER}}))
        .await;
    let first = desk.text(conversation, "1").await;
    let second = desk.text(conversation, "2").await;
    let third = desk.text(conversation, "3").await;
    assert_eq!([&first.1, &second.1, &third.1], ["pending"; 3]);
    assert_eq!(desk.text(other, "elsewhere").await.1, "sent");
    desk.pass_time().await;
    desk.tick().await;
    let sent: Vec<Value> = desk
        .accepted()
        .await
        .into_iter()
        .filter(|message| message["customer"] == "4915112345678")
        .map(|message| message["body"]["text"]["body"].clone())
        .collect();
    assert_eq!(sent, ["1", "2", "3"]);
}

#[tokio::test]
async fn what_does_not_pass_in_time_fails_and_may_be_sent_again_under_its_id() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "http_error", "status": 500, "code": 131_016}))
        .await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    let age = "update chat_sends set trouble_since = now() - interval '59 minutes 59.9 seconds'";
    desk.database.client.batch_execute(age).await.unwrap();
    desk.pass_time().await;
    desk.tick().await;
    let (status, error) = desk.state(&id).await;
    assert_eq!(
        (status.as_str(), &error["code"], &error["retryable"]),
        ("failed", &json!(131_016), &json!(true))
    );
    desk.clear_faults().await;
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id});
    let (status, reply) = desk.send(body.clone()).await;
    assert_eq!(
        (status, &reply["result"], &reply["message"]["status"]),
        (StatusCode::OK, &json!("retried"), &json!("sent"))
    );
    desk.reaches(&id, "read").await;
    let (status, reply) = desk.send(body).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!("replayed")));
    assert_eq!(desk.accepted().await.len(), 1);
}

#[tokio::test]
async fn what_failed_for_good_is_sent_again_only_where_the_agent_says_so() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(error(131_026, 1)).await;
    let (id, status) = (Uuid::new_v4().to_string(), StatusCode::UNPROCESSABLE_ENTITY);
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id});
    assert_eq!(desk.send(body.clone()).await.0, status);
    assert_eq!(desk.send(body.clone()).await.0, status);
    assert_eq!(desk.requests().await.len(), 1);
    let mut again = body.clone();
    again["retry"] = json!(true);
    let (status, reply) = desk.send(again.clone()).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!("retried")));
    desk.reaches(&id, "read").await;
    // Only from failed.
    let (status, reply) = desk.send(again).await;
    assert_eq!(
        (status, &reply["result"], &reply["message"]["status"]),
        (StatusCode::OK, &json!("replayed"), &json!("read"))
    );
    assert_eq!(desk.accepted().await.len(), 1);
}

#[tokio::test]
async fn what_failed_so_long_ago_that_its_request_is_gone_is_not_sent_again_and_its_key_still_stands() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(error(131_026, 1)).await;
    let id = Uuid::new_v4().to_string();
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id, "retry": true});
    assert_eq!(desk.send(body.clone()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let forget = "update chat_sends set request = null";
    desk.database.client.batch_execute(forget).await.unwrap();
    assert_eq!(desk.send(body.clone()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let mut other = body;
    other["message"] = json!("Something else");
    assert_eq!(desk.send(other).await.0, StatusCode::CONFLICT);
    assert_eq!(desk.requests().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_whatsapp_took_and_reported_as_failed_may_be_sent_again_and_old_reports_do_not_touch_it() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "status_failed", "code": 131_053, "details": "unsupported", "times": 1}))
        .await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    desk.reaches(&id, "failed").await;
    let failed: Value = desk
        .database
        .json("select item from chat_message_events")
        .await
        .remove(0);
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 2, "times": 1}))
        .await;
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id, "retry": true});
    let (status, reply) = desk.send(body).await;
    assert_eq!(
        (status, &reply["message"]["status"], &reply["message"]["wa_message_id"]),
        (StatusCode::ACCEPTED, &json!("pending"), &Value::Null)
    );
    // WhatsApp repeats itself.
    let again = json!({"id": failed["id"], "status": "failed", "timestamp": "1790000000", "recipient_id": "4915112345678",
                       "biz_opaque_callback_data": id, "errors": [{"code": 131_053, "title": "x"}]});
    desk.tell(&[failed.clone(), again]).await;
    assert_eq!(desk.state(&id).await.0, "pending");
    desk.pass_time().await;
    desk.tick().await;
    desk.reaches(&id, "read").await;
}

#[tokio::test]
async fn held_back_for_the_ecosystem_means_not_for_a_day() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(error(131_049, 1)).await;
    let (id, status) = desk.text(conversation, "Hello!").await;
    assert_eq!(status, "failed");
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id, "retry": true});
    assert_eq!(desk.send(body.clone()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(desk.requests().await.len(), 1);
    let age = "update chat_sends set settled_at = now() - interval '24 hours'";
    desk.database.client.batch_execute(age).await.unwrap();
    assert_eq!(desk.send(body).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_window_is_decided_when_a_message_leaves() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(error(131_000, 1)).await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    let close = "update chat_conversations set last_inbound_at = now() - interval '24 hours'";
    desk.database.client.batch_execute(close).await.unwrap();
    desk.pass_time().await;
    desk.tick().await;
    let (status, error) = desk.state(&id).await;
    assert_eq!((status.as_str(), &error["code"]), ("failed", &json!(131_047)));
    assert!(desk.accepted().await.is_empty());
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id, "retry": true});
    let (status, reply) = desk.send(body).await;
    assert_eq!(
        (status, &reply["error"]["code"]),
        (StatusCode::CONFLICT, &json!("customer_service_window_closed"))
    );
}

#[tokio::test]
async fn a_status_settles_what_waits_for_another_try_so_that_it_is_not_sent_again() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "no_answer", "times": 1})).await;
    let (id, status) = desk.text(conversation, "Hello!").await;
    assert_eq!(status, "pending");
    desk.reaches(&id, "read").await;
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!((desk.accepted().await.len(), desk.requests().await.len()), (1, 1));
    assert_eq!(
        desk.database
            .count("select count(*) from chat_sends where settled_at is null")
            .await,
        0
    );
}

#[tokio::test]
async fn a_customer_who_stopped_marketing_is_remembered_from_an_answer_and_from_a_status() {
    for fault in [
        error(131_050, 1),
        json!({"kind": "status_failed", "code": 131_050, "times": 1}),
    ] {
        let desk = Desk::new().await;
        let conversation = desk.conversation(CUSTOMER).await;
        desk.fault(fault).await;
        let (id, _) = desk.text(conversation, "Hello!").await;
        desk.reaches(&id, "failed").await;
        let opted_out =
            "select count(*) from chat_conversations where marketing_opted_out_at > now() - interval '1 minute'";
        assert_eq!(desk.database.count(opted_out).await, 1);
        assert_eq!(desk.database.count("select count(*) from chat_quarantine").await, 0);
    }
}

impl Desk {
    /// Takes statuses in as one webhook.
    async fn tell(&self, statuses: &[Value]) {
        let webhook = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550300", "phone_number_id": NUMBER},
            "statuses": statuses}}]}]});
        let now = jiff::Timestamp::now();
        let mut plan = Plan::default();
        ingest::plan(webhook::parse(&webhook.to_string()), now, &mut plan);
        let apply = self
            .outbound
            .database
            .run(async |client| shared::db::ingest::apply(client, &plan, now).await);
        apply.await.unwrap();
    }
}

fn sent_status(wamid: &str, message_id: &str) -> Value {
    let now = jiff::Timestamp::now().as_second().to_string();
    json!({"id": wamid, "status": "sent", "timestamp": now, "recipient_id": "4915112345678", "biz_opaque_callback_data": message_id})
}

#[tokio::test]
async fn a_status_of_a_message_that_was_given_up_shows_that_it_was_sent_and_it_is_not_sent_again() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(error(131_016, 1)).await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    let age = "update chat_sends set trouble_since = now() - interval '2 hours'";
    desk.database.client.batch_execute(age).await.unwrap();
    desk.fault(error(131_016, 1)).await;
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!(desk.state(&id).await.0, "failed");
    // WhatsApp took it, whatever it answered.
    desk.tell(&[sent_status("wamid.taken", &id)]).await;
    assert_eq!(desk.state(&id).await, ("sent".to_owned(), Value::Null));
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id, "retry": true});
    let (status, reply) = desk.send(body).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!("replayed")));
    assert!(desk.accepted().await.is_empty());
}

#[tokio::test]
async fn of_two_attempts_statuses_in_one_webhook_the_present_ones_count() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "status_failed", "code": 131_053, "times": 1}))
        .await;
    let (id, _) = desk.text(conversation, "Hello!").await;
    desk.reaches(&id, "failed").await;
    let failed: Value = desk
        .database
        .json("select item from chat_message_events")
        .await
        .remove(0);
    desk.fault(json!({"kind": "no_answer_before_accept", "times": 1})).await;
    let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id, "retry": true});
    assert_eq!(desk.send(body).await.0, StatusCode::ACCEPTED);
    let mut late = failed.clone();
    late["timestamp"] = json!("1790000000");
    desk.tell(&[late, sent_status("wamid.second", &id)]).await;
    assert_eq!(desk.state(&id).await.0, "sent");
}
