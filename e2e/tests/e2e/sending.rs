//! Agents send through the gateway, and what cannot go out at once leaves by the queue or by the clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::stack::{Stack, and_then, new_phone, until, until_within};

const TRIGGERS: &str = "outbox_queue_url";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

impl Stack {
    async fn simulator(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Response {
        let url = format!("{}/_simulator/{path}", self.get("simulator_url"));
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the simulator answers");
        answer.error_for_status().expect("it takes the call")
    }

    async fn fault(&self, fault: Value) {
        self.simulator(Method::POST, "faults", Some(&fault)).await;
    }

    async fn clear_faults(&self) {
        self.simulator(Method::DELETE, "faults", None).await;
    }

    /// The conversation with a customer who has just written.
    async fn conversation_with(&self, phone: &str) -> i64 {
        self.customer_writes(phone, "Hello?").await;
        let conversation = self.conversation_showing(phone, "Hello?").await;
        conversation["id"].as_i64().unwrap()
    }

    /// Sends, and expects this status; the message.
    async fn sends(&self, expected: StatusCode, request: Value) -> Value {
        let (status, mut reply) = self.send(&request).await;
        assert_eq!(status, expected, "{reply}");
        reply["message"].take()
    }

    /// The message in its conversation, once it has been read.
    async fn read(&self, message: &Value, patience: Duration) -> Value {
        let path = format!("/api/live-chat/messages?conversation_id={}", message["conversation_id"]);
        until_within(patience, "the message to be read", async || {
            let page = self.ask(&path).await;
            let messages = page["messages"].as_array().unwrap().clone();
            let is_it = |one: &Value| one["message_id"] == message["message_id"] && one["status"] == "read";
            messages.into_iter().find(is_it)
        })
        .await
    }

    /// Announces a picture and puts it into the bucket, as a browser does.
    async fn upload(&self) -> String {
        let request = json!({"mime_type": "image/png", "size": PNG.len(), "filename": "offer.png"});
        let token = self.get("agent_token");
        let (status, reply) = self
            .call(token, Method::POST, "/api/live-chat/media", Some(&request))
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let mut put = self.http.put(reply["upload"]["url"].as_str().unwrap()).body(PNG);
        for (name, value) in reply["upload"]["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        put.send().await.unwrap().error_for_status().unwrap();
        reply["media_id"].as_str().unwrap().to_owned()
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn every_kind_of_message_leaves_through_the_gateway() {
    let stack = Stack::open();
    let phone = new_phone();
    let conversation = stack.conversation_with(&phone).await;
    let picture = stack.upload().await;
    let buttons = json!([{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}]);
    for content in [
        json!({"message": "Hello!"}),
        json!({"image": {"media_id": picture, "caption": "Our offer"}}),
        json!({"interactive": {"type": "button", "body": {"text": "Shall we?"}, "action": {"buttons": buttons}}}),
        json!({"template": {"name": "hello_world", "language": {"code": "en_US"}}}),
    ] {
        let mut request = content;
        request["conversation_id"] = json!(conversation);
        let message = stack.sends(StatusCode::OK, request).await;
        let message = stack.read(&message, PATIENCE).await;
        let kind = message["message_type"].as_str().unwrap();
        if kind == "image" {
            let path = format!("/api/live-chat/media/{}", message["message_id"].as_str().unwrap());
            let url = stack.ask(&path).await["url"].as_str().unwrap().to_owned();
            let served = stack.http.get(url).send().await.unwrap().bytes().await.unwrap();
            assert_eq!(served, PNG);
        }
        let reaction = json!({"message_id": message["message_id"], "emoji": "👍"});
        let (status, reply) = stack
            .send(&json!({"conversation_id": conversation, "message_type": "reaction", "reaction": reaction}))
            .await;
        assert_eq!(
            (status, &reply["reaction"]["emoji"]),
            (StatusCode::OK, &json!("👍")),
            "{kind}: {reply}"
        );
        let message = stack.read(&message, PATIENCE).await;
        assert_eq!(message["reactions"][0]["emoji"], "👍", "{kind}");
    }
}

#[tokio::test]
async fn a_template_begins_a_conversation() {
    let stack = Stack::open();
    let phone = new_phone();
    let request = json!({"phone_number_id": stack.get("phone_number_id"), "to": phone,
                         "template": {"name": "hello_world", "language": {"code": "en_US"}}});
    let message = stack.sends(StatusCode::OK, request).await;
    stack.read(&message, PATIENCE).await;
    stack.customer_writes(&phone, "Who is there?").await;
    let path = format!("/api/live-chat/messages?conversation_id={}", message["conversation_id"]);
    until("the answer in the same conversation", async || {
        let page = stack.ask(&path).await;
        let messages = page["messages"].as_array().unwrap();
        messages
            .iter()
            .any(|one| one["content"] == "Who is there?")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_graph_cannot_take_for_now_leaves_by_the_queue() {
    let stack = Stack::open();
    let phone = new_phone();
    let conversation = stack.conversation_with(&phone).await;
    let body = async {
        stack
            .fault(json!({"kind": "http_error", "status": 503, "code": 131_016, "times": 1, "match": {"to": phone}}))
            .await;
        let request = json!({"conversation_id": conversation, "message": "Hello!"});
        let message = stack.sends(StatusCode::ACCEPTED, request).await;
        assert_eq!(message["status"], "pending");
        stack.read(&message, PATIENCE).await;
        let id = message["message_id"].as_str().unwrap();
        assert_eq!(stack.graph_requests_with(id).await.len(), 2);
    };
    and_then(body, stack.clear_faults()).await;
}

#[tokio::test]
async fn a_message_whose_trigger_is_lost_is_sent_by_the_clock() {
    let stack = Stack::open();
    let phone = new_phone();
    let conversation = stack.conversation_with(&phone).await;
    let body = async {
        // Long enough that the trigger is still in the queue when it is lost.
        stack
            .fault(json!({"kind": "http_error", "status": 503, "code": 131_016, "retry_after": 15, "times": 1, "match": {"to": phone}}))
            .await;
        let request = json!({"conversation_id": conversation, "message": "Hello!"});
        let message = stack.sends(StatusCode::ACCEPTED, request).await;
        let waiting = async || {
            let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
            let visible = QueueAttributeName::ApproximateNumberOfMessages;
            stack.depth(TRIGGERS, delayed).await + stack.depth(TRIGGERS, visible).await
        };
        assert!(waiting().await > 0, "there is a trigger");
        let sqs = stack.sqs().await;
        sqs.purge_queue().queue_url(stack.get(TRIGGERS)).send().await.unwrap();
        assert_eq!(waiting().await, 0);
        stack.read(&message, Duration::from_secs(90)).await;
        let id = message["message_id"].as_str().unwrap();
        assert_eq!(stack.graph_requests_with(id).await.len(), 2);
    };
    and_then(body, stack.clear_faults()).await;
}

const CLIENTS: usize = 20;
const EACH: usize = 50;
/// So many that no pair sends faster than WhatsApp allows.
const CONVERSATIONS: usize = 64;
/// What Graph refuses for good, and what it takes and reports as failed.
const REFUSED: i64 = 131_026;
const FAILED_LATER: i64 = 131_053;

/// A fifth of all calls go wrong.
fn trouble() -> Vec<Value> {
    let mut faults: Vec<Value> = [
        (500, 1, 0.02),
        (503, 2, 0.02),
        (429, 2, 0.02),
        (429, 130_429, 0.005),
        (400, 131_056, 0.01),
        (500, 131_000, 0.02),
        (400, REFUSED, 0.02),
    ]
    .map(|(status, code, probability)| json!({"kind": "http_error", "status": status, "code": code, "probability": probability}))
    .into();
    faults.extend([
        json!({"kind": "delay", "ms": 400, "probability": 0.03}),
        json!({"kind": "no_answer", "probability": 0.02}),
        json!({"kind": "no_answer_before_accept", "probability": 0.02}),
        json!({"kind": "status_failed", "code": FAILED_LATER, "probability": 0.02}),
        json!({"kind": "duplicate_webhooks", "probability": 0.1}),
        json!({"kind": "shuffle_webhooks", "probability": 0.1}),
    ]);
    faults
}

/// Sends as one agent's browser does: what got no answer of ours is asked again under the same id. Counts the replies by their status.
async fn send_all(client: usize, conversations: Vec<i64>, sent: Vec<Uuid>) -> BTreeMap<u16, usize> {
    let stack = Stack::open();
    let mut replies = BTreeMap::new();
    for (index, id) in sent.into_iter().enumerate() {
        let conversation = conversations[(client * EACH + index) % conversations.len()];
        let request =
            json!({"conversation_id": conversation, "message": format!("{client}/{index}"), "message_id": id});
        loop {
            let (status, reply) = stack.send(&request).await;
            *replies.entry(status.as_u16()).or_default() += 1;
            if !status.is_server_error() {
                let is_known =
                    [StatusCode::OK, StatusCode::ACCEPTED, StatusCode::UNPROCESSABLE_ENTITY].contains(&status);
                assert!(
                    is_known && reply["message"]["message_id"] == json!(id),
                    "{status} {reply}"
                );
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    replies
}

/// The conversations of customers who have all just written.
async fn many_conversations(stack: &Stack, database: &tokio_postgres::Client) -> Vec<i64> {
    const FIND: &str =
        "select id::bigint from chat_conversations where customer_phone = any($1) and last_inbound_at is not null";
    let phones: Vec<String> = (0..CONVERSATIONS).map(|_| new_phone()).collect();
    for phone in &phones {
        stack.customer_writes(phone, "Hello?").await;
    }
    until("all conversations", async || {
        let rows = database.query(FIND, &[&phones]).await.unwrap();
        (rows.len() == CONVERSATIONS).then(|| rows.iter().map(|row| row.get(0)).collect())
    })
    .await
}

/// How each message ended: its status, and the code or the title of its error.
async fn ends(database: &tokio_postgres::Client, sent: &[String]) -> Vec<(String, String, Option<String>)> {
    const STATES: &str = "select message_id::text, status::text, coalesce(error ->> 'code', error ->> 'title')
                          from chat_messages where message_id = any($1)";
    let rows = database.query(STATES, &[&sent]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_thousand_sends_through_trouble_of_all_kinds_end_once_each() {
    let stack = Stack::open();
    let body = async {
        let database = stack.database().await;
        let conversations = many_conversations(&stack, &database).await;
        for fault in trouble() {
            stack.fault(fault).await;
        }
        let begun = Instant::now();
        let (mut clients, mut sent) = (JoinSet::new(), Vec::new());
        for client in 0..CLIENTS {
            let own: Vec<Uuid> = (0..EACH).map(|_| Uuid::new_v4()).collect();
            sent.extend(own.iter().map(Uuid::to_string));
            clients.spawn(send_all(client, conversations.clone(), own));
        }
        let mut replies: BTreeMap<u16, usize> = BTreeMap::new();
        for client in clients.join_all().await {
            for (status, count) in client {
                *replies.entry(status).or_default() += count;
            }
        }
        let asked = begun.elapsed();
        // What nobody confirms fails after ConfirmationSeconds, by the clock of the minute that follows.
        until_within(Duration::from_secs(150), "every message to end", async || {
            let ends = ends(&database, &sent).await;
            let is_over = ends.len() == sent.len() && ends.iter().all(|(_, status, _)| status != "pending");
            is_over.then_some(())
        })
        .await;
        let ended = begun.elapsed();
        stack
            .simulator(Method::POST, "deliveries/flush?timeout_ms=20000", None)
            .await;
        let accepted: Vec<Value> = stack
            .simulator(Method::GET, "messages", None)
            .await
            .json()
            .await
            .unwrap();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for message in &accepted {
            let id = message["body"]["biz_opaque_callback_data"].as_str().unwrap_or_default();
            *times.entry(id).or_default() += 1;
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (id, status, reason) in ends(&database, &sent).await {
            let times = times.get(id.as_str()).copied().unwrap_or_default();
            let expected = match (status.as_str(), reason.as_deref()) {
                ("sent" | "delivered" | "read", None) => 1,
                ("failed", Some(reason)) if reason == FAILED_LATER.to_string() => 1,
                ("failed", Some(reason)) if reason == REFUSED.to_string() || reason == "unconfirmed" => 0,
                other => panic!("{id} ended as {other:?}"),
            };
            assert_eq!(times, expected, "{id} {status} {reason:?}: how often WhatsApp took it");
            let name = reason.map_or(status.clone(), |reason| format!("{status} {reason}"));
            *counts.entry(name).or_default() += 1;
        }
        println!(
            "{} messages asked for in {asked:.1?}, all ended after {ended:.1?}; replies {replies:?}; ends {counts:?}",
            sent.len()
        );
    };
    and_then(body, stack.clear_faults()).await;
}
