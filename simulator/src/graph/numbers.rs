//! Business phone numbers as Graph describes them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::Caller;
use super::errors::{Checked, GraphError};
use crate::config::Number;
use crate::state::Simulator;

const USUAL_FIELDS: &str = "verified_name,display_phone_number,id,quality_rating";

/// `GET /{phone_number_id}?fields=…`
pub(super) fn describe(
    simulator: &Simulator,
    id: &str,
    caller: &Caller,
    query: &HashMap<String, String>,
) -> Checked<Json<Value>> {
    let number = simulator.number_of(caller, "get", id)?;
    select(number, query.get("fields")).map(Json)
}

/// `GET /{waba_id}/phone_numbers`
pub(super) async fn list(
    State(simulator): State<Arc<Simulator>>,
    Path((_, waba_id)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    axum::extract::Query(query): axum::extract::Query<HashMap<String, String>>,
) -> Checked<Json<Value>> {
    caller.check_account("get", &waba_id)?;
    let numbers = simulator
        .config
        .numbers
        .iter()
        .filter(|number| number.waba_id == waba_id)
        .map(|number| select(number, query.get("fields")))
        .collect::<Checked<Vec<_>>>()?;
    Ok(Json(json!({"data": numbers})))
}

fn select(number: &Number, fields: Option<&String>) -> Checked<Value> {
    let all = json!({
        "verified_name": number.verified_name,
        "display_phone_number": number.display_phone_number,
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "status": "CONNECTED",
        "name_status": "APPROVED",
        "messaging_limit_tier": "TIER_1K",
        "is_official_business_account": false,
        "id": number.phone_number_id,
    });
    let mut selected = Map::new();
    for field in fields.map_or(USUAL_FIELDS, String::as_str).split(',').chain(["id"]) {
        let value = all.get(field).ok_or_else(|| {
            GraphError::malformed(format_args!(
                "Tried accessing nonexisting field ({field}) on node type (WhatsAppBusinessPhoneNumber)"
            ))
        })?;
        selected.insert(field.to_owned(), value.clone());
    }
    Ok(Value::Object(selected))
}
