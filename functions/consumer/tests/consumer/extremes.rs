//! Depth, length, number and characters beyond anything usual: stored, or kept, and always readable again.

use crate::shown;
use crate::support::{Fixture, NOON, NUMBER, WABA, change, message, text, value, webhook};
use serde_json::{Value, json};
use shared::whatsapp::split::split;

const ANA: &str = "15550111";

fn live(item: Value) -> String {
    webhook(&value(json!({"messages": [item]})))
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn what_is_stored_can_be_read_again_however_deep_it_came() {
    let fixture = Fixture::new().await;
    let depths = [80, 100, 120, 125, 126, 127, 200, 10_000];
    let mut bodies: Vec<String> = (0..)
        .zip(depths)
        .map(|(index, depth)| {
            let item = json!({"from": ANA, "id": format!("wamid.{index}"), "timestamp": (NOON + index).to_string(), "type": "poll", "poll": "DEEP"});
            live(item).replace("\"DEEP\"", &nested(depth))
        })
        .collect();
    bodies.extend((0..).zip(depths).map(|(index, depth)| {
        let answer = json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": nested(depth)}});
        live(json!({"from": ANA, "id": format!("wamid.flow.{index}"), "timestamp": (NOON + 20 + index).to_string(), "type": "interactive", "interactive": answer}))
    }));
    assert!(fixture.consume(&bodies).await.is_empty());
    let shown = shown::messages(&fixture).await;
    let kept = fixture.quarantine().await;
    assert_eq!(shown.len() + kept.len(), bodies.len());
    assert_eq!(shown[0]["metadata"]["raw"]["type"], "poll");
    assert!(kept.iter().all(|reason| reason == "unreadable_item"));
    // An answer that is too deep to be read stays as the text that it came as.
    let flows: Vec<&Value> = shown
        .iter()
        .filter(|message| message["message_type"] == "interactive")
        .collect();
    assert_eq!(flows.len(), depths.len());
    assert!(
        flows
            .iter()
            .all(|message| message["metadata"]["interactive"]["nfm_reply"]["response_json"].is_string())
    );
}

#[tokio::test]
async fn ids_that_are_no_ids_disturb_nobody() {
    let fixture = Fixture::new().await;
    // Random enough not to be compressed into an index row.
    let long: String = (0..5000_u64)
        .map(|n| char::from(b'a' + u8::try_from((n * n * 7 + n / 3 * 11) % 26).unwrap()))
        .collect();
    let item = |wamid: &str, rest: Value| {
        let mut item = json!({"id": wamid, "timestamp": NOON.to_string(), "type": "text", "text": {"body": wamid}});
        item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        item
    };
    let messages = webhook(&value(json!({"messages": [
        item("wamid.both", json!({"from": ANA, "from_user_id": long})),
        item("wamid.id", json!({"from_user_id": long})),
        item("wamid.from", json!({"from": long})),
        item("wamid.blank", json!({"from": " ", "from_user_id": "\u{0}"})),
        item("wamid.good", json!({"from": ANA})),
        item(&long, json!({"from": ANA}))],
        "statuses": [{"id": long, "status": "sent", "timestamp": NOON.to_string(), "recipient_id": ANA},
                     {"id": "wamid.good", "status": "sent", "timestamp": NOON.to_string(), "recipient_id": ANA, "recipient_user_id": long,
                      "biz_opaque_callback_data": long}]})));
    let about = |field: &str, id: &str, value: Value| {
        json!({"object": "whatsapp_business_account", "entry": [{"id": id, "time": NOON, "changes": [{"field": field, "value": value}]}]}).to_string()
    };
    let book = json!({"state_sync": [{"type": "contact", "action": "add", "contact": {"full_name": long, "user_id": long, "phone_number": ANA},
        "metadata": {"timestamp": NOON.to_string()}}]});
    let bodies = [
        messages,
        about("account_update", &long, json!({"event": "ACCOUNT_DELETED"})),
        about(
            "message_template_status_update",
            WABA,
            json!({"event": "APPROVED", "message_template_id": long}),
        ),
        about(
            "phone_number_quality_update",
            WABA,
            json!({"event": "FLAGGED", "display_phone_number": "1".repeat(5000)}),
        ),
        about(&long, &long, json!({"x": 1})),
        change(WABA, NUMBER, "smb_app_state_sync", NOON, &book),
        change(
            &long,
            &long,
            "messages",
            NOON,
            &json!({"messages": [item("wamid.foreign", json!({"from": ANA}))]}),
        ),
    ];
    assert!(fixture.consume(&bodies).await.is_empty());
    let contents: Vec<Value> = shown::messages(&fixture)
        .await
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(contents, ["wamid.both", "wamid.good"]);
    assert_eq!(shown::conversation(&fixture).await["customer_name"], long[..255]);
    let mut reasons: Vec<String> = fixture
        .quarantine()
        .await
        .iter()
        .map(|reason| reason.as_str().unwrap().chars().take(30).collect())
        .collect();
    reasons.sort();
    let mut expected = vec![
        "applied:smb_app_state_sync",
        "id_too_long",
        "id_too_long",
        "id_too_long",
        "id_too_long",
        "id_too_long",
        "missing_sender",
        "missing_sender",
        "missing_sender",
        "unknown_phone_number",
    ];
    let field: String = format!("field:{long}").chars().take(30).collect();
    expected.push(&field);
    expected.sort_unstable();
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn a_thousand_messages_in_one_webhook_are_all_there() {
    let fixture = Fixture::new().await;
    let (mut contacts, mut messages) = (Vec::new(), Vec::new());
    for index in 0..1000 {
        let phone = format!("1555{:06}", index % 300);
        messages.push(json!({"from": phone, "id": format!("wamid.{index}"), "timestamp": (NOON + index).to_string(), "type": "text",
            "text": {"body": format!("text {index}")}}));
        if index < 300 {
            contacts.push(json!({"wa_id": phone, "profile": {"name": format!("Name {phone}")}}));
        }
    }
    let body = webhook(&value(json!({"contacts": contacts, "messages": messages})));
    let units: Vec<String> = split(body.as_bytes())
        .unwrap()
        .into_iter()
        .map(|unit| String::from_utf8(unit.body).unwrap())
        .collect();
    assert!(fixture.consume(&units).await.is_empty());
    let counts = "select jsonb_build_object('messages', (select count(*) from chat_messages), 'conversations', count(*), 'unread', sum(unread_count),
                    'named', count(*) filter (where customer_name = 'Name ' || ltrim(customer_phone, '+'))) from chat_conversations";
    assert_eq!(
        fixture.database.json(counts).await,
        [json!({"messages": 1000, "conversations": 300, "unread": 1000, "named": 300})]
    );
    assert!(fixture.quarantine().await.is_empty());
}

#[tokio::test]
async fn names_reactions_and_captions_are_cleaned_like_texts() {
    let fixture = Fixture::new().await;
    let raw = r"a\u0000b \ud800 \ufffe \u0007";
    let clean = "ab \u{fffd} \u{fffe} \u{7}";
    let said = |wamid: &str, kind: &str, body: Value| {
        message(
            ANA,
            "PLACE",
            json!({"id": wamid, "timestamp": NOON.to_string(), "type": kind, kind: body}),
        )
        .replace("PLACE", raw)
    };
    let bodies = [
        text(ANA, "wamid.A", NOON, "x"),
        said(
            "wamid.r",
            "reaction",
            json!({"message_id": "wamid.A", "emoji": "PLACE"}),
        ),
        said(
            "wamid.e",
            "edit",
            json!({"original_message_id": "wamid.A", "message": {"type": "text", "text": {"body": "PLACE"}}}),
        ),
        said("wamid.P", "poll", json!({"PLACE": "PLACE"})),
        said(
            "wamid.I",
            "document",
            json!({"id": "M1", "filename": "PLACE", "caption": "PLACE", "mime_type": "PLACE"}),
        ),
    ];
    assert!(fixture.consume(&bodies).await.is_empty());
    let edited = shown::message(&fixture, "wamid.A").await;
    assert_eq!(
        (&edited["content"], &edited["reactions"][0]["emoji"]),
        (&json!(clean), &json!(clean))
    );
    assert_eq!(
        shown::message(&fixture, "wamid.P").await["metadata"]["raw"]["poll"][clean],
        clean
    );
    let file = shown::message(&fixture, "wamid.I").await;
    assert_eq!(
        (&file["media_caption"], &file["media"]["filename"]),
        (&json!(clean), &json!(clean))
    );
    assert_eq!(shown::conversation(&fixture).await["customer_name"], clean);
    assert!(fixture.quarantine().await.is_empty());
}

#[tokio::test]
async fn an_emoji_of_any_length_is_taken() {
    let fixture = Fixture::new().await;
    let long = "👍🏽".repeat(1000);
    let reaction = json!({"id": "wamid.r", "timestamp": NOON.to_string(), "type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": long}});
    fixture
        .consume(&[text(ANA, "wamid.A", NOON, "x"), message(ANA, "Ana", reaction)])
        .await;
    assert_eq!(shown::message(&fixture, "wamid.A").await["reactions"][0]["emoji"], long);
    assert!(fixture.quarantine().await.is_empty());
}
