//! Graph's errors: the codes and words a client may meet, in Graph's shape.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::ids;

/// What every check answers with.
pub(crate) type Checked<T> = Result<T, GraphError>;

/// An error as Graph gives it.
#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    status: u16,
    code: i64,
    subcode: Option<i64>,
    kind: &'static str,
    message: String,
    details: Option<String>,
    is_transient: Option<bool>,
    retry_after: Option<u64>,
}

impl GraphError {
    fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            subcode: None,
            kind: "OAuthException",
            message: message.into(),
            details: None,
            is_transient: None,
            retry_after: None,
        }
    }

    fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// An error that somebody asked for.
    pub(crate) fn ordered(
        status: u16,
        code: i64,
        message: Option<String>,
        details: Option<String>,
        is_transient: Option<bool>,
        retry_after: Option<u64>,
    ) -> Self {
        Self {
            details,
            is_transient,
            retry_after,
            ..Self::new(
                status,
                code,
                message.unwrap_or_else(|| format!("(#{code}) {}", title(code))),
            )
        }
    }

    /// 100: a request that Graph does not understand.
    pub(crate) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::new(400, 100, format!("(#100) {what}"))
    }

    /// 100 for a key that is not known where it stands.
    pub(crate) fn unexpected_key(key: &str, place: &str) -> Self {
        let place = if place.is_empty() { "the request" } else { place };
        Self::malformed(format_args!("Unexpected key \"{key}\" on param \"{place}\"."))
            .with_details(format!("{key} is not a parameter of {place}."))
    }

    /// 100 for a parameter without which Graph does not go on.
    pub(crate) fn required(parameter: &str) -> Self {
        Self::malformed(format_args!("The parameter {parameter} is required."))
    }

    /// 131008: a parameter that this type of message needs.
    pub(crate) fn missing(details: impl Into<String>) -> Self {
        Self::new(400, 131_008, "(#131008) Required parameter is missing").with_details(details)
    }

    /// 131009: a value that is not allowed.
    pub(crate) fn invalid(details: impl Into<String>) -> Self {
        Self::new(400, 131_009, "(#131009) Parameter value is not valid").with_details(details)
    }

    /// Any other refusal, by its code.
    pub(crate) fn refused(status: u16, code: i64, details: impl Into<String>) -> Self {
        Self::new(status, code, format!("(#{code}) {}", title(code))).with_details(details)
    }

    /// 190: no token, or none that is known.
    pub(crate) fn token() -> Self {
        Self::new(401, 190, "Invalid OAuth access token - Cannot parse access token")
    }

    /// 100/33: what does not exist for this token.
    pub(crate) fn no_such_object(method: &str, id: &str) -> Self {
        Self {
            subcode: Some(33),
            kind: "GraphMethodException",
            ..Self::new(
                400,
                100,
                format!(
                    "Unsupported {} request. Object with ID '{id}' does not exist, cannot be \
                     loaded due to missing permissions, or does not support this operation. \
                     Please read the Graph API documentation at \
                     https://developers.facebook.com/docs/graph-api",
                    method.to_lowercase()
                ),
            )
        }
    }

    /// 2635 for a version that is not served, 2500 for what is no version.
    pub(crate) fn version(asked: &str, served: &str) -> Self {
        let is_version = asked
            .strip_prefix('v')
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(major, minor)| {
                [major, minor]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            });
        if is_version {
            Self::new(
                400,
                2635,
                format!("(#2635) Version {asked} is not available. Please use {served}."),
            )
        } else {
            Self::unknown_path(&format!("/{asked}"))
        }
    }

    /// 2500: a path that leads nowhere.
    pub(crate) fn unknown_path(path: &str) -> Self {
        Self::new(400, 2500, format!("Unknown path components: {path}"))
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "fbtrace_id": ids::make_trace_id(),
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if let Some(details) = self.details {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        if let Some(is_transient) = self.is_transient {
            error["is_transient"] = is_transient.into();
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, Json(json!({"error": error}))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What Meta calls an error.
pub(crate) fn title(code: i64) -> &'static str {
    match code {
        1 => "API Unknown",
        2 => "API Service",
        4 => "Application request limit reached",
        10 => "Permission denied",
        100 => "Invalid parameter",
        190 => "Access token has expired",
        200 => "API Permission",
        368 => "Temporarily blocked for policies violations",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_497 => "Business account is restricted from messaging users in this country",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_042 => "Business eligibility payment issue",
        131_045 => "Incorrect certificate",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => "User has stopped marketing messages",
        131_051 => "Unsupported message type",
        131_052 => "Media download error",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_012 => "Parameter format does not match format in the created template",
        132_015 => "Template is paused",
        132_016 => "Template is disabled",
        135_000 => "Generic user error",
        _ => "Something went wrong",
    }
}
