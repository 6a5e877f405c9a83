//! Template messages: the shape of what fills a template. Whether it fits the template is decided where the template is known.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#template-object>

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::check::{self, Checked, at_most, given, is_absent, one_of, only, required_text};
use super::media::{MediaObject, check_part};
use super::{Content, FileUse};

const NAME_LIMIT: usize = 512;
const LANGUAGE_LIMIT: usize = 16;
const PARAMETER_LIMIT: usize = 1024;
/// Of a template.
const BUTTONS: u64 = 10;

/// Graph's object of a template message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "order_update", "language": {"code": "en_US"}, "components": [{"type": "header", "parameters": [{"type": "text", "text": "A-1001"}]}, {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "Friday"}]}]}))]
pub struct TemplateObject {
    /// Its name; at most 512 characters.
    pub name: String,
    /// Which of its translations.
    pub language: LanguageObject,
    /// What fills its placeholders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentObject>,
}

/// A template's language.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "en_US"}))]
pub struct LanguageObject {
    /// `en`, `en_US`; at most 16 characters.
    pub code: String,
    /// deterministic.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub policy: Option<String>,
}

/// The parameters of one part of a template.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A-1001"}]}))]
pub struct ComponentObject {
    /// header, body or button.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of a button: `quick_reply` or url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    /// Of a button: which one, from 0 to 9.
    #[serde(default, deserialize_with = "read_index", skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// In the order of the placeholders, or named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterObject>,
}

/// What fills one placeholder. Beside `type` it has the field that `type` names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "text", "parameter_name": "first_name", "text": "Ada"}))]
pub struct ParameterObject {
    /// Of a header: text, image, video or document. Of a body: text, currency or `date_time`. Of a button: text or payload.
    #[serde(rename = "type")]
    pub kind: String,
    /// The placeholder, where the template names them; at most 512 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub parameter_name: Option<String>,
    /// At most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Comes back when the button is pressed; at most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// An amount of money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<CurrencyObject>,
    /// A date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_time: Option<DateTimeObject>,
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

/// An amount of money.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fallback_value": "€12.50", "code": "EUR", "amount_1000": 12500}))]
pub struct CurrencyObject {
    /// As it is shown where WhatsApp does not write it in the customer's way; at most 1024 characters.
    pub fallback_value: String,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub code: Option<String>,
    /// The amount times 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_1000: Option<i64>,
}

/// A date.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fallback_value": "24 July 2026"}))]
pub struct DateTimeObject {
    /// As it is shown; at most 1024 characters.
    pub fallback_value: String,
}

/// Graph documents a string and takes a number too.
fn read_index<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let index = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    match index.filter(|index| *index < BUTTONS) {
        Some(index) => Ok(Some(index.to_string())),
        None => Err(Error::invalid_value(
            Unexpected::Other("something else"),
            &"a number from 0 to 9",
        )),
    }
}

/// What to send; what it says in words is known with the template.
pub(super) fn content(template: &TemplateObject) -> Checked<Content> {
    check::text("template.name", &template.name, NAME_LIMIT)?;
    check::text("template.language.code", &template.language.code, LANGUAGE_LIMIT)?;
    if let Some(policy) = template.language.policy.as_deref().filter(|policy| !policy.is_empty()) {
        one_of("template.language.policy", policy, &["deterministic"])?;
    }
    let mut files = Vec::new();
    for (index, component) in template.components.iter().enumerate() {
        check_component(&format!("template.components[{index}]"), component, &mut files)?;
    }
    Ok(Content {
        kind: "template",
        object: json!(template),
        words: None,
        media_caption: None,
        metadata: Some(json!({"template": template})),
        files,
    })
}

fn check_component(path: &str, component: &ComponentObject, files: &mut Vec<FileUse>) -> Checked {
    let kind = one_of(&format!("{path}.type"), &component.kind, &["header", "body", "button"])?;
    if kind == "button" {
        let field = format!("{path}.sub_type");
        one_of(
            &field,
            given(&field, component.sub_type.as_deref())?,
            &["quick_reply", "url"],
        )?;
        given(&format!("{path}.index"), component.index.as_ref())?;
    } else {
        only(path, component, &["type", "parameters"], kind)?;
    }
    let known: &[&str] = match kind {
        "header" => &["text", "image", "video", "document"],
        "body" => &["text", "currency", "date_time"],
        _ => &["text", "payload"],
    };
    for (index, parameter) in component.parameters.iter().enumerate() {
        check_parameter(&format!("{path}.parameters[{index}]"), parameter, known, files)?;
    }
    Ok(())
}

fn check_parameter(
    path: &str,
    parameter: &ParameterObject,
    known: &[&'static str],
    files: &mut Vec<FileUse>,
) -> Checked {
    let kind = one_of(&format!("{path}.type"), &parameter.kind, known)?;
    only(path, parameter, &["type", "parameter_name", kind], kind)?;
    at_most(
        &format!("{path}.parameter_name"),
        parameter.parameter_name.as_deref(),
        NAME_LIMIT,
    )?;
    let field = format!("{path}.{kind}");
    let fallback = format!("{field}.fallback_value");
    match kind {
        "image" => check_part(&field, kind, parameter.image.as_ref(), files),
        "video" => check_part(&field, kind, parameter.video.as_ref(), files),
        "document" => check_part(&field, kind, parameter.document.as_ref(), files),
        "currency" => {
            let currency = given(&field, parameter.currency.as_ref())?;
            check::text(&fallback, &currency.fallback_value, PARAMETER_LIMIT)
        }
        "date_time" => {
            let date = given(&field, parameter.date_time.as_ref())?;
            check::text(&fallback, &date.fallback_value, PARAMETER_LIMIT)
        }
        "payload" => required_text(&field, parameter.payload.as_deref(), PARAMETER_LIMIT),
        _ => required_text(&field, parameter.text.as_deref(), PARAMETER_LIMIT),
    }
}
