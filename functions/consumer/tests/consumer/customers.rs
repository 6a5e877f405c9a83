//! Who a customer is: phone numbers and business-scoped user ids that prove to be one person's, and the conversations that follow.

use crate::shown::{self, pick};
use crate::support::{Fixture, NOON, NUMBER, WABA, change};
use serde_json::{Value, json};

pub(crate) const PHONE: &str = "15550111";
pub(crate) const ID: &str = "US.1";
pub(crate) const KEYS: [&str; 2] = ["customer_phone", "customer_user_id"];

/// A text of somebody to a number.
pub(crate) fn to(at: (&str, &str), who: &Value, wamid: &str, seconds: i64) -> String {
    let mut item =
        json!({"id": wamid, "timestamp": (NOON + seconds).to_string(), "type": "text", "text": {"body": wamid}});
    let mut contact = json!({"profile": {"name": format!("Name in {wamid}")}});
    for (in_item, in_contact) in [("from", "wa_id"), ("from_user_id", "user_id")] {
        if let Some(id) = who.get(in_item) {
            item[in_item] = id.clone();
            contact[in_contact] = id.clone();
        }
    }
    change(
        at.0,
        at.1,
        "messages",
        NOON,
        &json!({"contacts": [contact], "messages": [item]}),
    )
}

pub(crate) fn from(who: &Value, wamid: &str, seconds: i64) -> String {
    to((WABA, NUMBER), who, wamid, seconds)
}

pub(crate) fn phone() -> Value {
    json!({"from": PHONE})
}

pub(crate) fn id() -> Value {
    json!({"from_user_id": ID})
}

pub(crate) fn both() -> Value {
    json!({"from": PHONE, "from_user_id": ID})
}

/// A system message.
fn told(who: &Value, seconds: i64, system: Value) -> String {
    let mut item = json!({"id": format!("wamid.told.{seconds}"), "timestamp": (NOON + seconds).to_string(), "type": "system", "system": system});
    item.as_object_mut().unwrap().extend(who.as_object().cloned().unwrap());
    change(WABA, NUMBER, "messages", NOON, &json!({"messages": [item]}))
}

pub(crate) async fn sql(fixture: &Fixture, statement: &str) {
    fixture.database.client.batch_execute(statement).await.unwrap();
}

/// The contents of all messages, by conversation.
pub(crate) async fn contents(fixture: &Fixture) -> Vec<Value> {
    fixture
        .database
        .json("select jsonb_agg(content order by timestamp, content) from chat_messages group by conversation_id order by conversation_id")
        .await
}

#[tokio::test]
async fn one_person_has_one_conversation_whatever_ids_they_show() {
    for order in [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0]] {
        let fixture = Fixture::new().await;
        let items = [
            from(&phone(), "wamid.1", 0),
            from(&both(), "wamid.2", 1),
            from(&id(), "wamid.3", 2),
        ];
        for index in order {
            fixture.consume(&[items[index].clone()]).await;
        }
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(&conversation, &KEYS),
            json!({"customer_phone": "+15550111", "customer_user_id": ID}),
            "{order:?}"
        );
        assert_eq!(
            (&conversation["unread_count"], &conversation["customer_name"]),
            (&json!(3), &json!("Name in wamid.3"))
        );
        assert_eq!(contents(&fixture).await, [json!(["wamid.1", "wamid.2", "wamid.3"])]);
        assert_eq!(fixture.database.count("select count(*) from chat_customers").await, 1);
    }
}

#[tokio::test]
async fn a_customer_without_a_phone_is_found_when_the_phone_appears() {
    let fixture = Fixture::new().await;
    fixture.consume(&[from(&id(), "wamid.1", 0)]).await;
    let before = shown::conversation(&fixture).await;
    assert_eq!(
        pick(&before, &KEYS),
        json!({"customer_phone": null, "customer_user_id": ID})
    );
    fixture.consume(&[from(&both(), "wamid.2", 1)]).await;
    let after = shown::conversation(&fixture).await;
    assert_eq!(
        pick(&after, &KEYS),
        json!({"customer_phone": "+15550111", "customer_user_id": ID})
    );
    assert_eq!(before["id"], after["id"]);
    fixture.consume(&[from(&phone(), "wamid.3", 2)]).await;
    assert_eq!(shown::conversation(&fixture).await["unread_count"], 3);
}

#[tokio::test]
async fn a_contact_beside_the_message_and_a_status_tell_both_ids_too() {
    for link in [
        json!({"contacts": [{"wa_id": PHONE, "user_id": ID}], "messages": [{"from": PHONE, "id": "wamid.3", "timestamp": NOON.to_string(),
            "type": "text", "text": {"body": "wamid.3"}}]}),
        json!({"statuses": [{"id": "wamid.never", "status": "read", "timestamp": NOON.to_string(), "recipient_id": PHONE, "recipient_user_id": ID}]}),
    ] {
        let fixture = Fixture::new().await;
        fixture
            .consume(&[from(&phone(), "wamid.1", 0), from(&id(), "wamid.2", 1)])
            .await;
        assert_eq!(shown::conversations(&fixture).await.len(), 2);
        fixture.consume(&[change(WABA, NUMBER, "messages", NOON, &link)]).await;
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(&conversation, &KEYS),
            json!({"customer_phone": "+15550111", "customer_user_id": ID})
        );
    }
}

#[tokio::test]
async fn of_two_conversations_that_become_one_nothing_is_lost() {
    let fixture = Fixture::new().await;
    fixture
        .consume(&[from(&phone(), "wamid.1", 0), from(&phone(), "wamid.2", 1)])
        .await;
    let owner = shown::owner(&fixture, WABA).await;
    let first = shown::conversation(&fixture).await["id"].as_i64().unwrap();
    let mut client = shared::testing::connect(&fixture.database.url).await;
    shared::db::conversations::mark_read(&mut client, owner, first)
        .await
        .unwrap();
    fixture.consume(&[from(&id(), "wamid.5", 2)]).await;
    let second = shown::conversations(&fixture).await[1]["id"].as_i64().unwrap();
    shared::db::conversations::mark_read(&mut client, owner, second)
        .await
        .unwrap();
    fixture
        .consume(&[from(&id(), "wamid.3", 3), from(&phone(), "wamid.4", 4)])
        .await;
    let named = shared::db::conversations::update(&client, owner, second, Some("archived"), Some("Ana (VIP)")).await;
    assert_eq!(named.unwrap().unwrap().status.as_deref(), Some("archived"));
    let reaction = json!({"messages": [{"from_user_id": ID, "id": "wamid.r", "timestamp": NOON.to_string(), "type": "reaction",
        "reaction": {"message_id": "wamid.1", "emoji": "👍"}}]});
    fixture
        .consume(&[change(WABA, NUMBER, "messages", NOON, &reaction)])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.1").await["reactions"], json!([]));
    let status = json!({"statuses": [{"id": "wamid.never", "status": "read", "timestamp": NOON.to_string(),
        "recipient_id": PHONE, "recipient_user_id": ID}]});
    fixture
        .consume(&[change(WABA, NUMBER, "messages", NOON, &status)])
        .await;
    let conversation = shown::conversation(&fixture).await;
    assert_eq!(
        pick(
            &conversation,
            &["id", "customer_name", "status", "unread_count", "last_message"]
        ),
        json!({"id": first, "customer_name": "Ana (VIP)", "status": "active", "unread_count": 2, "last_message": "wamid.4"})
    );
    assert_eq!(
        contents(&fixture).await,
        [json!(["wamid.1", "wamid.2", "wamid.5", "wamid.3", "wamid.4"])]
    );
    // What was done to a message under the other id counts now.
    assert_eq!(shown::message(&fixture, "wamid.1").await["reactions"][0]["emoji"], "👍");
    // The read position is the further one's, so that an older message is no news.
    fixture.consume(&[from(&both(), "wamid.0", 2)]).await;
    assert_eq!(shown::conversation(&fixture).await["unread_count"], 2);
    fixture.consume(&[from(&both(), "wamid.6", 9)]).await;
    let conversation = shown::conversation(&fixture).await;
    assert_eq!(
        (&conversation["unread_count"], &conversation["customer_name"]),
        (&json!(3), &json!("Ana (VIP)"))
    );
}

#[tokio::test]
async fn two_archived_conversations_become_an_archived_one() {
    let fixture = Fixture::new().await;
    fixture
        .consume(&[from(&phone(), "wamid.1", 0), from(&id(), "wamid.2", 1)])
        .await;
    sql(&fixture, "update chat_conversations set status = 'archived'").await;
    let status = json!({"statuses": [{"id": "wamid.never", "status": "read", "timestamp": NOON.to_string(),
        "recipient_id": PHONE, "recipient_user_id": ID}]});
    fixture
        .consume(&[change(WABA, NUMBER, "messages", NOON, &status)])
        .await;
    assert_eq!(shown::conversation(&fixture).await["status"], "archived");
}

#[tokio::test]
async fn a_customer_who_changes_the_number_keeps_the_conversation() {
    let changed = json!({"type": "user_changed_number", "body": "moved", "wa_id": "15550999"});
    let with_ids = json!({"type": "user_changed_number", "body": "moved", "wa_id": "15550999", "user_id": "US.9", "previous_user_id": ID});
    let of_old = json!({"type": "customer_changed_number", "body": "moved", "customer": PHONE, "wa_id": PHONE, "new_wa_id": "15550999"});
    for (system, who) in [(changed, phone()), (with_ids, both()), (of_old, phone())] {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            let fixture = Fixture::new().await;
            let items = [
                from(&who, "wamid.1", 0),
                told(&phone(), 5, system.clone()),
                from(&json!({"from": "15550999"}), "wamid.2", 9),
            ];
            for index in order {
                fixture.consume(&[items[index].clone()]).await;
            }
            let conversation = shown::conversation(&fixture).await;
            assert_eq!(conversation["customer_phone"], "+15550999", "{order:?} {system}");
            let user_id = if system.get("user_id").is_some() {
                json!("US.9")
            } else {
                Value::Null
            };
            assert_eq!(conversation["customer_user_id"], user_id);
            assert_eq!(contents(&fixture).await, [json!(["wamid.1", "moved", "wamid.2"])]);
            // A system message is nobody's question.
            assert_eq!(conversation["unread_count"], 2);
        }
    }
}

#[tokio::test]
async fn a_customer_whose_user_id_changes_keeps_the_conversation() {
    let system = json!({"type": "user_changed_user_id", "body": "changed", "user_id": "US.9", "previous_user_id": ID});
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let fixture = Fixture::new().await;
        let new = json!({"from_user_id": "US.9"});
        let items = [
            from(&id(), "wamid.1", 0),
            told(&new, 5, system.clone()),
            from(&new, "wamid.2", 9),
        ];
        for index in order {
            fixture.consume(&[items[index].clone()]).await;
        }
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(&conversation, &KEYS),
            json!({"customer_phone": null, "customer_user_id": "US.9"})
        );
        assert_eq!(contents(&fixture).await, [json!(["wamid.1", "changed", "wamid.2"])]);
    }
}
