//! API Gateway's side of the sockets, as a stub that can be told that a connection is gone, or silent. Speaks its protocol to the real SDK.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;

use crate::db::Database;
use crate::edge::sockets::Sockets;
use crate::realtime::Realtime;

/// How a connection takes frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It is closed.
    Gone,
    /// API Gateway never answers.
    Silent,
    /// API Gateway wants fewer frames.
    Throttled,
}

/// The sockets and what they were sent.
#[derive(Debug, Clone, Default)]
pub struct SocketsStub {
    state: Arc<Mutex<Stub>>,
}

#[derive(Debug, Default)]
struct Stub {
    manners: HashMap<String, Manner>,
    frames: Vec<(String, Value)>,
    /// How often somebody tried.
    attempts: usize,
}

impl SocketsStub {
    /// Starts it; every connection takes everything.
    pub async fn start(database: Database) -> (Self, Realtime) {
        let stub = Self::default();
        let router = Router::new()
            .route("/@connections/{id}", post(take))
            .with_state(stub.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (stub, realtime(database, &url))
    }

    /// From now on this connection is like that.
    pub fn behave(&self, connection_id: &str, manner: Manner) {
        self.lock().manners.insert(connection_id.to_owned(), manner);
    }

    /// What was taken, in order: the connection and the frame.
    #[must_use]
    pub fn frames(&self) -> Vec<(String, Value)> {
        self.lock().frames.clone()
    }

    /// The frames that this connection took, in order.
    #[must_use]
    pub fn frames_of(&self, connection_id: &str) -> Vec<Value> {
        let frames = self.frames().into_iter();
        frames
            .filter(|(id, _)| id == connection_id)
            .map(|(_, frame)| frame)
            .collect()
    }

    /// How often a frame was offered.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.lock().attempts
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stub> {
        self.state.lock().expect("no test panics while it holds the lock")
    }
}

async fn take(State(stub): State<SocketsStub>, Path(id): Path<String>, frame: Bytes) -> Response {
    let refusal = |status: StatusCode, code: &'static str| (status, [("x-amzn-errortype", code)], "{}").into_response();
    let manner = {
        let mut stub = stub.lock();
        stub.attempts += 1;
        stub.manners.get(&id).copied()
    };
    match manner {
        Some(Manner::Gone) => refusal(StatusCode::GONE, "GoneException"),
        Some(Manner::Throttled) => refusal(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException"),
        Some(Manner::Silent) => std::future::pending().await,
        None => {
            let frame = serde_json::from_slice(&frame).expect("a frame is JSON");
            stub.lock().frames.push((id, frame));
            StatusCode::OK.into_response()
        }
    }
}

/// Sockets that nobody opened.
#[must_use]
pub fn no_sockets(database: Database) -> Realtime {
    realtime(database, "http://127.0.0.1:9")
}

fn realtime(database: Database, callback_url: &str) -> Realtime {
    let aws = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .build();
    Realtime {
        database,
        sockets: Sockets::new(&aws, callback_url),
        patience: Duration::from_secs(10),
    }
}
