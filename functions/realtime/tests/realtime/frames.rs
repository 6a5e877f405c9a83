//! What open pages are told.

use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::change::{Cursor, FRAME_SIZE};
use shared::metrics::{Metric, PostOutcome, Work, recording};
use shared::testing::sockets::Manner;

use crate::support::Fixture;

#[tokio::test]
async fn every_page_of_the_owner_is_told_and_nobody_elses() {
    let fixture = Fixture::new().await;
    for (id, agent) in [("a1", &fixture.ana), ("a2", &fixture.ana), ("b1", &fixture.ben)] {
        fixture.open(id, agent).await;
    }
    let id = fixture.message(&fixture.ana, "Hello").await;
    fixture
        .run(&format!(
            "update chat_conversations set unread_count = 1 where id = {}",
            fixture.ana.conversation
        ))
        .await;
    fixture.app.realtime.publish().await;
    assert_eq!(fixture.stub.frames_of("b1"), Vec::<Value>::new());
    for connection in ["a1", "a2"] {
        assert_eq!(
            fixture.told(connection),
            ["message.created", "conversation.updated", "phone_number.updated"]
        );
    }
    let frames = fixture.stub.frames_of("a1");
    assert_eq!(
        (&frames[0]["message"]["id"], &frames[0]["message"]["content"]),
        (&json!(id), &json!("Hello"))
    );
    assert_eq!(frames[1]["conversation"]["unread_count"], 1);
    assert_eq!(frames[2]["phone_number"]["unread_count"], 1);
    for frame in &frames {
        assert!(frame["version"].is_i64() && Cursor::from_text(frame["cursor"].as_str().unwrap()).is_some());
        assert_eq!(frame["truncated"], false);
    }
    // Once.
    fixture.app.realtime.publish().await;
    assert_eq!(fixture.stub.frames().len(), 6);
}

#[tokio::test]
async fn an_account_that_changed_hands_is_told_to_its_new_owner() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    fixture.open("b", &fixture.ben).await;
    fixture
        .run(&format!("update waba_accounts set user_id = '{}'", fixture.ben.user))
        .await;
    fixture.message(&fixture.ana, "x").await;
    fixture.app.realtime.publish().await;
    assert_eq!((fixture.told("a").len(), fixture.told("b").len()), (0, 1));
}

#[tokio::test]
async fn what_somebody_left_who_died_is_told_by_the_next_or_by_the_clock() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    // Nobody published these.
    fixture.message(&fixture.ana, "one").await;
    fixture.message(&fixture.ana, "two").await;
    realtime::handle_clock(&fixture.app).await;
    assert_eq!(fixture.told("a"), ["message.created", "message.created"]);
    assert_eq!(fixture.count("select count(*) from chat_unpublished").await, 0);
}

#[tokio::test]
async fn what_is_not_committed_is_not_told() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    let mut client = shared::testing::connect(&fixture.database.url).await;
    let insert = format!(
        "insert into chat_messages (conversation_id, content) values ({}, 'x')",
        fixture.ana.conversation
    );
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(&insert).await.unwrap();
    fixture.app.realtime.publish().await;
    transaction.rollback().await.unwrap();
    fixture.app.realtime.publish().await;
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(&insert).await.unwrap();
    fixture.app.realtime.publish().await;
    assert_eq!(fixture.stub.attempts(), 0);
    transaction.commit().await.unwrap();
    fixture.app.realtime.publish().await;
    assert_eq!(fixture.told("a"), ["message.created"]);
}

#[tokio::test]
async fn what_is_gone_or_moved_is_told_too() {
    let fixture = Fixture::new().await;
    let id = fixture.message(&fixture.ana, "x").await;
    fixture.run("delete from chat_unpublished").await;
    fixture.open("a", &fixture.ana).await;
    fixture.run(&format!("delete from chat_messages where id = {id}")).await;
    fixture
        .run(&format!(
            "delete from chat_conversations where id = {}",
            fixture.ana.conversation
        ))
        .await;
    fixture.app.realtime.publish().await;
    let frames = fixture.stub.frames_of("a");
    assert_eq!(
        fixture.told("a"),
        ["message.deleted", "conversation.deleted", "phone_number.updated"]
    );
    assert_eq!(
        (&frames[0]["id"], &frames[1]["conversation_id"]),
        (&json!(id), &json!(fixture.ana.conversation))
    );
}

#[tokio::test]
async fn a_large_message_is_told_by_its_ids_and_a_crowd_by_one_frame() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    let id = fixture.message(&fixture.ana, &"x".repeat(FRAME_SIZE)).await;
    fixture.app.realtime.publish().await;
    let frame = &fixture.stub.frames_of("a")[0];
    assert_eq!(
        (&frame["truncated"], &frame["message"], &frame["id"]),
        (&json!(true), &Value::Null, &json!(id))
    );
    assert_eq!(frame["conversation_id"], fixture.ana.conversation);
    let many = format!(
        "insert into chat_messages (conversation_id, content) select {}, n::text from generate_series(1, 101) n",
        fixture.ana.conversation
    );
    fixture.run(&many).await;
    fixture.app.realtime.publish().await;
    assert_eq!(fixture.told("a"), ["message.created", "resync"]);
}

#[tokio::test]
async fn of_a_large_transaction_everybody_concerned_is_told_that_there_is_something() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    fixture.open("b", &fixture.ben).await;
    // The rows of the first agent alone are more than is looked at.
    let large = format!(
        "insert into chat_messages (conversation_id, content)
         select case when n <= 300 then {} else {} end, n::text from generate_series(1, 301) n",
        fixture.ana.conversation, fixture.ben.conversation
    );
    fixture.run(&large).await;
    assert!(!fixture.app.realtime.publish().await, "no more is left");
    assert_eq!(
        (fixture.told("a"), fixture.told("b")),
        (vec!["resync".to_owned()], vec!["resync".to_owned()])
    );
}

#[tokio::test]
async fn the_clock_works_a_backlog_off_and_drops_what_is_old() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    for number in 0..60 {
        fixture.message(&fixture.ana, &number.to_string()).await;
    }
    assert!(fixture.app.realtime.publish().await, "a turn has its bounds");
    realtime::handle_clock(&fixture.app).await;
    assert_eq!(fixture.told("a").len(), 60);
    fixture.message(&fixture.ana, "old").await;
    fixture
        .run("update chat_unpublished set committed_after = now() - interval '11 minutes'")
        .await;
    shared::db::changes::forget_unpublished(&fixture.database.client)
        .await
        .unwrap();
    assert_eq!(fixture.count("select count(*) from chat_unpublished").await, 0);
}

#[tokio::test]
async fn a_connection_that_is_gone_is_forgotten_and_a_silent_one_holds_nobody_up() {
    let fixture = Fixture::new().await;
    for id in ["gone", "silent", "throttled", "good"] {
        fixture.open(id, &fixture.ana).await;
    }
    fixture.stub.behave("gone", Manner::Gone);
    fixture.stub.behave("silent", Manner::Silent);
    fixture.stub.behave("throttled", Manner::Throttled);
    fixture.message(&fixture.ana, "one").await;
    fixture.run("update chat_conversations set unread_count = 1").await;
    recording::start();
    fixture.app.realtime.publish().await;
    assert_eq!(fixture.told("good").len(), 3);
    let posts = |outcome| recording::told(Metric::RealtimePosts(outcome));
    assert_eq!(posts(PostOutcome::Posted), [3]);
    // No answer within its second is a failure as well.
    assert_eq!(
        (posts(PostOutcome::Gone), posts(PostOutcome::Failed)),
        (vec![1], vec![2])
    );
    assert!(posts(PostOutcome::Late).is_empty());
    // Whoever does not take a frame is not offered the next ones of that turn.
    assert_eq!(fixture.stub.attempts(), 3 + 3);
    let left = "select to_jsonb(connection_id) from chat_connections order by connection_id collate \"C\"";
    assert_eq!(
        fixture.database.json(left).await,
        ["good", "silent", "throttled"].map(Value::from)
    );
}

#[tokio::test]
async fn telling_ends_when_its_time_is_over() {
    let fixture = Fixture::new().await;
    for number in 0..70 {
        let id = format!("silent-{number}");
        fixture.open(&id, &fixture.ana).await;
        fixture.stub.behave(&id, Manner::Silent);
    }
    fixture.message(&fixture.ana, "one").await;
    let mut realtime = fixture.app.realtime.clone();
    // Less than the second after which a single frame is given up.
    realtime.patience = Duration::from_millis(900);
    recording::start();
    realtime.publish().await;
    let late = recording::told(Metric::RealtimePosts(PostOutcome::Late));
    assert!(late.len() == 1 && (1..=64).contains(&late[0]), "{late:?}");
    // The first ones are still silent: the others were not offered it.
    assert!(fixture.stub.attempts() <= 64, "{}", fixture.stub.attempts());
    // Nothing is owed: a page that missed it asks for the changes.
    assert_eq!(fixture.count("select count(*) from chat_unpublished").await, 0);
}

#[tokio::test]
async fn no_connection_to_the_database_is_held_while_frames_are_posted() {
    let fixture = Fixture::new().await;
    fixture.open("silent", &fixture.ana).await;
    fixture.stub.behave("silent", Manner::Silent);
    fixture.message(&fixture.ana, "one").await;
    let mut realtime = fixture.app.realtime.clone();
    let settings = shared::db::settings::Settings::from_url(&fixture.database.url).unwrap();
    realtime.database = shared::db::Database::new(settings, 1);
    let database = realtime.database.clone();
    let publish = realtime.publish();
    let ask = async {
        while fixture.stub.attempts() == 0 {
            tokio::task::yield_now().await;
        }
        // The only connection is free, or this waits until the frame is given up.
        database
            .run(async |client| Ok(client.simple_query("select 1").await.map(drop)?))
            .await
            .unwrap();
    };
    tokio::select! {
        _ = publish => panic!("the frame was given up first"),
        () = ask => {}
    }
}

#[tokio::test]
async fn going_on_from_any_frame_misses_nothing_that_another_frame_told() {
    let fixture = Fixture::new().await;
    fixture.open("a", &fixture.ana).await;
    // The frame of the first message is lost, the second one's arrives.
    let lost = fixture.message(&fixture.ana, "one").await;
    fixture.run("delete from chat_unpublished").await;
    let told = fixture.message(&fixture.ana, "two").await;
    fixture.app.realtime.publish().await;
    let frame = &fixture.stub.frames_of("a")[0];
    assert_eq!(frame["id"], told);
    let after = Cursor::from_text(frame["cursor"].as_str().unwrap()).unwrap();
    let page = shared::db::changes::list(
        &fixture.database.client,
        fixture.ana.user,
        &after,
        100,
        jiff::Timestamp::now(),
    )
    .await
    .unwrap()
    .expect("a frame's cursor is never too old");
    let ids: Vec<_> = page.changes.iter().filter_map(|change| change.id).collect();
    assert!(ids.contains(&lost) && ids.contains(&told), "{ids:?}");
    // Long after that, it lies behind both.
    fixture
        .run("update chat_changes set changed_at = now() - interval '3 minutes'")
        .await;
    fixture.message(&fixture.ana, "three").await;
    fixture.app.realtime.publish().await;
    let after = Cursor::from_text(fixture.stub.frames_of("a")[1]["cursor"].as_str().unwrap()).unwrap();
    let page = shared::db::changes::list(
        &fixture.database.client,
        fixture.ana.user,
        &after,
        100,
        jiff::Timestamp::now(),
    );
    let ids: Vec<_> = page
        .await
        .unwrap()
        .unwrap()
        .changes
        .iter()
        .filter_map(|change| change.id)
        .collect();
    assert!(!ids.contains(&lost), "{ids:?}");
}

#[tokio::test]
async fn the_clock_tells_how_long_something_was_left_untold() {
    let fixture = Fixture::new().await;
    fixture.message(&fixture.ana, "one").await;
    fixture
        .run("update chat_unpublished set committed_after = now() - interval '5 minutes'")
        .await;
    recording::start();
    realtime::handle_clock(&fixture.app).await;
    assert_eq!(recording::told(Metric::Owed(Work::Unpublished)), [1]);
    let oldest = recording::told(Metric::OldestOwed(Work::Unpublished))[0];
    assert!((300..360).contains(&oldest), "{oldest}");
}
