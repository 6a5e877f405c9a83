//! Numbers that are used in the WhatsApp Business app too: what the business writes there, and what was on the phone before.

use crate::shown::{self, pick, time};
use crate::support::{Fixture, NOON, NUMBER, WABA, change, records, text};
use serde_json::{Value, json};
use shared::whatsapp::split::split;

const ANA: &str = "15550111";
const SHOP: &str = "15550100";
const DAY: i64 = 86_400;

fn echo(item: &Value) -> String {
    let mut full = json!({"from": SHOP});
    full.as_object_mut().unwrap().extend(item.as_object().cloned().unwrap());
    change(
        WABA,
        NUMBER,
        "smb_message_echoes",
        NOON,
        &json!({"message_echoes": [full]}),
    )
}

fn echoed_text(wamid: &str, seconds: i64, body: &str) -> String {
    echo(
        &json!({"to": ANA, "id": wamid, "timestamp": (NOON + seconds).to_string(), "type": "text", "text": {"body": body}}),
    )
}

/// A message of a history, `seconds` after the day before.
fn past(from: &str, wamid: &str, seconds: i64, kind: &str, body: Value) -> Value {
    json!({"from": from, "id": wamid, "timestamp": (NOON - DAY + seconds).to_string(), "type": kind, kind: body,
           "history_context": {"status": "READ"}})
}

fn past_text(from: &str, wamid: &str, seconds: i64, words: &str) -> Value {
    past(from, wamid, seconds, "text", json!({"body": words}))
}

fn history(threads: &Value) -> String {
    let history =
        json!({"history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 50}, "threads": threads}]});
    change(WABA, NUMBER, "history", NOON, &history)
}

fn thread(messages: &[Value]) -> Value {
    json!([{"id": ANA, "messages": messages}])
}

#[tokio::test]
async fn what_the_business_writes_on_its_phone_is_its_own_message() {
    let fixture = Fixture::new().await;
    fixture.consume(&[echoed_text("wamid.E", 1, "Hi Ana")]).await;
    let message = shown::message(&fixture, "wamid.E").await;
    assert_eq!(
        pick(&message, &["sender", "status", "content", "timestamp"]),
        json!({"sender": "user", "status": "sent", "content": "Hi Ana", "timestamp": time(NOON + 1)})
    );
    let fields = [
        "customer_phone",
        "last_message",
        "last_message_sender",
        "unread_count",
        "needs_reply",
        "window_expires_at",
        "customer_name",
    ];
    assert_eq!(
        pick(&shown::conversation(&fixture).await, &fields),
        json!({"customer_phone": "+15550111", "last_message": "Hi Ana", "last_message_sender": "user", "unread_count": 0,
               "needs_reply": false, "window_expires_at": null, "customer_name": null})
    );
    fixture.consume(&[text(ANA, "wamid.A", NOON, "Hello?")]).await;
    assert_eq!(
        pick(&shown::conversation(&fixture).await, &fields),
        json!({"customer_phone": "+15550111", "last_message": "Hi Ana", "last_message_sender": "user", "unread_count": 1,
               "needs_reply": false, "window_expires_at": time(NOON + DAY), "customer_name": "Ana"})
    );
}

#[tokio::test]
async fn an_echo_to_a_customer_without_a_phone_finds_the_conversation() {
    let fixture = Fixture::new().await;
    let image = json!({"id": "M1", "mime_type": "image/png", "sha256": "aA==", "caption": "Our shop"});
    fixture
        .consume(&[
            echo(&json!({"to_user_id": "US.1", "id": "wamid.1", "timestamp": NOON.to_string(), "type": "text", "text": {"body": "Hi"}})),
            echo(&json!({"to": ANA, "to_user_id": "US.1", "id": "wamid.2", "timestamp": (NOON + 1).to_string(), "type": "image", "image": image})),
            echo(&json!({"id": "wamid.3", "timestamp": NOON.to_string(), "type": "text", "text": {"body": "to nobody"}})),
        ])
        .await;
    let conversation = shown::conversation(&fixture).await;
    assert_eq!(
        pick(
            &conversation,
            &[
                "customer_phone",
                "customer_user_id",
                "last_message",
                "last_message_type"
            ]
        ),
        json!({"customer_phone": "+15550111", "customer_user_id": "US.1", "last_message": "Our shop", "last_message_type": "image"})
    );
    // Its file is fetched like a customer's.
    assert_eq!(shown::message(&fixture, "wamid.2").await["media"]["state"], "pending");
    assert_eq!(fixture.media_sqs.calls().len(), 1);
    assert_eq!(fixture.quarantine().await, [json!("missing_recipient")]);
}

#[tokio::test]
async fn a_history_has_two_senders_and_disturbs_nobody() {
    let fixture = Fixture::new().await;
    let archive = "update chat_conversations set status = 'archived', unread_count = 0";
    fixture
        .consume(&[text("15550222", "wamid.B", NOON - 9 * DAY, "Bea was here")])
        .await;
    fixture.database.client.batch_execute(archive).await.unwrap();
    let states = [
        ("PENDING", "sent"),
        ("SENT", "sent"),
        ("DELIVERED", "delivered"),
        ("READ", "read"),
        ("PLAYED", "read"),
        ("ERROR", "failed"),
    ];
    let mut own: Vec<Value> = (0..)
        .zip(states)
        .map(|(index, (state, _))| {
            let mut message = past_text(SHOP, &format!("wamid.own.{index}"), index, "From the shop");
            message["history_context"]["status"] = json!(state);
            message
        })
        .collect();
    own.push(past_text(ANA, "wamid.theirs", 50, "From Ana"));
    let bea = [
        past_text("+15550222", "wamid.bea", 60, "From Bea"),
        past_text(SHOP, "wamid.to bea", 70, "To Bea"),
    ];
    let threads = json!([{"id": ANA, "context": {"user_id": "US.1"}, "messages": own}, {"id": "15550222", "messages": bea}, {"id": "15550333", "messages": []}]);
    assert!(fixture.consume(&[history(&threads)]).await.is_empty());
    let shown = shown::messages(&fixture).await;
    assert_eq!(shown.len(), 1 + states.len() + 1 + 2);
    for (message, (_, status)) in shown[1..].iter().zip(states) {
        assert_eq!(
            pick(message, &["sender", "status"]),
            json!({"sender": "user", "status": status})
        );
    }
    let theirs: Vec<Value> = shown[7..]
        .iter()
        .map(|message| pick(message, &["sender", "status", "content"]))
        .collect();
    assert_eq!(
        theirs,
        [
            json!({"sender": "customer", "status": "read", "content": "From Ana"}),
            json!({"sender": "customer", "status": "read", "content": "From Bea"}),
            json!({"sender": "user", "status": "read", "content": "To Bea"})
        ]
    );
    let fields = [
        "customer_phone",
        "customer_user_id",
        "unread_count",
        "window_expires_at",
        "status",
        "last_message",
    ];
    let conversations: Vec<Value> = shown::conversations(&fixture)
        .await
        .iter()
        .map(|one| pick(one, &fields))
        .collect();
    assert_eq!(
        conversations,
        [
            json!({"customer_phone": "+15550222", "customer_user_id": null, "unread_count": 0, "window_expires_at": time(NOON - 8 * DAY),
                   "status": "archived", "last_message": "To Bea"}),
            json!({"customer_phone": "+15550111", "customer_user_id": "US.1", "unread_count": 0, "window_expires_at": null,
                   "status": "active", "last_message": "From Ana"}),
        ]
    );
    assert!(fixture.quarantine().await.is_empty());
}

#[tokio::test]
async fn a_placeholder_gives_way_to_its_file_in_both_orders() {
    let placeholder = |from: &str| history(&thread(&[past(from, "wamid.M", 0, "media_placeholder", Value::Null)]));
    let file = |from: &str, to: Option<&str>| {
        let mut item = past(
            from,
            "wamid.M",
            0,
            "image",
            json!({"id": "M1", "mime_type": "image/png", "sha256": "aA==", "caption": "Balcony"}),
        );
        item["to"] = json!(to);
        change(WABA, NUMBER, "history", NOON, &json!({"messages": [item]}))
    };
    for (sender, placeholder, file) in [
        ("customer", placeholder(ANA), file(ANA, None)),
        ("user", placeholder(SHOP), file(SHOP, Some(ANA))),
    ] {
        for order in [[&placeholder, &file], [&file, &placeholder]] {
            let fixture = Fixture::new().await;
            fixture.consume(&[order[0].clone()]).await;
            fixture.consume(&[order[1].clone()]).await;
            let shown = shown::messages(&fixture).await;
            assert_eq!(shown.len(), 1);
            assert_eq!(
                pick(&shown[0], &["message_type", "sender", "media_caption", "content"]),
                json!({"message_type": "image", "sender": sender, "media_caption": "Balcony", "content": null})
            );
            assert_eq!(shown[0]["media"]["state"], "pending");
            assert_eq!(
                pick(
                    &shown::conversation(&fixture).await,
                    &["unread_count", "window_expires_at", "last_message"]
                ),
                json!({"unread_count": 0, "window_expires_at": null, "last_message": "Balcony"})
            );
            assert_eq!(fixture.quarantine().await, [json!("conflicting_wamid")]);
        }
    }
}

#[tokio::test]
async fn what_came_live_is_not_made_history() {
    let live = text(ANA, "wamid.A", NOON, "Live");
    let past = history(&thread(&[past_text(ANA, "wamid.A", DAY, "Live")]));
    for order in [[&live, &past], [&past, &live]] {
        let fixture = Fixture::new().await;
        fixture.consume(&[order[0].clone()]).await;
        fixture.consume(&[order[1].clone()]).await;
        assert_eq!(shown::messages(&fixture).await.len(), 1);
        assert_eq!(shown::message(&fixture, "wamid.A").await["status"], "delivered");
        assert_eq!(
            pick(
                &shown::conversation(&fixture).await,
                &["unread_count", "window_expires_at"]
            ),
            json!({"unread_count": 1, "window_expires_at": time(NOON + DAY)})
        );
    }
}

#[tokio::test]
async fn a_history_of_a_thousand_messages_is_stored_once() {
    let fixture = Fixture::new().await;
    let messages: Vec<Value> = (0..1000)
        .map(|index| {
            let from = if index % 2 == 0 { ANA } else { SHOP };
            past_text(from, &format!("wamid.{index:04}"), index, &"x".repeat(200))
        })
        .collect();
    let units = split(history(&thread(&messages)).as_bytes()).unwrap();
    assert!(units.len() > 2);
    let bodies: Vec<String> = units
        .into_iter()
        .map(|unit| String::from_utf8(unit.body).unwrap())
        .collect();
    for _ in 0..2 {
        assert!(fixture.consume(&bodies).await.is_empty());
        let counts = "select jsonb_build_object('all', count(*), 'theirs', count(*) filter (where sender = 'customer')) from chat_messages";
        assert_eq!(
            fixture.database.json(counts).await,
            [json!({"all": 1000, "theirs": 500})]
        );
        assert!(fixture.quarantine().await.is_empty());
    }
    assert_eq!(
        shown::conversation(&fixture).await["last_message_time"],
        time(NOON - DAY + 999)
    );
}

#[tokio::test]
async fn a_history_that_is_not_shared_is_kept_with_its_reason_and_hides_nothing() {
    let fixture = Fixture::new().await;
    let declined = json!({"history": [{"errors": [{"code": 2_593_109, "title": "Not shared"}]}]});
    let partly = json!({"history": [{"errors": [{"code": 1}], "threads": [
        {"id": ANA, "messages": [past_text(ANA, "wamid.1", 0, "One")]}, {"id": "15550222", "messages": {"id": "wamid.2"}}]}]});
    let none_wrong = json!({"history": [{"errors": [], "threads": thread(&[past_text(ANA, "wamid.3", 1, "Three")])}]});
    let bodies = [declined, partly, none_wrong].map(|value| change(WABA, NUMBER, "history", NOON, &value));
    assert!(
        consumer::handle(&fixture.app, records(&bodies))
            .await
            .batch_item_failures
            .is_empty()
    );
    let contents: Vec<Value> = shown::messages(&fixture)
        .await
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(contents, ["One", "Three"]);
    assert_eq!(
        fixture.quarantine().await,
        [json!("malformed_thread"), json!("value_error"), json!("value_error")]
    );
}
