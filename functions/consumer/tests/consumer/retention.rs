//! The clock deletes what has served its time, and nothing that is needed still.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::db::retention::Retention;

use crate::support::{Fixture, NOON, NUMBER, WABA, change, one_of_each, text};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A customer with one of everything, and a message that an agent sent.
async fn filled() -> Fixture {
    let fixture = Fixture::new().await;
    let mut bodies = one_of_each(WABA, NUMBER);
    bodies.push(change(WABA, NUMBER, "flows", NOON, &json!({})));
    assert!(fixture.consume(&bodies).await.is_empty());
    let sent = "
        insert into chat_messages (conversation_id, message_id, content, sender, status) select min(id), 'ours', 'Hi', 'user', 'sent' from chat_conversations;
        insert into chat_sends (message_id, conversation_id, request, request_hash, settled_at)
        select id, conversation_id, '{}', 'hash', now() from chat_messages where message_id = 'ours';
        insert into chat_sends (reaction_key, conversation_id, request, request_hash, settled_at)
        select 'reaction', conversation_id, '{}', 'hash', now() from chat_messages where message_id = 'ours'";
    fixture.database.client.batch_execute(sent).await.unwrap();
    fixture
}

/// Lets everything be so many days older.
async fn age(fixture: &Fixture, days: i32) {
    let sql = format!(
        "update chat_message_sources set received_at = received_at - interval '{days} days';
         update chat_message_events set received_at = received_at - interval '{days} days';
         update chat_messages set created_at = created_at - interval '{days} days';
         update chat_quarantine set received_at = received_at - interval '{days} days';
         update chat_sends set settled_at = settled_at - interval '{days} days'"
    );
    fixture.database.client.batch_execute(&sql).await.unwrap();
}

async fn strike(fixture: &Fixture, retention: Retention) {
    let mut app = fixture.app.clone();
    app.retention = retention;
    consumer::handle_clock(&app, Instant::now() + Duration::from_secs(25)).await;
}

/// How much of each kind is there: raw items of messages, of events, texts before a change, requests of messages, what was applied, and what
/// was not.
async fn raw(fixture: &Fixture) -> Value {
    let sql = "select jsonb_build_array(
        (select count(*) from chat_message_sources where body <> ''), (select count(*) from chat_message_events where item is not null or body is not null),
        (select count(*) from chat_messages where original is not null), (select count(*) from chat_sends where request is not null and message_id is not null),
        (select count(*) from chat_quarantine where reason like 'applied:%'), (select count(*) from chat_quarantine where reason not like 'applied:%'))";
    fixture.database.json(sql).await.remove(0)
}

#[tokio::test]
async fn what_has_served_its_time_goes_and_what_is_younger_stays() {
    let fixture = filled().await;
    let all = raw(&fixture).await;
    assert_eq!(all, json!([5, 4, 2, 1, 2, 1]));
    let raw_only = Retention {
        raw: Some(90 * DAY),
        quarantine: None,
    };
    let both = Retention {
        quarantine: Some(90 * DAY),
        ..raw_only
    };
    strike(&fixture, both).await;
    age(&fixture, 89).await;
    strike(&fixture, both).await;
    assert_eq!(raw(&fixture).await, all);
    age(&fixture, 2).await;
    // Younger than all that.
    assert!(
        fixture
            .consume(&[text("15550111", "wamid.new", NOON + 50, "New")])
            .await
            .is_empty()
    );
    strike(&fixture, Retention::FOREVER).await;
    assert_eq!(raw(&fixture).await, json!([6, 4, 2, 1, 2, 1]));
    let shown = fixture.messages().await;
    strike(&fixture, raw_only).await;
    assert_eq!(raw(&fixture).await, json!([1, 0, 0, 0, 0, 1]));
    strike(&fixture, both).await;
    assert_eq!(raw(&fixture).await, json!([1, 0, 0, 0, 0, 0]));
    assert_eq!(fixture.messages().await, shown, "what is shown stays as it was");
    let hashes =
        "select count(*) from chat_sends where request_hash = 'hash' and (request is null) = (message_id is not null)";
    assert_eq!(
        fixture.database.count(hashes).await,
        2,
        "keys still stand, and a reaction knows its emoji"
    );
    // The clock goes on from there.
    age(&fixture, 91).await;
    strike(&fixture, both).await;
    assert_eq!(raw(&fixture).await, json!([0, 0, 0, 0, 0, 0]));
}

#[tokio::test]
async fn what_comes_again_after_its_raw_item_is_gone_changes_nothing() {
    let fixture = Fixture::new().await;
    assert!(fixture.consume(&one_of_each(WABA, NUMBER)).await.is_empty());
    age(&fixture, 91).await;
    let retention = Retention {
        raw: Some(90 * DAY),
        quarantine: None,
    };
    strike(&fixture, retention).await;
    let before = (
        fixture.messages().await,
        fixture.conversations().await,
        shown_events(&fixture).await,
    );
    assert!(fixture.consume(&one_of_each(WABA, NUMBER)).await.is_empty());
    let after = (
        fixture.messages().await,
        fixture.conversations().await,
        shown_events(&fixture).await,
    );
    assert_eq!(before, after);
    assert_eq!(raw(&fixture).await[0], 0);
}

/// Which events stand, and what messages show of them.
async fn shown_events(fixture: &Fixture) -> Vec<Value> {
    let events = "select jsonb_build_array(kind, wa_message_id, event_wamid, status, emoji, edit, encode(digest, 'hex')) from chat_message_events order by id";
    let shown = "select jsonb_build_array(wa_message_id, reactions, edited_at, deleted_at, status) from chat_messages order by id";
    let mut all = fixture.database.json(events).await;
    all.extend(fixture.database.json(shown).await);
    all
}

#[tokio::test]
async fn more_than_a_portion_goes_in_one_turn_and_two_clocks_do_no_harm() {
    let fixture = Fixture::new().await;
    let bodies: Vec<String> = (0..4)
        .map(|part| {
            let messages: Vec<Value> = (0..400)
                .map(|n| json!({"from": "15550111", "id": format!("wamid.{part}.{n}"), "timestamp": (NOON + n).to_string(), "type": "text", "text": {"body": "x"}}))
                .collect();
            change(WABA, NUMBER, "messages", NOON, &json!({"messages": messages}))
        })
        .collect();
    assert!(fixture.consume(&bodies).await.is_empty());
    age(&fixture, 40).await;
    let retention = Retention {
        raw: Some(39 * DAY),
        quarantine: None,
    };
    tokio::join!(strike(&fixture, retention), strike(&fixture, retention));
    strike(&fixture, retention).await;
    assert_eq!(raw(&fixture).await[0], 0);
    assert_eq!(fixture.messages().await.len(), 1600);
}
