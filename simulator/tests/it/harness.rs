//! A running simulator, a receiver that keeps what it gets, and short ways to talk to both.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Config, Number};
use tokio::net::TcpListener;

pub(crate) const NUMBER: &str = "100000000000001";
pub(crate) const SIBLING: &str = "100000000000002";
pub(crate) const FOREIGN: &str = "100000000000003";
pub(crate) const WABA: &str = "200000000000001";
pub(crate) const TOKEN: &str = "token-of-the-first-account";
pub(crate) const SECRET: &str = "the app secret";
pub(crate) const CUSTOMER: &str = "16505550100";
const PATIENCE: Duration = Duration::from_secs(10);

/// A webhook as it came in.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) signature: String,
    pub(crate) bytes: Bytes,
    pub(crate) json: Value,
}

impl Received {
    /// What stands under `value` in the only change of the only entry.
    pub(crate) fn value(&self) -> &Value {
        &self.json["entry"][0]["changes"][0]["value"]
    }
}

#[derive(Default)]
struct Inbox {
    received: Mutex<Vec<Received>>,
    /// What to answer next; 200 when empty.
    answers: Mutex<VecDeque<StatusCode>>,
    /// Bodies that contain this are refused.
    refused: Mutex<Option<&'static str>>,
}

pub(crate) struct Rig {
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    inbox: Arc<Inbox>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As strict as Meta, with quick statuses, and what `change` makes of that.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let inbox = Arc::new(Inbox::default());
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook_url = format!("http://{}/webhook", receiver.local_addr().unwrap());
        let routes = Router::new()
            .route("/webhook", post(receive))
            .with_state(Arc::clone(&inbox));
        tokio::spawn(async move { axum::serve(receiver, routes).await });

        let number = |id: &str, waba: &str, token: &str| Number {
            phone_number_id: id.to_owned(),
            waba_id: waba.to_owned(),
            display_phone_number: format!("+1 555 0{}", &id[11..]),
            verified_name: "A Shop".to_owned(),
            access_token: token.to_owned(),
        };
        let mut config = Config {
            webhook_url,
            app_secret: SECRET.to_owned(),
            numbers: vec![
                number(NUMBER, WABA, TOKEN),
                number(SIBLING, WABA, TOKEN),
                number(FOREIGN, "200000000000002", "token-of-the-second-account"),
            ],
            trust_unseen: false,
            ..Config::default()
        };
        config.delays.sent_ms = 5;
        config.delays.delivered_ms = 105;
        config.delays.read_ms = 205;
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(simulator::serve(listener, config));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, client, inbox }
    }

    /// Any call, with the first account's token where it is for Graph.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<(u16, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !path.starts_with("/_simulator") {
            request = request.bearer_auth(TOKEN);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await.unwrap().1
    }

    /// What Graph answers to a message.
    pub(crate) async fn send(&self, message: &Value) -> (u16, Value) {
        let path = format!("/v26.0/{NUMBER}/messages");
        self.call(Method::POST, &path, Some(message)).await.unwrap()
    }

    /// Sends what Graph has to accept; the wamid.
    pub(crate) async fn send_accepted(&self, message: &Value) -> String {
        let (status, answer) = self.send(message).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Plays the customer; the wamid.
    pub(crate) async fn customer_sends(&self, message: Value) -> String {
        let mut order = json!({"phone_number_id": NUMBER, "from": CUSTOMER, "name": "Ada"});
        order
            .as_object_mut()
            .unwrap()
            .extend(message.as_object().unwrap().clone());
        let (status, answer) = self
            .call(Method::POST, "/_simulator/customer-messages", Some(&order))
            .await
            .unwrap();
        assert_eq!(status, 201, "{answer}");
        answer["wamid"].as_str().unwrap().to_owned()
    }

    /// Lets the customer write, so that the window is open, and forgets the webhook.
    pub(crate) async fn open_window(&self) -> String {
        let wamid = self.customer_sends(json!({"text": "Hello"})).await;
        self.flush().await;
        self.inbox.received.lock().unwrap().clear();
        wamid
    }

    pub(crate) async fn set_fault(&self, fault: Value) {
        let answer = self
            .call(Method::POST, "/_simulator/faults", Some(&fault))
            .await
            .unwrap();
        assert_eq!(answer.0, 201, "{}", answer.1);
    }

    pub(crate) fn answer_webhooks_with(&self, statuses: &[StatusCode]) {
        self.inbox.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) fn refuse_webhooks_with(&self, word: Option<&'static str>) {
        *self.inbox.refused.lock().unwrap() = word;
    }

    /// Waits until no webhook is on its way.
    pub(crate) async fn flush(&self) {
        let (status, counts) = self
            .call(Method::POST, "/_simulator/deliveries/flush", None)
            .await
            .unwrap();
        assert_eq!(status, 200, "webhooks are still pending: {counts}");
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }

    /// Everything received once nothing is pending.
    pub(crate) async fn all_received(&self) -> Vec<Received> {
        self.flush().await;
        self.received()
    }

    /// The statuses among it, in the order of their arrival.
    pub(crate) async fn all_statuses(&self) -> Vec<Value> {
        let received = self.all_received().await;
        received
            .iter()
            .flat_map(|webhook| webhook.value()["statuses"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    /// Waits until `condition` holds for what was received.
    pub(crate) async fn wait_for(&self, what: &str, condition: impl Fn(&[Received]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !condition(&self.received()) {
            assert!(Instant::now() < deadline, "never came: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let word = *inbox.refused.lock().unwrap();
    let answer = if word.is_some_and(|word| String::from_utf8_lossy(&bytes).contains(word)) {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        inbox.answers.lock().unwrap().pop_front().unwrap_or(StatusCode::OK)
    };
    let signature = headers
        .get("x-hub-signature-256")
        .map_or("", |value| value.to_str().unwrap());
    inbox.received.lock().unwrap().push(Received {
        signature: signature.to_owned(),
        json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        bytes,
    });
    answer
}

/// A message to the customer: `text`, or of any other type.
pub(crate) fn text(body: &str) -> Value {
    message(&json!({"type": "text", "text": {"body": body}}))
}

pub(crate) fn message(rest: &Value) -> Value {
    let mut message = json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": CUSTOMER});
    message
        .as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    message
}
