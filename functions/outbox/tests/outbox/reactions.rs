//! Reactions: no messages of their own, but owed, tried again and settled as messages are.

use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Desk, NUMBER, until};

const CUSTOMER: &str = "+4915112345678";

impl Desk {
    /// Reacts; `key` is the idempotency key.
    async fn react(&self, conversation: i64, target: &str, emoji: &str, key: &str) -> (StatusCode, Value) {
        let reaction = json!({"message_id": target, "emoji": emoji});
        self.send(json!({"conversation_id": conversation, "message_type": "reaction", "reaction": reaction, "message_id": key}))
            .await
    }

    /// The emoji that a message shows, each with its sender.
    async fn emoji(&self, conversation: i64, target: &str) -> Vec<(String, String)> {
        let shown = self.shown(conversation, target).await;
        let reactions = shown["reactions"].as_array().unwrap();
        let text = |reaction: &Value, name: &str| reaction[name].as_str().unwrap().to_owned();
        reactions
            .iter()
            .map(|reaction| (text(reaction, "emoji"), text(reaction, "sender")))
            .collect()
    }

    /// Waits until the agent's reaction on a message is this one, or none.
    async fn shows(&self, conversation: i64, target: &str, emoji: Option<&str>) {
        let expected: Vec<(String, String)> = emoji
            .map(|emoji| (emoji.to_owned(), "user".to_owned()))
            .into_iter()
            .collect();
        let what = format!("{expected:?} to be shown");
        until(&what, async || {
            (self.emoji(conversation, target).await == expected).then_some(())
        })
        .await;
    }

    async fn unsettled(&self) -> i64 {
        let open = "select count(*) from chat_sends where settled_at is null";
        self.database.count(open).await
    }
}

fn key() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test]
async fn a_reaction_shows_on_the_customers_message_and_on_ones_own_and_is_no_message() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    let (own, _) = desk.text(conversation, "Hello!").await;
    desk.reaches(&own, "read").await;
    let list = "select to_jsonb(c) - 'updated_at' from chat_conversations c";
    let before = desk.database.json(list).await;
    for target in [&wamid, &own] {
        let id = key();
        let (status, reply) = desk.react(conversation, target, "👍", &id).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let timestamp = &reply["reaction"]["timestamp"];
        assert!(timestamp.is_string());
        assert_eq!(
            reply,
            json!({"success": true, "result": "accepted", "reaction": {"emoji": "👍", "sender": "user", "timestamp": timestamp}})
        );
        let target_wamid = desk.shown(conversation, target).await["wa_message_id"].clone();
        let accepted = desk.accepted().await;
        assert_eq!(
            accepted.last().unwrap()["body"],
            json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "4915112345678", "type": "reaction",
                   "reaction": {"message_id": target_wamid, "emoji": "👍"}, "biz_opaque_callback_data": id})
        );
        desk.shows(conversation, target, Some("👍")).await;
    }
    let user = "select count(*) from chat_messages where sender = 'user'";
    assert_eq!(desk.database.count(user).await, 1);
    assert_eq!(
        desk.database.json(list).await,
        before,
        "the list of conversations stays"
    );
}

#[tokio::test]
async fn a_reaction_gives_way_to_the_next_and_an_empty_one_takes_it_back() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    for (emoji, shown) in [("👍", Some("👍")), ("❤️", Some("❤️")), ("", None), ("🙏🏽", Some("🙏🏽"))]
    {
        let (status, reply) = desk.react(conversation, &wamid, emoji, &key()).await;
        assert_eq!((status, &reply["reaction"]["emoji"]), (StatusCode::OK, &json!(emoji)));
        desk.shows(conversation, &wamid, shown).await;
    }
    assert_eq!(desk.accepted().await.len(), 4);
    assert_eq!(desk.database.count("select count(*) from chat_quarantine").await, 0);
}

#[tokio::test]
async fn one_key_reacts_once_and_stands_for_one_reaction() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    let (_, other) = desk.customer_writes(CUSTOMER, "Anybody?").await;
    let id = key();
    let replies = join_all((0..10).map(|_| desk.react(conversation, &wamid, "👍", &id))).await;
    let is_good = |(status, _): &(StatusCode, Value)| [StatusCode::OK, StatusCode::ACCEPTED].contains(status);
    assert!(replies.iter().all(is_good), "{replies:?}");
    let accepted = replies
        .iter()
        .filter(|(_, reply)| reply["result"] == "accepted")
        .count();
    assert_eq!(accepted, 1);
    let (status, reply) = desk.react(conversation, &wamid, "👍", &id).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!("replayed")));
    for (target, emoji) in [(&wamid, "❤️"), (&wamid, ""), (&other, "👍")] {
        let (status, reply) = desk.react(conversation, target, emoji, &id).await;
        assert_eq!(
            (status, &reply["error"]["code"]),
            (StatusCode::CONFLICT, &json!("message_id_in_use"))
        );
    }
    let text = json!({"conversation_id": conversation, "message": "Hi", "message_id": id});
    assert_eq!(desk.send(text).await.0, StatusCode::CONFLICT);
    let (message, _) = desk.text(conversation, "Hi").await;
    let (status, _) = desk.react(conversation, &wamid, "👍", &message).await;
    assert_eq!(status, StatusCode::CONFLICT, "the key of a message");
    assert_eq!(desk.accepted().await.len(), 2);
}

#[tokio::test]
async fn a_reaction_that_graph_refuses_has_failed_with_the_reason_and_so_has_its_replay() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    desk.fault(
        json!({"kind": "http_error", "status": 400, "code": 131_026, "details": "Not on WhatsApp.", "times": 1}),
    )
    .await;
    let id = key();
    for _ in 0..2 {
        let (status, reply) = desk.react(conversation, &wamid, "👍", &id).await;
        let error = &reply["error"];
        assert_eq!(
            (
                status,
                &error["code"],
                &error["reason"]["code"],
                &error["reason"]["details"],
                &error["reason"]["retryable"]
            ),
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!("message_failed"),
                &json!(131_026),
                &json!("Not on WhatsApp."),
                &json!(false)
            )
        );
    }
    assert_eq!(desk.emoji(conversation, &wamid).await, []);
    let body = json!({"conversation_id": conversation, "reaction": {"message_id": wamid, "emoji": "👍"}, "message_id": id, "retry": true});
    let (status, reply) = desk.send(body).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!("retried")));
    desk.shows(conversation, &wamid, Some("👍")).await;
    assert_eq!((desk.accepted().await.len(), desk.requests().await.len()), (1, 2));
}

#[tokio::test]
async fn what_fails_by_webhook_is_taken_away_and_shows_what_stood_there_before() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    for before in [None, Some("👍")] {
        if let Some(emoji) = before {
            desk.react(conversation, &wamid, emoji, &key()).await;
        }
        desk.shows(conversation, &wamid, before).await;
        desk.fault(json!({"kind": "status_failed", "code": 131_026, "times": 1}))
            .await;
        let id = key();
        let (status, _) = desk.react(conversation, &wamid, "❤️", &id).await;
        assert_eq!(status, StatusCode::OK);
        let failed = "select count(*) from chat_message_events where kind = 'status' and status = 'failed'";
        let expected = i64::from(before.is_some()) + 1;
        until("the failure", async || {
            (desk.database.count(failed).await == expected).then_some(())
        })
        .await;
        desk.shows(conversation, &wamid, before).await;
        let (status, reply) = desk.react(conversation, &wamid, "❤️", &id).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(reply["error"]["reason"]["code"], 131_026);
    }
}

#[tokio::test]
async fn a_reaction_without_an_answer_is_bound_by_its_status_and_never_sent_again() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    // Both within one second: a status tells only the second, and the one that was sent later counts.
    desk.react(conversation, &wamid, "👍", &key()).await;
    desk.fault(json!({"kind": "no_answer", "times": 1})).await;
    let id = key();
    let (status, reply) = desk.react(conversation, &wamid, "❤️", &id).await;
    assert_eq!(
        (status, &reply["reaction"]["emoji"]),
        (StatusCode::ACCEPTED, &json!("❤️"))
    );
    desk.shows(conversation, &wamid, Some("❤️")).await;
    let (status, reply) = desk.react(conversation, &wamid, "❤️", &id).await;
    assert_eq!((status, &reply["result"]), (StatusCode::OK, &json!("replayed")));
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!((desk.requests().await.len(), desk.unsettled().await), (2, 0));
}

#[tokio::test]
async fn a_reaction_of_which_nobody_says_anything_fails_as_unconfirmed() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    desk.fault(json!({"kind": "no_answer_before_accept", "times": 1})).await;
    let id = key();
    assert_eq!(
        desk.react(conversation, &wamid, "👍", &id).await.0,
        StatusCode::ACCEPTED
    );
    desk.pass_time().await;
    desk.tick().await;
    let (status, reply) = desk.react(conversation, &wamid, "👍", &id).await;
    assert_eq!(
        (
            status,
            &reply["error"]["reason"]["title"],
            &reply["error"]["reason"]["retryable"]
        ),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("unconfirmed"), &json!(false))
    );
    assert_eq!(desk.emoji(conversation, &wamid).await, []);
    assert_eq!((desk.requests().await.len(), desk.accepted().await.len()), (1, 0));
}

#[tokio::test]
async fn a_reaction_that_waits_keeps_its_place_among_the_messages() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 131_016, "retry_after": 60, "times": 1}))
        .await;
    let id = key();
    let (status, reply) = desk.react(conversation, &wamid, "👍", &id).await;
    assert_eq!(
        (status, &reply["reaction"]["emoji"]),
        (StatusCode::ACCEPTED, &json!("👍"))
    );
    assert_eq!(
        desk.emoji(conversation, &wamid).await,
        [],
        "nothing is shown before WhatsApp has it"
    );
    let (text, state) = desk.text(conversation, "after it").await;
    assert_eq!(state, "pending");
    desk.pass_time().await;
    desk.tick().await;
    desk.reaches(&text, "read").await;
    desk.shows(conversation, &wamid, Some("👍")).await;
    let kinds: Vec<Value> = desk
        .accepted()
        .await
        .iter()
        .map(|it| it["body"]["type"].clone())
        .collect();
    assert_eq!(kinds, ["reaction", "text"]);
}

#[tokio::test]
async fn a_target_is_a_message_of_the_conversation() {
    let desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    let (_, elsewhere) = desk.customer_writes("+4915112345679", "Hello?").await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 131_016, "times": 1}))
        .await;
    let (waiting, _) = desk.text(conversation, "not at WhatsApp yet").await;
    for target in ["wamid.unknown", &elsewhere, &waiting, &key()] {
        let (status, reply) = desk.react(conversation, target, "👍", &key()).await;
        assert_eq!(
            (status, &reply["error"]["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("reaction.message_id")),
            "{target}"
        );
    }
    assert_eq!(desk.unsettled().await, 1, "the text");
    assert!(desk.accepted().await.is_empty());
}

#[tokio::test]
async fn a_reaction_to_a_deleted_message_brings_nothing_of_it_back() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "a secret").await;
    let url = format!("{}/_simulator/customer-messages", desk.simulator);
    let body = json!({"phone_number_id": NUMBER, "from": CUSTOMER, "type": "revoke", "revoke": {"original_message_id": wamid}});
    desk.http
        .post(url)
        .json(&body)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    until("the deletion", async || {
        desk.shown(conversation, &wamid).await["deleted_at"]
            .is_string()
            .then_some(())
    })
    .await;
    let (status, reply) = desk.react(conversation, &wamid, "👍", &key()).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    desk.shows(conversation, &wamid, Some("👍")).await;
    let shown = desk.shown(conversation, &wamid).await;
    assert_eq!(
        (&shown["content"], shown["deleted_at"].is_string()),
        (&Value::Null, true)
    );
}

#[tokio::test]
async fn a_conversation_from_before_customers_had_ids_shows_its_reaction_too() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let wamid = format!("wamid.inbound{conversation}");
    let (status, reply) = desk.react(conversation, &wamid, "👍", &key()).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    desk.shows(conversation, &wamid, Some("👍")).await;
}

#[tokio::test]
async fn the_window_holds_for_reactions_too() {
    let desk = Desk::new().await;
    let (conversation, wamid) = desk.customer_writes(CUSTOMER, "Hello?").await;
    let close = "update chat_conversations set last_inbound_at = now() - interval '24 hours'";
    desk.database.client.batch_execute(close).await.unwrap();
    let (status, reply) = desk.react(conversation, &wamid, "👍", &key()).await;
    assert_eq!(
        (status, &reply["error"]["code"]),
        (StatusCode::CONFLICT, &json!("customer_service_window_closed"))
    );
    assert_eq!(desk.unsettled().await, 0);
}
