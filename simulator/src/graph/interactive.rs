//! Interactive messages: reply buttons, lists, links, flows, and asking for a location.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#interactive-messages>

use std::collections::HashSet;

use super::content::{check_link, check_media};
use super::errors::{Checked, GraphError};
use super::schema::Fields;
use crate::config::Number;
use crate::state::Simulator;

const TYPES: &[&str] = &["button", "list", "cta_url", "flow", "location_request_message"];

pub(super) fn check(simulator: &Simulator, number: &Number, interactive: &Fields<'_>) -> Checked<()> {
    interactive.only(&["type", "header", "body", "footer", "action"])?;
    let kind = interactive.required_choice("type", TYPES)?;
    let body = interactive.required_object("body")?;
    body.only(&["text"])?;
    body.required_text("text", 1024)?;
    if let Some(footer) = interactive.object("footer")? {
        footer.only(&["text"])?;
        footer.required_text("text", 60)?;
    }
    if let Some(header) = interactive.object("header")? {
        check_header(simulator, number, kind, &header)?;
    }
    let action = interactive.required_object("action")?;
    match kind {
        "button" => check_buttons(&action),
        "list" => check_list(&action),
        "cta_url" => {
            let parameters = named_parameters(&action, "cta_url")?;
            parameters.only(&["display_text", "url"])?;
            parameters.required_text("display_text", 20)?;
            let url = parameters.required_text("url", 2000)?;
            check_link(&parameters, "url", url)
        }
        "flow" => check_flow(&named_parameters(&action, "flow")?),
        _ => {
            action.only(&["name"])?;
            action.required_choice("name", &["send_location"]).map(drop)
        }
    }
}

fn check_header(simulator: &Simulator, number: &Number, kind: &str, header: &Fields<'_>) -> Checked<()> {
    let allowed: &[&str] = if kind == "list" {
        &["text"]
    } else {
        &["text", "image", "video", "document"]
    };
    let format = header.required_choice("type", allowed)?;
    header.only(&["type", format])?;
    if format == "text" {
        return header.required_text("text", 60).map(drop);
    }
    check_media(simulator, number, format, &header.required_object(format)?)
}

fn check_buttons(action: &Fields<'_>) -> Checked<()> {
    action.only(&["buttons"])?;
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in action.some_objects("buttons", 1, 3)? {
        button.only(&["type", "reply"])?;
        button.required_choice("type", &["reply"])?;
        let reply = button.required_object("reply")?;
        reply.only(&["id", "title"])?;
        check_unique(&mut ids, &reply, "id", 256)?;
        check_unique(&mut titles, &reply, "title", 20)?;
    }
    Ok(())
}

fn check_list(action: &Fields<'_>) -> Checked<()> {
    action.only(&["button", "sections"])?;
    action.required_text("button", 20)?;
    let sections = action.some_objects("sections", 1, 10)?;
    let (mut rows, mut ids) = (0, HashSet::new());
    for section in &sections {
        section.only(&["title", "rows"])?;
        if sections.len() > 1 {
            section.required_text("title", 24)?;
        } else {
            section.text("title", 24)?;
        }
        for row in section.some_objects("rows", 1, 10)? {
            row.only(&["id", "title", "description"])?;
            check_unique(&mut ids, &row, "id", 200)?;
            row.required_text("title", 24)?;
            row.text("description", 72)?;
            rows += 1;
        }
    }
    if rows > 10 {
        return Err(GraphError::invalid(format!(
            "A list has at most 10 rows in all its sections; this one has {rows}."
        )));
    }
    Ok(())
}

fn check_flow(parameters: &Fields<'_>) -> Checked<()> {
    parameters.only(&[
        "flow_message_version",
        "flow_id",
        "flow_name",
        "flow_cta",
        "flow_token",
        "mode",
        "flow_action",
        "flow_action_payload",
    ])?;
    parameters.required_choice("flow_message_version", &["3"])?;
    parameters.required_text("flow_cta", 20)?;
    parameters.text("flow_token", 1024)?;
    parameters.choice("mode", &["draft", "published"])?;
    parameters.choice("flow_action", &["navigate", "data_exchange"])?;
    let id = parameters.text("flow_id", 128)?;
    let name = parameters.text("flow_name", 200)?;
    if id.is_some() == name.is_some() {
        return Err(GraphError::missing("Exactly one of flow_id and flow_name is required."));
    }
    if let Some(payload) = parameters.object("flow_action_payload")? {
        payload.only(&["screen", "data"])?;
        payload.required_text("screen", 200)?;
        payload.object("data")?;
    }
    Ok(())
}

fn named_parameters<'a>(action: &Fields<'a>, name: &str) -> Checked<Fields<'a>> {
    action.only(&["name", "parameters"])?;
    action.required_choice("name", &[name])?;
    action.required_object("parameters")
}

fn check_unique<'a>(seen: &mut HashSet<&'a str>, fields: &Fields<'a>, key: &str, most: usize) -> Checked<()> {
    let value = fields.required_text(key, most)?;
    if seen.insert(value) {
        return Ok(());
    }
    Err(GraphError::invalid(format!("{} is there twice.", fields.name(key))))
}
