//! While the database is away, a record that was received often is put back as a new message: no outage leads to the dead-letter queue.

use aws_lambda_events::sqs::SqsMessage;
use consumer::App;
use serde_json::{Value, json};
use shared::db::Database;
use shared::db::settings::Settings;
use shared::testing::sqs::Answer;

use crate::support::{Fixture, NOON, records, text};

/// A consumer whose database is away: nothing listens there.
fn without_database(fixture: &Fixture) -> App {
    let settings = Settings::from_url("postgres://nobody@127.0.0.1:9/nothing").unwrap();
    App {
        database: Database::new(settings, 1),
        ..fixture.app.clone()
    }
}

fn attribute(value: &str) -> aws_lambda_events::sqs::SqsMessageAttribute {
    serde_json::from_value(json!({"stringValue": value, "dataType": "String"})).unwrap()
}

/// A record that was received so often, an hour after it was sent.
fn record(wamid: &str, received: u32) -> SqsMessage {
    let mut record = records(&[text("15550111", wamid, NOON, "x")]).remove(0);
    record.message_id = Some(wamid.to_owned());
    let sent = jiff::Timestamp::now().as_millisecond() - 3_600_000;
    for (name, value) in [
        ("ApproximateReceiveCount", received.to_string()),
        ("SentTimestamp", sent.to_string()),
        ("MessageGroupId", "700100".to_owned()),
    ] {
        record.attributes.insert(name.to_owned(), value);
    }
    record
}

/// The ids of the records that are given back.
async fn handle(app: &App, records: Vec<SqsMessage>) -> Vec<String> {
    let failures = consumer::handle(app, records).await.batch_item_failures;
    failures.into_iter().map(|failure| failure.item_identifier).collect()
}

/// The entries that the queue took as new messages.
fn sent(fixture: &Fixture) -> Vec<Value> {
    let taken = fixture.sqs.taken().into_iter();
    taken.filter(|entry| entry.get("MessageBody").is_some()).collect()
}

fn value_of<'a>(entry: &'a Value, attribute: &str) -> &'a Value {
    &entry["MessageAttributes"][attribute]["StringValue"]
}

#[tokio::test]
async fn a_record_near_its_last_receive_is_put_back_as_it_is_and_the_others_are_hidden() {
    let fixture = Fixture::new().await;
    fixture.sqs.set_max_receive_count(1000);
    let mut old = record("old", 999);
    old.message_attributes
        .insert("encoding".to_owned(), attribute("gzip+base64"));
    old.message_attributes
        .insert("part".to_owned(), attribute("1/2:digest"));
    old.message_attributes
        .insert("correlation_id".to_owned(), attribute("request-1"));
    let failed = handle(
        &without_database(&fixture),
        vec![record("first", 1), old.clone(), record("second", 2)],
    )
    .await;
    assert_eq!(failed, ["first", "second"]);
    let sent = sent(&fixture);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["MessageBody"], json!(old.body));
    assert_eq!(sent[0]["MessageGroupId"], "700100");
    assert_eq!(value_of(&sent[0], "encoding"), "gzip+base64");
    assert_eq!(value_of(&sent[0], "part"), "1/2:digest");
    assert_eq!(value_of(&sent[0], "correlation_id"), "request-1");
    assert_eq!(
        value_of(&sent[0], "received_at"),
        &json!(old.attributes["SentTimestamp"])
    );
    // It waits as long as if it were hidden, and SQS takes 15 minutes at the most.
    let delay = sent[0]["DelaySeconds"].as_i64().unwrap();
    assert!((359..=361).contains(&delay), "{delay}");
    let hidden: Vec<usize> = fixture
        .sqs
        .calls()
        .iter()
        .filter(|(operation, _)| operation == "ChangeMessageVisibilityBatch")
        .map(|(_, input)| input["Entries"].as_array().unwrap().len())
        .collect();
    assert_eq!(hidden, [2]);
}

#[tokio::test]
async fn a_record_that_was_put_back_before_keeps_the_time_of_its_first_arrival() {
    let fixture = Fixture::new().await;
    fixture.sqs.set_max_receive_count(10);
    let first = (jiff::Timestamp::now().as_millisecond() - 86_400_000).to_string();
    let mut again = record("again", 10);
    again
        .message_attributes
        .insert("received_at".to_owned(), attribute(&first));
    assert!(handle(&without_database(&fixture), vec![again]).await.is_empty());
    let sent = sent(&fixture);
    assert_eq!(value_of(&sent[0], "received_at"), &json!(first));
    assert_eq!(sent[0]["DelaySeconds"], 600, "its age is a day");

    // A time that is judged by the arrival, a day and an hour ahead of it, does not become right by waiting.
    let ahead = text("15550111", "wamid.ahead", NOON + 90_000, "x");
    let mut late = records(&[ahead]).remove(0);
    late.attributes
        .insert("SentTimestamp".to_owned(), ((NOON + 90_000) * 1000).to_string());
    late.message_attributes
        .insert("received_at".to_owned(), attribute(&(NOON * 1000).to_string()));
    assert!(handle(&fixture.app, vec![late]).await.is_empty());
    assert_eq!(fixture.quarantine().await, [json!("invalid_timestamp")]);
}

#[tokio::test]
async fn a_record_that_the_queue_does_not_take_again_stays_where_it_is() {
    for answer in [Answer::AllBut(vec![0]), Answer::Status(503)] {
        let fixture = Fixture::new().await;
        fixture.sqs.set_max_receive_count(1000);
        fixture.sqs.answer_always(answer);
        let failed = handle(&without_database(&fixture), vec![record("old", 999)]).await;
        assert_eq!(failed, ["old"]);
    }
}

#[tokio::test]
async fn a_queue_without_dead_letters_gets_nothing_back() {
    let fixture = Fixture::new().await;
    let failed = handle(&without_database(&fixture), vec![record("old", 999)]).await;
    assert_eq!(failed, ["old"]);
    assert!(sent(&fixture).is_empty());
}

#[tokio::test]
async fn a_record_that_the_database_refuses_goes_on_to_the_dead_letter_queue() {
    let fixture = Fixture::new().await;
    fixture.sqs.set_max_receive_count(1000);
    let rules = "alter table chat_messages add constraint no_message check (false) not valid;
                 alter table chat_quarantine add constraint no_quarantine check (false) not valid";
    fixture.database.client.batch_execute(rules).await.unwrap();
    assert_eq!(handle(&fixture.app, vec![record("poison", 999)]).await, ["poison"]);
    assert!(sent(&fixture).is_empty());
}
