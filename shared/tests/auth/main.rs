//! Access tokens of every kind, as a function takes or refuses them.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod claims;
mod forgery;
mod issuer;
mod rotation;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use shared::http::auth::{Agent, Authenticator};
use shared::testing::api::Api;
use shared::testing::{ISSUER, JWT_SECRET};
use uuid::Uuid;

use issuer::Issuer;

/// A service that says whom it takes the client for.
fn service(authenticator: Authenticator) -> Api {
    let who = get(async |agent: Agent| Json(json!({"success": true, "user_id": agent.user_id})));
    let routes = Router::new().route("/", who).with_state(authenticator);
    Api::new(shared::http::service(routes), Uuid::nil())
}

/// Takes both kinds of tokens.
fn authenticator_of(issuer: &Issuer) -> Authenticator {
    Authenticator::new(ISSUER, Some(&issuer.jwks_url()), Some(JWT_SECRET)).unwrap()
}

/// A service that takes both kinds of tokens.
fn service_of(issuer: &Issuer) -> Api {
    service(authenticator_of(issuer))
}

/// A service that takes the legacy secret's tokens only.
fn legacy_service() -> Api {
    service(shared::testing::api::authenticator())
}

async fn accepts(api: &Api, token: &str, user: Uuid) {
    let reply = api.with_authorization(Some(&format!("Bearer {token}"))).get("/").await;
    assert_eq!(reply.ok()["user_id"], user.to_string());
}

/// The message of the refusal.
async fn refuses(api: &Api, token: &str) -> String {
    let reply = api.with_authorization(Some(&format!("Bearer {token}"))).get("/").await;
    assert_eq!(reply.headers["www-authenticate"], "Bearer");
    let error = reply.refused(401);
    assert_eq!(error["code"], "unauthorized");
    error["message"].as_str().unwrap().to_owned()
}
