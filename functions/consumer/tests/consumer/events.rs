//! Reactions, edits and revocations: no rows of their own, but what their message shows.

use crate::shown::{self, pick, time};
use crate::support::{Fixture, NOON, NUMBER, WABA, change, message, text};
use serde_json::{Value, json};
use std::time::Instant;

const ANA: &str = "15550111";
const BEA: &str = "15550222";

fn by(phone: &str, wamid: &str, seconds: i64, kind: &str, body: Value) -> String {
    message(
        phone,
        "Ana",
        json!({"id": wamid, "timestamp": (NOON + seconds).to_string(), "type": kind, kind: body}),
    )
}

/// What the business does on its phone, in Ana's conversation.
fn echo(wamid: &str, seconds: i64, kind: &str, body: Value) -> String {
    let item = json!({"from": "15550100", "to": ANA, "id": wamid, "timestamp": (NOON + seconds).to_string(), "type": kind, kind: body});
    change(
        WABA,
        NUMBER,
        "smb_message_echoes",
        NOON,
        &json!({"message_echoes": [item]}),
    )
}

fn reaction(emoji: &str) -> Value {
    json!({"message_id": "wamid.A", "emoji": emoji})
}

fn edit(target: &str, words: &str) -> Value {
    json!({"original_message_id": target, "message": {"type": "text", "text": {"body": words}}})
}

fn revoke(target: &str) -> Value {
    json!({"original_message_id": target})
}

fn image(caption: Value) -> Value {
    json!({"id": "M1", "mime_type": "image/png", "sha256": "aA==", "caption": caption})
}

async fn parked(fixture: &Fixture) -> i64 {
    fixture
        .database
        .count("select count(*) from chat_message_events where parked")
        .await
}

/// Every order of four things.
fn orders() -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for code in 0..256 {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3];
        if (0..4).all(|index| order.contains(&index)) {
            all.push(order);
        }
    }
    assert_eq!(all.len(), 24);
    all
}

/// Forgets everything but the number.
async fn forget(fixture: &Fixture) {
    let sql = "truncate chat_conversations, chat_message_events, chat_quarantine, chat_customers cascade";
    fixture.database.client.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn of_each_sender_the_newest_reaction_stands_in_any_order() {
    let fixture = Fixture::new().await;
    let items = [
        text(ANA, "wamid.A", NOON, "Hello"),
        by(ANA, "wamid.r1", 5, "reaction", reaction("👍")),
        // Of two in one second the one with the greater wamid.
        by(ANA, "wamid.r2", 5, "reaction", reaction("👩‍👩‍👧‍👦")),
        echo("wamid.r3", 2, "reaction", reaction("❤️")),
    ];
    for order in orders() {
        for index in order {
            fixture.consume(&[items[index].clone()]).await;
        }
        assert_eq!(
            shown::message(&fixture, "wamid.A").await["reactions"],
            json!([{"emoji": "❤️", "sender": "user", "timestamp": time(NOON + 2)},
                   {"emoji": "👩‍👩‍👧‍👦", "sender": "customer", "timestamp": time(NOON + 5)}])
        );
        assert_eq!(parked(&fixture).await, 0);
        forget(&fixture).await;
    }
}

#[tokio::test]
async fn a_reaction_is_taken_back_by_an_empty_one_and_an_older_one_does_not_return() {
    let fixture = Fixture::new().await;
    let gone = json!({"message_id": "wamid.A"});
    fixture
        .consume(&[
            text(ANA, "wamid.A", NOON, "Hello"),
            by(ANA, "wamid.r1", 5, "reaction", reaction("👍")),
        ])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"][0]["emoji"], "👍");
    fixture
        .consume(&[by(ANA, "wamid.r2", 9, "reaction", reaction(""))])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"], json!([]));
    fixture
        .consume(&[by(ANA, "wamid.r3", 7, "reaction", reaction("😮"))])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"], json!([]));
    fixture
        .consume(&[by(ANA, "wamid.r4", 11, "reaction", reaction("🌱"))])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"][0]["emoji"], "🌱");
    fixture.consume(&[by(ANA, "wamid.r5", 12, "reaction", gone)]).await;
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"], json!([]));
}

#[tokio::test]
async fn what_is_done_in_one_conversation_does_not_touch_another() {
    let fixture = Fixture::new().await;
    fixture
        .consume(&[
            text(ANA, "wamid.A", NOON, "Hello"),
            by(BEA, "wamid.b1", 5, "reaction", reaction("👎")),
            by(BEA, "wamid.b2", 5, "edit", edit("wamid.A", "I am Ana")),
            by(BEA, "wamid.b3", 5, "revoke", revoke("wamid.A")),
        ])
        .await;
    let message = shown::message(&fixture, "wamid.A").await;
    assert_eq!(
        pick(&message, &["reactions", "content", "edited_at", "deleted_at"]),
        json!({"reactions": [], "content": "Hello", "edited_at": null, "deleted_at": null})
    );
    assert_eq!(parked(&fixture).await, 3);
    // Nor does it make one.
    assert_eq!(shown::conversations(&fixture).await.len(), 1);
}

#[tokio::test]
async fn only_its_author_changes_a_message() {
    let fixture = Fixture::new().await;
    let hi = json!({"body": "Hi"});
    fixture
        .consume(&[
            text(ANA, "wamid.A", NOON, "Hello"),
            echo("wamid.B", 1, "text", hi),
            by(ANA, "wamid.e1", 5, "edit", edit("wamid.B", "Hijacked")),
            by(ANA, "wamid.e2", 5, "revoke", revoke("wamid.B")),
            echo("wamid.e3", 5, "edit", edit("wamid.A", "Hijacked")),
            echo("wamid.e4", 5, "revoke", revoke("wamid.A")),
        ])
        .await;
    let fields = ["content", "edited_at", "deleted_at"];
    for (wamid, content) in [("wamid.A", "Hello"), ("wamid.B", "Hi")] {
        let message = shown::message(&fixture, wamid).await;
        assert_eq!(
            pick(&message, &fields),
            json!({"content": content, "edited_at": null, "deleted_at": null})
        );
    }
    assert_eq!(parked(&fixture).await, 4);
    fixture
        .consume(&[
            by(ANA, "wamid.e5", 6, "edit", edit("wamid.A", "Hello!")),
            echo("wamid.e6", 7, "edit", edit("wamid.B", "Hi!")),
        ])
        .await;
    let (own, theirs) = (
        shown::message(&fixture, "wamid.B").await,
        shown::message(&fixture, "wamid.A").await,
    );
    assert_eq!(
        pick(&theirs, &fields),
        json!({"content": "Hello!", "edited_at": time(NOON + 6), "deleted_at": null})
    );
    assert_eq!(
        pick(&own, &fields),
        json!({"content": "Hi!", "edited_at": time(NOON + 7), "deleted_at": null})
    );
    fixture
        .consume(&[echo("wamid.e7", 8, "revoke", revoke("wamid.B"))])
        .await;
    let own = shown::message(&fixture, "wamid.B").await;
    assert_eq!(
        pick(&own, &["content", "deleted_at"]),
        json!({"content": null, "deleted_at": time(NOON + 8)})
    );
}

#[tokio::test]
async fn the_newest_edit_stands_in_any_order() {
    let fixture = Fixture::new().await;
    let items = [
        text(ANA, "wamid.A", NOON, "Helo"),
        by(ANA, "wamid.e1", 5, "edit", edit("wamid.A", "Hello")),
        by(ANA, "wamid.e2", 9, "edit", edit("wamid.A", "Hello!")),
        by(ANA, "wamid.e0", 9, "edit", edit("wamid.A", "Hello?")),
    ];
    for order in orders() {
        for index in order {
            fixture.consume(&[items[index].clone()]).await;
        }
        let message = shown::message(&fixture, "wamid.A").await;
        assert_eq!(
            pick(&message, &["content", "edited_at", "timestamp"]),
            json!({"content": "Hello!", "edited_at": time(NOON + 9), "timestamp": time(NOON)})
        );
        // An edit says something new, and is no new message.
        assert_eq!(
            pick(
                &shown::conversation(&fixture).await,
                &["last_message", "last_message_time", "unread_count"]
            ),
            json!({"last_message": "Hello!", "last_message_time": time(NOON), "unread_count": 1})
        );
        forget(&fixture).await;
    }
}

#[tokio::test]
async fn an_edited_caption_is_a_caption_and_may_go() {
    let fixture = Fixture::new().await;
    let words = |body: Value| json!({"original_message_id": "wamid.I", "message": {"type": "image", "image": body}});
    let fields = ["content", "media_caption", "edited_at"];
    fixture
        .consume(&[
            by(ANA, "wamid.e1", 5, "edit", words(json!({"caption": "This one"}))),
            by(ANA, "wamid.I", 0, "image", image(json!("That one"))),
        ])
        .await;
    let message = shown::message(&fixture, "wamid.I").await;
    assert_eq!(
        pick(&message, &fields),
        json!({"content": null, "media_caption": "This one", "edited_at": time(NOON + 5)})
    );
    assert_eq!(message["media"]["state"], "pending");
    assert_eq!(shown::conversation(&fixture).await["last_message"], "This one");
    fixture
        .consume(&[by(ANA, "wamid.e2", 6, "edit", words(image(Value::Null)))])
        .await;
    let message = shown::message(&fixture, "wamid.I").await;
    assert_eq!(
        pick(&message, &fields),
        json!({"content": null, "media_caption": null, "edited_at": time(NOON + 6)})
    );
}

#[tokio::test]
async fn a_revoked_message_shows_nothing_whenever_it_was_edited() {
    let fixture = Fixture::new().await;
    let items = [
        text(ANA, "wamid.A", NOON, "A secret"),
        by(ANA, "wamid.e1", 5, "edit", edit("wamid.A", "The secret")),
        by(ANA, "wamid.x1", 7, "revoke", revoke("wamid.A")),
        by(ANA, "wamid.e2", 9, "edit", edit("wamid.A", "Another secret")),
    ];
    for order in orders() {
        for index in order {
            fixture.consume(&[items[index].clone()]).await;
        }
        let message = shown::message(&fixture, "wamid.A").await;
        assert_eq!(
            pick(&message, &["content", "deleted_at"]),
            json!({"content": null, "deleted_at": time(NOON + 7)})
        );
        assert!(!message.to_string().contains("secret"));
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(
                &conversation,
                &["last_message", "last_message_type", "last_message_time"]
            ),
            json!({"last_message": null, "last_message_type": "text", "last_message_time": time(NOON)})
        );
        forget(&fixture).await;
    }
}

#[tokio::test]
async fn nothing_of_a_revoked_message_is_left_to_see() {
    let fixture = Fixture::new().await;
    let card = json!([{"name": {"formatted_name": "Secret friend"}, "phones": [{"phone": "+1 555 0199"}]}]);
    let kinds = [
        ("image", image(json!("Secret caption"))),
        (
            "location",
            json!({"latitude": 38.5, "longitude": 9.25, "name": "Secret place"}),
        ),
        ("contacts", card),
        ("poll", json!({"question": "Secret?"})),
    ];
    for (index, (kind, body)) in (0..).zip(&kinds) {
        let wamid = format!("wamid.{kind}");
        fixture.consume(&[by(ANA, &wamid, index, kind, body.clone())]).await;
        fixture
            .consume(&[by(ANA, &format!("{wamid}.x"), 9, "revoke", revoke(&wamid))])
            .await;
    }
    let quoting = json!({"id": "wamid.Q", "timestamp": (NOON + 20).to_string(), "type": "text", "text": {"body": "?"},
        "context": {"id": "wamid.location"}});
    fixture.consume(&[message(ANA, "Ana", quoting)]).await;
    for message in shown::messages(&fixture).await {
        if message["wa_message_id"] == "wamid.Q" {
            assert_eq!(
                pick(&message["reply_to"], &["wa_message_id", "message_type", "content"]),
                json!({"wa_message_id": "wamid.location", "message_type": "location", "content": null})
            );
            continue;
        }
        assert_eq!(
            pick(
                &message,
                &["content", "media", "media_caption", "metadata", "deleted_at"]
            ),
            json!({"content": null, "media": null, "media_caption": null, "metadata": null, "deleted_at": time(NOON + 9)}),
            "{message:#}"
        );
    }
}

#[tokio::test]
async fn events_about_messages_move_nothing_in_the_list() {
    let fixture = Fixture::new().await;
    let archive = "update chat_conversations set status = 'archived', unread_count = 0";
    fixture
        .consume(&[
            text(ANA, "wamid.A", NOON, "Hello"),
            echo("wamid.B", 1, "text", json!({"body": "Hi"})),
        ])
        .await;
    fixture.database.client.batch_execute(archive).await.unwrap();
    let fields = [
        "last_message_time",
        "unread_count",
        "status",
        "needs_reply",
        "window_expires_at",
        "last_message",
    ];
    let before = pick(&shown::conversation(&fixture).await, &fields);
    fixture
        .consume(&[
            by(
                ANA,
                "wamid.r1",
                5000,
                "reaction",
                json!({"message_id": "wamid.B", "emoji": "👍"}),
            ),
            by(ANA, "wamid.e1", 5000, "edit", edit("wamid.A", "Hello!")),
            by(ANA, "wamid.x1", 5000, "revoke", revoke("wamid.A")),
            echo("wamid.r2", 5000, "reaction", reaction("👍")),
        ])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.B").await["reactions"][0]["emoji"], "👍");
    assert_eq!(pick(&shown::conversation(&fixture).await, &fields), before);
}

#[tokio::test]
async fn events_whose_message_never_comes_are_dropped_after_thirty_days() {
    let fixture = Fixture::new().await;
    fixture
        .consume(&[
            text(ANA, "wamid.A", NOON, "Hello"),
            by(ANA, "wamid.r1", 5, "reaction", reaction("👍")),
            by(ANA, "wamid.e1", 5, "edit", edit("wamid.never", "x")),
            by(ANA, "wamid.x1", 5, "revoke", revoke("wamid.not yet")),
        ])
        .await;
    let age = |wamid: &str, days: i32| {
        format!(
            "update chat_message_events set received_at = now() - interval '{days} days' where event_wamid = '{wamid}'"
        )
    };
    for (wamid, days) in [("wamid.r1", 90), ("wamid.e1", 31), ("wamid.x1", 29)] {
        fixture.database.client.batch_execute(&age(wamid, days)).await.unwrap();
    }
    consumer::handle_clock(&fixture.app, Instant::now()).await;
    let left = "select to_jsonb(event_wamid) from chat_message_events order by event_wamid";
    assert_eq!(
        fixture.database.json(left).await,
        [json!("wamid.r1"), json!("wamid.x1")]
    );
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"][0]["emoji"], "👍");
}
