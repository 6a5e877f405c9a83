//! Asks a function's HTTP service as a client does.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use lambda_http::{Context, RequestExt};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use super::{ISSUER, JWT_SECRET, agent_token};
use crate::http::auth::Authenticator;

/// The id that Lambda gave the request.
pub const REQUEST_ID: &str = "11111111-2222-4333-8444-555555555555";

/// Takes the tokens of [`agent_token`].
#[must_use]
pub fn authenticator() -> Authenticator {
    Authenticator::new(ISSUER, None, Some(JWT_SECRET)).expect("the issuer is a URL")
}

/// A service and whoever asks it.
pub struct Api {
    service: Router,
    authorization: Option<String>,
}

impl Api {
    /// Asks as this agent.
    #[must_use]
    pub fn new(service: Router, agent: Uuid) -> Self {
        Self {
            service,
            authorization: Some(format!("Bearer {}", agent_token(agent))),
        }
    }

    /// The same service, asked with another `Authorization`, or none.
    #[must_use]
    pub fn with_authorization(&self, authorization: Option<&str>) -> Self {
        Self {
            service: self.service.clone(),
            authorization: authorization.map(str::to_owned),
        }
    }

    /// The same service, asked as another agent.
    #[must_use]
    pub fn as_agent(&self, agent: Uuid) -> Self {
        Self::new(self.service.clone(), agent)
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, "").await
    }

    /// Any request.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method.clone()).uri(path);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut context = Context::default();
        REQUEST_ID.clone_into(&mut context.request_id);
        let request = request
            .body(body.into())
            .expect("the request is well-formed")
            .with_lambda_context(context);
        let response = self.service.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("the body ends");
        assert_eq!(
            parts.headers.get(CONTENT_TYPE).expect("a content type"),
            "application/json",
            "{method} {path}"
        );
        Reply {
            asked: format!("{method} {path}"),
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).expect("the body is JSON"),
        }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    asked: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The JSON.
    pub body: Value,
}

#[allow(clippy::must_use_candidate, reason = "these are assertions too")]
impl Reply {
    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}: {}", self.asked, self.body);
        assert_eq!(self.body["success"], true, "{}", self.asked);
        self.body
    }

    /// The `error` of a failure with this status, which has the documented form.
    #[track_caller]
    pub fn refused(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.asked, self.body);
        assert_eq!(self.body["success"], false, "{}", self.asked);
        let error = &self.body["error"];
        assert!(
            error["code"].is_string() && error["message"].is_string(),
            "{}",
            self.body
        );
        error.clone()
    }

    /// A 422 that names this field.
    #[track_caller]
    pub fn refuses_field(self, field: &str) -> Value {
        let asked = self.asked.clone();
        let error = self.refused(422);
        assert_eq!(error["field"], field, "{asked}: {error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.starts_with(field), "{asked}: {message}");
        error
    }
}
