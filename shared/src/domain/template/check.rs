//! Whether a message brings what its template wants.

use serde_json::Value;

use super::given::{FIELD, Given, Message};
use super::{Template, TemplateButton, TemplateParameter, is};
use crate::domain::send::InvalidField;

/// Header formats that take one parameter of the same type.
const MEDIA_FORMATS: [&str; 4] = ["IMAGE", "VIDEO", "DOCUMENT", "LOCATION"];

/// What a parameter of a text may be.
const TEXT_TYPES: [&str; 3] = ["text", "currency", "date_time"];

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
