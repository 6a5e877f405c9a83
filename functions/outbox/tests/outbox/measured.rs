//! What sending tells of itself, and the id that it carries on.

use serde_json::{Value, json};
use shared::metrics::{Metric, PushOutcome, SendOutcome, Work, recording};

use crate::support::Desk;

const CUSTOMER: &str = "+4915112345678";

fn sends(outcome: SendOutcome) -> usize {
    recording::told(Metric::Sends(outcome)).len()
}

#[tokio::test]
async fn attempts_are_told_by_their_outcome_and_graph_by_its_time() {
    let desk = Desk::new().await;
    recording::start();
    for (index, (code, outcome)) in [
        (None, SendOutcome::Sent),
        (Some(131_026), SendOutcome::Failed),
        (Some(131_000), SendOutcome::Retried),
        (Some(190), SendOutcome::Held),
    ]
    .into_iter()
    .enumerate()
    {
        if let Some(code) = code {
            desk.fault(json!({"kind": "http_error", "status": 400, "code": code, "times": 1}))
                .await;
        }
        // Of another customer, whom nothing keeps waiting.
        let customer = format!("+491511234567{index}");
        let conversation = desk.conversation(&customer).await;
        desk.text(conversation, "Hello!").await;
        assert_eq!(sends(outcome), 1, "{code:?}");
        let took = recording::told(Metric::GraphLatency);
        assert!(
            !took.is_empty() && took.iter().all(|took| (0..20_000).contains(took)),
            "{took:?}"
        );
    }
    for outcome in SendOutcome::ALL {
        assert_eq!(sends(*outcome), 0, "each is told once: {outcome:?}");
    }
    recording::start();
    desk.tick().await;
    assert_eq!(recording::told(Metric::AccountsToReconnect), [1]);
}

#[tokio::test]
async fn an_answer_that_never_came_is_told() {
    let desk = Desk::new().await;
    recording::start();
    desk.fault(json!({"kind": "no_answer_before_accept", "times": 1})).await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.text(conversation, "Hello!").await;
    assert_eq!(sends(SendOutcome::Unanswered), 1);
}

#[tokio::test]
async fn the_clock_tells_what_is_overdue_and_not_what_waits_its_turn() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 2, "times": 1, "retry_after": 60}))
        .await;
    desk.text(conversation, "first").await;
    desk.text(conversation, "behind it").await;
    let told = async || {
        recording::start();
        desk.tick().await;
        (
            recording::told(Metric::Owed(Work::Sends))[0],
            recording::told(Metric::OldestOwed(Work::Sends))[0],
        )
    };
    let later =
        "update chat_sends set next_try_at = now() + interval '1 hour' where id = (select min(id) from chat_sends)";
    desk.database.client.batch_execute(later).await.unwrap();
    assert_eq!(told().await, (0, 0), "the first waits, and the second behind it");
    let overdue =
        "update chat_sends set next_try_at = now() - interval '15 minutes' where id = (select min(id) from chat_sends)";
    desk.database.client.batch_execute(overdue).await.unwrap();
    let (count, oldest) = told().await;
    assert!(count == 1 && (900..960).contains(&oldest), "{count} {oldest}");
    assert_eq!(told().await, (0, 0), "the clock sent them");
}

#[tokio::test]
async fn notifications_are_told_by_their_outcome() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    for (status, outcome) in [
        (201, PushOutcome::Delivered),
        (400, PushOutcome::Refused),
        (503, PushOutcome::Retried),
        (410, PushOutcome::Gone),
    ] {
        desk.customer_writes("4915112345678", "Hello").await;
        if status != 201 {
            desk.answer_next(&browser, json!({ "status": status })).await;
        }
        desk.pass_push_time().await;
        recording::start();
        desk.tick().await;
        assert_eq!(recording::told(Metric::Owed(Work::Pushes)), [1], "{status}");
        assert_eq!(recording::told(Metric::Pushes(outcome)), [1], "{status}");
        let rest = "update chat_push_subscriptions set wait_until = null";
        desk.database.client.batch_execute(rest).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_left_for_later_carries_the_id_of_its_request() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    desk.fault(json!({"kind": "http_error", "status": 400, "code": 131_000, "times": 2}))
        .await;
    desk.text(conversation, "Hello!").await;
    desk.pass_time().await;
    let body = json!({"conversation_id": conversation}).to_string();
    let attributes = json!({"correlation_id": {"stringValue": "request-7", "dataType": "String"}});
    desk.outbox(json!({"Records": [{"messageId": "1", "body": body, "messageAttributes": attributes}]}))
        .await;
    let taken = desk.sqs.taken();
    let last: &Value = taken.last().unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(last["MessageAttributes"]["correlation_id"]["StringValue"], "request-7");
}
