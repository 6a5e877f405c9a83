//! What the types of a message check alike: presence, length, choice, links. Lengths count code points, as WhatsApp's limits do.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::InvalidField;

/// A check's result.
pub(super) type Checked<T = ()> = Result<T, InvalidField>;

/// Refuses a field.
pub(super) fn refuse<T>(field: &str, message: impl Into<String>) -> Checked<T> {
    Err(InvalidField::new(field, message))
}

/// What has to be there.
pub(super) fn given<T>(field: &str, value: Option<T>) -> Checked<T> {
    value.map_or_else(|| refuse(field, "is required"), Ok)
}

/// A text that says something.
pub(super) fn text(field: &str, text: &str, most: usize) -> Checked {
    if text.trim().is_empty() {
        return refuse(field, "must not be blank");
    }
    at_most(field, Some(text), most)
}

/// As [`text`], of a field that only some types have.
pub(super) fn required_text(field: &str, value: Option<&str>, most: usize) -> Checked {
    text(field, given(field, value)?, most)
}

/// A text's limit.
pub(super) fn at_most(field: &str, text: Option<&str>, most: usize) -> Checked {
    if text.is_some_and(|text| text.chars().count() > most) {
        return refuse(field, format!("must have at most {most} characters"));
    }
    Ok(())
}

/// The length of a list.
pub(super) fn count(field: &str, length: usize, bounds: RangeInclusive<usize>) -> Checked {
    if bounds.contains(&length) {
        return Ok(());
    }
    let (least, most) = bounds.into_inner();
    refuse(field, format!("must have from {least} to {most} items"))
}

/// One of a few words; they are lower case ASCII.
pub(super) fn one_of(field: &str, word: &str, known: &[&'static str]) -> Checked<&'static str> {
    match known.iter().find(|known| **known == word) {
        Some(known) => Ok(known),
        None => refuse(field, format!("must be one of: {}", known.join(", "))),
    }
}

/// As [`text`], and no other has it.
pub(super) fn unique<'a>(seen: &mut HashSet<&'a str>, field: &str, value: &'a str, most: usize) -> Checked {
    text(field, value, most)?;
    if seen.insert(value) {
        return Ok(());
    }
    refuse(field, "is there twice")
}

/// The fields that an object of this type may have: one struct has those of all its types, so that an error can name its path.
pub(super) fn only(path: &str, object: &impl Serialize, known: &[&str], kind: &str) -> Checked {
    let object = json!(object);
    let mut keys = object.as_object().into_iter().flat_map(|map| map.keys());
    match keys.find(|key| !known.contains(&key.as_str())) {
        Some(key) => refuse(&format!("{path}.{key}"), format!("is not for type {kind}")),
        None => Ok(()),
    }
}

/// A URL that WhatsApp could open: HTTPS, or plain HTTP on this machine, where a simulator of WhatsApp opens it.
pub(super) fn link(field: &str, link: &str, most: usize) -> Checked {
    text(field, link, most)?;
    let url = Url::parse(link).ok().filter(|_| !link.contains(char::is_whitespace));
    let can_open = url.is_some_and(|url| match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => ["localhost", "127.0.0.1", "[::1]"].contains(&host),
        _ => false,
    });
    if can_open {
        return Ok(());
    }
    refuse(field, "must be an https URL")
}

/// PostgreSQL stores no NUL, and nobody means one.
pub(super) fn no_nul(path: &str, value: &Value) -> Checked {
    match value {
        Value::String(text) if text.contains('\0') => refuse(path, "must not contain NUL"),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| no_nul(&format!("{path}[{index}]"), item)),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            if key.contains('\0') {
                return refuse(path, "must not contain NUL");
            }
            let field = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            no_nul(&field, value)
        }),
        _ => Ok(()),
    }
}

/// Whether an optional text is left out of Graph's object: an empty one says nothing.
#[expect(clippy::ref_option, reason = "serde's skip_serializing_if passes the field")]
pub(super) fn is_absent(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_one_that_whatsapp_could_open() {
        for good in [
            "https://example.com/ä.jpg?x=1",
            "http://127.0.0.1:8080/a",
            "http://[::1]/a",
            "http://localhost/",
        ] {
            assert!(link("link", good, 2048).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com/a.jpg",
            "http://example.com/a.jpg",
            "http://localhost.example.com/",
            "ftp://example.com/",
            "https://",
            " https://example.com/",
            "data:text/plain,x",
        ] {
            assert!(link("link", bad, 2048).is_err(), "{bad}");
        }
        let filled = |length: usize| format!("https://example.com/{:a<1$}", "", length - 20);
        assert!(link("link", &filled(2048), 2048).is_ok());
        assert!(link("link", &filled(2049), 2048).is_err());
    }

    #[test]
    fn a_nul_is_found_wherever_it_hides() {
        let found = |value| no_nul("", &value).unwrap_err().field;
        assert_eq!(found(json!({"a": [{"b": "x\0"}]})), "a[0].b");
        assert_eq!(found(json!({"a": {"\0": 1}})), "a");
        assert!(no_nul("", &json!({"a": [null, 1, true, "x"]})).is_ok());
    }
}
