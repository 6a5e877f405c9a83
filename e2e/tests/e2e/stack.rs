//! The running stack, seen from outside.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use shared::whatsapp::signature;

/// How long something may take that takes well under a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Stack {
    file: Value,
    pub(crate) http: Client,
}

impl Stack {
    pub(crate) fn open() -> Self {
        let path = std::env::var("WABA_STACK_FILE")
            .expect("WABA_STACK_FILE is not set: `cargo xtask test` starts a stack and sets it");
        let text = std::fs::read_to_string(&path).expect("the stack file can be read");
        Self {
            file: serde_json::from_str(&text).expect("the stack file is JSON"),
            http: Client::new(),
        }
    }

    /// A value of `stack.json`.
    pub(crate) fn value(&self, key: &str) -> &Value {
        &self.file[key]
    }

    /// A text of `stack.json`.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.value(key)
            .as_str()
            .unwrap_or_else(|| panic!("stack.json has no {key}"))
    }

    /// The folder of `stack.json`.
    pub(crate) fn folder() -> std::path::PathBuf {
        let path = std::path::PathBuf::from(std::env::var("WABA_STACK_FILE").expect("set, as above"));
        path.parent().expect("a file is in a folder").to_owned()
    }

    /// Calls the API with a token.
    pub(crate) async fn call(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.get("api_url")))
            .bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the API answers");
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// Calls the API as the demo agent and expects 200.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let (status, reply) = self.call(self.get("agent_token"), Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path} {reply}");
        reply
    }

    /// Sends as the demo agent.
    pub(crate) async fn send(&self, request: &Value) -> (StatusCode, Value) {
        self.call(
            self.get("agent_token"),
            Method::POST,
            "/api/live-chat/send-message",
            Some(request),
        )
        .await
    }

    /// Has a customer write through the simulator.
    pub(crate) async fn customer_writes(&self, phone: &str, text: &str) {
        let body = json!({"phone_number_id": self.get("phone_number_id"), "from": phone, "name": "Ines Prado", "text": {"body": text}});
        let url = format!("{}/_simulator/customer-messages", self.get("simulator_url"));
        let answer = self
            .http
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("the simulator answers");
        assert!(answer.status().is_success());
    }

    /// Posts a webhook as Meta does.
    pub(crate) async fn post_webhook(&self, body: &Value) -> StatusCode {
        self.post_signed(body.to_string().into_bytes(), "application/json")
            .await
    }

    /// Posts any bytes with their signature.
    pub(crate) async fn post_signed(&self, body: Vec<u8>, content_type: &str) -> StatusCode {
        self.http
            .post(self.get("webhook_url"))
            .header(signature::HEADER, signature::sign(self.get("app_secret"), &body))
            .header("content-type", content_type)
            .body(body)
            .send()
            .await
            .expect("the webhook answers")
            .status()
    }

    /// The conversation with this customer, once it shows this text as its last message.
    pub(crate) async fn conversation_showing(&self, phone: &str, text: &str) -> Value {
        until(&format!("a conversation showing {text:?}"), async || {
            let page = self.ask("/api/live-chat/conversations?limit=100").await;
            let conversations = page["conversations"].as_array().expect("a list").clone();
            conversations
                .into_iter()
                .find(|one| one["customer_phone"] == phone && one["last_message"] == text)
        })
        .await
    }

    /// The queues of the emulated AWS.
    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        let aws = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region("us-east-1")
            .test_credentials()
            .endpoint_url(self.get("aws_endpoint_url"))
            .load()
            .await;
        aws_sdk_sqs::Client::new(&aws)
    }

    /// What the simulator was asked to send, with this text in it.
    pub(crate) async fn graph_requests_with(&self, text: &str) -> Vec<Value> {
        let answer = self
            .http
            .get(self.get("simulator_log_url"))
            .send()
            .await
            .expect("the simulator answers");
        let requests: Vec<Value> = answer.json().await.expect("a list");
        requests
            .into_iter()
            .filter(|request| request["body"].to_string().contains(text))
            .collect()
    }
}

/// The command that runs these tests; it names itself.
pub(crate) fn xtask(arguments: &[&str]) -> std::process::Output {
    let program = std::env::var("WABA_XTASK").expect("WABA_XTASK is not set: `cargo xtask test` sets it");
    let mut command = std::process::Command::new(program);
    command.args(arguments).arg("--state-dir").arg(Stack::folder());
    // The stack of the tests, whatever installation the shell is set up for.
    command.env_remove("DATABASE_URL").output().expect("the command starts")
}

/// A phone number that no other test uses.
pub(crate) fn new_phone() -> String {
    let digits = uuid::Uuid::new_v4().as_u128() % 100_000_000;
    format!("+4917{digits:08}")
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
