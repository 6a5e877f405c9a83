//! The push service: RFC 8030 as far as application servers see it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;

use super::decryption::decrypt;
use super::{Known, Notification, vapid};
use crate::state::Simulator;

/// What a message may have (bytes).
const LARGEST: usize = 4_096;

pub(crate) fn routes() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/{id}", post(take))
        .layer(DefaultBodyLimit::max(1024 * 1024))
}

async fn take(
    State(simulator): State<Arc<Simulator>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let told = {
        let mut known = simulator.browsers.lock();
        known.subscriptions.get_mut(&id).and_then(|it| it.answers.pop_front())
    };
    if let Some(told) = &told {
        tokio::time::sleep(Duration::from_millis(told.delay_ms)).await;
    }
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let mut notification = Notification {
        time: Timestamp::now(),
        subscription: id,
        status: 201,
        problem: None,
        topic: text("topic"),
        urgency: text("urgency"),
        ttl: text("ttl").and_then(|ttl| ttl.parse().ok()),
        size: body.len(),
        payload: None,
        payload_size: None,
    };
    let mut known = simulator.browsers.lock();
    let told = told.and_then(|told| Some((StatusCode::from_u16(told.status?).unwrap_or_default(), told)));
    let response = if let Some((status, told)) = told {
        notification.status = status.as_u16();
        notification.problem = Some("as it was told".to_owned());
        let mut response = (status, told.body).into_response();
        let headers = told
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?)));
        response.headers_mut().extend(headers);
        response
    } else {
        match check(&known, &mut notification, &simulator.base_url, &headers, &body) {
            Ok(()) => {
                let location = format!("{}/push/messages/{}", simulator.base_url, known.notifications.len());
                (StatusCode::CREATED, [("location", location)]).into_response()
            }
            Err((status, problem)) => {
                notification.status = status;
                notification.problem = Some(problem.to_owned());
                let status = StatusCode::from_u16(status).unwrap_or_default();
                (status, problem.to_owned()).into_response()
            }
        }
    };
    known.notifications.push(notification);
    response
}

/// Checks a message, and has the browser read it.
fn check(
    known: &Known,
    notification: &mut Notification,
    base_url: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), (u16, &'static str)> {
    let Some(subscription) = known.subscriptions.get(&notification.subscription) else {
        return Err((404, "no such subscription"));
    };
    if subscription.is_over {
        return Err((410, "the subscription is over"));
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let key = vapid::verify(text("authorization").unwrap_or_default(), base_url, notification.time)
        .map_err(|problem| (401, problem))?;
    if key != subscription.server_key {
        return Err((403, "VapidPkHashMismatch"));
    }
    if notification.ttl.is_none() {
        return Err((400, "TTL is missing"));
    }
    if let Some(topic) = &notification.topic {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if topic.is_empty() || topic.len() > 32 || !topic.bytes().all(is_letter) {
            return Err((400, "Topic is not at most 32 characters of base64url"));
        }
    }
    let urgencies = ["very-low", "low", "normal", "high"];
    if notification
        .urgency
        .as_deref()
        .is_some_and(|urgency| !urgencies.contains(&urgency))
    {
        return Err((400, "Urgency is unknown"));
    }
    if body.len() > LARGEST {
        return Err((413, "the message is too large"));
    }
    if text("content-encoding") != Some("aes128gcm") {
        return Err((400, "Content-Encoding is not aes128gcm"));
    }
    let said = decrypt(
        body,
        &subscription.private_key,
        &subscription.public_key,
        &subscription.auth,
    );
    // A push service cannot read what it takes: it is the browser that drops it.
    match said {
        Ok(said) => {
            notification.payload = serde_json::from_slice(&said).ok();
            notification.payload_size = Some(said.len());
            if notification.payload.is_none() {
                notification.problem = Some("what the browser read is no JSON".to_owned());
            }
        }
        Err(problem) => notification.problem = Some(format!("the browser drops it: {problem}")),
    }
    Ok(())
}
