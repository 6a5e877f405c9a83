//! SQS delivers at least once: what is stored already and comes again changes nothing.

use consumer::App;
use shared::testing::sqs::Answer;

use crate::order::tables;
use crate::support::{Fixture, NUMBER, WABA, consume, one_of_each, records};

/// Files that are owed and that the clock would take now.
const DUE: &str = "select count(*) from chat_media where state = 'pending' and next_try_at <= now()";

/// Consumes bodies with another consumer and expects that nothing is given back and that nothing changes.
async fn comes_again(fixture: &Fixture, app: &App, bodies: &[String]) {
    let stored = tables(fixture).await;
    assert_eq!(fixture.messages().await.len(), 5, "it was committed");
    assert!(consume(app, bodies).await.is_empty());
    assert_eq!(tables(fixture).await, stored);
}

#[tokio::test]
async fn a_batch_whose_commit_was_not_answered_is_given_back_and_changes_nothing_when_it_comes_again() {
    let fixture = Fixture::new().await;
    let (proxy, app) = fixture.behind_a_proxy().await;
    proxy.lose_next_commit();
    let bodies = one_of_each(WABA, NUMBER);
    assert_eq!(consume(&app, &bodies).await.len(), bodies.len());
    comes_again(&fixture, &app, &bodies).await;
    assert_eq!(proxy.accepted(), 2);
    // Nobody asked for the file, as the first consumer knew of no commit and the second found nothing new. It is owed all the same.
    assert!(fixture.media_sqs.calls().is_empty());
    assert_eq!(fixture.database.count(DUE).await, 1);
}

#[tokio::test]
async fn a_consumer_that_dies_between_its_commit_and_its_answer_is_followed_by_one_that_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.media_sqs.answer_always(Answer::Silence);
    let bodies = one_of_each(WABA, NUMBER);
    let (app, batch) = (fixture.app.clone(), records(&bodies));
    let consumer = tokio::spawn(async move { consumer::handle(&app, batch).await });
    // It asks for files once it has committed.
    while fixture.media_sqs.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    consumer.abort();
    assert!(consumer.await.unwrap_err().is_cancelled());
    comes_again(&fixture, &fixture.app, &bodies).await;
    assert_eq!(fixture.database.count(DUE).await, 1);
}

#[tokio::test]
async fn records_of_every_kind_that_come_three_times_end_as_once_in_one_batch_and_in_three_at_once() {
    let bodies = one_of_each(WABA, NUMBER);
    let once = Fixture::new().await;
    assert!(once.consume(&bodies).await.is_empty());
    let expected = tables(&once).await;

    let in_one = Fixture::new().await;
    let thrice: Vec<String> = bodies.iter().cycle().take(bodies.len() * 3).cloned().collect();
    assert!(in_one.consume(&thrice).await.is_empty());
    assert_eq!(tables(&in_one).await, expected);

    let at_once = Fixture::new().await;
    let reversed: Vec<String> = bodies.iter().rev().cloned().collect();
    let failed = tokio::join!(
        at_once.consume(&bodies),
        at_once.consume(&reversed),
        at_once.consume(&bodies)
    );
    assert_eq!(failed, (vec![], vec![], vec![]));
    assert_eq!(tables(&at_once).await, expected);

    for fixture in [once, in_one, at_once] {
        assert_eq!(fixture.media_sqs.taken().len(), 1, "a file is asked for once");
    }
}
