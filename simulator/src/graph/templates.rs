//! Message templates: a small set that every account has until a test puts another one, listing
//! them, and checking a message that uses one.
//!
//! <https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates>

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::Caller;
use super::content::check_media;
use super::errors::{Checked, GraphError};
use super::schema::Fields;
use crate::config::Number;
use crate::state::Simulator;

/// The fields that every template has.
const FIELDS: [&str; 8] = [
    "id",
    "name",
    "language",
    "status",
    "category",
    "parameter_format",
    "components",
    "quality_score",
];

/// The templates that a simulator starts with.
pub(crate) fn samples() -> Vec<Value> {
    serde_json::from_str(include_str!("templates.json")).expect("the templates are JSON")
}

/// Checks that templates are what Graph would list.
pub(crate) fn check_templates(templates: &[Value]) -> Result<(), String> {
    for (index, template) in templates.iter().enumerate() {
        if let Some(field) = FIELDS.iter().find(|field| template.get(**field).is_none()) {
            return Err(format!("[{index}].{field}: is required"));
        }
    }
    Ok(())
}

/// `GET /{waba_id}/message_templates?fields=&limit=&after=&before=&name=&status=&language=`
pub(super) async fn list(
    State(simulator): State<Arc<Simulator>>,
    Path((version, waba_id)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<HashMap<String, String>>,
) -> Checked<Json<Value>> {
    caller.check_account("get", &waba_id)?;
    let filters = ["name", "status", "language", "category"];
    let world = simulator.world();
    let matching: Vec<&Value> = world
        .templates
        .iter()
        .filter(|template| {
            filters
                .iter()
                .all(|key| query.get(*key).is_none_or(|wanted| template[key] == **wanted))
        })
        .collect();
    let limit: usize = match query.get("limit").map(|limit| limit.parse()) {
        None => 25,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => {
            return Err(GraphError::malformed("Param limit must be a positive integer."));
        }
    };
    let (start, end) = match (query.get("after"), query.get("before")) {
        (Some(cursor), _) => {
            let start = read_cursor(cursor)? + 1;
            (start, start.saturating_add(limit))
        }
        (None, Some(cursor)) => {
            let end = read_cursor(cursor)?;
            (end.saturating_sub(limit), end)
        }
        (None, None) => (0, limit),
    };
    let end = end.min(matching.len());
    let page = matching.get(start..end).unwrap_or_default();
    let data = page
        .iter()
        .map(|template| select(template, query.get("fields")))
        .collect::<Checked<Vec<_>>>()?;
    if data.is_empty() {
        return Ok(Json(json!({"data": []})));
    }
    let (before, after) = (make_cursor(start), make_cursor(end - 1));
    let mut paging = json!({"cursors": {"before": before, "after": after}});
    let link = |way: &str, cursor: &str| {
        let kept = query
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, _)| !["after", "before", "access_token"].contains(key))
            .chain([(way, cursor)]);
        let base = format!("{}/{version}/{waba_id}/message_templates", simulator.base_url);
        reqwest::Url::parse_with_params(&base, kept)
            .map(String::from)
            .unwrap_or_default()
    };
    if end < matching.len() {
        paging["next"] = link("after", &after).into();
    }
    if start > 0 {
        paging["previous"] = link("before", &before).into();
    }
    Ok(Json(json!({"data": data, "paging": paging})))
}

fn make_cursor(index: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("template:{index}"))
}

fn read_cursor(cursor: &str) -> Checked<usize> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix("template:")?.parse().ok())
        .ok_or_else(|| GraphError::malformed("Invalid cursor."))
}

fn select(template: &Value, fields: Option<&String>) -> Checked<Value> {
    let Some(fields) = fields else {
        return Ok(template.clone());
    };
    let mut selected = Map::new();
    for field in fields.split(',').map(str::trim).chain(["id"]) {
        let value = template.get(field).ok_or_else(|| {
            GraphError::malformed(format_args!(
                "Tried accessing nonexisting field ({field}) on node type (MessageTemplate)"
            ))
        })?;
        selected.insert(field.to_owned(), value.clone());
    }
    Ok(Value::Object(selected))
}

/// The pricing category of a message that uses a template.
pub(crate) fn template_category(templates: &[Value], message: &Value) -> String {
    templates
        .iter()
        .find(|template| template["name"] == message["template"]["name"])
        .and_then(|template| template["category"].as_str())
        .unwrap_or("utility")
        .to_lowercase()
}

/// Checks that the template exists, may be sent, and gets the parameters it wants.
pub(super) fn check(simulator: &Simulator, number: &Number, asked: &Fields<'_>) -> Checked<()> {
    asked.only(&["name", "language", "components"])?;
    let name = asked.required_text("name", 512)?;
    let language = asked.required_object("language")?;
    language.only(&["code", "policy"])?;
    language.choice("policy", &["deterministic"])?;
    let code = language.required_text("code", 16)?;
    let templates = simulator.world().templates.clone();
    let template = templates
        .iter()
        .find(|t| t["name"] == name && t["language"] == code && t["status"] != "REJECTED")
        .filter(|t| t["status"] != "PENDING")
        .ok_or_else(|| {
            let details = format!("template name ({name}) does not exist in {code}");
            GraphError::refused(404, 132_001, details)
        })?;
    if template["status"] == "PAUSED" {
        return Err(GraphError::refused(400, 132_015, format!("Template {name} is paused.")));
    }
    let given = asked.objects("components")?;
    for component in &given {
        check_component(simulator, number, component)?;
    }
    for part in template["components"].as_array().into_iter().flatten() {
        match part["type"].as_str() {
            Some("HEADER") => check_header(part, &given)?,
            Some("BODY") => {
                let wanted = placeholders(part["text"].as_str());
                check_count("body", &wanted, &parameters_of(&given, "body", None)?)?;
            }
            Some("BUTTONS") => check_buttons(part, &given)?,
            _ => {}
        }
    }
    let has = |kind: &str| {
        template["components"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|part| part["type"] == kind)
    };
    for (kind, wanted) in [("header", "HEADER"), ("button", "BUTTONS")] {
        if !has(wanted) && given.iter().any(|c| c.value("type").is_some_and(|t| t == kind)) {
            return Err(GraphError::refused(
                400,
                132_000,
                format!("{kind}: the template has no such component"),
            ));
        }
    }
    Ok(())
}

/// The shape of one component of the message.
fn check_component(simulator: &Simulator, number: &Number, component: &Fields<'_>) -> Checked<()> {
    let kind = component.required_choice("type", &["header", "body", "button"])?;
    if kind == "button" {
        component.only(&["type", "sub_type", "index", "parameters"])?;
        component.required_choice("sub_type", &["quick_reply", "url"])?;
        button_index(component)?;
    } else {
        component.only(&["type", "parameters"])?;
    }
    for parameter in component.objects("parameters")? {
        let allowed: &[&str] = match kind {
            "header" => &["text", "image", "video", "document"],
            "body" => &["text", "currency", "date_time"],
            _ => &["text", "payload"],
        };
        let kind = parameter.required_choice("type", allowed)?;
        parameter.only(&["type", "parameter_name", kind])?;
        parameter.text("parameter_name", 512)?;
        match kind {
            "text" | "payload" => {
                parameter.required_text(kind, 1024)?;
            }
            "currency" | "date_time" => {
                let value = parameter.required_object(kind)?;
                value.required_text("fallback_value", 1024)?;
            }
            _ => check_media(simulator, number, kind, &parameter.required_object(kind)?)?,
        }
    }
    Ok(())
}

fn check_header(part: &Value, given: &[Fields<'_>]) -> Checked<()> {
    let parameters = parameters_of(given, "header", None)?;
    let format = part["format"].as_str().unwrap_or("TEXT");
    if format == "TEXT" {
        return check_count("header", &placeholders(part["text"].as_str()), &parameters);
    }
    let received = parameters
        .first()
        .and_then(|parameter| parameter.value("type")?.as_str())
        .unwrap_or("unknown")
        .to_uppercase();
    if received == format && parameters.len() == 1 {
        return Ok(());
    }
    Err(GraphError::refused(
        400,
        132_012,
        format!("header: Format mismatch, expected {format}, received {received}"),
    ))
}

fn check_buttons(part: &Value, given: &[Fields<'_>]) -> Checked<()> {
    for (index, button) in part["buttons"].as_array().into_iter().flatten().enumerate() {
        let parameters = parameters_of(given, "button", Some(index))?;
        let wanted = placeholders(button["url"].as_str());
        let is_reply = button["type"] == "QUICK_REPLY";
        if is_reply && parameters.len() <= 1 {
            continue;
        }
        check_count(&format!("buttons: button at index {index}"), &wanted, &parameters)?;
    }
    Ok(())
}

/// The parameters that the message gives for one part of the template.
fn parameters_of<'a>(given: &[Fields<'a>], kind: &str, index: Option<usize>) -> Checked<Vec<Fields<'a>>> {
    for component in given {
        let is_meant = component.value("type").is_some_and(|value| value == kind)
            && (index.is_none() || Some(button_index(component)?) == index);
        if is_meant {
            return component.objects("parameters");
        }
    }
    Ok(Vec::new())
}

/// The index of a button: a number, or written as a string.
fn button_index(component: &Fields<'_>) -> Checked<usize> {
    let value = component.value("index");
    value
        .and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64().and_then(|index| usize::try_from(index).ok()),
        })
        .filter(|index| *index < 10)
        .ok_or_else(|| GraphError::required(&component.name("index")))
}

fn check_count(place: &str, wanted: &BTreeSet<&str>, given: &[Fields<'_>]) -> Checked<()> {
    if wanted.len() != given.len() {
        return Err(GraphError::refused(
            400,
            132_000,
            format!(
                "{place}: number of localizable_params ({}) does not match the expected number of \
                 params ({})",
                given.len(),
                wanted.len()
            ),
        ));
    }
    if wanted.iter().all(|name| name.parse::<u32>().is_ok()) {
        return Ok(());
    }
    for parameter in given {
        let name = parameter.text("parameter_name", 512)?.unwrap_or_default();
        if !wanted.contains(name) {
            return Err(GraphError::refused(
                400,
                132_000,
                format!("{place}: Parameter name is missing or empty, or not one of the template"),
            ));
        }
    }
    Ok(())
}

/// The names between double braces.
fn placeholders(text: Option<&str>) -> BTreeSet<&str> {
    text.unwrap_or_default()
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}").map(|(name, _)| name.trim()))
        .collect()
}
