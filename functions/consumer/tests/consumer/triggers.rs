//! Files are asked for once a batch is committed. That the media queue cannot be told costs a minute, until the clock, and no record.

use std::time::Duration;

use shared::testing::sqs::Answer;

use crate::support::{Fixture, NUMBER, WABA, one_of_each};

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
