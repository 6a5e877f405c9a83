//! What the customer reads.

use serde::Serialize;
use serde_json::{Value, json};

use super::given::{Given, Message};
use super::{Template, TemplateParameter};
use crate::domain::placeholder;

/// A template as the customer reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// What stands above the body: its format, and the words of a text. A file stands in the message's own components.
    pub header: Option<RenderedHeader>,
    /// The body.
    pub body: Option<String>,
    /// What stands below the body.
    pub footer: Option<String>,
    /// The buttons, in order.
    pub buttons: Vec<RenderedButton>,
}

/// What stands above the body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenderedHeader {
    /// TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION.
    pub format: String,
    /// The words of a TEXT header.
    pub text: Option<String>,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenderedButton {
    /// `QUICK_REPLY`, `URL`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// What stands on it.
    pub text: Option<String>,
    /// Where it leads.
    pub url: Option<String>,
    /// Whom it calls.
    pub phone_number: Option<String>,
    /// What it copies.
    pub code: Option<String>,
}

impl Rendered {
    /// What the message says in words: the header's text, an empty line, the body. Footer and buttons say nothing new in a list of
    /// conversations; they stand in the metadata.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let header = self.header.as_ref().and_then(|header| header.text.as_deref());
        let parts: Vec<&str> = header.into_iter().chain(self.body.as_deref()).collect();
        (!parts.is_empty()).then(|| parts.join("\n\n"))
    }

    /// The message's metadata: Graph's template object as it was asked for, with `rendered` beside its components.
    #[must_use]
    pub fn metadata(&self, object: &Value) -> Value {
        let mut template = object.clone();
        template["rendered"] = json!(self);
        json!({ "template": template })
    }
}

/// Puts the parameters of a message into the template. `components` were found good by [`check`].
#[must_use]
pub fn render(template: &Template, components: &Value) -> Rendered {
    let message = Message::new(components);
    let is_named = template.parameter_format == "NAMED";
    let fill = |text: &str, wanted: &[TemplateParameter], given: Option<Given<'_>>| {
        let values = given.map_or(&[] as &[Value], Given::parameters);
        placeholder::fill(text, |name| {
            let value = if is_named {
                values.iter().find(|value| value["parameter_name"] == name)
            } else {
                let place = wanted.iter().position(|parameter| parameter.name == name)?;
                values.get(place)
            };
            words_of(value?)
        })
    };
    Rendered {
        header: template.header.as_ref().map(|header| RenderedHeader {
            format: header.format.clone(),
            text: header
                .text
                .as_deref()
                .map(|text| fill(text, &header.parameters, message.part("header"))),
        }),
        body: template
            .body
            .as_ref()
            .map(|body| fill(&body.text, &body.parameters, message.part("body"))),
        footer: template.footer.clone(),
        buttons: template
            .buttons
            .iter()
            .map(|button| {
                let given = message.button(button.index);
                let value = given.and_then(|given| words_of(given.parameters().first()?));
                RenderedButton {
                    kind: button.kind.clone(),
                    text: button.text.clone(),
                    url: button.url.as_deref().map(|url| placeholder::fill(url, |_| value)),
                    phone_number: button.phone_number.clone(),
                    code: value
                        .filter(|_| ["COPY_CODE", "OTP"].contains(&button.kind.as_str()))
                        .map(str::to_owned),
                }
            })
            .collect(),
    }
}

/// What a parameter says.
fn words_of(parameter: &Value) -> Option<&str> {
    match parameter["type"].as_str()? {
        kind @ ("text" | "coupon_code") => parameter[kind].as_str(),
        kind @ ("currency" | "date_time") => parameter[kind]["fallback_value"].as_str(),
        _ => None,
    }
}
