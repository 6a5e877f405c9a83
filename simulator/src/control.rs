//! The simulator's own API under `/_simulator/`: playing the customer, ordering faults, and
//! looking at what happened. It has no access control: it is for a desk.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures_util::{Stream, stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::graph;
use crate::graph::media::{RECEIVED_FOR, kind_of};
use crate::ids;
use crate::inbound::receive;
use crate::push;
use crate::requests::LoggedRequest;
use crate::state::{Sender, Simulator};
use crate::statuses;

type App = State<Arc<Simulator>>;
type Asked = Query<HashMap<String, String>>;

/// A control call that cannot be done, and why.
pub(crate) struct Refusal(pub(crate) StatusCode, pub(crate) String);

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, reason)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/requests", get(list_requests).delete(clear_requests))
        .route("/messages", get(list_messages))
        .route("/conversations", get(list_conversations))
        .route("/numbers", get(list_numbers))
        .route("/templates", get(list_templates).put(put_templates))
        .route("/customer-messages", post(post_customer_message))
        .route("/echoes", post(post_echo))
        .route("/raw-webhooks", post(post_raw))
        .route("/media", post(store_media))
        .route("/media/{id}", get(fetch_media))
        .route("/media/{id}/expire", post(expire_media))
        .route("/phones", put(switch_phone))
        .route("/faults", get(list_faults).post(set_fault).delete(clear_faults))
        .route("/deliveries", get(count_deliveries))
        .route("/deliveries/flush", post(flush_deliveries))
        .route("/events", get(stream_events))
        .nest("/push", push::control::routes())
        .fallback(async || Refusal(StatusCode::NOT_FOUND, "no such path".to_owned()))
        .layer(DefaultBodyLimit::max(105 * 1024 * 1024))
}

pub(crate) fn read_object(bytes: &Bytes) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| Refusal(StatusCode::BAD_REQUEST, format!("the body: {error}")))
}

async fn list_requests(State(simulator): App, Query(asked): Asked) -> Json<Vec<LoggedRequest>> {
    let filter = |name: &str| asked.get(name).map(String::as_str);
    Json(
        simulator
            .requests
            .list(filter("phone_number_id"), filter("biz_opaque_callback_data")),
    )
}

async fn clear_requests(State(simulator): App) -> StatusCode {
    simulator.requests.clear();
    StatusCode::NO_CONTENT
}

/// What Graph accepted, oldest first within a conversation.
async fn list_messages(State(simulator): App, Query(asked): Asked) -> Json<Vec<Value>> {
    let wanted = asked.get("phone_number_id");
    let callback_data = asked.get("biz_opaque_callback_data");
    let world = simulator.world();
    let of_number = world
        .conversations
        .iter()
        .filter(|conversation| wanted.is_none_or(|id| *id == conversation.phone_number_id));
    Json(
        of_number
            .flat_map(|conversation| {
                let messages = conversation.messages.iter();
                messages
                    .filter(|message| message.sender == Sender::Business)
                    .filter(|message| {
                        callback_data.is_none_or(|data| message.body["biz_opaque_callback_data"] == **data)
                    })
                    .map(|message| {
                        json!({
                            "id": message.id,
                            "phone_number_id": conversation.phone_number_id,
                            "customer": conversation.customer.key(),
                            "accepted_at": message.timestamp,
                            "body": message.body,
                            "statuses": message.statuses,
                        })
                    })
            })
            .collect(),
    )
}

/// Whole conversations, or with `customer` just that one.
async fn list_conversations(State(simulator): App, Query(asked): Asked) -> Json<Vec<Value>> {
    let (number, customer) = (asked.get("phone_number_id"), asked.get("customer"));
    let world = simulator.world();
    Json(
        world
            .conversations
            .iter()
            .filter(|c| number.is_none_or(|id| *id == c.phone_number_id))
            .filter(|c| customer.is_none_or(|key| key == c.customer.key()))
            .map(|conversation| {
                let key = conversation.customer.key();
                let mut described = json!(conversation);
                described["customer"]["key"] = json!(key);
                described["phone_open"] = json!(!world.closed_phones.contains(key));
                described
            })
            .collect(),
    )
}

async fn list_numbers(State(simulator): App) -> Json<Vec<Value>> {
    let describe = |number: &crate::Number| {
        json!({
            "phone_number_id": number.phone_number_id,
            "waba_id": number.waba_id,
            "display_phone_number": number.display_phone_number,
            "verified_name": number.verified_name,
        })
    };
    Json(simulator.config.numbers.iter().map(describe).collect())
}

/// The templates, so that the page can show what a customer reads.
async fn list_templates(State(simulator): App) -> Json<Vec<Value>> {
    Json(simulator.world().templates.clone())
}

/// From now on every account has these templates and no others.
async fn put_templates(State(simulator): App, Json(templates): Json<Vec<Value>>) -> Result<Json<Vec<Value>>, Refusal> {
    graph::check_templates(&templates)?;
    simulator.world().templates.clone_from(&templates);
    Ok(Json(templates))
}

async fn post_customer_message(State(simulator): App, bytes: Bytes) -> Result<(StatusCode, Json<Value>), Refusal> {
    let wamid = receive(&simulator, Sender::Customer, read_object(&bytes)?)?;
    Ok((StatusCode::CREATED, Json(json!({"wamid": wamid}))))
}

async fn post_echo(State(simulator): App, bytes: Bytes) -> Result<(StatusCode, Json<Value>), Refusal> {
    let wamid = receive(&simulator, Sender::BusinessApp, read_object(&bytes)?)?;
    Ok((StatusCode::CREATED, Json(json!({"wamid": wamid}))))
}

/// Signs the body as it is and posts it once; answers with what the receiver said.
async fn post_raw(State(simulator): App, bytes: Bytes) -> Result<Json<Value>, Refusal> {
    let unreachable =
        |error: reqwest::Error| Refusal(StatusCode::BAD_GATEWAY, format!("the webhook receiver: {error}"));
    let response = simulator.deliveries.post_once(bytes).await.map_err(unreachable)?;
    let status = response.status().as_u16();
    let body = response.text().await.map_err(unreachable)?;
    Ok(Json(json!({"status": status, "body": body})))
}

/// A customer's own file: the bytes as the body, its type as `Content-Type`.
async fn store_media(
    State(simulator): App,
    Query(asked): Asked,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let number = asked
        .get("phone_number_id")
        .and_then(|id| simulator.number(id))
        .ok_or("phone_number_id: this simulator has no such number".to_owned())?;
    let mime_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("application/octet-stream")
        .to_owned();
    let mut answer = json!({
        "mime_type": mime_type,
        "sha256": ids::sha256_base64(&bytes),
        "file_size": bytes.len(),
        "kind": kind_of(&mime_type).unwrap_or("document"),
    });
    let id = simulator.store_media(&number.phone_number_id, mime_type, bytes, RECEIVED_FOR);
    answer["id"] = json!(id);
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn fetch_media(State(simulator): App, Path(id): Path<String>) -> Result<Response, Refusal> {
    let media = simulator.world().media.get(&id).cloned();
    let media = media.ok_or(Refusal(StatusCode::NOT_FOUND, "no such media".to_owned()))?;
    Ok(([(CONTENT_TYPE, media.mime_type)], media.bytes).into_response())
}

/// As if the time that Meta keeps the file were over.
async fn expire_media(State(simulator): App, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let mut world = simulator.world();
    let media = world.media.get_mut(&id);
    media
        .ok_or(Refusal(StatusCode::NOT_FOUND, "no such media".to_owned()))?
        .expires_at = Timestamp::now();
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneSwitch {
    /// Phone number or business-scoped id.
    customer: String,
    open: bool,
}

async fn switch_phone(State(simulator): App, bytes: Bytes) -> Result<StatusCode, Refusal> {
    let switch: PhoneSwitch = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
    let customer = ids::phone_digits(&switch.customer).unwrap_or(switch.customer);
    if switch.open {
        simulator.world().closed_phones.remove(&customer);
        statuses::read_delivered(&simulator, &customer);
    } else {
        simulator.world().closed_phones.insert(customer.clone());
    }
    for number in &simulator.config.numbers {
        simulator.announce(&number.phone_number_id, &customer);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn list_faults(State(simulator): App) -> impl IntoResponse {
    Json(simulator.faults.list())
}

async fn set_fault(State(simulator): App, bytes: Bytes) -> Result<Response, Refusal> {
    let fault = simulator.faults.set(read_object(&bytes)?)?;
    Ok((StatusCode::CREATED, Json(fault)).into_response())
}

async fn clear_faults(State(simulator): App) -> StatusCode {
    simulator.faults.clear();
    StatusCode::NO_CONTENT
}

async fn count_deliveries(State(simulator): App) -> impl IntoResponse {
    Json(simulator.deliveries.counts())
}

/// Answers once no webhook is pending; 504 after `timeout_ms` (10 s by default).
async fn flush_deliveries(State(simulator): App, Query(asked): Asked) -> Response {
    let limit = asked.get("timeout_ms").and_then(|ms| ms.parse().ok()).unwrap_or(10_000);
    let is_done = simulator.deliveries.flush(Duration::from_millis(limit)).await;
    let status = if is_done {
        StatusCode::OK
    } else {
        StatusCode::GATEWAY_TIMEOUT
    };
    (status, Json(simulator.deliveries.counts())).into_response()
}

/// Says which conversation changed; the reader fetches it.
async fn stream_events(State(simulator): App) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(simulator.changes.subscribe(), async |mut changes| {
        let event = match changes.recv().await {
            Ok(change) => Event::default().event("change").data(json!(change).to_string()),
            Err(RecvError::Lagged(_)) => Event::default().event("reset").data("{}"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(event), changes))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}
