//! Every way in which a request fails, and the reply for it. The error travels in the response's extensions to [`boundary`], which logs it
//! once and writes the body; what is not the client's business never leaves the log.

use axum::Json;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{BODY_LIMIT, RETRY_AFTER};
use crate::db::DbError;
use crate::domain::message::Message;
use crate::domain::send::InvalidField;
use crate::metrics::{Metric, tell};
use crate::telemetry;
use crate::whatsapp::errors::MessageError;

/// A failed request.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// 400: the body is not JSON of the documented shape.
    #[error("{0}")]
    Malformed(String),
    /// 422: a field has a value that is not accepted.
    #[error("{field}: {message}")]
    Invalid {
        /// The field or query parameter.
        field: String,
        /// Why.
        message: String,
    },
    /// 401: no token, or one that is not good.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// 403: the token is good and this is not for its owner.
    #[error("{0}")]
    Forbidden(&'static str),
    /// 404: no such thing, or not this agent's.
    #[error("not found")]
    NotFound,
    /// 405: the route knows other methods.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// 409: the idempotency key stands for another request.
    #[error("message_id was used for another request")]
    KeyInUse,
    /// 409: only templates may be sent now.
    #[error("the customer service window is closed; only a template can be sent")]
    WindowClosed {
        /// When it closed; `None` where the customer never wrote.
        closed_at: Option<Timestamp>,
    },
    /// 409: the customer wants no marketing messages.
    #[error("the customer wants no marketing messages")]
    OptedOut {
        /// Since when.
        since: Timestamp,
    },
    /// 409: the customer wrote nothing that could be answered.
    #[error("the customer wrote nothing within the last 30 days")]
    NothingToAnswer,
    /// 409: there is nothing of the customer's that could be unread.
    #[error("the customer wrote nothing that could be unread")]
    NothingToRead,
    /// 409: the file is not there; it may come, or never will.
    #[error("the file is not stored: {state}")]
    MediaNotStored {
        /// pending, failed or expired.
        state: String,
    },
    /// 409: Meta does not have the file any more.
    #[error("WhatsApp keeps files for seven days, and this one is older")]
    MediaExpired,
    /// 409: WhatsApp does not take the account's access token, or there is none.
    #[error("the WhatsApp account has to be connected again")]
    ReconnectRequired,
    /// 409: another quick reply of the agent has this shortcut.
    #[error("another quick reply has this shortcut")]
    ShortcutInUse,
    /// 410: what changed since is not known any more.
    #[error("the cursor is too old, or the agent has other phone numbers since: load anew")]
    CursorExpired,
    /// 413: the body is too large.
    #[error("the body is larger than 256 KB")]
    TooLarge,
    /// 429: too many files were announced and never sent.
    #[error("too many files were announced and not sent; some of them have to be, or an hour has to pass")]
    TooManyUploads,
    /// 422: the message was refused for good; its row says why.
    #[error("the message was not sent")]
    MessageFailed(Box<Message>),
    /// 422: the reaction was refused for good.
    #[error("the reaction was not sent")]
    ReactionFailed(MessageError),
    /// 503: something we need is away for now.
    #[error("{0}")]
    Unavailable(String),
    /// 500: a fault of ours.
    #[error("{0}")]
    Internal(String),
}

/// The body of every failure.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// Always false.
    pub success: bool,
    /// What happened.
    pub error: FailureDetail,
    /// The message as it stands, where one was stored and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FailureDetail {
    /// A code to branch on.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The field that was not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Of `customer_service_window_closed`: since when; null where the customer never wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Option<Timestamp>>,
    /// Of `marketing_opted_out`: since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_out_at: Option<Timestamp>,
    /// Of a reaction that failed: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<MessageError>,
    /// Of 5xx: what the operator finds in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl ApiError {
    /// 422 about a field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::KeyInUse
            | Self::WindowClosed { .. }
            | Self::OptedOut { .. }
            | Self::NothingToAnswer
            | Self::NothingToRead
            | Self::MediaNotStored { .. }
            | Self::MediaExpired
            | Self::ReconnectRequired
            | Self::ShortcutInUse => StatusCode::CONFLICT,
            Self::CursorExpired => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyUploads => StatusCode::TOO_MANY_REQUESTS,
            Self::Invalid { .. } | Self::MessageFailed(_) | Self::ReactionFailed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code that clients branch on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_request",
            Self::Invalid { .. } => "invalid_field",
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::KeyInUse => "message_id_in_use",
            Self::WindowClosed { .. } => "customer_service_window_closed",
            Self::OptedOut { .. } => "marketing_opted_out",
            Self::NothingToAnswer => "nothing_to_answer",
            Self::NothingToRead => "nothing_to_read",
            Self::MediaNotStored { .. } => "media_not_stored",
            Self::MediaExpired => "media_expired",
            Self::ReconnectRequired => "reconnect_required",
            Self::ShortcutInUse => "shortcut_in_use",
            Self::CursorExpired => "cursor_expired",
            Self::TooLarge => "body_too_large",
            Self::TooManyUploads => "too_many_uploads",
            Self::MessageFailed(_) | Self::ReactionFailed(_) => "message_failed",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    fn into_failure(self, request_id: Option<String>) -> Failure {
        let status = self.status();
        let public = match status {
            StatusCode::SERVICE_UNAVAILABLE => "temporarily unavailable, try again soon".to_owned(),
            status if status.is_server_error() => "something went wrong on our side".to_owned(),
            _ => self.to_string(),
        };
        let mut detail = FailureDetail {
            code: self.code().to_owned(),
            message: public,
            field: None,
            closed_at: None,
            opted_out_at: None,
            reason: None,
            request_id: request_id.filter(|_| status.is_server_error()),
        };
        let mut failed = None;
        match self {
            Self::Invalid { field, .. } => detail.field = Some(field),
            Self::WindowClosed { closed_at } => detail.closed_at = Some(closed_at),
            Self::OptedOut { since } => detail.opted_out_at = Some(since),
            Self::ReactionFailed(error) => detail.reason = Some(error),
            Self::MessageFailed(message) => failed = Some(*message),
            _ => {}
        }
        Failure {
            success: false,
            error: detail,
            message: failed,
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}

impl From<InvalidField> for ApiError {
    fn from(error: InvalidField) -> Self {
        Self::invalid(error.field, error.message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The edge of every HTTP function: logs a failure once, and writes the body, of which a 5xx carries the id that the log has.
pub async fn boundary(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    // Not the path: what a client puts where an id belongs may be a phone number.
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(|route| route.as_str().to_owned());
    // Also of a body that no handler reads.
    let mut response = if request.body().size_hint().lower() > BODY_LIMIT as u64 {
        ApiError::TooLarge.into_response()
    } else {
        next.run(request).await
    };
    // What axum itself refuses before a handler sees it.
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None if response.status() == StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        None => return response,
    };
    let status = error.status();
    if status.is_server_error() {
        tracing::error!(%method, route, status = status.as_u16(), %error, "request failed");
        tell(Metric::ServerErrors, 1);
    } else {
        tracing::info!(%method, route, status = status.as_u16(), code = error.code(), "request refused");
    }
    let mut reply = (status, Json(json!(error.into_failure(telemetry::correlation_id())))).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = HeaderValue::from(RETRY_AFTER.as_secs());
        reply.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    reply
}
