//! Sending against a real PostgreSQL, the emulated Secrets Manager and the simulator of Meta, which counts what it was asked.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::http::auth::Authenticator;
use shared::testing::outbound::outbound;
use shared::testing::sockets::no_sockets;
use shared::testing::sqs::SqsStub;
use shared::testing::{ISSUER, JWT_SECRET, TestDatabase, agent_token, create_secret, emulated_aws};
use shared::tokens::KeyRing;
use tokio::net::TcpListener;
use tower::ServiceExt;
use uuid::Uuid;

const WABA: &str = "900200";
const NUMBER: &str = "700200";
const TOKEN: &str = "EAAtesttoken";
const CUSTOMER: &str = "+4915112345678";
const KEY: &str = "5b8f4f7e-6d1f-4a52-9a39-0b9f5c8e7a01";

struct Fixture {
    database: TestDatabase,
    service: axum::Router,
    user: Uuid,
    conversation: i64,
    simulator: String,
    http: reqwest::Client,
    ring: KeyRing,
    sqs: SqsStub,
}

impl Fixture {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = format!("http://{}", listener.local_addr().unwrap());
        let config = simulator::Config {
            // Nobody listens: statuses are other tests' affair.
            webhook_url: "http://127.0.0.1:9/".to_owned(),
            numbers: vec![simulator::Number {
                phone_number_id: NUMBER.to_owned(),
                waba_id: WABA.to_owned(),
                display_phone_number: "+1 555 0200".to_owned(),
                verified_name: "Test".to_owned(),
                access_token: TOKEN.to_owned(),
            }],
            ..simulator::Config::default()
        };
        tokio::spawn(simulator::serve(listener, config));
        Self::with_graph(&simulator).await
    }

    async fn with_graph(graph_url: &str) -> Self {
        let database = TestDatabase::migrated().await;
        let user = database.add_number(WABA, NUMBER).await;
        let aws = emulated_aws().await;
        let ring = format!(r#"{{"active":"k1","k1":"{}"}}"#, "5a".repeat(32));
        let ring_arn = create_secret(&aws, &ring).await;
        let ring = KeyRing::parse(&ring).unwrap();
        let (sqs, queue) = SqsStub::start().await;
        let http = shared::http::App {
            database: database.pool(),
            authenticator: Authenticator::new(ISSUER, None, Some(JWT_SECRET)).unwrap(),
        };
        let outbound = outbound(http.database.clone(), &aws, ring_arn, graph_url, "unused", queue);
        let app = send::App {
            realtime: no_sockets(http.database.clone()),
            http,
            outbound,
        };
        let fixture = Self {
            service: send::service(app),
            conversation: 1,
            simulator: graph_url.to_owned(),
            http: reqwest::Client::new(),
            user,
            database,
            ring,
            sqs,
        };
        fixture.store_token(&fixture.ring.encrypt(WABA, TOKEN).unwrap()).await;
        fixture.database.client.batch_execute(&format!(
            "insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('{WABA}', '{NUMBER}', '{CUSTOMER}');
             insert into chat_messages (conversation_id, message_id, wa_message_id, sender, content, message_type, timestamp)
             values (1, gen_random_uuid(), 'wamid.inbound', 'customer', 'Hello?', 'text', now())")).await.unwrap();
        fixture.set_last_inbound(Timestamp::now()).await;
        fixture
    }

    async fn store_token(&self, stored: &str) {
        let update = "update waba_accounts set access_token = $1 where waba_id = $2";
        self.database.client.execute(update, &[&stored, &WABA]).await.unwrap();
    }

    async fn set_last_inbound(&self, at: Timestamp) {
        let update = "update chat_conversations set last_inbound_at = $1";
        self.database.client.execute(update, &[&at]).await.unwrap();
    }

    async fn post_as(&self, user: Uuid, body: &Value) -> (StatusCode, Value) {
        let request = Request::post("/api/live-chat/send-message")
            .header("authorization", format!("Bearer {}", agent_token(user)))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.service.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// Sends "Hello!" with changes to the request.
    async fn send(&self, changes: Value) -> (StatusCode, Value) {
        let mut body = json!({"conversation_id": self.conversation, "message": "Hello!"});
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().cloned().unwrap_or_default());
        self.post_as(self.user, &body).await
    }

    async fn fault(&self, fault: Value) {
        let url = format!("{}/_simulator/faults", self.simulator);
        let answer = self.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The messages that the simulator accepted.
    async fn accepted(&self) -> Vec<Value> {
        let url = format!("{}/_simulator/messages", self.simulator);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn rows(&self) -> i64 {
        self.database
            .count("select count(*) from chat_messages where sender = 'user'")
            .await
    }
}

#[tokio::test]
async fn a_text_reaches_graph_with_our_id_and_is_sent() {
    let fixture = Fixture::new().await;
    let request = json!({"phone_number_id": NUMBER, "to": CUSTOMER, "message_type": "text", "message_id": KEY, "reply_to": "wamid.inbound"});
    let (status, reply) = fixture.send(request).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    let message = &reply["message"];
    assert_eq!(reply["success"], true);
    assert_eq!(
        (
            &message["message_id"],
            &message["status"],
            &message["sender"],
            &message["content"]
        ),
        (&json!(KEY), &json!("sent"), &json!("user"), &json!("Hello!"))
    );
    assert_eq!(message["reply_to"]["content"], "Hello?");
    assert!(message["wa_message_id"].as_str().unwrap().starts_with("wamid."));
    let accepted = fixture.accepted().await;
    assert_eq!(accepted.len(), 1);
    assert_eq!(
        accepted[0]["body"],
        json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "4915112345678", "type": "text",
               "text": {"body": "Hello!", "preview_url": false}, "context": {"message_id": "wamid.inbound"}, "biz_opaque_callback_data": KEY})
    );
    let shown = "select count(*) from chat_conversations where last_message = 'Hello!' and last_message_time > now() - interval '1 minute'";
    assert_eq!(fixture.database.count(shown).await, 1);
}

#[tokio::test]
async fn one_message_id_sends_once_however_often_and_at_once_it_is_asked() {
    let fixture = Fixture::new().await;
    fixture.fault(json!({"kind": "delay", "ms": 200})).await;
    let ten = (0..10).map(|_| fixture.send(json!({"message_id": KEY})));
    let replies = join_all(ten).await;
    assert!(
        replies
            .iter()
            .all(|(status, _)| [StatusCode::OK, StatusCode::ACCEPTED].contains(status)),
        "{replies:?}"
    );
    assert!(replies.iter().all(|(_, reply)| reply["message"]["message_id"] == KEY));
    let (status, reply) = fixture.send(json!({"message_id": KEY})).await;
    assert_eq!((status, &reply["message"]["status"]), (StatusCode::OK, &json!("sent")));
    assert_eq!(fixture.accepted().await.len(), 1);
    assert_eq!(fixture.rows().await, 1);
}

/// Awaits all at once.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_agent() {
    let fixture = Fixture::new().await;
    fixture.send(json!({"message_id": KEY})).await;
    let in_use = |reply: &(StatusCode, Value)| (reply.0, reply.1["error"]["code"].clone());
    let conflict = (StatusCode::CONFLICT, json!("message_id_in_use"));
    assert_eq!(
        in_use(&fixture.send(json!({"message_id": KEY, "message": "Bye"})).await),
        conflict
    );
    let stranger = fixture.database.add_number("900201", "700201").await;
    fixture
        .database
        .client
        .batch_execute("insert into chat_conversations (waba_id, phone_number_id, customer_phone, last_inbound_at) values ('900201', '700201', '+4915100000000', now())")
        .await
        .unwrap();
    let body = json!({"conversation_id": 2, "message": "Hello!", "message_id": KEY});
    let reply = fixture.post_as(stranger, &body).await;
    assert_eq!(in_use(&reply), conflict);
    assert_eq!(reply.1.get("message"), None);
    // The key of an inbound message is nobody's to send with.
    let inbound = fixture
        .database
        .json("select to_jsonb(message_id) from chat_messages where sender = 'customer'")
        .await;
    assert_eq!(in_use(&fixture.send(json!({"message_id": inbound[0]})).await), conflict);
    assert_eq!(fixture.accepted().await.len(), 1);
    assert_eq!(fixture.rows().await, 1);
}

#[tokio::test]
async fn what_is_refused_leaves_no_row_and_names_the_field() {
    let fixture = Fixture::new().await;
    for (request, field) in [
        (json!({"message": ""}), "message"),
        (json!({"message": "x".repeat(4097)}), "message"),
        (json!({"message_id": "17"}), "message_id"),
        (json!({"message_type": "pigeon"}), "message_type"),
        (json!({"phone_number_id": "1"}), "phone_number_id"),
        (json!({"to": "+4915100000001"}), "to"),
        (json!({"reply_to": "wamid.unknown"}), "reply_to"),
        (json!({"conversation_id": "one"}), "conversation_id"),
        (json!({"conversation_id": null}), "conversation_id"),
    ] {
        let (status, reply) = fixture.send(request.clone()).await;
        assert_eq!(
            (status, &reply["error"]["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)),
            "{request} {reply}"
        );
    }
    let (status, _) = fixture.send(json!({"conversation_id": 404})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = fixture
        .post_as(Uuid::new_v4(), &json!({"conversation_id": 1, "message": "x"}))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(fixture.rows().await, 0);
    assert!(fixture.accepted().await.is_empty());
}

#[tokio::test]
async fn outside_the_window_only_a_replay_is_answered() {
    let fixture = Fixture::new().await;
    fixture.send(json!({"message_id": KEY})).await;
    let inbound: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    fixture.set_last_inbound(inbound).await;
    let (status, reply) = fixture.send(json!({})).await;
    assert_eq!(
        (status, &reply["error"]["code"], &reply["error"]["closed_at"]),
        (
            StatusCode::CONFLICT,
            &json!("customer_service_window_closed"),
            &json!("2026-01-02T12:00:00Z")
        )
    );
    let (status, _) = fixture.send(json!({"message_id": KEY})).await;
    assert_eq!(status, StatusCode::OK);
    fixture
        .set_last_inbound(Timestamp::now() - SignedDuration::from_hours(23))
        .await;
    assert_eq!(fixture.send(json!({})).await.0, StatusCode::OK);
    assert_eq!(fixture.accepted().await.len(), 2);
    fixture
        .database
        .client
        .batch_execute("update chat_conversations set last_inbound_at = null")
        .await
        .unwrap();
    let (status, reply) = fixture.send(json!({})).await;
    assert_eq!(
        (status, &reply["error"]["closed_at"]),
        (StatusCode::CONFLICT, &Value::Null)
    );
}

#[tokio::test]
async fn a_refusal_of_graph_is_a_failed_message_with_its_reason_and_so_is_its_replay() {
    let fixture = Fixture::new().await;
    fixture
        .fault(json!({"kind": "http_error", "times": 1, "status": 400, "code": 131_026, "message": "Message undeliverable", "details": "Not on WhatsApp."}))
        .await;
    for _ in 0..2 {
        let (status, reply) = fixture.send(json!({"message_id": KEY})).await;
        assert_eq!(
            (status, &reply["error"]["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("message_failed"))
        );
        let error = &reply["message"]["error"];
        assert_eq!(reply["message"]["status"], "failed");
        assert_eq!(
            (&error["code"], &error["details"], &error["retryable"]),
            (&json!(131_026), &json!("Not on WhatsApp."), &json!(false))
        );
    }
    assert!(fixture.accepted().await.is_empty());
}

#[tokio::test]
async fn what_may_pass_waits_in_the_outbox_and_a_replay_sends_nothing() {
    let fixture = Fixture::new().await;
    fixture.fault(json!({"kind": "http_error", "times": 1, "status": 503, "code": 2, "message": "Service temporarily unavailable"})).await;
    for result in ["accepted", "replayed"] {
        let (status, reply) = fixture.send(json!({"message_id": KEY})).await;
        assert_eq!(
            (status, &reply["message"]["status"], &reply["result"]),
            (StatusCode::ACCEPTED, &json!("pending"), &json!(result))
        );
    }
    assert!(fixture.accepted().await.is_empty());
    let triggers = fixture.sqs.taken();
    assert_eq!(triggers.len(), 1);
    assert_eq!(triggers[0]["MessageBody"], json!({"conversation_id": 1}).to_string());
    assert_eq!(triggers[0]["MessageGroupId"], NUMBER);
    assert!(
        (1..=3).contains(&triggers[0]["DelaySeconds"].as_i64().unwrap()),
        "{}",
        triggers[0]
    );
}

#[tokio::test]
async fn an_answer_that_never_came_leaves_the_message_pending_and_unsent() {
    let fixture = Fixture::new().await;
    fixture.fault(json!({"kind": "no_answer", "times": 1})).await;
    for _ in 0..3 {
        let (status, reply) = fixture.send(json!({"message_id": KEY})).await;
        assert_eq!(
            (status, &reply["message"]["status"]),
            (StatusCode::ACCEPTED, &json!("pending"))
        );
    }
    assert_eq!(fixture.accepted().await.len(), 1);
}

#[tokio::test]
async fn a_graph_that_cannot_be_reached_leaves_the_message_to_the_outbox() {
    let fixture = Fixture::with_graph("http://127.0.0.1:9").await;
    let (status, reply) = fixture.send(json!({})).await;
    assert_eq!(
        (status, &reply["message"]["status"]),
        (StatusCode::ACCEPTED, &json!("pending"))
    );
    let open =
        "select count(*) from chat_sends where attempted_at is null and next_try_at > now() and last_error is not null";
    assert_eq!(fixture.database.count(open).await, 1);
}

#[tokio::test]
async fn the_customers_number_is_the_one_that_graph_answers_with() {
    let fixture = Fixture::new().await;
    let brazilian = "update chat_conversations set customer_phone = '+5531987654321'";
    fixture.database.client.batch_execute(brazilian).await.unwrap();
    let (status, reply) = fixture.send(json!({"to": "+55 31 98765-4321"})).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    let answered = fixture.accepted().await[0]["customer"].clone();
    let stored = fixture
        .database
        .json("select to_jsonb(customer_phone) from chat_conversations")
        .await;
    assert_ne!(stored[0], "+5531987654321");
    assert_eq!(
        stored[0],
        format!("+{}", answered.as_str().unwrap().trim_start_matches('+'))
    );
}

#[tokio::test]
async fn without_a_usable_token_the_account_has_to_be_connected_again_and_its_messages_wait() {
    let fixture = Fixture::new().await;
    let other = fixture.ring.encrypt("another account", TOKEN).unwrap();
    for stored in [
        "EAAplaintexttoken",
        "enc:v1:k9:AAAA",
        other.as_str(),
        "",
        "secrets/that-are-not-there",
    ] {
        fixture.store_token(stored).await;
        let (status, reply) = fixture.send(json!({})).await;
        assert_eq!(
            (status, &reply["message"]["status"]),
            (StatusCode::ACCEPTED, &json!("pending")),
            "{stored}"
        );
        let last = fixture
            .database
            .json("select last_error from chat_sends where last_error is not null order by id limit 1")
            .await;
        // What is wrong with it is the operator's business.
        assert_eq!(last[0]["details"], "The account has to be connected again.");
        let held = "select count(*) from chat_holds where scope_id = '900200' and reason = 'reconnect_required'";
        assert_eq!(fixture.database.count(held).await, 1);
        fixture
            .database
            .client
            .batch_execute("delete from chat_sends; delete from chat_holds")
            .await
            .unwrap();
    }
    assert!(fixture.accepted().await.is_empty());
}

#[tokio::test]
async fn a_token_may_be_a_secret_of_its_own() {
    let fixture = Fixture::new().await;
    let arn = create_secret(&emulated_aws().await, TOKEN).await;
    fixture.store_token(&arn).await;
    assert_eq!(fixture.send(json!({})).await.0, StatusCode::OK);
}
