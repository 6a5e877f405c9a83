//! Message templates: what one wants of a message, whether a message brings it, and how the customer reads it.
//! Source: <https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates/components>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::placeholder;
use super::send::InvalidField;
use crate::whatsapp::json::text;

/// Meta's limit of a name, in characters.
const NAME_LIMIT: usize = 512;
/// No language code is longer (characters).
const LANGUAGE_LIMIT: usize = 35;
/// Header formats that take one parameter of the same type.
const MEDIA_FORMATS: [&str; 4] = ["IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];
/// What a parameter of a text may be.
const TEXT_TYPES: [&str; 3] = ["text", "currency", "date_time"];
/// Where the components stand in a request.
const FIELD: &str = "template.components";

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

/// A component of a message, with its place in the request.
#[derive(Clone, Copy)]
struct Given<'a> {
    index: usize,
    component: &'a Value,
}

impl<'a> Given<'a> {
    fn parameters(self) -> &'a [Value] {
        self.component["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The index of a button: a number, or written as a string.
    fn button(self) -> Option<usize> {
        is(self.component, "type", "button")
            .then(|| text(self.component, "index")?.parse().ok())
            .flatten()
    }

    fn invalid(self, field: &str, message: impl Into<String>) -> InvalidField {
        InvalidField::new(format!("{FIELD}[{}]{field}", self.index), message)
    }
}

/// The components of Graph's template object.
struct Message<'a>(Vec<Given<'a>>);

impl<'a> Message<'a> {
    fn new(components: &'a Value) -> Self {
        let components = components.as_array().into_iter().flatten().enumerate();
        Self(
            components
                .map(|(index, component)| Given { index, component })
                .collect(),
        )
    }

    fn part(&self, kind: &str) -> Option<Given<'a>> {
        self.0.iter().find(|given| is(given.component, "type", kind)).copied()
    }

    fn button(&self, index: usize) -> Option<Given<'a>> {
        self.0.iter().find(|given| given.button() == Some(index)).copied()
    }
}

/// Looks whether the `components` of Graph's template object are what the template wants.
///
/// # Errors
/// Names the first component or parameter that is missing, too many or of another type, and what is expected.
pub fn check(template: &Template, components: &Value) -> Result<(), InvalidField> {
    let message = Message::new(components);
    for (place, given) in message.0.iter().enumerate() {
        check_belongs(template, *given)?;
        let kind = given.component["type"].as_str().unwrap_or_default();
        let is_same = |other: &Given| is(other.component, "type", kind) && other.button() == given.button();
        if message.0[..place].iter().any(is_same) {
            return Err(given.invalid("", "is given twice"));
        }
    }
    if let Some(header) = &template.header {
        let given = message.part("header");
        if header.format == "TEXT" {
            check_text(template, "header", &header.parameters, given)?;
        } else if MEDIA_FORMATS.contains(&header.format.as_str()) {
            check_media(&header.format.to_lowercase(), given)?;
        }
    }
    if let Some(body) = &template.body {
        check_text(template, "body", &body.parameters, message.part("body"))?;
    }
    for button in &template.buttons {
        check_button(button, message.button(button.index))?;
    }
    Ok(())
}

/// A component that the template has not is refused.
fn check_belongs(template: &Template, given: Given<'_>) -> Result<(), InvalidField> {
    let kind = given.component["type"].as_str().unwrap_or_default().to_lowercase();
    let belongs = match kind.as_str() {
        "header" => template.header.is_some(),
        "body" => template.body.is_some(),
        "button" => {
            let count = template.buttons.len();
            return match given.button() {
                Some(index) if index < count => Ok(()),
                _ if count == 0 => Err(given.invalid("", "the template has no buttons")),
                _ => Err(given.invalid(".index", format!("must be from 0 to {}", count - 1))),
            };
        }
        other => template
            .other_components
            .iter()
            .any(|it| it.eq_ignore_ascii_case(other)),
    };
    if belongs {
        return Ok(());
    }
    Err(given.invalid("", "the template has no such component"))
}

/// The parameters of a header's or body's text.
fn check_text(
    template: &Template,
    kind: &str,
    wanted: &[TemplateParameter],
    given: Option<Given<'_>>,
) -> Result<(), InvalidField> {
    let names: Vec<&str> = wanted.iter().map(|parameter| parameter.name.as_str()).collect();
    let expected = match names.as_slice() {
        [] => "no parameters".to_owned(),
        [name] => format!("1 parameter: {name}"),
        names => format!("{} parameters: {}", names.len(), names.join(", ")),
    };
    let Some(given) = given else {
        let message = format!("must have a {kind} with {expected}");
        return if wanted.is_empty() {
            Ok(())
        } else {
            Err(InvalidField::new(FIELD, message))
        };
    };
    if given.parameters().len() != wanted.len() {
        return Err(given.invalid(".parameters", format!("must have {expected}")));
    }
    for (index, parameter) in given.parameters().iter().enumerate() {
        check_type(given, index, &TEXT_TYPES)?;
        if template.parameter_format != "NAMED" {
            continue;
        }
        let name = &parameter["parameter_name"];
        let field = format!(".parameters[{index}].parameter_name");
        if !names.iter().any(|wanted| name == wanted) {
            return Err(given.invalid(&field, format!("must be one of: {}", names.join(", "))));
        }
        if given.parameters()[..index]
            .iter()
            .any(|it| it["parameter_name"] == *name)
        {
            return Err(given.invalid(&field, "is given twice"));
        }
    }
    Ok(())
}

/// The file, or the place, of a header.
fn check_media(kind: &str, given: Option<Given<'_>>) -> Result<(), InvalidField> {
    let expected = format!("1 parameter of type {kind}");
    match given {
        None => Err(InvalidField::new(FIELD, format!("must have a header with {expected}"))),
        Some(given) if given.parameters().len() != 1 => {
            Err(given.invalid(".parameters", format!("must have {expected}")))
        }
        Some(given) => check_type(given, 0, &[kind]),
    }
}

fn check_button(button: &TemplateButton, given: Option<Given<'_>>) -> Result<(), InvalidField> {
    // The sub type, the parameter's type, and whether it may be left out.
    let (sub_type, kind, is_optional) = match button.kind.as_str() {
        "QUICK_REPLY" => ("quick_reply", "payload", true),
        "URL" | "OTP" => ("url", "text", false),
        "COPY_CODE" => ("copy_code", "coupon_code", false),
        "FLOW" => ("flow", "action", true),
        "CATALOG" => ("catalog", "action", true),
        "MPM" => ("mpm", "action", false),
        "PHONE_NUMBER" => {
            return given.map_or(Ok(()), |given| Err(given.invalid("", "the button takes no parameters")));
        }
        // What they want, WhatsApp alone knows.
        _ => return Ok(()),
    };
    let is_wanted = !is_optional && (button.parameter.is_some() || button.kind == "MPM");
    let Some(given) = given else {
        let message = format!(
            "must have a button of sub_type {sub_type} with index {} and 1 parameter",
            button.index
        );
        return if is_wanted {
            Err(InvalidField::new(FIELD, message))
        } else {
            Ok(())
        };
    };
    if !is(given.component, "sub_type", sub_type) {
        return Err(given.invalid(".sub_type", format!("must be {sub_type}")));
    }
    let expected = match (given.parameters().len(), is_wanted) {
        (1, true) | (0, false) => None,
        (1, false) if is_optional => None,
        (_, true) => Some("must have 1 parameter"),
        (_, false) if is_optional => Some("must have at most 1 parameter"),
        (_, false) => Some("must have no parameters"),
    };
    if let Some(expected) = expected {
        return Err(given.invalid(".parameters", expected));
    }
    if given.parameters().is_empty() {
        Ok(())
    } else {
        check_type(given, 0, &[kind])
    }
}

fn check_type(given: Given<'_>, index: usize, kinds: &[&str]) -> Result<(), InvalidField> {
    if kinds.iter().any(|kind| given.parameters()[index]["type"] == *kind) {
        return Ok(());
    }
    let expected = match kinds {
        [kind] => format!("must be {kind}"),
        kinds => format!("must be one of: {}", kinds.join(", ")),
    };
    Err(given.invalid(&format!(".parameters[{index}].type"), expected))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn template(parameter_format: &str, components: &Value) -> Template {
        let item = json!({"id": 1, "name": "x", "language": "en", "status": "APPROVED", "category": "UTILITY",
            "parameter_format": parameter_format, "quality_score": {"score": "GREEN"}, "components": components});
        Listed::from_graph(&item).unwrap().into()
    }

    fn order() -> Template {
        template(
            "POSITIONAL",
            &json!([
                {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A-1"]}},
                {"type": "BODY", "text": "{{2}} for {{1}}, {{1}}!", "example": {"body_text": [["Ada", "Tea"]]}},
                {"type": "FOOTER", "text": "Bye"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Thanks"},
                    {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}", "example": ["https://example.com/A-1"]},
                    {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100"},
                    {"type": "COPY_CODE", "text": "Copy", "example": "25OFF"},
                    {"type": "URL", "text": "Shop", "url": "https://example.com/"}]}
            ]),
        )
    }

    fn texts(kind: &str, values: &[&str]) -> Value {
        let parameters: Vec<Value> = values.iter().map(|it| json!({"type": "text", "text": it})).collect();
        json!({"type": kind, "parameters": parameters})
    }

    fn track() -> Value {
        json!({"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "A-1"}]})
    }

    fn code() -> Value {
        json!({"type": "button", "sub_type": "copy_code", "index": 3, "parameters": [{"type": "coupon_code", "coupon_code": "X9"}]})
    }

    fn good() -> Vec<Value> {
        vec![
            texts("header", &["A-1"]),
            texts("body", &["Ada", "Tea"]),
            track(),
            code(),
        ]
    }

    fn refusal(template: &Template, components: &[Value]) -> (String, String) {
        let error = check(template, &json!(components)).unwrap_err();
        (error.field, error.message)
    }

    #[test]
    fn placeholders_and_examples_are_read_from_the_components() {
        let order = order();
        let named = |list: &[TemplateParameter]| -> Vec<(String, Option<String>)> {
            list.iter().map(|it| (it.name.clone(), it.example.clone())).collect()
        };
        let pair = |name: &str, example: &str| (name.to_owned(), Some(example.to_owned()));
        assert_eq!(named(&order.header.as_ref().unwrap().parameters), [pair("1", "A-1")]);
        assert_eq!(
            named(&order.body.as_ref().unwrap().parameters),
            [pair("1", "Ada"), pair("2", "Tea")]
        );
        let buttons: Vec<_> = order.buttons.iter().map(|it| it.parameter.as_ref()).collect();
        assert_eq!(buttons[1].unwrap().example.as_deref(), Some("https://example.com/A-1"));
        assert_eq!(buttons[3].unwrap().name, "coupon_code");
        assert!(buttons[0].is_none() && buttons[2].is_none() && buttons[4].is_none());
        assert_eq!(
            (order.quality.as_deref(), order.footer.as_deref()),
            (Some("GREEN"), Some("Bye"))
        );

        let offer = template(
            "NAMED",
            &json!([{"type": "BODY", "text": "{{who}} {{what}}", "example": {"body_text_named_params": [{"param_name": "what", "example": "Tea"}]}},
                   {"type": "CAROUSEL", "cards": []}]),
        );
        let wanted = named(&offer.body.as_ref().unwrap().parameters);
        assert_eq!(wanted, [("who".to_owned(), None), pair("what", "Tea")]);
        assert_eq!(offer.other_components, ["CAROUSEL"]);
    }

    #[test]
    fn what_lacks_a_name_or_components_is_no_template() {
        let whole = json!({"id": "1", "name": "x", "language": "en", "status": "APPROVED", "components": []});
        assert!(Listed::from_graph(&whole).is_some());
        for key in ["id", "name", "language", "status", "components"] {
            let mut part = whole.clone();
            part[key] = Value::Null;
            assert!(Listed::from_graph(&part).is_none(), "{key}");
        }
        let mut long = whole.clone();
        long["name"] = "x".repeat(513).into();
        assert!(Listed::from_graph(&long).is_none());
    }

    #[test]
    fn a_message_brings_exactly_the_parameters_of_the_template() {
        let order = order();
        assert_eq!(check(&order, &json!(good())), Ok(()));
        let payload = json!({"type": "button", "sub_type": "quick_reply", "index": 0, "parameters": [{"type": "payload", "payload": "T"}]});
        assert_eq!(check(&order, &json!([good(), vec![payload]].concat())), Ok(()));
        let change = |index: usize, component: Value| {
            let mut components = good();
            components[index] = component;
            refusal(&order, &components)
        };
        let add = |component: Value| refusal(&order, &[good(), vec![component]].concat());
        let without = |index: usize| {
            let mut components = good();
            components.remove(index);
            refusal(&order, &components)
        };
        let field = "template.components";
        for (refusal, expected, words) in [
            (without(0), field.to_owned(), "must have a header with 1 parameter: 1"),
            (without(1), field.to_owned(), "must have a body with 2 parameters: 1, 2"),
            (
                without(2),
                field.to_owned(),
                "must have a button of sub_type url with index 1 and 1 parameter",
            ),
            (
                without(3),
                field.to_owned(),
                "must have a button of sub_type copy_code with index 3 and 1 parameter",
            ),
            (
                change(1, texts("body", &["Ada"])),
                format!("{field}[1].parameters"),
                "must have 2 parameters: 1, 2",
            ),
            (
                change(0, texts("header", &["A", "B"])),
                format!("{field}[0].parameters"),
                "must have 1 parameter: 1",
            ),
            (
                change(1, json!({"type": "body"})),
                format!("{field}[1].parameters"),
                "must have 2 parameters: 1, 2",
            ),
            (
                change(
                    0,
                    json!({"type": "header", "parameters": [{"type": "image", "image": {}}]}),
                ),
                format!("{field}[0].parameters[0].type"),
                "must be one of: text, currency, date_time",
            ),
            (
                change(
                    2,
                    json!({"type": "button", "sub_type": "quick_reply", "index": 1, "parameters": []}),
                ),
                format!("{field}[2].sub_type"),
                "must be url",
            ),
            (
                change(
                    2,
                    json!({"type": "button", "sub_type": "url", "index": 1, "parameters": []}),
                ),
                format!("{field}[2].parameters"),
                "must have 1 parameter",
            ),
            (
                add(
                    json!({"type": "button", "sub_type": "url", "index": 4, "parameters": [{"type": "text", "text": "x"}]}),
                ),
                format!("{field}[4].parameters"),
                "must have no parameters",
            ),
            (
                add(json!({"type": "button", "sub_type": "url", "index": 5, "parameters": []})),
                format!("{field}[4].index"),
                "must be from 0 to 4",
            ),
            (
                add(json!({"type": "button", "sub_type": "voice_call", "index": 2, "parameters": []})),
                format!("{field}[4]"),
                "the button takes no parameters",
            ),
            (
                add(json!({"type": "footer"})),
                format!("{field}[4]"),
                "the template has no such component",
            ),
            (
                add(texts("body", &["Ada", "Tea"])),
                format!("{field}[4]"),
                "is given twice",
            ),
            (add(track()), format!("{field}[4]"), "is given twice"),
        ] {
            assert_eq!(refusal, (expected, words.to_owned()));
        }
    }

    #[test]
    fn named_parameters_go_by_their_names() {
        let offer = template("NAMED", &json!([{"type": "BODY", "text": "{{who}}: {{what}}"}]));
        let body = |names: [&str; 2]| {
            let parameters =
                names.map(|name| json!({"type": "text", "parameter_name": name, "text": name.to_uppercase()}));
            json!([{"type": "body", "parameters": parameters}])
        };
        assert_eq!(check(&offer, &body(["what", "who"])), Ok(()));
        assert_eq!(render(&offer, &body(["what", "who"])).body.unwrap(), "WHO: WHAT");
        let field = "template.components[0].parameters[1].parameter_name";
        let refused = check(&offer, &body(["who", "whom"])).unwrap_err();
        assert_eq!(refused, InvalidField::new(field, "must be one of: who, what"));
        let twice = check(&offer, &body(["who", "who"])).unwrap_err();
        assert_eq!(twice, InvalidField::new(field, "is given twice"));
    }

    #[test]
    fn a_header_takes_the_file_of_its_format() {
        for (format, kind) in [
            ("IMAGE", "image"),
            ("VIDEO", "video"),
            ("DOCUMENT", "document"),
            ("LOCATION", "location"),
        ] {
            let template = template(
                "POSITIONAL",
                &json!([{"type": "HEADER", "format": format}, {"type": "BODY", "text": "x"}]),
            );
            let header = |kind: &str| json!({"type": "header", "parameters": [{"type": kind, kind: {}}]});
            assert_eq!(check(&template, &json!([header(kind)])), Ok(()));
            let expected = format!("must have a header with 1 parameter of type {kind}");
            assert_eq!(refusal(&template, &[]), ("template.components".to_owned(), expected));
            let field = "template.components[0].parameters[0].type".to_owned();
            assert_eq!(
                refusal(&template, &[header("text")]),
                (field, format!("must be {kind}"))
            );
        }
        let plain = template("POSITIONAL", &json!([{"type": "BODY", "text": "x"}]));
        assert_eq!(check(&plain, &Value::Null), Ok(()));
        assert_eq!(check(&plain, &json!([{"type": "body", "parameters": []}])), Ok(()));
        assert_eq!(refusal(&plain, &[texts("header", &[])]).0, "template.components[0]");
        assert_eq!(refusal(&plain, &[track()]).1, "the template has no buttons");
    }

    #[test]
    fn one_time_codes_flows_and_unknown_buttons_are_taken_as_meta_documents_them() {
        let buttons = json!([{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}, {"type": "FLOW", "text": "Book"}, {"type": "VOICE_CALL", "text": "Call"}]);
        let template = template(
            "POSITIONAL",
            &json!([{"type": "BODY", "text": "{{1}} is your code."}, {"type": "BUTTONS", "buttons": buttons}]),
        );
        let code =
            json!({"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "123"}]});
        let flow = json!({"type": "button", "sub_type": "flow", "index": "1", "parameters": [{"type": "action", "action": {"flow_token": "t"}}]});
        let call = json!({"type": "button", "sub_type": "voice_call", "index": "2", "parameters": [{"type": "ttl_minutes", "ttl_minutes": 5}]});
        let body = texts("body", &["123"]);
        assert_eq!(check(&template, &json!([body, code])), Ok(()));
        assert_eq!(check(&template, &json!([body, code, flow, call])), Ok(()));
        assert_eq!(refusal(&template, &[body, flow]).0, "template.components");
    }

    #[test]
    fn a_message_is_shown_as_the_customer_reads_it() {
        let components = json!([
            texts("header", &["A-1"]),
            {"type": "body", "parameters": [
                {"type": "currency", "currency": {"fallback_value": "{{2}}", "code": "EUR", "amount_1000": 1}},
                {"type": "date_time", "date_time": {"fallback_value": "Friday"}}]},
            track(), code()
        ]);
        let rendered = render(&order(), &components);
        assert_eq!(
            rendered.words().as_deref(),
            Some("Order A-1\n\nFriday for {{2}}, {{2}}!")
        );
        assert_eq!(rendered.footer.as_deref(), Some("Bye"));
        let shown: Vec<_> = rendered
            .buttons
            .iter()
            .map(|it| (it.url.as_deref(), it.code.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                (None, None),
                (Some("https://example.com/A-1"), None),
                (None, None),
                (None, Some("X9")),
                (Some("https://example.com/"), None)
            ]
        );
        let object = json!({"name": "x", "language": {"code": "en"}, "components": components});
        let metadata = rendered.metadata(&object);
        assert_eq!(metadata["template"]["components"], components);
        assert_eq!(
            metadata["template"]["rendered"]["buttons"][2]["phone_number"],
            "+15550100"
        );
        let silent = template("POSITIONAL", &json!([{"type": "HEADER", "format": "IMAGE"}]));
        assert_eq!(render(&silent, &json!([])).words(), None);
    }

    #[test]
    fn a_webhook_tells_the_status_and_a_warning_changes_none() {
        assert_eq!(status_after("PAUSED"), Some("PAUSED"));
        assert_eq!(status_after("REINSTATED"), Some("APPROVED"));
        assert_eq!(status_after("FLAGGED"), None);
    }
}
