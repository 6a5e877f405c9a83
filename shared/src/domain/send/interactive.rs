//! Interactive messages: reply buttons, lists, links, flows, and asking for a location.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#interactive-object>

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::check::{self, Checked, at_most, count, given, is_absent, one_of, only, refuse, required_text, unique};
use super::media::{MediaObject, check_part};
use super::{Content, FileUse};

const TYPES: [&str; 5] = ["button", "list", "cta_url", "flow", "location_request_message"];

const BODY_LIMIT: usize = 1024;
const HEADER_LIMIT: usize = 60;
const FOOTER_LIMIT: usize = 60;

const BUTTONS: usize = 3;
const BUTTON_TITLE_LIMIT: usize = 20;
const BUTTON_ID_LIMIT: usize = 256;

const SECTIONS: usize = 10;
/// Of all sections of a list together.
const ROWS: usize = 10;
const LIST_BUTTON_LIMIT: usize = 20;
const LIST_TITLE_LIMIT: usize = 24;
const ROW_DESCRIPTION_LIMIT: usize = 72;
const ROW_ID_LIMIT: usize = 200;

const URL_TEXT_LIMIT: usize = 20;
const URL_LIMIT: usize = 2000;

/// The only version there is.
const FLOW_MESSAGE_VERSION: &str = "3";
const FLOW_CTA_LIMIT: usize = 20;
const FLOW_TOKEN_LIMIT: usize = 1024;
const FLOW_ID_LIMIT: usize = 128;
const FLOW_NAME_LIMIT: usize = 200;
const FLOW_SCREEN_LIMIT: usize = 200;

/// Graph's object of an interactive message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "button", "body": {"text": "Does Friday suit you?"}, "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Yes"}}, {"type": "reply", "reply": {"id": "no", "title": "Another day"}}]}}))]
pub struct InteractiveObject {
    /// button, list, `cta_url`, flow or `location_request_message`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What stands above the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderObject>,
    /// What the message says; at most 1024 characters.
    pub body: PhraseObject,
    /// What stands below the body; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<PhraseObject>,
    /// What the customer can do.
    pub action: ActionObject,
}

/// The body or the footer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Does Friday suit you?"}))]
pub struct PhraseObject {
    /// Its text.
    pub text: String,
}

/// The header: a text or a file. Beside `type` it has the field that `type` names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "text", "text": "Your delivery"}))]
pub struct HeaderObject {
    /// text, image, video or document; of a list, text.
    #[serde(rename = "type")]
    pub kind: String,
    /// At most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// An image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<MediaObject>,
    /// A video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<MediaObject>,
    /// A document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<MediaObject>,
}

/// What the customer can do. Which fields there are depends on the message's type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "cta_url", "parameters": {"display_text": "Track it", "url": "https://example.com/track"}}))]
pub struct ActionObject {
    /// Of button: 1 to 3 buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buttons: Option<Vec<ButtonObject>>,
    /// Of list: what the button that opens it says; at most 20 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// Of list: 1 to 10 sections, with 10 rows together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<Vec<SectionObject>>,
    /// `cta_url` and `flow` say their type again; a `location_request_message` says `send_location`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of `cta_url` and flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<ActionParametersObject>,
}

/// A reply button.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "reply", "reply": {"id": "yes", "title": "Yes"}}))]
pub struct ButtonObject {
    /// reply.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says, and what comes back.
    pub reply: ReplyObject,
}

/// A button's reply. Of the buttons of a message no two have the same id or title.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "yes", "title": "Yes"}))]
pub struct ReplyObject {
    /// Comes back when the button is pressed; at most 256 characters.
    pub id: String,
    /// What the button says; at most 20 characters.
    pub title: String,
}

/// A section of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Mornings", "rows": [{"id": "fri-9", "title": "Friday, 9:00", "description": "By bicycle"}]}))]
pub struct SectionObject {
    /// Its title; required where there is more than one section; at most 24 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub title: Option<String>,
    /// What can be chosen in it.
    pub rows: Vec<RowObject>,
}

/// A row of a list. No two rows have the same id.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "fri-9", "title": "Friday, 9:00", "description": "By bicycle"}))]
pub struct RowObject {
    /// Comes back when the row is chosen; at most 200 characters.
    pub id: String,
    /// At most 24 characters.
    pub title: String,
    /// At most 72 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub description: Option<String>,
}

/// The parameters of a link or a flow.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"display_text": "Track it", "url": "https://example.com/track"}))]
pub struct ActionParametersObject {
    /// Of `cta_url`: what the button says; at most 20 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub display_text: Option<String>,
    /// Of `cta_url`: an https URL of at most 2000 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub url: Option<String>,
    /// Of flow: `3`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub flow_message_version: Option<String>,
    /// Of flow: its id; either this or `flow_name`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub flow_id: Option<String>,
    /// Of flow: its name; either this or `flow_id`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub flow_name: Option<String>,
    /// Of flow: what the button says; at most 20 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub flow_cta: Option<String>,
    /// Of flow: comes back with the answer; at most 1024 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub flow_token: Option<String>,
    /// Of flow: draft or published.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub mode: Option<String>,
    /// Of flow: navigate or `data_exchange`.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub flow_action: Option<String>,
    /// Of flow: where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_action_payload: Option<FlowPayloadObject>,
}

/// Where a flow begins.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"screen": "APPOINTMENT", "data": {"day": "2026-07-24"}}))]
pub struct FlowPayloadObject {
    /// Its first screen.
    pub screen: String,
    /// What that screen is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Map<String, Value>>,
}

/// What to send.
pub(super) fn content(interactive: &InteractiveObject) -> Checked<Content> {
    let kind = one_of("interactive.type", &interactive.kind, &TYPES)?;
    check::text("interactive.body.text", &interactive.body.text, BODY_LIMIT)?;
    if let Some(footer) = &interactive.footer {
        check::text("interactive.footer.text", &footer.text, FOOTER_LIMIT)?;
    }
    let mut files = Vec::new();
    if let Some(header) = &interactive.header {
        check_header(kind, header, &mut files)?;
    }
    check_action(kind, &interactive.action)?;
    Ok(Content {
        kind: "interactive",
        object: json!(interactive),
        words: Some(interactive.body.text.clone()),
        media_caption: None,
        metadata: Some(json!({"interactive": interactive})),
        files,
    })
}

fn check_header(kind: &str, header: &HeaderObject, files: &mut Vec<FileUse>) -> Checked {
    let path = "interactive.header";
    let known: &[&str] = match kind {
        "list" => &["text"],
        _ => &["text", "image", "video", "document"],
    };
    let format = one_of(&format!("{path}.type"), &header.kind, known)?;
    only(path, header, &["type", format], format)?;
    let field = format!("{path}.{format}");
    let media = match format {
        "image" => &header.image,
        "video" => &header.video,
        "document" => &header.document,
        _ => return required_text(&field, header.text.as_deref(), HEADER_LIMIT),
    };
    check_part(&field, format, media.as_ref(), files)
}

fn check_action(kind: &'static str, action: &ActionObject) -> Checked {
    let path = "interactive.action";
    let known: &[&str] = match kind {
        "button" => &["buttons"],
        "list" => &["button", "sections"],
        "location_request_message" => &["name"],
        _ => &["name", "parameters"],
    };
    only(path, action, known, kind)?;
    match kind {
        "button" => return check_buttons(given("interactive.action.buttons", action.buttons.as_deref())?),
        "list" => return check_list(action),
        _ => {}
    }
    let name = match kind {
        "location_request_message" => "send_location",
        kind => kind,
    };
    let field = "interactive.action.name";
    one_of(field, given(field, action.name.as_deref())?, &[name])?;
    let parameters = || given("interactive.action.parameters", action.parameters.as_ref());
    match kind {
        "cta_url" => check_url(parameters()?),
        "flow" => check_flow(parameters()?),
        _ => Ok(()),
    }
}

fn check_buttons(buttons: &[ButtonObject]) -> Checked {
    count("interactive.action.buttons", buttons.len(), 1..=BUTTONS)?;
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for (index, button) in buttons.iter().enumerate() {
        let path = format!("interactive.action.buttons[{index}]");
        one_of(&format!("{path}.type"), &button.kind, &["reply"])?;
        unique(&mut ids, &format!("{path}.reply.id"), &button.reply.id, BUTTON_ID_LIMIT)?;
        unique(
            &mut titles,
            &format!("{path}.reply.title"),
            &button.reply.title,
            BUTTON_TITLE_LIMIT,
        )?;
    }
    Ok(())
}

fn check_list(action: &ActionObject) -> Checked {
    let path = "interactive.action.sections";
    required_text("interactive.action.button", action.button.as_deref(), LIST_BUTTON_LIMIT)?;
    let sections = given(path, action.sections.as_deref())?;
    count(path, sections.len(), 1..=SECTIONS)?;
    let mut ids = HashSet::new();
    for (index, section) in sections.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let title = section.title.as_deref();
        if sections.len() > 1 {
            required_text(&format!("{path}.title"), title, LIST_TITLE_LIMIT)?;
        } else {
            at_most(&format!("{path}.title"), title, LIST_TITLE_LIMIT)?;
        }
        count(&format!("{path}.rows"), section.rows.len(), 1..=ROWS)?;
        for (index, row) in section.rows.iter().enumerate() {
            let path = format!("{path}.rows[{index}]");
            unique(&mut ids, &format!("{path}.id"), &row.id, ROW_ID_LIMIT)?;
            check::text(&format!("{path}.title"), &row.title, LIST_TITLE_LIMIT)?;
            at_most(
                &format!("{path}.description"),
                row.description.as_deref(),
                ROW_DESCRIPTION_LIMIT,
            )?;
        }
    }
    // Every row has an id of its own.
    if ids.len() > ROWS {
        return refuse(path, format!("must have at most {ROWS} rows in all"));
    }
    Ok(())
}

fn check_url(parameters: &ActionParametersObject) -> Checked {
    let path = "interactive.action.parameters";
    only(path, parameters, &["display_text", "url"], "cta_url")?;
    let field = |name: &str| format!("{path}.{name}");
    required_text(
        &field("display_text"),
        parameters.display_text.as_deref(),
        URL_TEXT_LIMIT,
    )?;
    let url = given(&field("url"), parameters.url.as_deref())?;
    check::link(&field("url"), url, URL_LIMIT)
}

fn check_flow(parameters: &ActionParametersObject) -> Checked {
    let path = "interactive.action.parameters";
    let known = [
        "flow_message_version",
        "flow_id",
        "flow_name",
        "flow_cta",
        "flow_token",
        "mode",
        "flow_action",
        "flow_action_payload",
    ];
    only(path, parameters, &known, "flow")?;
    let field = |name: &str| format!("{path}.{name}");
    let version = field("flow_message_version");
    one_of(
        &version,
        given(&version, parameters.flow_message_version.as_deref())?,
        &[FLOW_MESSAGE_VERSION],
    )?;
    required_text(&field("flow_cta"), parameters.flow_cta.as_deref(), FLOW_CTA_LIMIT)?;
    for (name, value, most) in [
        ("flow_token", &parameters.flow_token, FLOW_TOKEN_LIMIT),
        ("flow_id", &parameters.flow_id, FLOW_ID_LIMIT),
        ("flow_name", &parameters.flow_name, FLOW_NAME_LIMIT),
    ] {
        at_most(&field(name), value.as_deref(), most)?;
    }
    for (name, value, known) in [
        ("mode", &parameters.mode, ["draft", "published"]),
        ("flow_action", &parameters.flow_action, ["navigate", "data_exchange"]),
    ] {
        if let Some(word) = value.as_deref().filter(|word| !word.is_empty()) {
            one_of(&field(name), word, &known)?;
        }
    }
    match (is_absent(&parameters.flow_id), is_absent(&parameters.flow_name)) {
        (true, true) => return refuse(&field("flow_id"), "is required, or flow_name"),
        (false, false) => return refuse(&field("flow_name"), "give either flow_id or flow_name, not both"),
        _ => {}
    }
    match &parameters.flow_action_payload {
        Some(payload) => check::text(&field("flow_action_payload.screen"), &payload.screen, FLOW_SCREEN_LIMIT),
        None => Ok(()),
    }
}
