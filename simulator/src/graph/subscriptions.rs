//! The apps that get an account's webhooks. There is one app here: the one whose secret signs them.
//! Source: <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps>.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::Caller;
use super::errors::Checked;
use crate::state::Simulator;

type Call = (State<Arc<Simulator>>, Path<(String, String)>, Extension<Caller>);

/// `GET /{waba_id}/subscribed_apps`
pub(super) async fn list((State(simulator), Path((_, waba_id)), Extension(caller)): Call) -> Checked<Json<Value>> {
    caller.check_account("get", &waba_id)?;
    let app = json!({"whatsapp_business_api_data": {
        "link": "https://www.facebook.com/games/?app_id=1234567890", "name": "Simulated app", "id": "1234567890"}});
    let is_subscribed = !simulator.world().silent_accounts.contains(&waba_id);
    let apps: Vec<Value> = is_subscribed.then_some(app).into_iter().collect();
    Ok(Json(json!({"data": apps})))
}

/// `POST /{waba_id}/subscribed_apps`
pub(super) async fn subscribe((State(simulator), Path((_, waba_id)), Extension(caller)): Call) -> Checked<Json<Value>> {
    caller.check_account("post", &waba_id)?;
    simulator.world().silent_accounts.remove(&waba_id);
    Ok(Json(json!({"success": true})))
}

/// `DELETE /{waba_id}/subscribed_apps`: no webhook comes from then on.
pub(super) async fn unsubscribe(
    (State(simulator), Path((_, waba_id)), Extension(caller)): Call,
) -> Checked<Json<Value>> {
    caller.check_account("delete", &waba_id)?;
    simulator.world().silent_accounts.insert(waba_id);
    Ok(Json(json!({"success": true})))
}
