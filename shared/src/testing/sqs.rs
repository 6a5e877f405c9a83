//! A queue that can be told to fail as SQS does and the emulator does not: entry by entry. Speaks SQS's JSON protocol to the real SDK.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::edge::queue::Queue;

/// How the queue answers a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Takes the entries but those with these indexes.
    AllBut(Vec<usize>),
    /// Answers with this HTTP status and no more.
    Status(u16),
    /// Takes nothing and never answers.
    Silence,
}

/// What the queue was asked, and how it is going to answer.
#[derive(Debug, Clone, Default)]
pub struct SqsStub {
    state: Arc<Mutex<Stub>>,
}

#[derive(Debug, Default)]
struct Stub {
    answers: VecDeque<Answer>,
    always: Option<Answer>,
    calls: Vec<(String, Value)>,
    taken: Vec<Value>,
    max_receive_count: Option<u32>,
}

impl SqsStub {
    /// Starts a queue that takes everything.
    pub async fn start() -> (Self, Queue) {
        let stub = Self::default();
        let router = Router::new().route("/", post(answer)).with_state(stub.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            .endpoint_url(&url)
            .build();
        let queue = Queue::new(aws_sdk_sqs::Client::from_conf(config), format!("{url}/queue"));
        (stub, queue)
    }

    /// Answers the next calls like this, later ones by taking everything.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().answers.extend(answers);
    }

    /// Answers every call like this.
    pub fn answer_always(&self, answer: Answer) {
        self.lock().always = Some(answer);
    }

    /// Says that it gives messages to a dead-letter queue that were received so often.
    pub fn set_max_receive_count(&self, count: u32) {
        self.lock().max_receive_count = Some(count);
    }

    /// The operations asked for, with their input.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.lock().calls.clone()
    }

    /// The entries that were taken, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        self.lock().taken.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stub> {
        self.state.lock().expect("no test panics while it holds the lock")
    }
}

async fn answer(
    State(stub): State<SqsStub>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Value>, StatusCode> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let operation = target
        .and_then(|target| target.split('.').nth(1))
        .unwrap_or_default()
        .to_owned();
    let input: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let entries = input["Entries"].as_array().cloned().unwrap_or_default();
    let answer = {
        let mut stub = stub.lock();
        stub.calls.push((operation.clone(), input));
        stub.always.clone().or_else(|| stub.answers.pop_front())
    };
    let refused = match answer {
        Some(Answer::Status(status)) => return Err(StatusCode::from_u16(status).unwrap_or_default()),
        Some(Answer::Silence) => std::future::pending().await,
        Some(Answer::AllBut(indexes)) => indexes,
        None => Vec::new(),
    };
    let mut stub = stub.lock();
    if operation == "GetQueueAttributes" {
        let policy = stub.max_receive_count.map(|count| {
            let target = "arn:aws:sqs:us-east-1:000000000000:dead-letters";
            json!({"RedrivePolicy": json!({"deadLetterTargetArn": target, "maxReceiveCount": count}).to_string()})
        });
        return Ok(Json(json!({"Attributes": policy.unwrap_or_else(|| json!({}))})));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (index, entry) in entries.into_iter().enumerate() {
        if refused.contains(&index) {
            failed.push(json!({"Id": entry["Id"], "SenderFault": false, "Code": "ServiceUnavailable"}));
        } else {
            successful.push(
                json!({"Id": entry["Id"], "MessageId": uuid::Uuid::new_v4(), "MD5OfMessageBody": md5_is_not_checked()}),
            );
            stub.taken.push(entry);
        }
    }
    Ok(Json(json!({"Successful": successful, "Failed": failed})))
}

/// The SDK for Rust does not verify it for batches.
fn md5_is_not_checked() -> &'static str {
    "00000000000000000000000000000000"
}
