//! Placeholders in texts, `{{name}}`: those of message templates and of quick replies.

use std::ops::Range;

/// A placeholder: where it stands in the text, braces included, and its name.
type Placeholder<'a> = (Range<usize>, &'a str);

/// The names, each once, in the order of the text.
#[must_use]
pub fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (_, name) in find(text) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The text with the values in place of the placeholders; one without a value stays as it is.
pub fn fill<'a>(text: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut end = 0;
    for (range, name) in find(text) {
        if let Some(value) = value(name) {
            filled.push_str(&text[end..range.start]);
            filled.push_str(value);
            end = range.end;
        }
    }
    filled.push_str(&text[end..]);
    filled
}

/// A name has no brace and no line break; the spaces around it do not count.
fn find(text: &str) -> Vec<Placeholder<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        let inside = &text[start + 2..];
        let length = inside.find(['{', '}', '\n']).unwrap_or(inside.len());
        let name = inside[..length].trim();
        if !name.is_empty() && inside[length..].starts_with("}}") {
            let end = start + 2 + length + 2;
            found.push((start..end, name));
            from = end;
        } else {
            // The second brace may be the first of a placeholder.
            from = start + 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_a_name_between_double_braces() {
        for (text, expected) in [
            ("", vec![]),
            ("{{1}} and {{ 2 }}, {{1}}", vec!["1", "2"]),
            ("{{first_name}}é{{größe}}", vec!["first_name", "größe"]),
            ("{{}} {{ }} {a} {{a} {{a\nb}} }}b{{", vec![]),
            ("{{{a}}} {{{{b}}}}", vec!["a", "b"]),
            ("{{a{{b}}", vec!["b"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn what_has_no_value_stays_and_a_value_is_not_filled_again() {
        let value = |name: &str| match name {
            "a" => Some("{{b}}"),
            "b" => Some("B"),
            _ => None,
        };
        assert_eq!(fill("{{ a }}, {{b}} {{ c }}é", value), "{{b}}, B {{ c }}é");
        assert_eq!(fill("{{{b}}}", value), "{B}");
    }
}
