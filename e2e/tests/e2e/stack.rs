//! The running stack, seen from outside.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use shared::whatsapp::signature;

/// How long something may take that takes well under a second on an idle machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The key of the queue between webhook and consumer.
pub(crate) const EVENTS: &str = "events_queue_url";

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
        self.customer_sends(phone, json!({"text": {"body": text}})).await;
    }

    /// Has a customer send a message of any kind through the simulator.
    pub(crate) async fn customer_sends(&self, phone: &str, message: Value) {
        let mut body = json!({"phone_number_id": self.get("phone_number_id"), "from": phone, "name": "Ines Prado"});
        let Value::Object(message) = message else {
            panic!("a message is an object");
        };
        body.as_object_mut().expect("it is one").extend(message);
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

    /// A webhook with one text from this customer, who writes now.
    pub(crate) fn text(&self, phone: &str, wamid: &str, text: &str) -> Value {
        let from = phone.trim_start_matches('+');
        let now = jiff::Timestamp::now().as_second().to_string();
        json!({"object": "whatsapp_business_account", "entry": [{"id": self.get("waba_id"), "changes": [{"field": "messages",
            "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": self.get("phone_number_id")},
                      "contacts": [{"wa_id": from, "profile": {"name": "Ines Prado"}}],
                      "messages": [{"from": from, "id": wamid, "timestamp": now, "type": "text", "text": {"body": text}}]}}]}]})
    }

    /// A connection to the stack's database.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        shared::testing::connect(self.get("database_url")).await
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
            // Other tests' conversations may fill the first page.
            let path = format!("/api/live-chat/conversations?q={}", phone.trim_start_matches('+'));
            let page = self.ask(&path).await;
            let conversations = page["conversations"].as_array().expect("a list").clone();
            conversations
                .into_iter()
                .find(|one| one["customer_phone"] == phone && one["last_message"] == text)
        })
        .await
    }

    /// The SDK's settings for the emulated AWS.
    pub(crate) async fn aws(&self) -> aws_config::SdkConfig {
        let aws = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region("us-east-1")
            .test_credentials()
            .endpoint_url(self.get("aws_endpoint_url"))
            .load();
        Box::pin(aws).await
    }

    /// The queues of the emulated AWS.
    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.aws().await)
    }

    /// The key ring of the access tokens as it is now.
    pub(crate) async fn key_ring(&self) -> Value {
        let secrets = aws_sdk_secretsmanager::Client::new(&self.aws().await);
        let ring = secrets.get_secret_value().secret_id(self.get("token_keys_secret_arn"));
        let ring = Box::pin(ring.send()).await.expect("the ring is there");
        serde_json::from_str(ring.secret_string().expect("it is text")).expect("it is JSON")
    }

    /// A number among the attributes of a queue of `stack.json`.
    pub(crate) async fn depth(&self, queue: &str, name: QueueAttributeName) -> u64 {
        let attribute = self.queue_attribute(queue, name).await;
        attribute.map_or(0, |count| count.parse().expect("it is a number"))
    }

    /// How many items of webhooks were given up.
    pub(crate) async fn dead_letters(&self) -> u64 {
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        self.depth("dead_letter_queue_url", visible).await
    }

    /// An attribute of a queue of `stack.json`.
    pub(crate) async fn queue_attribute(&self, queue: &str, name: QueueAttributeName) -> Option<String> {
        let client = self.sqs().await;
        let request = client.get_queue_attributes().queue_url(self.get(queue));
        let answer = Box::pin(request.attribute_names(name.clone()).send()).await;
        answer.expect("the queue answers").attributes?.remove(&name)
    }

    /// Has the queue of the webhook's items give them up after as many receives, while `body` runs.
    pub(crate) async fn with_max_receive_count(&self, count: u32, body: Pin<Box<dyn Future<Output = ()> + '_>>) {
        // What an earlier test left there would be given up too.
        until("the queue to be empty", async || {
            let visible = self.depth(EVENTS, QueueAttributeName::ApproximateNumberOfMessages);
            let hidden = self.depth(EVENTS, QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
            (visible.await + hidden.await == 0).then_some(())
        })
        .await;
        let policy = self.queue_attribute(EVENTS, QueueAttributeName::RedrivePolicy).await;
        let policy = policy.expect("it has a dead-letter queue");
        let mut small: Value = serde_json::from_str(&policy).expect("it is JSON");
        small["maxReceiveCount"] = json!(count);
        self.set_redrive_policy(&small.to_string()).await;
        and_then(body, self.set_redrive_policy(&policy)).await;
    }

    async fn set_redrive_policy(&self, policy: &str) {
        let client = self.sqs().await;
        let request = client.set_queue_attributes().queue_url(self.get(EVENTS));
        let answer = request
            .attributes(QueueAttributeName::RedrivePolicy, policy)
            .send()
            .await;
        answer.expect("the queue answers");
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
    command.env_remove("DATABASE_URL").env_remove("DATABASE_SECRET_ARN");
    command.output().expect("the command starts")
}

/// A phone number that no other test uses.
pub(crate) fn new_phone() -> String {
    let digits = uuid::Uuid::new_v4().as_u128() % 100_000_000;
    format!("+4917{digits:08}")
}

/// Runs `body` to its end, be it good or bad, and then what makes the stack whole again for the tests that follow.
pub(crate) fn and_then(body: impl Future<Output = ()>, repair: impl Future<Output = ()>) -> impl Future<Output = ()> {
    let (mut body, repair) = (Box::pin(body), Box::pin(repair));
    async move {
        let ended = poll_fn(|context| {
            let polled = catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(context)));
            polled.map_or_else(|panic| Poll::Ready(Err(panic)), |poll| poll.map(Ok))
        })
        .await;
        repair.await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
    }
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, ask).await
}

/// Asks until there is an answer, for no longer than `patience`.
pub(crate) async fn until_within<T>(patience: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < patience, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
