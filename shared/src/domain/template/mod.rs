//! Message templates: what one wants of a message, whether a message brings it, and how the customer reads it.
//! Source: <https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates/components>.

mod check;
mod given;
mod render;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use check::check;
pub use render::{Rendered, RenderedButton, RenderedHeader, render};

use super::placeholder;
use crate::whatsapp::json::text;

/// Meta's limit of a name, in characters.
const NAME_LIMIT: usize = 512;
/// No language code is longer (characters).
const LANGUAGE_LIMIT: usize = 35;

/// A template as Graph lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Meta's id of it.
    pub template_id: String,
    /// Its name; with the language it names one of an account's templates.
    pub name: String,
    /// Its language code.
    pub language: String,
    /// APPROVED, PAUSED, …
    pub status: String,
    /// MARKETING, UTILITY or AUTHENTICATION.
    pub category: Option<String>,
    /// GREEN, YELLOW, RED or UNKNOWN.
    pub quality: Option<String>,
    /// POSITIONAL or NAMED.
    pub parameter_format: Option<String>,
    /// Header, body, footer, buttons and whatever else there is.
    pub components: Value,
}

impl Listed {
    /// Reads an element of Graph's list; `None` where it lacks what identifies it.
    #[must_use]
    pub fn from_graph(item: &Value) -> Option<Self> {
        let id = |key: &str, limit: usize| text(item, key).filter(|id| id.chars().count() <= limit);
        Some(Self {
            template_id: id("id", NAME_LIMIT)?,
            name: id("name", NAME_LIMIT)?,
            language: id("language", LANGUAGE_LIMIT)?,
            status: text(item, "status")?,
            category: text(item, "category"),
            quality: item.get("quality_score").and_then(|quality| text(quality, "score")),
            parameter_format: text(item, "parameter_format"),
            components: item.get("components").filter(|it| it.is_array())?.clone(),
        })
    }
}

/// The status that an event of a status webhook leads to; `None` where it changes none (FLAGGED warns of a low quality).
#[must_use]
pub fn status_after(event: &str) -> Option<&str> {
    match event {
        "FLAGGED" | "UNFLAGGED" => None,
        "REINSTATED" | "UNARCHIVED" => Some("APPROVED"),
        other => Some(other),
    }
}

/// A message template of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Template {
    /// Meta's id of it.
    pub template_id: String,
    /// Its name, as send-message takes it.
    pub name: String,
    /// Its language code, as send-message takes it.
    pub language: String,
    /// APPROVED, PAUSED, …; only approved ones can be sent.
    pub status: String,
    /// MARKETING, UTILITY or AUTHENTICATION.
    pub category: Option<String>,
    /// GREEN, YELLOW, RED or UNKNOWN.
    pub quality: Option<String>,
    /// POSITIONAL: the parameters of a text are given in the order of their numbers; NAMED: each with its `parameter_name`.
    pub parameter_format: String,
    /// What stands above the body.
    pub header: Option<TemplateHeader>,
    /// The body.
    pub body: Option<TemplateText>,
    /// What stands below the body.
    pub footer: Option<String>,
    /// The buttons, in order.
    pub buttons: Vec<TemplateButton>,
    /// Types of components beside these, such as CAROUSEL. What they want, WhatsApp alone checks.
    pub other_components: Vec<String>,
}

/// What stands above the body of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateHeader {
    /// TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION. All but TEXT take one parameter of that type.
    pub format: String,
    /// The words of a TEXT header.
    pub text: Option<String>,
    /// The placeholders in `text`.
    pub parameters: Vec<TemplateParameter>,
    /// Link to a sample of the file.
    pub example: Option<String>,
}

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateText {
    /// The words, with placeholders such as `{{1}}` or `{{first_name}}`.
    pub text: String,
    /// The placeholders, in the order in which they are given.
    pub parameters: Vec<TemplateParameter>,
}

/// A placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateParameter {
    /// Its number, or its name.
    pub name: String,
    /// What the business gave as an example.
    pub example: Option<String>,
}

/// A button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateButton {
    /// Its `index` in a message.
    pub index: usize,
    /// `QUICK_REPLY`, `URL`, `PHONE_NUMBER`, `COPY_CODE`, `FLOW`, `OTP`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// What stands on it.
    pub text: Option<String>,
    /// Of `URL`: where it leads, perhaps with a placeholder.
    pub url: Option<String>,
    /// Of `PHONE_NUMBER`: whom it calls.
    pub phone_number: Option<String>,
    /// What a message must give for it: the placeholder of a URL, or a code.
    pub parameter: Option<TemplateParameter>,
}

impl From<Listed> for Template {
    fn from(listed: Listed) -> Self {
        let components: Vec<&Value> = listed.components.as_array().into_iter().flatten().collect();
        let part = |kind: &str| components.iter().find(|it| is(it, "type", kind)).copied();
        let (header, body) = (part("HEADER"), part("BODY"));
        let is_named = match &listed.parameter_format {
            Some(format) => format.eq_ignore_ascii_case("NAMED"),
            None => [header, body]
                .into_iter()
                .flatten()
                .filter_map(|part| part["text"].as_str())
                .any(|text| placeholder::names(text).into_iter().any(|name| number(name).is_none())),
        };
        let known = ["HEADER", "BODY", "FOOTER", "BUTTONS"];
        let other_components = components.iter().filter_map(|it| text(it, "type"));
        let buttons = part("BUTTONS").and_then(|part| part["buttons"].as_array());
        Self {
            parameter_format: if is_named { "NAMED" } else { "POSITIONAL" }.to_owned(),
            header: header.map(|header| TemplateHeader {
                format: text(header, "format").unwrap_or_else(|| "TEXT".to_owned()),
                text: text(header, "text"),
                parameters: parameters(header, "header_text", is_named),
                example: header["example"]["header_handle"][0].as_str().map(str::to_owned),
            }),
            body: body.and_then(|body| {
                Some(TemplateText {
                    text: text(body, "text")?,
                    parameters: parameters(body, "body_text", is_named),
                })
            }),
            footer: part("FOOTER").and_then(|footer| text(footer, "text")),
            buttons: buttons.into_iter().flatten().enumerate().map(button).collect(),
            other_components: other_components
                .filter(|kind| !known.contains(&kind.as_str()))
                .collect(),
            template_id: listed.template_id,
            name: listed.name,
            language: listed.language,
            status: listed.status,
            category: listed.category,
            quality: listed.quality,
        }
    }
}

/// The placeholders in a component's text. `examples` is the key of its examples.
fn parameters(component: &Value, examples: &str, is_named: bool) -> Vec<TemplateParameter> {
    let mut names = placeholder::names(component["text"].as_str().unwrap_or_default());
    if !is_named {
        names.retain(|name| number(name).is_some());
        names.sort_by_key(|name| number(name));
    }
    let given = &component["example"];
    let by_name = &given[format!("{examples}_named_params")];
    // A body's examples are a list of lists.
    let positional = match &given[examples] {
        Value::Array(lists) if lists.first().is_some_and(Value::is_array) => &lists[0],
        list => list,
    };
    let example = |(index, name): (usize, &str)| TemplateParameter {
        name: name.to_owned(),
        example: if is_named {
            let mut list = by_name.as_array().into_iter().flatten();
            list.find(|it| it["param_name"] == name)
                .and_then(|it| text(it, "example"))
        } else {
            positional[index].as_str().map(str::to_owned)
        },
    };
    names.into_iter().enumerate().map(example).collect()
}

fn button((index, button): (usize, &Value)) -> TemplateButton {
    let url = text(button, "url");
    let kind = text(button, "type").unwrap_or_default();
    let name = match kind.as_str() {
        "URL" => url
            .as_deref()
            .and_then(|url| placeholder::names(url).first().copied())
            .map(str::to_owned),
        "COPY_CODE" => Some("coupon_code".to_owned()),
        "OTP" => Some("code".to_owned()),
        _ => None,
    };
    let example = &button["example"];
    let example = example.as_str().or_else(|| example[0].as_str());
    TemplateButton {
        index,
        kind,
        text: text(button, "text"),
        phone_number: text(button, "phone_number"),
        parameter: name.map(|name| TemplateParameter {
            name,
            example: example.map(str::to_owned),
        }),
        url,
    }
}

fn number(name: &str) -> Option<u32> {
    name.parse().ok()
}

/// Whether `value[key]` is this word, in capitals or not.
fn is(value: &Value, key: &str, word: &str) -> bool {
    value[key].as_str().is_some_and(|it| it.eq_ignore_ascii_case(word))
}
