//! What the HTTP functions have in common: who asks, what is answered, how it fails, and by which id logs tell of it.

pub mod auth;
pub mod error;
pub mod extract;
pub mod reply;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use crate::db::Database;
use crate::realtime::Realtime;
use crate::telemetry::correlated;
use auth::Authenticator;

/// What every route of the agents needs, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub database: Database,
    /// Who asks.
    pub authenticator: Authenticator,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.authenticator.clone()
    }
}

/// Bodies over this many bytes are refused with 413; media goes to storage directly.
const BODY_LIMIT: usize = 256 * 1024;

/// Puts what every HTTP function needs around its routes: answers for what is no route, the body limit, and the boundary where errors are
/// logged once and become replies.
pub fn service(routes: Router) -> Router {
    routes
        .fallback(async || error::ApiError::NotFound)
        .method_not_allowed_fallback(async || error::ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(error::boundary))
        .layer(middleware::from_fn(correlate))
}

/// Where an answer names its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// API Gateway's id of a request, which its access log has too; Lambda's, where it came another way.
pub fn request_id<B>(request: &axum::http::Request<B>) -> Option<String> {
    let of_gateway = request.request_context_ref().and_then(|context| match context {
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    });
    of_gateway.or_else(|| Some(request.lambda_context_ref()?.request_id.clone()))
}

/// Puts the id into the answer's headers.
pub fn name_request(headers: &mut HeaderMap, request_id: Option<&str>) {
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.entry(REQUEST_ID).or_insert(id);
    }
}

/// Lets all that follows from a request carry its id.
async fn correlate(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let mut response = correlated(id.clone(), next.run(request)).await;
    name_request(response.headers_mut(), id.as_deref());
    response
}

/// As [`service`], and tells open pages what a request changed.
pub fn telling_service(routes: Router, realtime: Realtime) -> Router {
    service(routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        let realtime = realtime.clone();
        async move {
            let reads = request.method().is_safe();
            let response = next.run(request).await;
            let status = response.status();
            // Of a stranger nothing was taken, and without a database there is nothing to tell.
            if !reads && status != StatusCode::UNAUTHORIZED && !status.is_server_error() {
                realtime.publish().await;
            }
            response
        }
    })))
}

/// How long a client is asked to wait before it tries again.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);
