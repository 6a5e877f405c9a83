//! What came for a number that was not registered yet waits in the quarantine, and is there as if it came now once the number is known.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db;

use crate::order::tables;
use crate::support::{Fixture, NOON, NUMBER, WABA, change, one_of_each};

/// The clock's turn, with all the time that it has.
async fn strike(fixture: &Fixture) {
    let deadline = Instant::now() + Duration::from_secs(25);
    let response = consumer::handle_clock(&fixture.app, deadline).await;
    assert!(response.batch_item_failures.is_empty());
}

/// A webhook with as many messages of one customer.
fn many(count: i64) -> String {
    let messages: Vec<Value> = (0..count)
        .map(|index| {
            json!({"from": "15550111", "id": format!("wamid.{index}"), "timestamp": (NOON + index).to_string(), "type": "text",
                   "text": {"body": format!("message {index}")}})
        })
        .collect();
    change(WABA, NUMBER, "messages", NOON, &json!({"messages": messages}))
}

#[tokio::test]
async fn everything_that_came_for_an_unknown_number_is_there_once_it_is_registered_as_if_it_came_then() {
    let bodies = one_of_each(WABA, NUMBER);
    let direct = Fixture::new().await;
    assert!(direct.consume(&bodies).await.is_empty());

    let late = Fixture::empty().await;
    assert!(late.consume(&bodies).await.is_empty());
    let waiting = vec![json!("unknown_phone_number"); bodies.len()];
    assert_eq!(late.quarantine().await, waiting);
    strike(&late).await;
    assert_eq!(late.quarantine().await, waiting, "nobody registered it");
    assert!(late.media_sqs.calls().is_empty());

    late.database.add_number(WABA, NUMBER).await;
    strike(&late).await;
    assert_eq!(tables(&late).await, tables(&direct).await);
    // The image's file is asked for, as it would have been.
    let asked = late.media_sqs.taken();
    let task: Value = serde_json::from_str(asked[0]["MessageBody"].as_str().unwrap()).unwrap();
    let image = "select id from chat_messages where wa_message_id = 'wamid.image'";
    assert_eq!(
        (asked.len(), &task["message_id"]),
        (1, &json!(late.database.count(image).await))
    );
}

#[tokio::test]
async fn a_poisonous_item_keeps_its_place_with_its_reason_and_holds_nobody_up() {
    const ROW: &str =
        "select jsonb_build_object('id', id, 'body', convert_from(body, 'UTF8'), 'received_at', received_at)
                       from chat_quarantine where position('poison'::bytea in body) > 0";
    let fixture = Fixture::empty().await;
    let mut bodies = one_of_each(WABA, NUMBER);
    let poison = json!({"messages": [{"from": "15550133", "id": "wamid.poison", "timestamp": NOON.to_string(), "type": "text",
                                      "text": {"body": "poison"}}]});
    bodies.insert(3, change(WABA, NUMBER, "messages", NOON, &poison));
    assert!(fixture.consume(&bodies).await.is_empty());
    let before = fixture.database.json(ROW).await;
    let rule = "alter table chat_messages add constraint no_poison check (content <> 'poison')";
    fixture.database.client.batch_execute(rule).await.unwrap();
    fixture.database.add_number(WABA, NUMBER).await;
    strike(&fixture).await;
    assert_eq!(fixture.messages().await.len(), 5);
    let reasons = fixture.quarantine().await;
    let refused: Vec<&str> = reasons
        .iter()
        .filter_map(Value::as_str)
        .filter(|reason| !reason.starts_with("applied:"))
        .collect();
    assert_eq!(
        refused,
        ["refused: the database refused a statement: SQLSTATE 23514, constraint no_poison"]
    );
    assert_eq!(fixture.database.json(ROW).await, before);

    // The clock leaves it to an operator, who replays it when the cause is gone.
    let cured = "alter table chat_messages drop constraint no_poison";
    fixture.database.client.batch_execute(cured).await.unwrap();
    strike(&fixture).await;
    assert_eq!(fixture.messages().await.len(), 5);
    let id = before[0]["id"].as_i64().unwrap();
    let mut client = shared::testing::connect(&fixture.database.url).await;
    let replayed = db::ingest::replay_quarantined(&mut client, &[id], Timestamp::now()).await;
    assert_eq!(replayed.unwrap().applied, 1);
    assert_eq!(fixture.messages().await.len(), 6);
    assert_eq!(fixture.database.json(ROW).await, [Value::Null; 0]);
}

#[tokio::test]
async fn the_clock_goes_on_until_nothing_waits_or_its_time_is_over() {
    let fixture = Fixture::empty().await;
    assert!(fixture.consume(&[many(450)]).await.is_empty());
    fixture.database.add_number(WABA, NUMBER).await;
    consumer::handle_clock(&fixture.app, Instant::now()).await;
    assert_eq!(fixture.messages().await.len(), 200, "one portion, as no time is left");
    strike(&fixture).await;
    assert_eq!(
        (fixture.messages().await.len(), fixture.quarantine().await.len()),
        (450, 0)
    );
    assert_eq!(fixture.conversations().await[0]["unread"], 450);
}

#[tokio::test]
async fn what_rows_of_former_times_lack_is_made_good_and_then_nothing_is_left_to_do() {
    const LEFT: &str = "select count(*) from chat_backfills";
    const TEXTS: &str = "select count(*) from chat_message_texts";
    let fixture = Fixture::new().await;
    strike(&fixture).await;
    assert_eq!(fixture.database.count(LEFT).await, 0, "an empty database lacks nothing");
    assert!(fixture.consume(&[many(30)]).await.is_empty());
    let former = "delete from chat_message_texts; delete from chat_conversation_texts; update chat_conversations set waiting_since = null;
                  insert into chat_backfills (name) values ('conversations'), ('messages')";
    fixture.database.client.batch_execute(former).await.unwrap();
    consumer::handle_clock(&fixture.app, Instant::now()).await;
    assert_eq!(fixture.database.count(TEXTS).await, 0, "no time is left");
    tokio::join!(strike(&fixture), strike(&fixture));
    strike(&fixture).await;
    let waiting = "select count(*) from chat_conversations c join chat_conversation_texts t on t.conversation_id = c.id
                   where c.waiting_since is not null";
    assert_eq!(
        (
            fixture.database.count(TEXTS).await,
            fixture.database.count(waiting).await,
            fixture.database.count(LEFT).await
        ),
        (30, 1, 0)
    );
}

#[tokio::test]
async fn clocks_that_strike_at_once_replay_each_item_once() {
    let fixture = Fixture::empty().await;
    assert!(fixture.consume(&[many(120)]).await.is_empty());
    fixture.database.add_number(WABA, NUMBER).await;
    tokio::join!(strike(&fixture), strike(&fixture), strike(&fixture));
    // What another clock held when this one looked is left to it.
    strike(&fixture).await;
    assert_eq!(
        (fixture.messages().await.len(), fixture.quarantine().await.len()),
        (120, 0)
    );
    assert_eq!(fixture.conversations().await[0]["unread"], 120);
}

#[tokio::test]
async fn a_clock_without_a_database_leaves_everything_for_its_next_turn() {
    let fixture = Fixture::empty().await;
    assert!(fixture.consume(&[many(3)]).await.is_empty());
    fixture.database.add_number(WABA, NUMBER).await;
    let (mut proxy, app) = fixture.behind_a_proxy().await;
    proxy.cut().await;
    let deadline = Instant::now() + Duration::from_secs(25);
    assert!(
        consumer::handle_clock(&app, deadline)
            .await
            .batch_item_failures
            .is_empty()
    );
    assert_eq!(fixture.quarantine().await.len(), 3);
    // A commit that is not answered is none to the clock; it finds nothing left to do.
    let (proxy, app) = fixture.behind_a_proxy().await;
    proxy.lose_next_commit();
    consumer::handle_clock(&app, deadline).await;
    strike(&fixture).await;
    assert_eq!(
        (fixture.messages().await.len(), fixture.quarantine().await.len()),
        (3, 0)
    );
}
