//! Whoever sends may die at any point. A message is never sent twice, and ends with its reason.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db::outbound::{self, Claim, Extras, Owed, Reservation, Reserved};
use shared::domain::send::{SendRequest, Verdict, plan};
use shared::whatsapp::bodies;
use shared::whatsapp::errors::MessageError;
use uuid::Uuid;

use crate::support::{Desk, NUMBER, TOKEN};

const CUSTOMER: &str = "+4915112345678";

impl Desk {
    /// Reserves a message, and goes no further.
    async fn reserve(&self, message_id: &str, conversation: i64) -> Reserved {
        let request = json!({"conversation_id": conversation, "message": "Hello!", "message_id": message_id});
        let request: SendRequest = serde_json::from_value(request).unwrap();
        let plan = plan(&request, Uuid::new_v4()).unwrap();
        let now = Timestamp::now();
        let reserve = self
            .outbound
            .database
            .run(async |client| outbound::reserve(client, self.user, &plan, Extras::default(), now).await);
        match reserve.await.unwrap() {
            Reservation::Reserved(reserved) => reserved,
            other => panic!("{other:?}"),
        }
    }

    async fn claim(&self, conversation: i64) -> Owed {
        let settings = self.outbound.settings;
        let (lease, terms) = (self.outbound.lease, (settings.pace, settings.patience.hold));
        let claim = self
            .outbound
            .database
            .run(async |client| outbound::claim(client, conversation, lease, terms, Timestamp::now()).await);
        match claim.await.unwrap() {
            Claim::Taken(owed) => *owed,
            other => panic!("{other:?}"),
        }
    }

    async fn begin(&self, owed: &Owed) -> bool {
        let begin = self
            .outbound
            .database
            .run(async |client| outbound::begin(client, owed, Duration::from_mins(15)).await);
        begin.await.unwrap()
    }

    async fn settle(&self, owed: &Owed, verdict: &Verdict) {
        let settle = self
            .outbound
            .database
            .run(async |client| outbound::settle(client, owed, verdict, Timestamp::now()).await);
        settle.await.unwrap();
    }

    async fn open(&self) -> i64 {
        self.database
            .count("select count(*) from chat_sends where settled_at is null")
            .await
    }
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test]
async fn who_dies_before_the_turn_is_followed_by_the_clock() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let id = id();
    desk.reserve(&id, conversation).await;
    desk.tick().await;
    desk.reaches(&id, "read").await;
    assert_eq!((desk.accepted().await.len(), desk.open().await), (1, 0));
}

#[tokio::test]
async fn who_dies_before_the_mark_is_followed_when_the_lease_ends() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let id = id();
    desk.reserve(&id, conversation).await;
    let owed = desk.claim(conversation).await;
    desk.tick().await;
    assert_eq!(desk.state(&id).await.0, "pending", "the lease holds");
    desk.pass_time().await;
    desk.tick().await;
    desk.reaches(&id, "read").await;
    assert!(!desk.begin(&owed).await, "whoever comes back late must not ask Graph");
    assert_eq!(desk.accepted().await.len(), 1);
}

#[tokio::test]
async fn who_dies_after_the_mark_leaves_a_message_that_is_never_sent_again_and_fails_as_unconfirmed() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let (lost, next) = (id(), id());
    desk.reserve(&lost, conversation).await;
    let owed = desk.claim(conversation).await;
    assert!(desk.begin(&owed).await);
    assert!(!desk.begin(&owed).await, "one mark is one call");
    desk.reserve(&next, conversation).await;
    desk.tick().await;
    assert_eq!(desk.state(&next).await.0, "pending", "it may still be on its way");
    desk.pass_time().await;
    desk.tick().await;
    let (status, error) = desk.state(&lost).await;
    assert_eq!(
        (status.as_str(), &error["title"], &error["code"], &error["retryable"]),
        ("failed", &json!("unconfirmed"), &Value::Null, &json!(false))
    );
    desk.reaches(&next, "read").await;
    for retry in [false, true] {
        let body = json!({"conversation_id": conversation, "message": "Hello!", "message_id": lost, "retry": retry});
        assert_eq!(desk.send(body).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let accepted = desk.accepted().await;
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0]["body"]["biz_opaque_callback_data"], next);
}

#[tokio::test]
async fn who_dies_after_graph_took_it_is_told_by_a_status_even_when_it_was_given_up() {
    for is_given_up in [false, true] {
        let desk = Desk::new().await;
        let conversation = desk.conversation(CUSTOMER).await;
        let id = id();
        desk.reserve(&id, conversation).await;
        let owed = desk.claim(conversation).await;
        assert!(desk.begin(&owed).await);
        if is_given_up {
            desk.pass_time().await;
            desk.tick().await;
            assert_eq!(desk.state(&id).await.0, "failed");
        }
        let object = json!({"body": "Hello!", "preview_url": false});
        let body = bodies::message(&owed.recipient, "text", &object, None, &id);
        desk.outbound.graph.send_message(TOKEN, NUMBER, &body).await.unwrap();
        desk.reaches(&id, "read").await;
        assert_eq!(desk.state(&id).await.1, Value::Null);
        desk.tick().await;
        assert_eq!((desk.accepted().await.len(), desk.open().await), (1, 0));
    }
}

#[tokio::test]
async fn an_answer_that_came_and_could_not_be_written_down_at_once_is_written_down_later() {
    for is_lost in [false, true] {
        let desk = Desk::new().await;
        let conversation = desk.conversation(CUSTOMER).await;
        desk.fault(json!({"kind": "delay", "ms": 600, "times": 1})).await;
        desk.fault(json!({"kind": "no_webhooks"})).await;
        let (proxy, outbound) = desk.behind_a_proxy().await;
        let body = json!({"conversation_id": conversation, "message": "Hello!"});
        let sending = desk.post(desk.send_function(Some(outbound)), "/api/live-chat/send-message", &body);
        let cutting = async {
            while desk.requests().await.is_empty()
                && desk
                    .database
                    .count("select count(*) from chat_sends where attempted_at is not null")
                    .await
                    == 0
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            proxy.freeze();
            if is_lost {
                // The outcome is written on a new connection and its acknowledgement lost: it is written again.
                proxy.lose_next_commit();
            }
            tokio::time::sleep(Duration::from_millis(800)).await;
            proxy.thaw();
        };
        let ((status, reply), ()) = tokio::join!(sending, cutting);
        assert_eq!(
            (status, &reply["message"]["status"]),
            (StatusCode::OK, &json!("sent")),
            "{reply}"
        );
        assert_eq!((desk.accepted().await.len(), desk.open().await), (1, 0));
    }
}

#[tokio::test]
async fn a_cut_at_any_commit_neither_loses_nor_doubles() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let (proxy, outbound) = desk.behind_a_proxy().await;
    for _ in 0..5 {
        proxy.lose_next_commit();
        let body = json!({"conversation_id": conversation, "message": "Hello!"});
        let (status, reply) = desk
            .post(
                desk.send_function(Some(outbound.clone())),
                "/api/live-chat/send-message",
                &body,
            )
            .await;
        assert!([200, 202, 503].contains(&status.as_u16()), "{status} {reply}");
    }
    for _ in 0..3 {
        desk.pass_time().await;
        desk.tick().await;
    }
    assert_eq!(desk.open().await, 0);
    let ids = desk
        .database
        .json("select to_jsonb(message_id) from chat_messages where sender = 'user'")
        .await;
    for id in &ids {
        desk.reaches(id.as_str().unwrap(), "read").await;
    }
    assert_eq!((desk.accepted().await.len(), ids.len()), (5, 5));
}

#[tokio::test]
async fn ten_outboxes_at_once_send_each_message_once_and_in_order() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        let id = id();
        desk.reserve(&id, conversation).await;
        ids.push(json!(id));
    }
    let ticks: Vec<_> = (0..10).map(|_| desk.tick()).collect();
    futures_util::stream::iter(ticks)
        .buffer_unordered(10)
        .collect::<Vec<()>>()
        .await;
    let sent: Vec<Value> = desk
        .accepted()
        .await
        .into_iter()
        .map(|message| message["body"]["biz_opaque_callback_data"].clone())
        .collect();
    assert_eq!(sent, ids);
}

#[tokio::test]
async fn an_outcome_that_is_written_down_again_does_not_touch_what_somebody_else_has_begun_since() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let id = id();
    desk.reserve(&id, conversation).await;
    let first = desk.claim(conversation).await;
    assert!(desk.begin(&first).await);
    let later = Verdict::Later {
        wait: Duration::ZERO,
        slows_number: false,
        error: MessageError::own("HTTP 503", None, true),
    };
    let failed = Verdict::Failed(MessageError::own("HTTP 503", None, true));
    desk.settle(&first, &later).await;
    let second = desk.claim(conversation).await;
    assert!(desk.begin(&second).await);
    for late in [&later, &failed, &Verdict::Unanswered] {
        desk.settle(&first, late).await;
        desk.tick().await;
        assert_eq!(desk.state(&id).await.0, "pending", "{late:?}");
    }
    assert!(desk.requests().await.is_empty(), "nobody else may ask Graph now");
    desk.settle(&second, &failed).await;
    assert_eq!(desk.state(&id).await.0, "failed");
}
