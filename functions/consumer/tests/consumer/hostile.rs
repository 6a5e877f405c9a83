//! Webhooks that are not as Meta describes them: each item is applied or kept, none spoils its batch.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::ingest::{self, Plan};
use shared::whatsapp::webhook::parse;

use crate::support::{Fixture, NOON, NUMBER, WABA, records, text, value, webhook};

/// When the samples reach the queue: a while after the times in them.
const SAMPLES_SENT: Timestamp = Timestamp::constant(1_785_000_000, 0);

/// What stands in the place of any value.
fn strange_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(9_223_372_036_854_775_808_u64),
        json!(""),
        json!(" "),
        json!("\u{0}\u{1}"),
        json!("\u{fffe}\u{ffff}\u{202e}"),
        json!("99999999999999999999999999"),
        json!("-1"),
        json!("é".repeat(3000)),
        json!([]),
        json!([null, [], {}, "x", 1]),
        json!({}),
        json!({"": {"body": 1, "id": [], "wa_id": ""}}),
    ]
}

/// The path of every value within this one, of containers too.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                paths(item, &format!("{path}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// The sample webhooks but those that are no JSON.
fn samples() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/webhooks");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let samples = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    samples
        .filter_map(|sample| serde_json::from_str(&sample).ok())
        .collect()
}

/// The samples, each with one value missing or replaced by a strange one.
fn damaged_samples() -> Vec<String> {
    let mut bodies = Vec::new();
    // Of two items with one wamid only one would come as far as its row.
    let mut push = |damaged: Value| {
        let body = damaged.to_string();
        bodies.push(body.replace("\"wamid.", &format!("\"wamid.{}.", bodies.len())));
    };
    for sample in samples() {
        let mut found = Vec::new();
        paths(&sample, "", &mut found);
        for path in &found {
            for strange in strange_values() {
                let mut damaged = sample.clone();
                *damaged.pointer_mut(path).expect("the path was just found") = strange;
                push(damaged);
            }
            let Some((parent, key)) = path.rsplit_once('/') else {
                continue;
            };
            let mut damaged = sample.clone();
            match damaged.pointer_mut(parent) {
                Some(Value::Object(members)) => drop(members.remove(key)),
                Some(Value::Array(items)) => drop(items.remove(key.parse().expect("an index"))),
                _ => unreachable!("only containers have values within"),
            }
            push(damaged);
        }
    }
    assert!(bodies.len() > 5000, "{}", bodies.len());
    bodies
}

/// Registers the numbers that the samples are about, so that they go all the way.
async fn register_samples(fixture: &Fixture) {
    let mut accounts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in samples() {
        let mut plan = Plan::default();
        ingest::plan(parse(&sample.to_string()), SAMPLES_SENT, &mut plan);
        for origin in plan.origins() {
            let account = origin.waba_id.clone().expect("samples name it");
            accounts
                .entry(account)
                .or_default()
                .insert(origin.phone_number_id.clone());
        }
    }
    let insert = "insert into phone_numbers (waba_id, phone_number_id, is_registered) values ($1, $2, true)";
    for (account, mut numbers) in accounts {
        let first = numbers.pop_first().expect("it has a number");
        fixture.database.add_number(&account, &first).await;
        for number in numbers {
            let client = &fixture.database.client;
            client.execute(insert, &[&account, &number]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_sample_with_any_value_missing_or_strange_is_applied_or_kept_and_spoils_nothing() {
    let fixture = Fixture::new().await;
    register_samples(&fixture).await;
    let damaged = damaged_samples();
    for (index, batch) in damaged.chunks(200).enumerate() {
        let mut bodies = batch.to_vec();
        for body in &bodies {
            let mut plan = Plan::default();
            ingest::plan(parse(body), SAMPLES_SENT, &mut plan);
            let planned = plan.origins().count() + plan.facts.len() + plan.quarantined.len();
            assert!(planned > 0, "nothing becomes of {body}");
        }
        bodies.push(text("15550199", &format!("wamid.good.{index}"), NOON, "good"));
        let mut records = records(&bodies);
        for record in &mut records {
            let sent = SAMPLES_SENT.as_millisecond().to_string();
            record.attributes.insert("SentTimestamp".to_owned(), sent);
        }
        let response = consumer::handle(&fixture.app, records).await;
        assert!(response.batch_item_failures.is_empty());
    }
    let reasons = fixture.quarantine().await;
    let refused: Vec<&Value> = reasons
        .iter()
        .filter(|reason| reason.as_str().is_some_and(|reason| reason.starts_with("refused")))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let stored = "select count(*) from chat_messages";
    assert!(fixture.database.count(stored).await > 5000, "most are still messages");
    let good = "select count(*) from chat_messages where wa_message_id like 'wamid.good.%' and content = 'good'";
    let batches = i64::try_from(damaged.chunks(200).len()).unwrap();
    assert_eq!(fixture.database.count(good).await, batches);
}

#[tokio::test]
async fn numbers_where_strings_are_expected_are_read_as_such() {
    let fixture = Fixture::new().await;
    let body = webhook(
        &json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": NUMBER.parse::<i64>().unwrap()},
        "contacts": [{"wa_id": 15_550_111, "profile": {"name": 42}}],
        "messages": [{"from": 15_550_111, "id": 7, "timestamp": NOON, "type": "text", "text": {"body": 4711}}],
        "statuses": [{"id": 8, "status": "read", "timestamp": NOON, "recipient_id": 15_550_111}]}),
    );
    let body = body.replace(&format!("\"{WABA}\""), WABA);
    assert!(fixture.consume(&[body]).await.is_empty());
    assert_eq!(fixture.quarantine().await, [Value::Null; 0]);
    let stored = &fixture.messages().await[0];
    assert_eq!(
        (&stored["wamid"], &stored["content"], &stored["time"]),
        (&json!("7"), &json!("4711"), &json!(NOON))
    );
    let conversation = &fixture.conversations().await[0];
    assert_eq!(
        (&conversation["phone"], &conversation["name"]),
        (&json!("+15550111"), &json!("42"))
    );
    let status = "select count(*) from chat_message_events where wa_message_id = '8' and status = 'read'";
    assert_eq!(fixture.database.count(status).await, 1);
}

#[tokio::test]
async fn a_message_does_without_contacts_and_with_ones_that_say_nothing() {
    let fixture = Fixture::new().await;
    let contacts = [
        Value::Null,
        json!([]),
        json!({}),
        json!([null]),
        json!([{}]),
        json!([{"wa_id": ""}]),
        json!([{"wa_id": "", "profile": {"name": ""}}]),
        json!([{"wa_id": "15550111"}]),
        json!([{"wa_id": "15550111", "profile": null}]),
        json!([{"wa_id": "15550111", "profile": {"name": null}}]),
        json!("15550111"),
    ];
    let mut bodies = Vec::new();
    for (index, contacts) in contacts.iter().enumerate() {
        let item = json!({"from": "15550111", "id": format!("wamid.{index}"), "timestamp": NOON.to_string(), "type": "text",
                          "text": {"body": "Hello"}});
        bodies.push(webhook(&value(json!({"contacts": contacts, "messages": [item]}))));
    }
    let item = json!({"from": "15550111", "id": "wamid.none", "timestamp": NOON.to_string(), "type": "text", "text": {"body": "Hello"}});
    bodies.push(webhook(&value(json!({"messages": [item]}))));
    assert!(fixture.consume(&bodies).await.is_empty());
    assert_eq!(fixture.quarantine().await, [Value::Null; 0]);
    assert_eq!(fixture.messages().await.len(), bodies.len());
    let conversations = fixture.conversations().await;
    assert_eq!(conversations.len(), 1);
    assert_eq!(
        (&conversations[0]["phone"], &conversations[0]["name"]),
        (&json!("+15550111"), &Value::Null)
    );
}

#[tokio::test]
async fn a_message_of_an_absurd_time_or_sender_is_kept_raw() {
    let fixture = Fixture::new().await;
    let with = |key: &str, strange: &Value| {
        let mut item = json!({"from": "15550111", "id": format!("wamid.{key}.{strange}"), "timestamp": NOON.to_string(), "type": "text",
                              "text": {"body": "x"}});
        item[key] = strange.clone();
        webhook(&value(json!({"messages": [item]})))
    };
    let times = [
        json!("-1"),
        json!("1e9"),
        json!(1.5),
        json!(" 1782907200"),
        json!("9223372036854775807"),
        json!(u64::MAX),
        json!("1782907200000"),
        json!("2026-07-01T12:00:00Z"),
        json!(true),
        json!([NOON]),
        Value::Null,
    ];
    let senders = [json!(""), Value::Null, json!({}), json!(["15550111"])];
    let mut bodies: Vec<String> = times.iter().map(|time| with("timestamp", time)).collect();
    bodies.extend(senders.iter().map(|sender| with("from", sender)));
    assert!(fixture.consume(&bodies).await.is_empty());
    assert_eq!(fixture.messages().await, [Value::Null; 0]);
    let mut expected = vec![json!("invalid_timestamp"); times.len()];
    expected.resize(bodies.len(), json!("missing_sender"));
    assert_eq!(fixture.quarantine().await, expected);
}
