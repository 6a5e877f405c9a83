//! What the HTTP functions have in common: who asks, what is answered, how it fails.

pub mod auth;
pub mod error;
pub mod extract;
pub mod reply;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware;

use crate::db::Database;
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

/// How long a client is asked to wait before it tries again.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);
