//! Files are asked for once a batch is committed. That the media queue cannot be told costs a minute, until the clock, and no record.

use std::time::Duration;

use shared::testing::sqs::Answer;

use crate::support::{Fixture, NUMBER, WABA, one_of_each, records, text};

/// Above the time that the queue has, and below the function's, which is 30 s.
const PATIENCE: Duration = Duration::from_secs(15);

async fn assert_that_the_batch_stands(fixture: &Fixture) {
    let bodies = one_of_each(WABA, NUMBER);
    let failed = tokio::time::timeout(PATIENCE, fixture.consume(&bodies)).await;
    assert_eq!(failed.expect("the batch ends in time"), Vec::<String>::new());
    assert_eq!(fixture.messages().await.len(), 5);
    assert!(!fixture.media_sqs.calls().is_empty(), "the queue was told");
    assert!(fixture.media_sqs.taken().is_empty());
    let due = "select count(*) from chat_media where state = 'pending' and next_try_at <= now()";
    assert_eq!(fixture.database.count(due).await, 1);
}

#[tokio::test]
async fn a_media_queue_that_refuses_fails_no_batch() {
    for answer in [Answer::Status(503), Answer::Status(403), Answer::AllBut(vec![0])] {
        let fixture = Fixture::new().await;
        fixture.media_sqs.answer_always(answer);
        assert_that_the_batch_stands(&fixture).await;
    }
}

#[tokio::test]
async fn a_media_queue_that_never_answers_holds_no_batch_up() {
    let fixture = Fixture::new().await;
    fixture.media_sqs.answer_always(Answer::Silence);
    assert_that_the_batch_stands(&fixture).await;
}

/// One of the agent's browsers.
const BROWSER: &str = "
    insert into chat_push_subscriptions (user_id, endpoint, p256dh, auth)
    select user_id, 'https://fcm.googleapis.com/' || waba_id, '', '' from waba_accounts";

/// Consumes bodies that reach the queue at this moment. Returns what is given back.
async fn take_now(fixture: &Fixture, bodies: &[String]) -> usize {
    let mut records = records(bodies);
    for record in &mut records {
        record.attributes.remove("SentTimestamp");
    }
    consumer::handle(&fixture.app, records).await.batch_item_failures.len()
}

#[tokio::test]
async fn notifications_are_asked_for_by_conversation_where_the_agent_has_a_browser() {
    let fixture = Fixture::new().await;
    let now = jiff::Timestamp::now().as_second();
    let mut tell = 0;
    let mut write = |from: &str| {
        tell += 1;
        text(from, &format!("wamid.news{tell}"), now, "Hello")
    };
    let (first, more) = (
        write("4915112345678"),
        [write("4915112345678"), write("4915112345678"), write("4915187654321")],
    );
    take_now(&fixture, &[first]).await;
    assert!(fixture.outbox_sqs.calls().is_empty(), "nobody is to be told");
    fixture.database.client.batch_execute(BROWSER).await.unwrap();
    take_now(&fixture, &more).await;
    let mut bodies: Vec<String> = fixture
        .outbox_sqs
        .taken()
        .iter()
        .map(|it| it["MessageBody"].to_string())
        .collect();
    bodies.sort_unstable();
    assert_eq!(bodies.len(), 2, "one a conversation: {bodies:?}");
    assert_eq!(fixture.database.count("select count(*) from chat_push_owed").await, 2);
    take_now(&fixture, &more).await;
    assert_eq!(fixture.outbox_sqs.taken().len(), 2, "what came again is no news");
}

#[tokio::test]
async fn an_outbox_queue_that_refuses_or_never_answers_fails_no_batch() {
    for answer in [Answer::Status(503), Answer::Silence] {
        let fixture = Fixture::new().await;
        fixture.outbox_sqs.answer_always(answer);
        fixture.database.client.batch_execute(BROWSER).await.unwrap();
        let body = text(
            "4915112345678",
            "wamid.news",
            jiff::Timestamp::now().as_second(),
            "Hello",
        );
        let failed = tokio::time::timeout(PATIENCE, take_now(&fixture, &[body])).await;
        assert_eq!(failed.expect("the batch ends in time"), 0);
        assert!(!fixture.outbox_sqs.calls().is_empty(), "the queue was told");
        let due = "select count(*) from chat_push_owed where next_try_at <= now()";
        assert_eq!(fixture.database.count(due).await, 1);
    }
}

#[tokio::test]
async fn a_trigger_that_was_lost_for_a_moment_is_sent_again() {
    let fixture = Fixture::new().await;
    fixture
        .media_sqs
        .answer_next([Answer::Status(500), Answer::AllBut(vec![0])]);
    assert!(fixture.consume(&one_of_each(WABA, NUMBER)).await.is_empty());
    assert_eq!(
        (fixture.media_sqs.calls().len(), fixture.media_sqs.taken().len()),
        (3, 1)
    );
}
