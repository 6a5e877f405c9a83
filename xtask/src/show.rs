//! How commands show what came from outside: whole, readable, and without a control character that a terminal would obey.

use std::fmt::Write;

use serde::de::IgnoredAny;

/// Deeper levels are no further to the right: 20,000 levels would be gigabytes of blanks.
const DEEPEST_INDENT: usize = 40;

/// One line: control characters and those that turn the direction of writing are escaped.
pub(crate) fn line(text: &str) -> String {
    escape(text, is_harmful)
}

/// The start of a line, of this many characters at the most.
pub(crate) fn short(text: &str, length: usize) -> String {
    let line = line(text);
    if line.chars().count() <= length {
        return line;
    }
    let start: String = line.chars().take(length.saturating_sub(1)).collect();
    format!("{start}…")
}

/// A value, or a dash where there is none.
pub(crate) fn optional(text: Option<&String>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| line(text))
}

/// Bytes of any kind: JSON indented, other text as it is, the rest as hexadecimal digits beside their characters.
pub(crate) fn body(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        // Neither nesting nor lone surrogates stop `IgnoredAny`, as they would stop a `Value`.
        Ok(text) if serde_json::from_str::<IgnoredAny>(text).is_ok() => escape(&indent(text), is_harmful_in_lines),
        Ok(text) => escape(text, is_harmful_in_lines),
        Err(_) => dump(bytes),
    }
}

/// Lines of cells, in columns as wide as their widest cell; the first line is the heads.
pub(crate) fn columns<const N: usize>(lines: &[[String; N]]) -> String {
    let width = |column: usize| lines.iter().map(|cells| cells[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or_default());
    let mut shown = String::new();
    for cells in lines {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let _ = writeln!(shown, "{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    shown
}

fn escape(text: &str, is_harmful: fn(char) -> bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_harmful(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_harmful_in_lines(c: char) -> bool {
    c != '\n' && is_harmful(c)
}

/// JSON with each member and element on a line of its own. Only blanks change: numbers, escapes and doubled keys stay as they came.
fn indent(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    let mut characters = json.chars().peekable();
    let new_line = |shown: &mut String, depth: usize| {
        shown.push('\n');
        shown.extend(std::iter::repeat_n("  ", depth.min(DEEPEST_INDENT)));
    };
    while let Some(c) = characters.next() {
        if in_string {
            shown.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            blank if is_blank(blank) => {}
            '"' => {
                in_string = true;
                shown.push(c);
            }
            '{' | '[' => {
                shown.push(c);
                while characters.next_if(|next| is_blank(*next)).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    shown.push(end);
                } else {
                    depth += 1;
                    new_line(&mut shown, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut shown, depth);
                shown.push(c);
            }
            ',' => {
                shown.push(c);
                new_line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            other => shown.push(other),
        }
    }
    shown
}

/// JSON's white space.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn dump(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for (index, row) in bytes.chunks(16).enumerate() {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let characters: String = row
            .iter()
            .map(|byte| {
                if matches!(byte, b' '..=b'~') {
                    char::from(*byte)
                } else {
                    '.'
                }
            })
            .collect();
        let _ = writeln!(shown, "{:08x}  {:<47}  {characters}", index * 16, digits.join(" "));
    }
    shown.truncate(shown.trim_end().len());
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_nothing_of_it_is_rewritten() {
        let json = "{\"a\" : 1.50,\n\"a\":[ ],\"b\":[{\"c, \\\"{\":\"\\ud800\"},{ }]}";
        assert_eq!(
            body(json.as_bytes()),
            "{\n  \"a\": 1.50,\n  \"a\": [],\n  \"b\": [\n    {\n      \"c, \\\"{\": \"\\ud800\"\n    },\n    {}\n  ]\n}"
        );
    }

    #[test]
    fn json_of_any_depth_is_shown_in_reasonable_space() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let shown = body(deep.as_bytes());
        assert_eq!(shown.matches('[').count(), 20_000);
        assert!(shown.len() < 20_000 * 2 * (2 * DEEPEST_INDENT + 2));
    }

    #[test]
    fn no_control_character_reaches_the_terminal() {
        assert_eq!(line("a\u{1b}[2Jb\nc\u{202e}"), "a\\u{1b}[2Jb\\nc\\u{202e}");
        assert_eq!(body("plain\u{9b}\ntext".as_bytes()), "plain\\u{9b}\ntext");
        assert_eq!(body("[\"\u{7f}\"]".as_bytes()), "[\n  \"\\u{7f}\"\n]");
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_digits() {
        assert_eq!(body(b"\xff{\0}"), format!("00000000  {:<47}  .{{.}}", "ff 7b 00 7d"));
    }
}
