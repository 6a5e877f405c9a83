//! What the HTTP functions have in common: who asks, what is answered, how it fails.

pub mod auth;
pub mod error;
pub mod extract;
pub mod reply;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};

use crate::db::Database;
use crate::realtime::Realtime;
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
