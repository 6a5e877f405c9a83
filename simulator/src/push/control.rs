//! Playing the browser, and looking at what it was told.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::engine::Engine;
use serde_json::{Value, json};

use super::{Answer, BASE64URL, Notification};
use crate::control::{Refusal, read_object};
use crate::state::Simulator;

type App = State<Arc<Simulator>>;

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/subscriptions", post(subscribe))
        .route("/subscriptions/{id}", delete(unsubscribe))
        .route("/subscriptions/{id}/answers", post(set_answers))
        .route("/notifications", get(list_notifications).delete(clear_notifications))
}

/// As `PushManager.subscribe({applicationServerKey})`: what the browser gives the page, and an `id` for the calls here.
async fn subscribe(State(simulator): App, bytes: Bytes) -> Result<(StatusCode, Json<Value>), Refusal> {
    let asked = read_object(&bytes)?;
    let key = asked
        .get("applicationServerKey")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let key = BASE64URL.decode(key).ok().filter(|key| key.len() == 65 && key[0] == 4);
    let key = key.ok_or("applicationServerKey: must be a point of P-256 in base64url".to_owned())?;
    let mut known = simulator.browsers.lock();
    let id = known.subscribe(key).ok_or("no random numbers".to_owned())?;
    let subscription = &known.subscriptions[&id];
    let answer = json!({
        "id": id,
        "endpoint": format!("{}/push/{id}", simulator.base_url),
        "expirationTime": null,
        "keys": {
            "p256dh": BASE64URL.encode(&subscription.public_key),
            "auth": BASE64URL.encode(subscription.auth),
        },
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// As `PushSubscription.unsubscribe()`.
async fn unsubscribe(State(simulator): App, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let mut known = simulator.browsers.lock();
    known.subscriptions.get_mut(&id).ok_or_else(missing)?.is_over = true;
    Ok(StatusCode::NO_CONTENT)
}

fn missing() -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "no such subscription".to_owned())
}

/// Has the next messages answered otherwise: `{status, headers, body, delay_ms, times}`.
async fn set_answers(State(simulator): App, Path(id): Path<String>, bytes: Bytes) -> Result<StatusCode, Refusal> {
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let mut known = simulator.browsers.lock();
    let subscription = known.subscriptions.get_mut(&id).ok_or_else(missing)?;
    let times = answer.times.unwrap_or(1);
    subscription.answers.extend(std::iter::repeat_n(answer, times));
    Ok(StatusCode::CREATED)
}

/// What reached the push service, oldest first.
async fn list_notifications(State(simulator): App) -> Json<Vec<Notification>> {
    Json(simulator.browsers.lock().notifications.clone())
}

async fn clear_notifications(State(simulator): App) -> StatusCode {
    simulator.browsers.lock().notifications.clear();
    StatusCode::NO_CONTENT
}
