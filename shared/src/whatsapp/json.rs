//! JSON as WhatsApp sends it: walked by raw slices, so that nothing is re-written and no depth of nesting stops us, and cleaned of
//! what PostgreSQL cannot hold.

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members of an object as (key, raw value), in order. `None` when `raw` is not a JSON object.
#[must_use]
pub fn members(raw: &str) -> Option<Vec<(String, &str)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de str)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                members.push((key, value.get()));
            }
            Ok(members)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw);
    let members = deserializer.deserialize_map(Members).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// The elements of an array as raw values. `None` when `raw` is not a JSON array.
#[must_use]
pub fn elements(raw: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// The raw value of `key` among `members`; of two the last, as JSON parsers do.
#[must_use]
pub fn member<'a>(members: &[(String, &'a str)], key: &str) -> Option<&'a str> {
    members.iter().rev().find(|(name, _)| name == key).map(|(_, raw)| *raw)
}

/// A string or number as text; anything else is `None`.
#[must_use]
pub fn scalar(raw: &str) -> Option<String> {
    match parse_clean(raw)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How deep an item may be. JSON is read to 128 levels, and a part of an item stands deeper in a row than it came: what could be stored
/// and not be read again would break every page that shows it.
const DEEPEST: usize = 96;

/// Parses an item for storage: escaped lone surrogates become U+FFFD, NUL disappears. `None` when it is deeper than 96 levels or
/// no JSON.
#[must_use]
pub fn parse_clean(raw: &str) -> Option<Value> {
    if depth(raw) > DEEPEST {
        return None;
    }
    let mut value = serde_json::from_str(&replace_lone_surrogates(raw)).ok()?;
    remove_nul(&mut value);
    Some(value)
}

/// The text of `value[key]`, given as a string or a number; `None` where it is missing, empty or of another type.
#[must_use]
pub fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How many arrays and objects stand within each other at the most.
fn depth(raw: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in raw.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn remove_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(remove_nul),
        Value::Object(map) => {
            if map.keys().any(|key| key.contains('\0')) {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(key, value)| (key.replace('\0', ""), value))
                    .collect();
            }
            map.values_mut().for_each(remove_nul);
        }
        _ => {}
    }
}

/// `\ud800` without its partner is legal JSON and no legal text. Such escapes become `\ufffd`; everything else stays as it is.
fn replace_lone_surrogates(raw: &str) -> Cow<'_, str> {
    if !raw.contains("\\ud") && !raw.contains("\\uD") {
        return Cow::Borrowed(raw);
    }
    let mut clean = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let (keep, length) = match unicode_escape(rest) {
            Some(0xD800..=0xDBFF) => match unicode_escape(&rest[6..]) {
                Some(0xDC00..=0xDFFF) => (true, 12),
                _ => (false, 6),
            },
            Some(0xDC00..=0xDFFF) => (false, 6),
            Some(_) => (true, 6),
            // Another escape: the backslash and the character it escapes.
            None => (true, 1 + rest[1..].chars().next().map_or(0, char::len_utf8)),
        };
        clean.push_str(if keep { &rest[..length] } else { "\\ufffd" });
        rest = &rest[length..];
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// The code unit of a `\uXXXX` escape at the start of `text`.
fn unicode_escape(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn walks_objects_of_any_depth_by_raw_slices() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let raw = format!(r#"{{"a":1, "deep":{deep}, "a" : {{"b": "\u00e9"}}}}"#);
        let members = members(&raw).unwrap();
        assert_eq!(member(&members, "a"), Some(r#"{"b": "\u00e9"}"#));
        assert_eq!(member(&members, "deep"), Some(deep.as_str()));
        assert_eq!(parse_clean(&deep), None);
        assert_eq!(super::members("[]"), None);
        assert_eq!(super::members("{} x"), None);
        assert_eq!(elements(r#"[1, "x" ,{}]"#), Some(vec!["1", "\"x\"", "{}"]));
    }

    #[test]
    fn cleans_what_postgres_cannot_hold_and_nothing_else() {
        assert_eq!(
            parse_clean(r#"{"a\u0000":"x\u0000y\ud83d\ude00 \ud83d! \\ud83d \ude00\ud83d\ud83d\ude00é"}"#),
            Some(json!({"a": "xy😀 \u{fffd}! \\ud83d \u{fffd}\u{fffd}😀é"}))
        );
        assert_eq!(parse_clean("\"\\ud83dé\""), Some(json!("\u{fffd}é")));
        assert_eq!(parse_clean("\"\\ud8"), None);
    }

    #[test]
    fn an_item_is_not_so_deep_that_a_row_with_it_could_not_be_read() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_clean(&nested(96)).is_some());
        assert_eq!(parse_clean(&nested(97)), None);
        // Brackets in a string nest nothing.
        let text = json!([nested(200), "\"[", "\\"]);
        assert_eq!(parse_clean(&text.to_string()), Some(text));
    }

    #[test]
    fn takes_numbers_where_strings_are_expected() {
        assert_eq!(scalar("17"), Some("17".to_owned()));
        assert_eq!(scalar("\"17\""), Some("17".to_owned()));
        assert_eq!(scalar("{}"), None);
        assert_eq!(text(&json!({"id": 5}), "id"), Some("5".to_owned()));
        assert_eq!(text(&json!({"id": ""}), "id"), None);
    }
}
