//! The Graph API: what stands before every call (version, token, faults, the log) and the way to
//! the endpoints.

mod content;
mod errors;
mod interactive;
pub(crate) mod media;
mod messages;
mod numbers;
pub(crate) mod rates;
mod schema;
mod spoil;
mod subscriptions;
mod templates;

pub(crate) use content::callback_data;
pub(crate) use errors::title as error_title;
pub(crate) use templates::{check_templates, samples as sample_templates, template_category};

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::errors::{Checked, GraphError};
use crate::faults::{Kind, Operation};
use crate::ids;
use crate::requests::{LoggedRequest, LoggedResponse};
use crate::state::Simulator;

/// A document of 100 MB and what multipart puts around it.
const MOST_BYTES: usize = 105 * 1024 * 1024;

/// The accounts that the token of a call may act for.
#[derive(Debug, Clone)]
pub(super) struct Caller(Vec<String>);

/// Marks a response that is not sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoAnswer {
    hang: Duration,
}

impl NoAnswer {
    fn after(hang_ms: u64) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(Self {
            hang: Duration::from_millis(hang_ms),
        });
        response
    }
}

pub(crate) fn routes(simulator: &Arc<Simulator>) -> Router<Arc<Simulator>> {
    Router::new()
        .route("/{version}/{id}", get(get_object).delete(media::delete))
        .route("/{version}/{id}/messages", post(messages::post))
        .route("/{version}/{id}/media", post(media::upload))
        .route("/{version}/{id}/message_templates", get(templates::list))
        .route("/{version}/{id}/phone_numbers", get(numbers::list))
        .route(
            "/{version}/{id}/subscribed_apps",
            get(subscriptions::list)
                .post(subscriptions::subscribe)
                .delete(subscriptions::unsubscribe),
        )
        .route(media::DOWNLOAD_PATH, get(media::download))
        .fallback(async |request: Request| GraphError::unknown_path(request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            let id = request.uri().path().split('/').nth(2).unwrap_or_default();
            GraphError::no_such_object(request.method().as_str(), id)
        })
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(simulator), attend))
}

/// `GET /{id}`: a number or a file.
async fn get_object(
    state: State<Arc<Simulator>>,
    path: axum::extract::Path<(String, String)>,
    caller: axum::Extension<Caller>,
    query: axum::extract::Query<std::collections::HashMap<String, String>>,
) -> Checked<axum::Json<Value>> {
    if state.number(&path.1).is_some() {
        numbers::describe(&state, &path.1, &caller, &query)
    } else {
        media::describe(&state, &path.1, &caller, &query)
    }
}

/// Everything around a call: faults, version, token, and the log afterwards.
async fn attend(State(simulator): State<Arc<Simulator>>, request: Request, next: Next) -> Response {
    let time = Timestamp::now();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MOST_BYTES).await else {
        return GraphError::malformed("The request is too large or was cut off.").into_response();
    };
    let logged_body = describe_body(parts.headers.get(CONTENT_TYPE), &bytes);
    let token = find_token(&parts);
    let accounts = token.as_deref().map(|token| find_accounts(&simulator, token));
    let mut entry = LoggedRequest {
        time,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(redact_query),
        authorization: accounts.as_ref().map(|accounts| match accounts.as_slice() {
            [] => "unknown".to_owned(),
            known => known
                .iter()
                .map(|id| format!("waba:{id}"))
                .collect::<Vec<_>>()
                .join(" "),
        }),
        body: logged_body,
        response: None,
    };
    let response = answer(&simulator, parts, bytes, &entry.body, accounts, next).await;
    if let Some(&NoAnswer { hang }) = response.extensions().get() {
        simulator.requests.add(entry);
        sleep(hang).await;
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    entry.response = Some(LoggedResponse {
        status: parts.status.as_u16(),
        body: describe_body(parts.headers.get(CONTENT_TYPE), &bytes),
    });
    simulator.requests.add(entry);
    spoil::send(parts, bytes)
}

async fn answer(
    simulator: &Simulator,
    parts: Parts,
    bytes: Bytes,
    body: &Value,
    accounts: Option<Vec<String>>,
    next: Next,
) -> Response {
    let path = parts.uri.path().to_owned();
    let mut steps = path.trim_start_matches('/').split('/');
    let (version, id) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
    let operation = find_operation(&path, steps.next(), body);
    let mut spoilt = Vec::new();
    for fault in simulator.faults.take_for_call(operation, id, &customer_of(body)) {
        match fault {
            Kind::Delay { ms } => sleep(Duration::from_millis(ms)).await,
            Kind::NoAnswerBeforeAccept { hang_ms } => return NoAnswer::after(hang_ms),
            Kind::HttpError {
                status,
                code,
                message,
                details,
                is_transient,
                retry_after,
            } => {
                return GraphError::ordered(status, code, message, details, is_transient, retry_after).into_response();
            }
            Kind::Redirect { location } => return (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
            other => spoilt.push(other),
        }
    }
    let served = &simulator.config.graph_version;
    if path != media::DOWNLOAD_PATH && version != served {
        return GraphError::version(version, served).into_response();
    }
    let Some(accounts) = accounts.filter(|accounts| !accounts.is_empty()) else {
        return GraphError::token().into_response();
    };
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(Caller(accounts));
    let response = next.run(request).await;
    if spoilt.is_empty() || !response.status().is_success() {
        return response;
    }
    spoil::answer(response, &spoilt).await
}

fn find_token(parts: &Parts) -> Option<String> {
    if let Some(header) = parts.headers.get(AUTHORIZATION) {
        let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
    }
    parts
        .uri
        .query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("access_token="))
        .map(str::to_owned)
}

fn redact_query(query: &str) -> String {
    query
        .split('&')
        .map(|pair| {
            if pair.starts_with("access_token=") {
                "access_token=…"
            } else {
                pair
            }
        })
        .collect::<Vec<_>>()
        .join("&")
}

fn find_accounts(simulator: &Simulator, token: &str) -> Vec<String> {
    let mut accounts: Vec<String> = simulator
        .config
        .numbers
        .iter()
        .filter(|number| !token.is_empty() && number.access_token == token)
        .map(|number| number.waba_id.clone())
        .collect();
    accounts.sort();
    accounts.dedup();
    accounts
}

fn find_operation(path: &str, edge: Option<&str>, body: &Value) -> Operation {
    if path == media::DOWNLOAD_PATH {
        return Operation::Download;
    }
    match edge {
        Some("messages") if body["status"].is_string() => Operation::Read,
        Some("messages") => Operation::Messages,
        Some("media") => Operation::Upload,
        Some("message_templates") => Operation::Templates,
        None => Operation::Describe,
        Some(_) => Operation::Other,
    }
}

fn customer_of(body: &Value) -> String {
    let written = body["to"].as_str().or(body["recipient"].as_str()).unwrap_or_default();
    ids::phone_digits(written).unwrap_or_else(|| written.to_owned())
}

/// JSON as it is, anything else by its size.
fn describe_body(content_type: Option<&axum::http::HeaderValue>, bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        json!({
            "content_type": content_type.and_then(|value| value.to_str().ok()),
            "bytes": bytes.len(),
        })
    })
}

impl Simulator {
    /// The number `id`, if the caller may use it.
    fn number_of(&self, caller: &Caller, method: &str, id: &str) -> Checked<&crate::config::Number> {
        self.number(id)
            .filter(|number| caller.0.contains(&number.waba_id))
            .ok_or_else(|| GraphError::no_such_object(method, id))
    }
}

impl Caller {
    /// Checks that `id` is an account of the caller.
    fn check_account(&self, method: &str, id: &str) -> Checked<()> {
        if self.0.iter().any(|own| own == id) {
            Ok(())
        } else {
            Err(GraphError::no_such_object(method, id))
        }
    }
}
