//! Whose customers are whose: portfolios, conversations that another program made, and accounts that change hands.

use crate::customers::{ID, KEYS, PHONE, both, contents, from, id, phone, sql, to};
use crate::shown::{self, pick};
use crate::support::{Fixture, NOON, NUMBER, WABA, change};
use serde_json::{Value, json};

/// Two numbers of one portfolio, one of another, and one of somebody else's who names the first business too.
async fn portfolios() -> (Fixture, [(&'static str, &'static str); 4]) {
    let fixture = Fixture::new().await;
    let numbers = [
        (WABA, NUMBER),
        ("900101", "700101"),
        ("900200", "700200"),
        ("900300", "700300"),
    ];
    for (waba, number) in &numbers[1..] {
        fixture.database.add_number(waba, number).await;
    }
    let owner = shown::owner(&fixture, WABA).await;
    sql(
        &fixture,
        &format!(
            "update waba_accounts set user_id = '{owner}' where waba_id <> '900300';
             update waba_accounts set owner_business_id = case waba_id when '900200' then 'B2' else 'B1' end"
        ),
    )
    .await;
    (fixture, numbers)
}

#[tokio::test]
async fn the_numbers_of_one_portfolio_share_what_is_known_of_a_person() {
    let (fixture, [first, second, other, foreign]) = portfolios().await;
    fixture.consume(&[to(first, &both(), "wamid.1", 0)]).await;
    for (index, at) in (1..).zip([second, other, foreign]) {
        fixture
            .consume(&[to(at, &id(), &format!("wamid.at.{index}"), index)])
            .await;
    }
    let keys: Vec<Value> = shown::conversations(&fixture)
        .await
        .iter()
        .map(|conversation| pick(conversation, &["waba_id", "customer_phone", "customer_user_id"]))
        .collect();
    let known = |waba: &str, phone: Value| json!({"waba_id": waba, "customer_phone": phone, "customer_user_id": ID});
    assert_eq!(
        keys,
        [
            known(WABA, json!("+15550111")),
            known("900101", json!("+15550111")),
            known("900200", Value::Null),
            known("900300", Value::Null)
        ]
    );
    // What is learned later on one number is shown on the other.
    let status = json!({"statuses": [{"id": "wamid.never", "status": "read", "timestamp": NOON.to_string(),
        "recipient_id": "15550777", "recipient_user_id": "US.7"}]});
    fixture
        .consume(&[to(first, &json!({"from_user_id": "US.7"}), "wamid.7", 0)])
        .await;
    fixture
        .consume(&[change(second.0, second.1, "messages", NOON, &status)])
        .await;
    let shown = shown::conversations(&fixture).await;
    assert_eq!(
        pick(&shown[4], &KEYS),
        json!({"customer_phone": "+15550777", "customer_user_id": "US.7"})
    );
}

#[tokio::test]
async fn a_conversation_of_another_program_is_taken_over_with_its_messages() {
    for (phone_column, id_column, who) in [
        ("15550111", "null", phone()),
        ("+15550111", "null", both()),
        ("bsuid:x", "'US.1'", id()),
    ] {
        let fixture = Fixture::new().await;
        sql(
            &fixture,
            &format!(
                "insert into chat_conversations (waba_id, phone_number_id, customer_phone, customer_user_id, customer_name, status)
                 values ('{WABA}', '{NUMBER}', '{phone_column}', {id_column}, 'From the CRM', 'archived');
                 insert into chat_messages (conversation_id, message_id, wa_message_id, content, sender, timestamp)
                 select id, 'm1', 'wamid.T', 'A template', 'user', '2026-07-01T11:00:00Z' from chat_conversations"
            ),
        )
        .await;
        let mut reaction = json!({"id": "wamid.r", "timestamp": NOON.to_string(), "type": "reaction", "reaction": {"message_id": "wamid.T", "emoji": "👍"}});
        reaction
            .as_object_mut()
            .unwrap()
            .extend(who.as_object().cloned().unwrap());
        fixture
            .consume(&[change(WABA, NUMBER, "messages", NOON, &json!({"messages": [reaction]}))])
            .await;
        assert_eq!(
            shown::message(&fixture, "wamid.T").await["reactions"][0]["emoji"],
            "👍",
            "{phone_column}"
        );
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(&conversation, &["status", "customer_name"]),
            json!({"status": "archived", "customer_name": "From the CRM"})
        );
        fixture.consume(&[from(&who, "wamid.1", 1)]).await;
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(&conversation, &["status", "unread_count", "customer_name"]),
            json!({"status": "active", "unread_count": 1, "customer_name": "Name in wamid.1"})
        );
        assert_eq!(contents(&fixture).await, [json!(["A template", "wamid.1"])]);
    }
}

#[tokio::test]
async fn an_account_that_changes_hands_or_portfolio_keeps_its_conversations() {
    let fixture = Fixture::new().await;
    fixture.consume(&[from(&both(), "wamid.1", 0)]).await;
    let (reaction, revoke) = (
        json!({"message_id": "wamid.1", "emoji": "👍"}),
        json!({"original_message_id": "wamid.1"}),
    );
    let done = [("reaction", reaction), ("revoke", revoke)].map(|(kind, body)| {
        let mut item = json!({"id": format!("wamid.{kind}"), "timestamp": NOON.to_string(), "type": kind, kind: body});
        item.as_object_mut()
            .unwrap()
            .extend(both().as_object().cloned().unwrap());
        change(WABA, NUMBER, "messages", NOON, &json!({"messages": [item]}))
    });
    fixture.consume(&done).await;
    let change_hands = "with buyer as (insert into users (id) values (gen_random_uuid()) returning id)
                        update waba_accounts set user_id = (select id from buyer)";
    for (index, statement) in (1..).zip(["update waba_accounts set owner_business_id = 'B9'", change_hands]) {
        sql(&fixture, statement).await;
        fixture
            .consume(&[from(&id(), &format!("wamid.later.{index}"), index)])
            .await;
        let conversation = shown::conversation(&fixture).await;
        assert_eq!(
            pick(&conversation, &KEYS),
            json!({"customer_phone": "+15550111", "customer_user_id": ID})
        );
        assert_eq!(conversation["unread_count"], 1 + index);
        // What was done to messages before still counts when they are looked at anew.
        let reacted = json!({"message_echoes": [{"from": "15550100", "to": PHONE, "id": format!("wamid.r.{index}"), "timestamp": NOON.to_string(),
            "type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "❤️"}}]});
        fixture
            .consume(&[change(WABA, NUMBER, "smb_message_echoes", NOON, &reacted)])
            .await;
        let message = shown::message(&fixture, "wamid.1").await;
        let senders: Vec<&Value> = message["reactions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reaction| &reaction["sender"])
            .collect();
        assert_eq!(
            (senders, &message["content"]),
            (vec![&json!("customer"), &json!("user")], &Value::Null)
        );
    }
    let owned = "select count(*) from chat_conversations c join waba_accounts a using (waba_id, user_id)";
    assert_eq!(fixture.database.count(owned).await, 1);
}
