//! A desk: an agent who sends, the outbox, Meta, and the consumer of Meta's webhooks. No trigger of the queue leads anywhere: tests call the
//! outbox themselves, as SQS or the clock would.

use std::time::{Duration, Instant};

use aws_lambda_events::sqs::SqsMessage;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use shared::db::Database;
use shared::db::outbound::Pace;
use shared::db::retention::Retention;
use shared::db::settings::Settings as DatabaseSettings;
use shared::domain::push::parse_origin;
use shared::domain::send::Patience;
use shared::edge::push::{PushClient, PushKeys, make_keys};
use shared::edge::secrets::Secrets;
use shared::outbound::{Outbound, Settings};
use shared::push::Push;
use shared::testing::api::{Api, Reply, authenticator};
use shared::testing::outbound::outbound;
use shared::testing::proxy::Proxy;
use shared::testing::sockets::no_sockets;
use shared::testing::sqs::SqsStub;
use shared::testing::{TestDatabase, agent_token, create_secret, emulated_aws};
use shared::tokens::KeyRing;
use tokio::net::TcpListener;
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) const WABA: &str = "900300";
pub(crate) const NUMBER: &str = "700300";
pub(crate) const TOKEN: &str = "EAAoutboxtoken";

/// Long enough for every test.
const DEADLINE: Duration = Duration::from_secs(110);
/// How long something may take that takes well under a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Desk {
    pub(crate) database: TestDatabase,
    pub(crate) user: Uuid,
    pub(crate) outbound: Outbound,
    pub(crate) push: Push,
    pub(crate) sqs: SqsStub,
    /// Where the consumer asks for notifications.
    pub(crate) consumer_sqs: SqsStub,
    pub(crate) simulator: String,
    pub(crate) http: reqwest::Client,
    pub(crate) ring: KeyRing,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) bucket: String,
}

/// What a desk can be given otherwise.
pub(crate) struct Wishes {
    pub(crate) limits: simulator::Limits,
    pub(crate) delays: simulator::Delays,
    pub(crate) patience: Patience,
    pub(crate) messages_per_second: i32,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            limits: simulator::Limits::default(),
            delays: simulator::Delays::default(),
            patience: Patience {
                retry: Duration::from_hours(1),
                hold: Duration::from_hours(24),
                confirmation: Duration::from_mins(15),
            },
            messages_per_second: 80,
        }
    }
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(Wishes::default()).await
    }

    pub(crate) async fn with(wishes: Wishes) -> Self {
        let database = TestDatabase::migrated().await;
        let user = database.add_number(WABA, NUMBER).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = format!("http://{}", listener.local_addr().unwrap());
        let (consumer_sqs, webhook_url) = take_webhooks(database.pool()).await;
        let config = simulator::Config {
            webhook_url,
            numbers: vec![simulator::Number {
                phone_number_id: NUMBER.to_owned(),
                waba_id: WABA.to_owned(),
                display_phone_number: "+1 555 0300".to_owned(),
                verified_name: "Test".to_owned(),
                access_token: TOKEN.to_owned(),
            }],
            limits: wishes.limits,
            delays: wishes.delays,
            ..simulator::Config::default()
        };
        tokio::spawn(simulator::serve(listener, config));
        let aws = emulated_aws().await;
        let ring = format!(r#"{{"active":"k1","k1":"{}"}}"#, "5b".repeat(32));
        let ring_arn = create_secret(&aws, &ring).await;
        let ring = KeyRing::parse(&ring).unwrap();
        let (sqs, queue) = SqsStub::start().await;
        let config = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        let bucket = format!("media-{}", Uuid::new_v4());
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        let outbound = Outbound {
            settings: Settings {
                patience: wishes.patience,
                pace: Pace {
                    messages_per_second: wishes.messages_per_second,
                },
            },
            ..outbound(database.pool(), &aws, ring_arn, &simulator, &bucket, queue)
        };
        let push_keys = create_secret(&aws, &make_keys("mailto:tests@example.com").unwrap().0).await;
        let push = Push {
            database: outbound.database.clone(),
            keys: PushKeys::new(Secrets::new(&aws, Duration::from_mins(5)), push_keys),
            client: PushClient::new(parse_origin(&simulator)).unwrap(),
            lease: outbox::LEASE,
        };
        let desk = Self {
            database,
            user,
            outbound,
            push,
            sqs,
            consumer_sqs,
            simulator,
            http: reqwest::Client::new(),
            ring,
            s3,
            bucket,
        };
        desk.store_token(&desk.ring.encrypt(WABA, TOKEN).unwrap()).await;
        desk
    }

    pub(crate) async fn store_token(&self, stored: &str) {
        let update = "update waba_accounts set access_token = $1 where waba_id = $2";
        self.database.client.execute(update, &[&stored, &WABA]).await.unwrap();
    }

    /// A conversation with a customer who wrote just now.
    pub(crate) async fn conversation(&self, customer: &str) -> i64 {
        let insert = format!(
            "insert into chat_conversations (waba_id, phone_number_id, customer_phone, last_inbound_at)
             values ('{WABA}', '{NUMBER}', '{customer}', now()) returning id"
        );
        let id = self.database.count(&insert).await;
        let message = format!(
            "insert into chat_messages (conversation_id, message_id, wa_message_id, sender, content, message_type, timestamp)
             values ({id}, gen_random_uuid(), 'wamid.inbound{id}', 'customer', 'Hello?', 'text', now())"
        );
        self.database.client.batch_execute(&message).await.unwrap();
        id
    }

    /// Has a customer write through the simulator; the conversation, and the message's wamid.
    pub(crate) async fn customer_writes(&self, phone: &str, text: &str) -> (i64, String) {
        let url = format!("{}/_simulator/customer-messages", self.simulator);
        let body = json!({"phone_number_id": NUMBER, "from": phone, "text": {"body": text}});
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        let wamid = answer["wamid"].as_str().unwrap().to_owned();
        let find = format!("select to_jsonb(conversation_id) from chat_messages where wa_message_id = '{wamid}'");
        let conversation = until("the customer's message", async || {
            let ids = self.database.json(&find).await;
            ids.first().and_then(Value::as_i64)
        });
        (conversation.await, wamid)
    }

    /// The messages function, asked as the agent.
    pub(crate) async fn ask(&self, path: &str) -> Reply {
        let app = messages::App {
            http: http_app(&self.outbound.database),
            storage: self.outbound.storage.clone(),
            media_queue: self.outbound.queue.clone(),
        };
        Api::new(messages::service(app), self.user).get(path).await
    }

    /// A message as its conversation shows it, by our id or the wamid.
    pub(crate) async fn shown(&self, conversation: i64, id: &str) -> Value {
        let path = format!("/api/live-chat/messages?conversation_id={conversation}&limit=100");
        let page = self.ask(&path).await.ok();
        let messages = page["messages"].as_array().unwrap();
        let message = messages
            .iter()
            .find(|message| message["message_id"] == id || message["wa_message_id"] == id);
        message.unwrap().clone()
    }

    /// The send function, with connections of its own where they are given.
    pub(crate) fn send_function(&self, outbound: Option<Outbound>) -> axum::Router {
        let outbound = Outbound {
            lease: send::LEASE,
            ..outbound.unwrap_or_else(|| self.outbound.clone())
        };
        let http = http_app(&outbound.database);
        send::service(send::App {
            realtime: no_sockets(http.database.clone()),
            http,
            outbound,
        })
    }

    pub(crate) async fn post(&self, service: axum::Router, path: &str, body: &Value) -> (StatusCode, Value) {
        post_as(self.user, service, path, body).await
    }

    pub(crate) async fn send(&self, body: Value) -> (StatusCode, Value) {
        self.post(self.send_function(None), "/api/live-chat/send-message", &body)
            .await
    }

    /// Sends a text; returns its id and how it stands.
    pub(crate) async fn text(&self, conversation: i64, text: &str) -> (String, String) {
        let (status, reply) = self
            .send(json!({"conversation_id": conversation, "message": text}))
            .await;
        assert!(
            status.is_success() || status == StatusCode::UNPROCESSABLE_ENTITY,
            "{status} {reply}"
        );
        let of = |name: &str| reply["message"][name].as_str().unwrap().to_owned();
        (of("message_id"), of("status"))
    }

    /// What the clock does.
    pub(crate) async fn tick(&self) {
        self.outbox(json!({"source": "clock"})).await;
    }

    /// What a trigger does.
    pub(crate) async fn trigger(&self, conversation: i64) {
        let body = json!({"conversation_id": conversation}).to_string();
        self.outbox(json!({"Records": [{"messageId": "1", "body": body}]}))
            .await;
    }

    pub(crate) async fn outbox(&self, event: Value) {
        let app = outbox::App {
            realtime: no_sockets(self.outbound.database.clone()),
            outbound: self.outbound.clone(),
            push: self.push.clone(),
        };
        let response = outbox::handle(&app, event, Instant::now() + DEADLINE).await;
        assert!(response.batch_item_failures.is_empty());
    }

    /// Lets what waits be due now.
    pub(crate) async fn pass_time(&self) {
        let pass = "update chat_sends set next_try_at = now() - interval '1 second', busy_until = null where settled_at is null;
                    update chat_holds set next_try_at = now() - interval '1 second';
                    update chat_phone_numbers set send_slot_at = null;
                    update chat_conversation_signals set pair_slot_at = null,
                      receipt_next_try_at = case when receipt_next_try_at is not null then now() end";
        self.database.client.batch_execute(pass).await.unwrap();
    }

    /// Has Meta post this, and the consumer take it.
    pub(crate) async fn raw_webhook(&self, webhook: &Value) {
        let url = format!("{}/_simulator/raw-webhooks", self.simulator);
        let answer: Value = self
            .http
            .post(url)
            .json(webhook)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(answer["status"], 200, "{answer}");
    }

    pub(crate) async fn fault(&self, fault: Value) {
        let url = format!("{}/_simulator/faults", self.simulator);
        let answer = self.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    pub(crate) async fn clear_faults(&self) {
        let url = format!("{}/_simulator/faults", self.simulator);
        self.http.delete(url).send().await.unwrap();
    }

    pub(crate) async fn simulator(&self, path: &str) -> Vec<Value> {
        let url = format!("{}/_simulator/{path}", self.simulator);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// The messages that the simulator accepted.
    pub(crate) async fn accepted(&self) -> Vec<Value> {
        self.simulator("messages").await
    }

    /// All that Graph was asked.
    pub(crate) async fn log(&self) -> Vec<Value> {
        self.simulator("requests").await
    }

    /// What Graph was asked to send, whatever it answered.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        let all = self.log().await;
        all.into_iter()
            .filter(|request| request["body"]["type"].is_string())
            .collect()
    }

    /// The read receipts and typing indicators that Graph was asked for.
    pub(crate) async fn receipts(&self) -> Vec<Value> {
        let bodies = self.log().await.into_iter().map(|mut request| request["body"].take());
        bodies.filter(|body| body["status"] == "read").collect()
    }

    /// A message's state and the code of its error.
    pub(crate) async fn state(&self, message_id: &str) -> (String, Value) {
        let find =
            format!("select jsonb_build_array(status, error) from chat_messages where message_id = '{message_id}'");
        let row = self.database.json(&find).await.remove(0);
        (row[0].as_str().unwrap().to_owned(), row[1].clone())
    }

    /// Waits until the message has this state.
    pub(crate) async fn reaches(&self, message_id: &str, status: &str) {
        until(status, async || {
            (self.state(message_id).await.0 == status).then_some(())
        })
        .await;
    }

    /// Sending whose connections to the database lead through a proxy.
    pub(crate) async fn behind_a_proxy(&self) -> (Proxy, Outbound) {
        let (proxy, url) = Proxy::before(&self.database.url).await;
        let settings = DatabaseSettings::from_url(&url).unwrap();
        let outbound = Outbound {
            database: Database::new(settings, 1),
            ..self.outbound.clone()
        };
        (proxy, outbound)
    }
}

fn http_app(database: &Database) -> shared::http::App {
    shared::http::App {
        database: database.clone(),
        authenticator: authenticator(),
    }
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) async fn post_as(user: Uuid, service: axum::Router, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {}", agent_token(user)))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// Takes webhooks as the webhook function and the queue do, and gives them to the consumer.
async fn take_webhooks(database: Database) -> (SqsStub, String) {
    let (sqs, queue) = SqsStub::start().await;
    let app = consumer::App {
        realtime: no_sockets(database.clone()),
        database,
        media_queue: queue.clone(),
        outbox_queue: queue.clone(),
        queue,
        retention: Retention::FOREVER,
    };
    let take = async |State(app): State<consumer::App>, body: String| {
        let mut record = SqsMessage::default();
        record.message_id = Some("1".to_owned());
        record.body = Some(body);
        let response = consumer::handle(&app, vec![record]).await;
        if response.batch_item_failures.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let router = axum::Router::new().route("/", post(take)).with_state(app);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (sqs, url)
}
