//! The browsers in which an agent is notified while no page is looked at.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::db;
use shared::domain::push::{BrowserKeys, Endpoint, parse_expiration};
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::JsonBody;
use shared::http::reply::{DoneReply, PushSubscriptionReply, PushSubscriptionsReply};
use utoipa::ToSchema;

use crate::App;

/// The agent's browsers, and the key with which a browser subscribes.
#[utoipa::path(get, path = "/api/live-chat/push-subscriptions", tag = "push",
    responses((status = 200, body = PushSubscriptionsReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn list_push_subscriptions(
    State(app): State<App>,
    agent: Agent,
) -> Result<Json<PushSubscriptionsReply>, ApiError> {
    let keys = app.push_keys.current().await;
    let keys = keys.map_err(|error| ApiError::Unavailable(error.to_string()))?;
    let subscriptions = app
        .http
        .database
        .run(async |client| db::push::list(client, agent.user_id).await)
        .await?;
    Ok(Json(PushSubscriptionsReply {
        success: true,
        public_key: keys.map(|keys| keys.public_key().to_owned()),
        subscriptions: subscriptions.into_iter().map(Into::into).collect(),
    }))
}

/// A browser's subscription, as `PushSubscription.toJSON()` gives it, and what it may show.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"endpoint": "https://fcm.googleapis.com/fcm/send/dEvice", "expirationTime": null, "show_text": true,
    "keys": {"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}))]
pub struct NewPushSubscription {
    /// Where the browser's push service takes messages for it.
    pub endpoint: String,
    /// The browser's keys.
    pub keys: NewPushKeys,
    /// When it ends, in milliseconds since 1970; `expirationTime` works as well.
    #[serde(default, alias = "expirationTime")]
    pub expiration_time: Option<i64>,
    /// Whether notifications say who wrote, and what; they do where this is missing.
    #[serde(default)]
    pub show_text: Option<bool>,
}

/// A browser's keys, in base64url.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewPushKeys {
    /// Its public key.
    pub p256dh: String,
    /// Its secret.
    pub auth: String,
}

/// Notifies the agent in a browser from now on. Its endpoint again renews the subscription.
#[utoipa::path(post, path = "/api/live-chat/push-subscriptions", tag = "push", request_body = NewPushSubscription,
    responses((status = 201, body = PushSubscriptionReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn create_push_subscription(
    State(app): State<App>,
    agent: Agent,
    JsonBody(new): JsonBody<NewPushSubscription>,
) -> Result<(StatusCode, Json<PushSubscriptionReply>), ApiError> {
    let endpoint = Endpoint::parse(&new.endpoint, app.push_origin.as_ref())?;
    let keys = BrowserKeys::parse(&new.keys.p256dh, &new.keys.auth)?;
    let expiration = new.expiration_time.map(|at| parse_expiration(at, Timestamp::now()));
    let (expires_at, show_text) = (expiration.transpose()?, new.show_text.unwrap_or(true));
    let stored = app
        .http
        .database
        .run(async |client| db::push::upsert(client, agent.user_id, &endpoint, &keys, show_text, expires_at).await)
        .await?;
    let subscription =
        stored.ok_or_else(|| ApiError::invalid("endpoint", "is another agent's, with other keys: subscribe anew"))?;
    let reply = PushSubscriptionReply {
        success: true,
        subscription: subscription.into(),
    };
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Names a subscription.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"endpoint": "https://fcm.googleapis.com/fcm/send/dEvice"}))]
pub struct OldPushSubscription {
    /// Its endpoint.
    pub endpoint: String,
}

/// Notifies the agent in a browser no longer. Succeeds also where it never did.
#[utoipa::path(delete, path = "/api/live-chat/push-subscriptions", tag = "push", request_body = OldPushSubscription,
    responses((status = 200, body = DoneReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn delete_push_subscription(
    State(app): State<App>,
    agent: Agent,
    JsonBody(old): JsonBody<OldPushSubscription>,
) -> Result<Json<DoneReply>, ApiError> {
    // What is no endpoint was never stored.
    if let Ok(endpoint) = Endpoint::parse(&old.endpoint, app.push_origin.as_ref()) {
        app.http
            .database
            .run(async |client| db::push::delete(client, agent.user_id, endpoint.as_str()).await)
            .await?;
    }
    Ok(Json(DoneReply { success: true }))
}
