//! A file of expectations: one JSON object a line says of one item of a payload what it is. Which item that is, and the report of what
//! was found of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use shared::whatsapp::json::text;

use super::items::{Item, Kind};
use crate::show;

/// How much of a value a line of the report shows, in characters.
const SHOWN: usize = 80;

/// What an item is expected to be; what is missing is not compared.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    /// The payload's path, relative to the folder that was replayed.
    pub(super) file: String,
    /// Which of the file's events, from 0.
    pub(super) n: u64,
    pub(super) kind: Kind,
    pub(super) wamid: Option<String>,
    pub(super) message_type: Option<String>,
    /// The text, the caption, the emoji: what a reader of the message sees first.
    pub(super) text: Option<String>,
    /// The customer, in each form that the event names.
    pub(super) customer: Vec<String>,
    /// Unix seconds; not compared where it is no number.
    pub(super) timestamp: Option<i64>,
    pub(super) status: Option<String>,
}

/// What became of an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The API shows it.
    Found,
    /// Stored, and waiting for the message that it is about.
    Parked,
    /// Kept raw, as it should be.
    Quarantined(String),
    /// Kept raw for this reason, though nothing is wrong with it.
    Refused(String),
    /// The API shows something else.
    Mismatch {
        field: &'static str,
        expected: String,
        got: String,
    },
    /// Nowhere.
    Missing,
}

impl Outcome {
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Mismatch { .. } | Self::Missing)
    }

    /// The head of its column in the totals.
    fn name(&self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Parked => "parked",
            Self::Quarantined(_) => "quarantined",
            Self::Refused(_) => "REFUSED",
            Self::Mismatch { .. } => "MISMATCH",
            Self::Missing => "MISSING",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Quarantined(reason) => write!(f, "quarantined: {}", show::line(reason)),
            Self::Refused(reason) => write!(f, "REFUSED quarantined: {}", show::line(reason)),
            Self::Mismatch { field, expected, got } => {
                let (expected, got) = (show::short(expected, SHOWN), show::short(got, SHOWN));
                write!(f, "MISMATCH {field}: expected {expected} got {got}")
            }
            other => f.write_str(other.name()),
        }
    }
}

impl Expectation {
    fn from_line(line: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(line)?;
        let kind = Kind::deserialize(&value["kind"])?;
        let people: &[&str] = match kind {
            Kind::Message => &["from", "from_user_id"],
            Kind::Echo => &["to", "to_user_id"],
            Kind::History => &["thread"],
            Kind::Status | Kind::ValueError | Kind::OtherField => &[],
        };
        Ok(Self {
            file: text(&value, "file").context("file is missing")?,
            n: value["n"].as_u64().unwrap_or_default(),
            kind,
            wamid: text(&value, "wamid"),
            message_type: text(&value, "type"),
            text: text(&value, "text"),
            customer: people.iter().filter_map(|name| text(&value, name)).collect(),
            timestamp: text(&value, "timestamp").and_then(|seconds| seconds.parse().ok()),
            status: text(&value, "status"),
        })
    }
}

/// Reads the expectations about the payloads that were posted, each with the index of its payload. Others are counted and left out.
///
/// # Errors
/// Names the line that is no expectation; and when there is nothing to check.
pub(super) fn read(lines: &str, posted: &[&Path]) -> Result<(Vec<(Expectation, usize)>, usize)> {
    let mut expectations = Vec::new();
    let mut left_out = 0;
    for (index, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let expectation =
            Expectation::from_line(line).with_context(|| format!("line {} is no expectation", index + 1))?;
        // Of several such paths the shortest: a file in a folder of its own is named with that folder.
        let named = (0..posted.len()).filter(|index| posted[*index].ends_with(&expectation.file));
        match named.min_by_key(|index| posted[*index].components().count()) {
            Some(payload) => expectations.push((expectation, payload)),
            None => left_out += 1,
        }
    }
    if expectations.is_empty() {
        bail!("none of the {left_out} expectations is about a payload that was posted");
    }
    expectations.sort_by_key(|(expectation, payload)| (*payload, expectation.n));
    Ok((expectations, left_out))
}

/// The item that each expectation is about: of the same kind with the same wamid, in the order of the payload.
pub(super) fn find_items<'a>(
    expectations: &'a [(Expectation, usize)],
    items: &'a [Vec<Item>],
) -> Vec<(&'a Expectation, Option<&'a Item>)> {
    let mut taken: HashMap<(usize, Kind, Option<&str>), usize> = HashMap::new();
    let mut found = Vec::new();
    for (expectation, payload) in expectations {
        let wamid = expectation.wamid.as_deref();
        let rank = taken.entry((*payload, expectation.kind, wamid)).or_default();
        let has_wamid = matches!(
            expectation.kind,
            Kind::Message | Kind::Status | Kind::Echo | Kind::History
        );
        let item = items[*payload]
            .iter()
            .filter(|item| item.kind == expectation.kind)
            .filter(|item| !has_wamid || item.text("id").as_deref() == wamid)
            .nth(*rank);
        *rank += 1;
        found.push((expectation, item));
    }
    found
}

/// A line an expectation, then the totals by kind and outcome.
pub(super) fn report(judged: &[(&Expectation, Outcome)]) -> String {
    const OUTCOMES: [&str; 6] = ["found", "parked", "quarantined", "REFUSED", "MISMATCH", "MISSING"];
    let mut shown = String::new();
    let mut totals: BTreeMap<Kind, [usize; OUTCOMES.len()]> = BTreeMap::new();
    for (expectation, outcome) in judged {
        let kind = expectation.kind.as_str();
        let detail = expectation.message_type.as_ref().or(expectation.status.as_ref());
        let what = detail.map_or_else(|| kind.to_owned(), |detail| format!("{kind} {}", show::line(detail)));
        let _ = writeln!(
            shown,
            "{}#{} {what}: {outcome}",
            show::line(&expectation.file),
            expectation.n
        );
        let column = OUTCOMES.iter().position(|name| *name == outcome.name());
        totals.entry(expectation.kind).or_default()[column.unwrap_or_default()] += 1;
    }
    let mut sums = [0; OUTCOMES.len()];
    let line = |name: &str, counts: &[usize; OUTCOMES.len()]| -> [String; OUTCOMES.len() + 2] {
        let total: usize = counts.iter().sum();
        std::array::from_fn(|column| match column {
            0 => name.to_owned(),
            column if column <= OUTCOMES.len() => counts[column - 1].to_string(),
            _ => total.to_string(),
        })
    };
    let mut lines = vec![std::array::from_fn(|column| match column {
        0 => String::new(),
        column if column <= OUTCOMES.len() => OUTCOMES[column - 1].to_owned(),
        _ => "all".to_owned(),
    })];
    for (kind, counts) in &totals {
        lines.push(line(kind.as_str(), counts));
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    lines.push(line("all", &sums));
    format!("{shown}\n{}", show::columns(&lines))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::items::items;
    use super::*;

    fn expectation(n: u64, kind: &str, wamid: Option<&str>) -> String {
        json!({"file": "a/b.json", "n": n, "kind": kind, "wamid": wamid, "timestamp": 7, "text": "x", "from": "49"})
            .to_string()
    }

    #[test]
    fn expectations_are_about_payloads_that_were_posted() {
        let lines = [
            expectation(1, "message", None),
            String::new(),
            expectation(0, "status", Some("w")),
        ]
        .join("\n");
        let posted = [
            Path::new("/x/y/a/b.json"),
            Path::new("/x/a/b.json"),
            Path::new("/x/b.json"),
        ];
        let (read_lines, left_out) = read(&lines, &posted).unwrap();
        assert_eq!(left_out, 0);
        let order: Vec<_> = read_lines
            .iter()
            .map(|(it, payload)| (it.n, it.kind, *payload))
            .collect();
        assert_eq!(order, [(0, Kind::Status, 1), (1, Kind::Message, 1)]);
        assert_eq!(
            (read_lines[1].0.timestamp, read_lines[1].0.customer.len()),
            (Some(7), 1)
        );

        assert!(read(&lines, &posted[2..]).is_err());
        for line in ["{", "{}", r#"{"file": "a/b.json", "kind": "letter"}"#] {
            let error = read(&format!("{lines}\n{line}"), &posted).unwrap_err();
            assert!(error.to_string().starts_with("line 4 "), "{error}");
        }
    }

    #[test]
    fn items_with_one_wamid_are_told_apart_by_their_order() {
        let lines = [
            expectation(0, "message", Some("w")),
            expectation(1, "message", Some("w")),
            expectation(2, "message", None),
            expectation(3, "message", Some("absent")),
            expectation(4, "value_error", None),
        ];
        let value = json!({"messages": [{"id": "w", "a": 1}, {"b": 2}, {"id": "w", "a": 3}], "errors": [{"a": 4}]});
        let payload = json!({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]});
        let (expectations, _) = read(&lines.join("\n"), &[Path::new("a/b.json")]).unwrap();
        let items = [items(&payload.to_string())];
        let found: Vec<Option<String>> = find_items(&expectations, &items)
            .into_iter()
            .map(|(_, item)| item?.text("a").or_else(|| item?.text("b")))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(found, [some("1"), some("3"), some("2"), None, some("4")]);
    }

    #[test]
    fn the_report_has_a_line_an_expectation_and_totals() {
        let (expectations, _) = read(
            &[expectation(0, "message", None), expectation(1, "status", None)].join("\n"),
            &[Path::new("a/b.json")],
        )
        .unwrap();
        let mismatch = Outcome::Mismatch {
            field: "content",
            expected: "x\n".to_owned(),
            got: "y".repeat(100),
        };
        let judged = [(&expectations[0].0, mismatch), (&expectations[1].0, Outcome::Parked)];
        let report = report(&judged);
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(
            lines[0],
            format!(
                "a/b.json#0 message: MISMATCH content: expected x\\n got {}…",
                "y".repeat(79)
            )
        );
        assert_eq!(lines[1], "a/b.json#1 status: parked");
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
        assert_eq!(words(lines[4]), "message 0 0 0 0 1 0 1");
        assert_eq!(words(lines[5]), "status 0 1 0 0 0 0 1");
        assert_eq!(words(lines[6]), "all 0 1 0 0 1 0 2");
    }
}
