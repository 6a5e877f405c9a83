//! The operators' commands on the running stack: `quarantine`, `dlq`, `customer`, `doctor`, and `replay` with expectations.

use std::process::Output;

use aws_sdk_sqs::types::MessageAttributeValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::whatsapp::split::Unit;
use shared::whatsapp::unit;

use crate::stack::{Stack, new_phone, until, xtask};

/// A webhook with one text from this customer for this business phone number.
fn webhook(stack: &Stack, number: &str, phone: &str, text: &str) -> Value {
    let phone = phone.trim_start_matches('+');
    json!({"object": "whatsapp_business_account", "entry": [{"id": stack.get("waba_id"), "changes": [{"field": "messages",
        "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number},
                  "messages": [{"from": phone, "id": format!("wamid.tools.{phone}"), "timestamp": "1782907200", "type": "text",
                                "text": {"body": text}}]}}]}]})
}

fn text(output: &Output) -> String {
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{shown}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    shown
}

#[tokio::test]
async fn what_came_for_an_unknown_number_is_seen_and_replayed_once_the_number_is_known() {
    let stack = Stack::open();
    let (number, phone) = (uuid::Uuid::new_v4().to_string(), new_phone());
    let body = webhook(&stack, &number, &phone, "Is anybody there?");
    assert_eq!(stack.post_webhook(&body).await, StatusCode::OK);
    let list = || {
        text(&xtask(&[
            "quarantine",
            "list",
            "--phone-number-id",
            &number,
            "--since",
            "1h",
        ]))
    };
    let listed = until("the row of the quarantine", async || {
        let listed = list();
        listed.contains("unknown_phone_number").then_some(listed)
    })
    .await;
    assert!(!listed.contains("anybody"), "{listed}");
    assert!(
        listed.lines().any(|line| line.trim() == "1  unknown_phone_number"),
        "{listed}"
    );
    let id = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let shown = text(&xtask(&["quarantine", "show", id]));
    assert!(shown.contains("\"body\": \"Is anybody there?\""), "{shown}");

    let replay = || text(&xtask(&["quarantine", "replay", id]));
    assert_eq!(replay().trim(), "1 rows: 0 applied, 1 back in the quarantine");
    let database = shared::testing::connect(stack.get("database_url")).await;
    let insert = "insert into phone_numbers (waba_id, phone_number_id, is_registered) values ($1, $2, true)";
    database
        .execute(insert, &[&stack.get("waba_id"), &number])
        .await
        .unwrap();
    let listed = list();
    let id = listed.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let replayed = text(&xtask(&["quarantine", "replay", id]));
    assert_eq!(replayed.trim(), "1 rows: 1 applied, 0 back in the quarantine");
    stack.conversation_showing(&phone, "Is anybody there?").await;
    assert!(!list().contains("unknown_phone_number"));
    assert!(!xtask(&["quarantine", "show", id]).status.success());
}

#[tokio::test]
async fn a_dead_letter_is_seen_unpacked_and_goes_the_way_it_should_have_gone() {
    let stack = Stack::open();
    let phone = new_phone();
    // SQS does not take U+FFFE, so the body travels packed.
    let body = webhook(
        &stack,
        stack.get("phone_number_id"),
        &phone,
        "Back from the dead\u{fffe}",
    );
    let unit = Unit {
        group: Some("a-group".to_owned()),
        body: body.to_string().into_bytes(),
    };
    let packed = unit::encode(&unit).remove(0);
    assert!(packed.packed);
    let encoding = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(unit::GZIP_BASE64);
    let sent = stack
        .sqs()
        .await
        .send_message()
        .queue_url(stack.get("dead_letter_queue_url"))
        .message_body(&packed.body)
        .message_group_id(&packed.group)
        .message_attributes(unit::ENCODING_ATTRIBUTE, encoding.build().unwrap())
        .send()
        .await;
    let id = sent.unwrap().message_id.unwrap();
    let listed = text(&xtask(&["dlq", "list"]));
    let line = listed.lines().find(|line| line.starts_with(&id)).expect("it is listed");
    assert!(line.contains("a-group") && line.ends_with("gzip+base64"), "{line}");
    let shown = text(&xtask(&["dlq", "show", &id]));
    assert!(shown.contains("Back from the dead"), "{shown}");
    assert_eq!(text(&xtask(&["dlq", "redrive", &id])).trim(), "1 messages sent back");
    stack.conversation_showing(&phone, "Back from the dead\u{fffe}").await;
    assert!(!text(&xtask(&["dlq", "list"])).contains(&id));
    assert!(!xtask(&["dlq", "show", &id]).status.success());
}

#[tokio::test]
async fn a_customer_is_handed_out_and_erased_and_the_agents_page_is_told() {
    let stack = Stack::open();
    let phone = new_phone();
    stack.customer_writes(&phone, "All that you know of me").await;
    let id = stack.conversation_showing(&phone, "All that you know of me").await["id"].clone();
    let cursor = stack.ask("/api/live-chat/changes").await["next_cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    let folder = Stack::folder().join(uuid::Uuid::new_v4().to_string());
    let out = folder.to_str().unwrap();
    text(&xtask(&["customer", "export", "--phone", &phone, "--out", out]));
    let messages = std::fs::read_to_string(folder.join("chat_messages.jsonl")).unwrap();
    assert!(messages.contains("All that you know of me"), "{messages}");

    let shown = text(&xtask(&["customer", "erase", "--phone", &phone]));
    assert!(
        shown.contains("1  chat_conversations") && shown.contains("Nothing was erased"),
        "{shown}"
    );
    let shown = text(&xtask(&["customer", "erase", "--phone", &phone, "--yes"]));
    assert!(shown.ends_with("Erased\n") && !shown.contains(&phone[1..]), "{shown}");
    let (status, _) = stack
        .call(
            stack.get("agent_token"),
            Method::GET,
            &format!("/api/live-chat/conversations/{id}"),
            None,
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let mut after = cursor.to_owned();
    let told = until("the page is told", async || {
        let page = stack.ask(&format!("/api/live-chat/changes?after={after}")).await;
        after = page["next_cursor"].as_str().unwrap().to_owned();
        let mut changes = page["changes"].as_array().unwrap().iter();
        changes
            .any(|change| change["type"] == "conversation.deleted" && change["conversation_id"] == id)
            .then_some(())
    });
    told.await;
    assert!(
        !xtask(&["customer", "erase", "--phone", &phone, "--yes"])
            .status
            .success()
    );
    // What comes later begins anew.
    stack.customer_writes(&phone, "Hello again").await;
    assert_ne!(stack.conversation_showing(&phone, "Hello again").await["id"], id);
}

#[tokio::test]
async fn the_doctor_looks_at_every_part_and_tells_no_secret() {
    let stack = Stack::open();
    // Other tests leave things behind that are wrong.
    let output = xtask(&["doctor"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    for part in [
        "database",
        "schema",
        "exposed tables",
        "owed work",
        "accounts",
        "numbers",
        "webhook secret",
        "push keys",
        "token keys",
        "tokens",
        "webhook subscriptions",
        "events queue",
        "media queue",
        "outbox queue",
        "media bucket",
    ] {
        let is_part = |line: &str| {
            ["✓", "✗"]
                .iter()
                .any(|mark| line.starts_with(&format!("{mark} {part}: ")))
        };
        assert!(shown.lines().any(is_part), "{part} is missing: {shown}");
    }
    assert!(
        shown.contains("✓ events queue") && shown.contains("✓ media bucket"),
        "{shown}"
    );
    let ring = stack.key_ring().await;
    let keys = ring
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "active")
        .map(|(_, key)| key.as_str().unwrap());
    for secret in keys.chain([
        stack.get("app_secret"),
        stack.get("verify_token"),
        stack.get("jwt_secret"),
        stack.get("database_url"),
    ]) {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_replay_checks_what_it_was_told_to_expect() {
    let stack = Stack::open();
    let folder = Stack::folder().join(uuid::Uuid::new_v4().to_string());
    std::fs::create_dir(&folder).unwrap();
    let phone = new_phone();
    let digits = phone.trim_start_matches('+');
    let wamid = format!("wamid.tools.{digits}");
    let mut body = webhook(&stack, stack.get("phone_number_id"), &phone, "As expected");
    let value = &mut body["entry"][0]["changes"][0]["value"];
    let items = value["messages"].as_array_mut().unwrap();
    items.push(json!({"from": digits, "timestamp": "1782907200", "type": "text", "text": {"body": "No id"}}));
    let status =
        json!({"id": format!("{wamid}.other"), "status": "read", "timestamp": "1782907201", "recipient_id": digits});
    value["statuses"] = json!([status]);
    std::fs::write(folder.join("payload.json"), body.to_string()).unwrap();
    let expectations = folder.join("expected.jsonl");
    let replay = |content: &str| {
        let lines = [
            json!({"file": "payload.json", "n": 0, "kind": "message", "wamid": wamid, "type": "text", "text": content, "from": digits, "timestamp": "1782907200"}),
            json!({"file": "payload.json", "n": 1, "kind": "message", "type": "text", "text": "No id", "from": digits, "timestamp": "1782907200"}),
            json!({"file": "payload.json", "n": 2, "kind": "status", "wamid": format!("{wamid}.other"), "status": "read", "timestamp": "1782907201"}),
        ];
        std::fs::write(&expectations, lines.map(|line| line.to_string()).join("\n")).unwrap();
        let (folder, expectations) = (folder.to_str().unwrap(), expectations.to_str().unwrap());
        xtask(&["replay", folder, "--expect", expectations])
    };
    let shown = text(&replay("As expected"));
    for line in [
        "payload.json#0 message text: found",
        "payload.json#1 message text: quarantined: missing_id",
        "payload.json#2 status read: parked",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    let refused = replay("Something else");
    assert_eq!(refused.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&refused.stdout);
    assert!(
        shown.contains("#0 message text: MISMATCH content: expected "),
        "{shown}"
    );
}
