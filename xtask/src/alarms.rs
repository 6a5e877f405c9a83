//! Holds the alarms and the dashboard of `template.yaml` to what the functions tell: a metric that nobody tells, or by other dimensions,
//! would be silence that looks like peace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::metrics::{Dimension, Metric, NAMESPACE};

use crate::template::Template;
use crate::template::tests::{root, sources};

/// A metric as CloudWatch knows it: its name, and its dimensions with their values; `*` is any.
type Named = (String, BTreeMap<String, String>);

/// All that the functions tell.
fn told() -> BTreeSet<Named> {
    let named = |metric: Metric| {
        let own = metric.dimension().map(|dimension| {
            let value = match dimension {
                Dimension::Function => "*",
                Dimension::Outcome(word) | Dimension::Kind(word) => word,
            };
            (dimension.name().to_owned(), value.to_owned())
        });
        let stack = ("Stack".to_owned(), "${AWS::StackName}".to_owned());
        (metric.name().to_owned(), own.into_iter().chain([stack]).collect())
    };
    Metric::all().into_iter().map(named).collect()
}

/// A metric of ours as an alarm names it.
fn named_by_alarm(metric: &Value) -> Option<Named> {
    let value = |value: &Value| match value["Ref"].as_str() {
        Some(reference) => format!("${{{reference}}}"),
        None => value.as_str().expect("a value is text or a reference").to_owned(),
    };
    let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
    let dimensions = dimensions.map(|it| {
        (
            it["Name"].as_str().expect("it has a name").to_owned(),
            value(&it["Value"]),
        )
    });
    let name = metric["MetricName"].as_str()?.to_owned();
    (metric["Namespace"] == NAMESPACE).then(|| (name, dimensions.collect()))
}

/// The metrics of ours that a row of a widget names: one of them, or by a search all with these dimensions.
fn named_by_row(row: &[Value]) -> Vec<Named> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if row[0] == NAMESPACE {
        let pairs = row[2..].chunks(2).filter(|pair| pair.len() == 2);
        return vec![(
            text(&row[1]),
            pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        )];
    }
    let Some(search) = row[0]["expression"].as_str() else {
        return Vec::new();
    };
    let start = format!("SEARCH('{{{NAMESPACE},Stack,");
    let parts = search
        .strip_prefix(&start)
        .and_then(|rest| rest.split_once("} MetricName=\""));
    let (dimension, rest) = parts.expect("a search names our metrics by the stack and a dimension");
    let (name, rest) = rest.split_once('"').expect("the name ends");
    assert!(rest.starts_with(" Stack=\"${AWS::StackName}\"'"), "{search}");
    let all = told().into_iter();
    let found: Vec<Named> = all.filter(|it| it.0 == name && it.1.contains_key(dimension)).collect();
    assert!(!found.is_empty(), "nothing of this is told: {search}");
    found
}

#[test]
fn alarms_and_the_dashboard_name_metrics_that_are_told() {
    let template = Template::read(root()).unwrap();
    let mut watched: Vec<Named> = Vec::new();
    for (name, alarm) in template.resources("AWS::CloudWatch::Alarm") {
        let properties = &alarm["Properties"];
        let description = properties["AlarmDescription"].as_str().unwrap_or_default();
        assert!(description.contains("First - "), "{name} does not say what to do first");
        for action in ["AlarmActions", "OKActions"] {
            assert_eq!(properties[action]["Fn::If"][0], "HasAlarmTopic", "{name}");
        }
        watched.extend(named_by_alarm(properties));
        let several = properties["Metrics"].as_array().into_iter().flatten();
        watched.extend(several.filter_map(|it| named_by_alarm(&it["MetricStat"]["Metric"])));
    }
    let alarmed: BTreeSet<&str> = watched.iter().map(|(name, _)| name.as_str()).collect();
    for needed in [
        "AccountsToReconnect",
        "EventAge",
        "OldestOwed",
        "Sends",
        "SilentNumbers",
    ] {
        assert!(alarmed.contains(needed), "no alarm watches {needed}");
    }
    let (_, dashboard) = template.resources("AWS::CloudWatch::Dashboard").next().unwrap();
    let body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let mut shown = BTreeSet::new();
    for widget in body["widgets"].as_array().unwrap() {
        for row in widget["properties"]["metrics"].as_array().unwrap() {
            let named = named_by_row(row.as_array().unwrap());
            shown.extend(named.iter().map(|(name, _)| name.clone()));
            watched.extend(named);
        }
    }
    let told = told();
    for metric in &watched {
        assert!(told.contains(metric), "nobody tells {metric:?}");
    }
    let names: BTreeSet<String> = told.into_iter().map(|(name, _)| name).collect();
    assert_eq!(shown, names, "the dashboard shows each metric");
}

#[test]
fn every_metric_and_word_of_the_list_is_told_by_some_function() {
    let list = std::fs::read_to_string(root().join("shared/src/metrics.rs")).unwrap();
    let code = sources(&root().join("shared/src")).replace(&list, "") + &function_sources();
    // `Sends(Failed)` by its parts: Metric::Sends, SendOutcome::Failed.
    let mut parts = BTreeSet::new();
    for metric in Metric::all() {
        let text = format!("{metric:?}");
        let (name, word) = text.split_once('(').unwrap_or((&text, ")"));
        // The list's own cold start is told by each main.
        if name != "ColdStart" {
            parts.insert(format!("Metric::{name}"));
        }
        let word = word.trim_end_matches(')');
        let words = match metric {
            Metric::OldestOwed(_) | Metric::Owed(_) => "Work",
            Metric::Sends(_) => "SendOutcome",
            Metric::RealtimePosts(_) => "PostOutcome",
            Metric::Pushes(_) => "PushOutcome",
            Metric::MediaFetches(_) => "FetchOutcome",
            _ => continue,
        };
        parts.insert(format!("{words}::{word}"));
    }
    for part in parts {
        let is_told = code.match_indices(&part).any(|(at, _)| {
            let next = code[at + part.len()..].chars().next();
            next.is_some_and(|next| !next.is_alphanumeric())
        });
        assert!(is_told, "{part} is on the list, and nobody tells it");
    }
    for function in Template::read(root()).unwrap().functions().unwrap() {
        let main = root().join("functions").join(&function.name).join("src/main.rs");
        let main = std::fs::read_to_string(main).unwrap();
        assert!(main.contains("metrics::tell_cold_start();"), "{}", function.name);
    }
}

/// The functions without their tests.
fn function_sources() -> String {
    let functions = Template::read(root()).unwrap().functions().unwrap();
    let folders = functions
        .iter()
        .map(|function| root().join("functions").join(&function.name).join("src"));
    folders.map(|folder| sources(&folder)).collect()
}

#[test]
fn every_function_is_traced_and_knows_its_stack() {
    let template = Template::read(root()).unwrap();
    let globals = template.globals();
    assert_eq!(globals["Tracing"], "Active");
    assert_eq!(
        globals["Environment"]["Variables"]["STACK_NAME"],
        json!({"Ref": "AWS::StackName"})
    );
}
