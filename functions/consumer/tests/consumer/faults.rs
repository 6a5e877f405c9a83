//! Outages and poison: nothing is lost, nobody else is disturbed.

use crate::support::{Fixture, NOON, records, text};
use consumer::App;
use serde_json::{Value, json};
use shared::db::Database;
use shared::db::settings::Settings;

#[tokio::test]
async fn without_a_database_all_records_are_given_back_for_later() {
    let fixture = Fixture::new().await;
    // Nothing listens there.
    let settings = Settings::from_url("postgres://nobody@127.0.0.1:9/nothing").unwrap();
    let app = App {
        database: Database::new(settings, 1),
        ..fixture.app.clone()
    };
    let mut records = records(&["a", "b", "c"].map(|wamid| text("15550111", wamid, NOON, "x")));
    // Received now, an hour and a week ago.
    for (record, seconds) in records.iter_mut().zip([0, 3600, 604_800]) {
        let sent = jiff::Timestamp::now().as_millisecond() - seconds * 1000;
        record.attributes.insert("SentTimestamp".to_owned(), sent.to_string());
    }
    let response = consumer::handle(&app, records).await;
    assert_eq!(response.batch_item_failures.len(), 3);
    let calls = fixture.sqs.calls();
    let (_, input) = calls
        .iter()
        .find(|(operation, _)| operation == "ChangeMessageVisibilityBatch")
        .unwrap();
    // A tenth of its age, from 5 s to 10 minutes.
    let waits: Vec<&Value> = input["Entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["VisibilityTimeout"])
        .collect();
    assert_eq!(waits, [&json!(5), &json!(360), &json!(600)]);
}

#[tokio::test]
async fn a_connection_that_is_cut_in_mid_batch_gives_the_batch_back_whole() {
    let fixture = Fixture::new().await;
    let blocker = shared::testing::connect(&fixture.database.url).await;
    blocker
        .batch_execute("begin; lock table chat_quarantine in exclusive mode")
        .await
        .unwrap();
    // The second body waits for the lock after the first one's message was inserted.
    let bodies = [text("15550111", "wamid.A", NOON, "a"), "no webhook".to_owned()];
    let cut = async {
        // The backend that waits is the consumer's.
        let kill = "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock') killed";
        while fixture.database.count(kill).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let (failed, ()) = tokio::join!(fixture.consume(&bodies), cut);
    assert_eq!(failed, ["record-0", "record-1"]);
    assert!(fixture.messages().await.is_empty());
    blocker.batch_execute("rollback").await.unwrap();
    assert!(fixture.consume(&bodies).await.is_empty());
    assert_eq!(
        (fixture.messages().await.len(), fixture.quarantine().await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_record_that_the_database_refuses_is_kept_and_the_rest_commits() {
    let fixture = Fixture::new().await;
    let rule = "alter table chat_messages add constraint no_poison check (content <> 'poison')";
    fixture.database.client.batch_execute(rule).await.unwrap();
    let bodies = [
        text("15550111", "wamid.A", NOON, "a"),
        text("15550111", "wamid.B", NOON, "poison"),
        text("15550112", "wamid.C", NOON, "c"),
    ];
    assert!(fixture.consume(&bodies).await.is_empty());
    let contents: Vec<Value> = fixture
        .messages()
        .await
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(contents, ["a", "c"]);
    let reasons = fixture.quarantine().await;
    assert_eq!(reasons.len(), 1);
    let reason = reasons[0].as_str().unwrap();
    assert!(reason.contains("23514") && reason.contains("no_poison"), "{reason}");
    let kept = fixture
        .database
        .json("select to_jsonb(convert_from(body, 'UTF8')) from chat_quarantine")
        .await;
    assert_eq!(kept[0], bodies[1]);
}

#[tokio::test]
async fn a_record_that_can_be_kept_nowhere_is_its_own_failure() {
    let fixture = Fixture::new().await;
    fixture
        .database
        .client
        .batch_execute("alter table chat_quarantine add check (false) not valid")
        .await
        .unwrap();
    let bodies = [
        text("15550111", "wamid.A", NOON, "a"),
        "no webhook".to_owned(),
        text("15550111", "wamid.C", NOON, "c"),
    ];
    assert_eq!(fixture.consume(&bodies).await, ["record-1"]);
    assert_eq!(fixture.messages().await.len(), 2);
    fixture
        .database
        .client
        .batch_execute("alter table chat_quarantine drop constraint chat_quarantine_check")
        .await
        .unwrap();
    assert!(fixture.consume(&bodies).await.is_empty());
    assert_eq!(
        (fixture.messages().await.len(), fixture.quarantine().await.len()),
        (2, 1)
    );
}

#[tokio::test]
async fn a_record_that_the_database_gives_up_every_time_goes_its_way_alone() {
    let fixture = Fixture::new().await;
    let rule = "
        create function give_up() returns trigger language plpgsql as
          $$ begin raise exception 'too slow' using errcode = '57014'; end $$;
        create trigger slow before insert on chat_messages for each row when (new.content = 'slow') execute function give_up()";
    fixture.database.client.batch_execute(rule).await.unwrap();
    fixture.sqs.set_max_receive_count(3);
    let bodies = [
        text("15550111", "wamid.A", NOON, "a"),
        text("15550111", "wamid.B", NOON, "slow"),
        text("15550112", "wamid.C", NOON, "c"),
    ];
    let mut all = records(&bodies);
    for record in &mut all {
        record
            .attributes
            .insert("ApproximateReceiveCount".to_owned(), "3".to_owned());
    }
    let response = consumer::handle(&fixture.app, all).await;
    let failed: Vec<&str> = response
        .batch_item_failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect();
    // Its last receive: it is to end in the dead-letter queue, where somebody sees it.
    assert_eq!(failed, ["record-1"]);
    assert_eq!(fixture.messages().await.len(), 2);
    assert!(
        fixture
            .sqs
            .calls()
            .iter()
            .all(|(operation, _)| operation != "SendMessageBatch")
    );
}
