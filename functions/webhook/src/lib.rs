//! Meta's webhook: the handshake, and signed posts → SQS. Answers 200 only once the queue has every item; never touches the database, so
//! that an outage there loses nothing here.

use std::sync::Arc;

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Deserialize;
use shared::edge::queue::Queue;
use shared::edge::secrets::{SecretError, Secrets};
use shared::http::error::Failure;
use shared::http::{name_request, request_id};
use shared::metrics::{Metric, tell};
use shared::telemetry::{correlated, correlation_id};
use shared::whatsapp::{signature, split, unit};
use utoipa::OpenApi;

/// What the handler needs, made once an environment.
#[derive(Clone)]
pub struct App {
    /// Where the app secrets and the verify token are.
    pub secrets: WebhookSecrets,
    /// The events queue.
    pub queue: Queue,
}

/// Where the app secrets and the verify token come from.
#[derive(Clone)]
pub enum WebhookSecrets {
    /// A secret of Secrets Manager.
    Stored {
        /// The secrets of this environment.
        secrets: Secrets,
        /// Which one.
        arn: String,
    },
    /// Known beforehand, as in tests.
    Fixed(Arc<Keys>),
}

/// The content of the webhook's secret.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Keys {
    /// The app's secret; several while it is rotated. Nothing is accepted without one.
    #[serde(default)]
    pub app_secrets: Vec<String>,
    /// What Meta repeats in the handshake. No handshake without one.
    #[serde(default)]
    pub verify_token: String,
}

/// The routes of this function, for `openapi.yaml`.
#[derive(OpenApi)]
#[openapi(paths(handshake, post))]
pub struct Api;

/// Answers one request.
///
/// # Errors
/// Never: an error of the Lambda would be Meta's 502 without a word in it.
pub async fn handle(app: &App, request: Request) -> Result<Response<Body>, lambda_http::Error> {
    let id = request_id(&request);
    let mut response = correlated(id.clone(), answer(app, &request)).await;
    name_request(response.headers_mut(), id.as_deref());
    Ok(response)
}

async fn answer(app: &App, request: &Request) -> Response<Body> {
    let reply = match *request.method() {
        Method::GET => handshake(app, request).await,
        Method::POST => post(app, request).await,
        _ => Err(Refusal::MethodNotAllowed),
    };
    match reply {
        Ok(text) => response(StatusCode::OK, "text/plain; charset=utf-8", text),
        Err(refusal) => refuse(&refusal),
    }
}

/// Meta's check that the URL is ours.
#[utoipa::path(get, path = "/api/webhooks/whatsapp", tag = "webhook", security(()),
    params(
        ("hub.mode" = String, Query, description = "`subscribe`."),
        ("hub.verify_token" = String, Query, description = "The token that the operator gave Meta."),
        ("hub.challenge" = String, Query, description = "What to answer with."),
    ),
    responses((status = 200, body = String, content_type = "text/plain", description = "The challenge."),
              (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn handshake(app: &App, request: &Request) -> Result<String, Refusal> {
    let parameters = request.query_string_parameters();
    let keys = app.secrets.read(false).await?;
    let subscribes = parameters.first("hub.mode") == Some("subscribe");
    let token = parameters.first("hub.verify_token").unwrap_or_default();
    // A wrong token may be one that was changed since the secret was read.
    let known = is_token(&keys, token) || is_token(&*app.secrets.read(true).await?, token);
    match parameters.first("hub.challenge") {
        Some(challenge) if subscribes && known => Ok(challenge.to_owned()),
        _ => Err(Refusal::WrongVerifyToken),
    }
}

fn is_token(keys: &Keys, token: &str) -> bool {
    let expected = keys.verify_token.as_bytes();
    !expected.is_empty() && shared::whatsapp::signature::equal(expected, token.as_bytes())
}

/// Meta's events.
#[utoipa::path(post, path = "/api/webhooks/whatsapp", tag = "webhook", security(()),
    params(("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC-SHA256 of the body's bytes with the app secret, in hex.")),
    request_body(content = serde_json::Value, description = "As Meta documents it."),
    responses((status = 200, description = "Every item is on the queue."),
              (status = 400, body = Failure, description = "Signed, and no JSON object."),
              (status = 401, body = Failure, description = "The signature is missing or wrong."),
              (status = "5XX", body = Failure, description = "Not every item is on the queue; Meta sends it again.")))]
async fn post(app: &App, request: &Request) -> Result<String, Refusal> {
    // API Gateway may hand the body over in base64; lambda_http has undone that.
    let body: &[u8] = request.body();
    let header = request
        .headers()
        .get(signature::HEADER)
        .and_then(|value| value.to_str().ok());
    let keys = app.secrets.read(false).await?;
    let mut verified = signature::verify(&keys.app_secrets, header, body);
    if !verified {
        // The app secret may have been rotated since it was read.
        let keys = app.secrets.read(true).await?;
        verified = signature::verify(&keys.app_secrets, header, body);
    }
    if !verified {
        return Err(Refusal::WrongSignature);
    }
    let units = split::split(body).map_err(|_| Refusal::NotAnObject)?;
    let messages: Vec<_> = units.iter().flat_map(unit::encode).collect();
    app.queue
        .publish(&messages)
        .await
        .map_err(|error| Refusal::Unavailable(error.to_string()))?;
    tracing::info!(bytes = body.len(), units = messages.len(), "webhook queued");
    Ok(String::new())
}

impl WebhookSecrets {
    async fn read(&self, refresh: bool) -> Result<Arc<Keys>, Refusal> {
        let (secrets, arn) = match self {
            Self::Fixed(keys) => return Ok(Arc::clone(keys)),
            Self::Stored { secrets, arn } => (secrets, arn),
        };
        let text = if refresh {
            secrets.refresh(arn).await
        } else {
            secrets.get(arn).await
        };
        let text = text.map_err(|error: SecretError| Refusal::Unavailable(error.to_string()))?;
        serde_json::from_str(&text).map(Arc::new).map_err(|_| {
            Refusal::Unavailable("the webhook's secret is not {\"app_secrets\": […], \"verify_token\": …}".to_owned())
        })
    }

    /// Reads the secret ahead of the first request.
    pub async fn warm_up(&self) {
        if let Err(Refusal::Unavailable(error)) = self.read(false).await {
            tracing::warn!(error, "no webhook secret at start");
        }
    }
}

/// Why a request is refused.
enum Refusal {
    WrongVerifyToken,
    WrongSignature,
    NotAnObject,
    MethodNotAllowed,
    Unavailable(String),
}

fn refuse(refusal: &Refusal) -> Response<Body> {
    let (status, code, message) = match refusal {
        Refusal::WrongVerifyToken => (
            StatusCode::FORBIDDEN,
            "forbidden",
            "hub.mode or hub.verify_token is wrong",
        ),
        Refusal::WrongSignature => (
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "X-Hub-Signature-256 is missing or wrong",
        ),
        Refusal::NotAnObject => (
            StatusCode::BAD_REQUEST,
            "malformed_request",
            "the body is not a JSON object",
        ),
        Refusal::MethodNotAllowed => (
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "method not allowed",
        ),
        Refusal::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "temporarily unavailable, try again soon",
        ),
    };
    let mut error = serde_json::json!({"code": code, "message": message});
    if let Refusal::Unavailable(reason) = refusal {
        tracing::error!(reason, "webhook not queued");
        tell(Metric::ServerErrors, 1);
        error["request_id"] = correlation_id().into();
    } else {
        tracing::warn!(code, status = status.as_u16(), "webhook refused");
    }
    let body = serde_json::json!({"success": false, "error": error}).to_string();
    response(status, "application/json", body)
}

fn response(status: StatusCode, content_type: &str, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::Text(body))
        .expect("the parts are well-formed")
}
