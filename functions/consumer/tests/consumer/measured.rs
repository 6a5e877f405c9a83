//! What the consumer tells of its work, and the id that its triggers and what it puts back carry on.

use std::time::{Duration, Instant};

use aws_lambda_events::sqs::SqsMessage;
use serde_json::{Value, json};
use shared::metrics::{Metric, Work, recording};

use crate::support::{Fixture, NUMBER, change, message, records, status, text};

/// Records of bodies, each of a request of its own, that reached the queue so long ago.
fn requests(bodies: &[String], age: Duration) -> Vec<SqsMessage> {
    let at = (jiff::Timestamp::now().as_millisecond() - i64::try_from(age.as_millis()).unwrap()).to_string();
    let mut records = records(bodies);
    for (index, record) in records.iter_mut().enumerate() {
        record.attributes.insert("SentTimestamp".to_owned(), at.clone());
        let id = json!({"stringValue": format!("request-{index}"), "dataType": "String"});
        let id = serde_json::from_value(id).unwrap();
        record.message_attributes.insert("correlation_id".to_owned(), id);
    }
    records
}

/// The ids that entries of a queue carry.
fn carried(entries: &[Value]) -> Vec<Value> {
    let ids = entries.iter();
    ids.map(|entry| entry["MessageAttributes"]["correlation_id"]["StringValue"].clone())
        .collect()
}

async fn strike(fixture: &Fixture) {
    consumer::handle_clock(&fixture.app, Instant::now() + Duration::from_secs(25)).await;
}

#[tokio::test]
async fn a_batch_tells_its_size_how_old_its_records_are_and_what_could_not_be_applied() {
    let fixture = Fixture::new().await;
    recording::start();
    let now = jiff::Timestamp::now().as_second();
    let preference = json!({"user_preferences": [{"wa_id": "15550111", "category": "marketing_messages", "value": "stop", "timestamp": now}]});
    let bodies = [
        text("15550111", "wamid.1", now, "Hello"),
        "no webhook".to_owned(),
        // Kept raw although it was applied.
        change("900100", NUMBER, "user_preferences", now, &preference),
    ];
    let response = consumer::handle(&fixture.app, requests(&bodies, Duration::from_secs(90))).await;
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(recording::told(Metric::BatchSize), [3]);
    assert_eq!(recording::told(Metric::Quarantined), [1]);
    let ages = recording::told(Metric::EventAge);
    assert!(
        ages.len() == 3 && ages.iter().all(|age| (90_000..150_000).contains(age)),
        "{ages:?}"
    );
}

#[tokio::test]
async fn what_spoils_a_batch_is_told_of_once() {
    let fixture = Fixture::new().await;
    recording::start();
    let now = jiff::Timestamp::now().as_second();
    let refuse = "alter table chat_messages add constraint no_poison check (content <> 'poison')";
    fixture.database.client.batch_execute(refuse).await.unwrap();
    let bodies = [
        text("15550111", "wamid.1", now, "Hello"),
        text("15550111", "wamid.2", now, "poison"),
    ];
    consumer::handle(&fixture.app, requests(&bodies, Duration::ZERO)).await;
    assert_eq!(recording::told(Metric::BatchSize), [2]);
    assert_eq!(recording::told(Metric::Quarantined), [1]);
    assert_eq!(recording::told(Metric::EventAge).len(), 2);
}

#[tokio::test]
async fn what_is_asked_for_follows_from_the_request_that_brought_it() {
    const BROWSER: &str = "
        insert into chat_push_subscriptions (user_id, endpoint, p256dh, auth)
        select user_id, 'https://fcm.googleapis.com/x', '', '' from waba_accounts";
    let fixture = Fixture::new().await;
    fixture.database.client.batch_execute(BROWSER).await.unwrap();
    let now = jiff::Timestamp::now().as_second().to_string();
    let image = json!({"id": "M1", "mime_type": "image/png", "sha256": "aGFzaA=="});
    let image = json!({"id": "wamid.image", "timestamp": now, "type": "image", "image": image});
    let bodies = [
        status("wamid.other", "sent", jiff::Timestamp::now().as_second()),
        message("15550111", "Ana", image),
        text("15550122", "wamid.text", jiff::Timestamp::now().as_second(), "Hello"),
    ];
    consumer::handle(&fixture.app, requests(&bodies, Duration::ZERO)).await;
    assert_eq!(carried(&fixture.media_sqs.taken()), ["request-1"]);
    let mut asked = carried(&fixture.outbox_sqs.taken());
    asked.sort_by_key(ToString::to_string);
    assert_eq!(asked, ["request-1", "request-2"]);
}

#[tokio::test]
async fn the_clock_tells_what_waits_for_its_number_and_for_its_message() {
    let fixture = Fixture::new().await;
    let item = |number: &str| {
        let message = json!({"from": "15550111", "id": format!("wamid.{number}"), "timestamp": "1782907200", "type": "text", "text": {"body": "x"}});
        change("1", number, "messages", 1_782_907_200, &json!({"messages": [message]}))
    };
    let bodies = [
        item("700998"),
        item("700999"),
        status("wamid.never", "read", 1_782_907_200),
    ];
    assert!(fixture.consume(&bodies).await.is_empty());
    let age = "update chat_quarantine set received_at = now() - interval '1 hour' where phone_number_id = '700998';
               update chat_message_events set received_at = now() - interval '2 hours'";
    fixture.database.client.batch_execute(age).await.unwrap();
    recording::start();
    strike(&fixture).await;
    assert_eq!(recording::told(Metric::Owed(Work::UnknownNumbers)), [2]);
    assert_eq!(recording::told(Metric::Owed(Work::ParkedEvents)), [1]);
    let oldest = recording::told(Metric::OldestOwed(Work::UnknownNumbers))[0];
    assert!((3_600..3_660).contains(&oldest), "{oldest}");
    let oldest = recording::told(Metric::OldestOwed(Work::ParkedEvents))[0];
    assert!((7_200..7_260).contains(&oldest), "{oldest}");
    assert_eq!(recording::told(Metric::SilentNumbers), [0]);
}

#[tokio::test]
async fn a_number_fell_silent_that_had_messages_on_each_of_seven_days_and_no_webhook_since() {
    let fixture = Fixture::new().await;
    let now = jiff::Timestamp::now().as_second();
    let days_of = |days: std::ops::Range<i64>| {
        let texts = days.map(|day| {
            text(
                "15550111",
                &format!("wamid.{day}"),
                now - 30 * 3600 - day * 86_400 - 60,
                "x",
            )
        });
        texts.collect::<Vec<_>>()
    };
    let silent = async |hours: i64| {
        let last = format!("update chat_phone_numbers set last_webhook_at = now() - interval '{hours} hours'");
        fixture.database.client.batch_execute(&last).await.unwrap();
        recording::start();
        strike(&fixture).await;
        recording::told(Metric::SilentNumbers)
    };
    consumer::handle(&fixture.app, requests(&days_of(0..6), Duration::ZERO)).await;
    assert_eq!(silent(30).await, [0], "on six days is not daily");
    consumer::handle(&fixture.app, requests(&days_of(6..7), Duration::ZERO)).await;
    assert_eq!(silent(30).await, [1]);
    assert_eq!(silent(23).await, [0], "not yet");
    assert_eq!(silent(9 * 24).await, [0], "it is out of use");
    let deregister = "delete from phone_numbers";
    fixture.database.client.batch_execute(deregister).await.unwrap();
    assert_eq!(silent(30).await, [0], "its owner took it away");
}
