//! Signed bodies that are hard on parsers, queues and databases, through all of the stack.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stack::{Stack, new_phone, until};

/// A webhook whose `messages` and one other member of `value` are these raw texts.
fn body(stack: &Stack, messages: &str, other: &str) -> String {
    json!({"object": "whatsapp_business_account", "entry": [{"id": stack.get("waba_id"), "changes": [{"field": "messages",
        "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": stack.get("phone_number_id")},
                  "messages": "MESSAGES", "other": "OTHER"}}]}]})
    .to_string()
    .replace("\"MESSAGES\"", messages)
    .replace("\"OTHER\"", other)
}

fn message(phone: &str, name: &str, text: &str) -> String {
    let phone = phone.trim_start_matches('+');
    format!(
        r#"{{"from":"{phone}","id":"wamid.{name}.{phone}","timestamp":"1782907200","type":"text","text":{{"body":"{text}"}}}}"#
    )
}

#[tokio::test]
async fn hard_bodies_are_taken_and_their_good_messages_are_there() {
    let stack = Stack::open();
    let phone = new_phone();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let thousand: Vec<String> = (0..1000)
        .map(|index| message(&phone, &format!("many{index}"), &"x".repeat(1200)))
        .collect();
    let one = |name: &str, text: &str| body(&stack, &format!("[{}]", message(&phone, name, text)), "1");
    let bodies = [
        body(
            &stack,
            &format!(
                r#"[{{"id":"wamid.bad","x":{deep}}},{}]"#,
                message(&phone, "deep", "deep")
            ),
            &deep,
        ),
        one("noncharacters", "a\u{fffe}b\u{ffff}c"),
        one("escapes", r"nul \u0000, lone \ud83d, \u00e9"),
        one("long", &"é".repeat(32_000)),
        body(&stack, &format!("[{}]", thousand.join(",")), "1"),
    ];
    for body in bodies {
        assert_eq!(
            stack.post_signed(body.into_bytes(), "application/json").await,
            StatusCode::OK
        );
    }
    // API Gateway hands bytes over as they are only where the content type is not one of text.
    let bytes = [b"{\"object\":\"\xff", phone.as_bytes(), b"\"}"].concat();
    assert_eq!(
        stack.post_signed(bytes, "application/octet-stream").await,
        StatusCode::OK
    );
    let database = shared::testing::connect(stack.get("database_url")).await;
    until("1,004 messages and two quarantined items", async || {
        const COUNT: &str = "
            select (select count(*) from chat_messages m join chat_conversations c on c.id = m.conversation_id where c.customer_phone = $1),
                   (select count(*) from chat_quarantine where reason = 'unreadable_item'),
                   (select count(*) from chat_quarantine where reason = 'invalid_utf8')";
        let row = database.query_one(COUNT, &[&phone]).await.unwrap();
        let counts: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        (counts == (1004, 1, 1)).then_some(())
    })
    .await;
    let texts = "select content from chat_messages m join chat_conversations c on c.id = m.conversation_id
                 where c.customer_phone = $1 and wa_message_id not like 'wamid.many%' and wa_message_id not like 'wamid.long%' order by wa_message_id";
    let rows = database.query(texts, &[&phone]).await.unwrap();
    let contents: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(contents, ["deep", "nul , lone \u{fffd}, é", "a\u{fffe}b\u{ffff}c"]);
}

#[tokio::test]
async fn a_history_as_large_as_webhooks_get_is_taken_at_once_and_all_of_it_is_there() {
    const THREADS: usize = 60;
    const MESSAGES: usize = 50;
    // So that its conversations are not the first of an agent's list, where other tests look for theirs.
    const LONG_AGO: usize = 1_750_000_000;
    let stack = Stack::open();
    let phone = new_phone();
    let digits = phone.trim_start_matches('+');
    let text = "é".repeat(470);
    let threads: Vec<Value> = (10..10 + THREADS)
        .map(|thread| {
            let customer = format!("{digits}{thread}");
            let messages: Vec<Value> = (0..MESSAGES)
                .map(|index| {
                    json!({"from": customer, "id": format!("wamid.{customer}.{index}"), "timestamp": (LONG_AGO + index).to_string(),
                           "type": "text", "text": {"body": text}, "history_context": {"status": "READ"}})
                })
                .collect();
            json!({"id": customer, "messages": messages})
        })
        .collect();
    let history = json!([{"metadata": {"phase": 1, "chunk_order": 1, "progress": 100}, "threads": threads}]);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": stack.get("waba_id"), "changes": [{"field": "history",
        "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": stack.get("phone_number_id")}, "history": history}}]}]})
    .to_string();
    assert!((3_000_000..4_000_000).contains(&body.len()), "{}", body.len());
    let status = stack.post_signed(body.into_bytes(), "application/json").await;
    assert_eq!(status, StatusCode::OK);
    let database = stack.database().await;
    let counts = until("the whole history", async || {
        const COUNT: &str = "
            select count(*), count(distinct c.id), count(*) filter (where m.content = $2 and m.is_history), coalesce(sum(distinct c.unread_count), 0)
            from chat_messages m join chat_conversations c on c.id = m.conversation_id where c.customer_phone like $1 || '__'";
        let row = database.query_one(COUNT, &[&phone, &text]).await.unwrap();
        let counts: [i64; 4] = [row.get(0), row.get(1), row.get(2), row.get(3)];
        (counts[0] >= 3000).then_some(counts)
    })
    .await;
    assert_eq!(counts, [3000, 60, 3000, 0]);
}
