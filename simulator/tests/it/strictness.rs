//! What Graph refuses in a message, each with its code, and what it takes.

use serde_json::{Value, json};

use crate::harness::{CUSTOMER, Rig, message, text};

async fn assert_refused(rig: &Rig, cases: Vec<(Value, i64, &str)>) {
    for (body, code, word) in cases {
        let (status, answer) = rig.send(&body).await;
        let error = &answer["error"];
        assert!(
            (400..500).contains(&status),
            "{body} was answered with {status} {answer}"
        );
        assert_eq!(error["code"], code, "{body} was answered with {answer}");
        assert!(answer.to_string().contains(word), "{answer} does not mention {word}");
        assert!(error["fbtrace_id"].is_string() && error["type"].is_string(), "{answer}");
    }
    let accepted = rig.get("/_simulator/messages").await;
    assert_eq!(accepted, json!([]), "something was accepted");
}

fn buttons(count: usize, title: &str) -> Value {
    let button = |n| json!({"type": "reply", "reply": {"id": format!("id-{n}"), "title": format!("{title}{n}")}});
    let buttons: Vec<Value> = (0..count).map(button).collect();
    message(&json!({"type": "interactive", "interactive": {
        "type": "button", "body": {"text": "Choose"}, "action": {"buttons": buttons},
    }}))
}

fn list(sections: usize, rows: usize) -> Value {
    let sections: Vec<Value> = (0..sections)
        .map(|s| {
            let row = |r| json!({"id": format!("{s}-{r}"), "title": "A row", "description": "About it"});
            json!({"title": format!("Section {s}"), "rows": (0..rows).map(row).collect::<Vec<_>>()})
        })
        .collect();
    message(&json!({"type": "interactive", "interactive": {
        "type": "list", "body": {"text": "Choose"}, "action": {"button": "Open", "sections": sections},
    }}))
}

#[tokio::test]
async fn what_is_wrong_around_the_content_is_refused() {
    let rig = Rig::start().await;
    let with = |key: &str, value: Value| {
        let mut body = text("Hello");
        body[key] = value;
        body
    };
    let without = |key: &str| {
        let mut body = text("Hello");
        body.as_object_mut().unwrap().remove(key);
        body
    };
    assert_refused(
        &rig,
        vec![
            (
                without("messaging_product"),
                100,
                "The parameter messaging_product is required.",
            ),
            (with("messaging_product", json!("telegram")), 100, "{WHATSAPP}"),
            (json!([]), 100, "messaging_product"),
            (with("colour", json!("blue")), 100, "Unexpected key \\\"colour\\\""),
            (with("image", json!({"id": "1"})), 100, "image"),
            (with("recipient_type", json!("group")), 100, "recipient_type"),
            (with("type", json!("hologram")), 100, "type"),
            (with("type", json!(7)), 100, "type"),
            (without("to"), 100, "to"),
            (with("to", json!(16_505_550_100_u64)), 100, "to"),
            (with("to", json!("call me")), 131_009, "to"),
            (with("to", json!("+1 555 00001")), 131_021, "sender"),
            (with("biz_opaque_callback_data", json!("x".repeat(513))), 100, "512"),
            (with("context", json!({"id": "wamid.X"})), 100, "context"),
            (
                with("context", json!({"message_id": "not a wamid"})),
                131_009,
                "message_id",
            ),
            (without("text"), 131_008, "text"),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_the_content_is_refused() {
    let rig = Rig::start().await;
    let of = |kind: &str, content: Value| message(&json!({"type": kind, kind: content}));
    let long = |n: usize| "ü".repeat(n);
    assert_refused(
        &rig,
        vec![
            (text(""), 100, "text['body']"),
            (text(&long(4097)), 100, "4096"),
            (of("text", json!({"body": 5})), 100, "must be a string"),
            (of("text", json!("Hello")), 100, "JSON object"),
            (of("text", json!({"body": "x", "bold": true})), 100, "bold"),
            (of("text", json!({"body": "x", "preview_url": "yes"})), 100, "boolean"),
            (
                of(
                    "image",
                    json!({"link": "https://example.com/a.jpg", "caption": long(1025)}),
                ),
                100,
                "1024",
            ),
            (of("image", json!({"link": "ftp://example.com/a.jpg"})), 100, "URI"),
            (of("image", json!({"link": "http://example.com/a.jpg"})), 100, "URI"),
            (of("image", json!({})), 131_008, "link"),
            (
                of("image", json!({"id": "1", "link": "https://example.com/a.jpg"})),
                131_009,
                "exclude",
            ),
            (of("image", json!({"id": "4711"})), 100, "attachment ID"),
            (
                of("audio", json!({"link": "https://example.com/a.mp3", "caption": "x"})),
                100,
                "caption",
            ),
            (
                of(
                    "sticker",
                    json!({"link": "https://example.com/a.webp", "filename": "x"}),
                ),
                100,
                "filename",
            ),
            (
                of("location", json!({"latitude": 91, "longitude": 0})),
                131_009,
                "latitude",
            ),
            (of("location", json!({"latitude": 1})), 100, "longitude"),
            (of("contacts", json!([])), 131_009, "contacts"),
            (
                of("contacts", json!([{"name": {"formatted_name": "Ada"}}])),
                131_008,
                "name",
            ),
            (of("contacts", json!([{"phones": []}])), 100, "contacts[0]['name']"),
            (of("reaction", json!({"emoji": "👍"})), 100, "message_id"),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_interactive_message_beyond_its_limits_is_refused() {
    let rig = Rig::start().await;
    let of = |kind: &str, content: Value| message(&json!({"type": kind, kind: content}));
    let cta = |label: &str, url: &str| {
        of(
            "interactive",
            json!({"type": "cta_url", "body": {"text": "See"}, "action": {
            "name": "cta_url", "parameters": {"display_text": label, "url": url}}}),
        )
    };
    let long = |n: usize| "ü".repeat(n);
    let mut footer = buttons(1, "Yes");
    footer["interactive"]["footer"] = json!({"text": long(61)});
    let mut twins = buttons(2, "Yes");
    twins["interactive"]["action"]["buttons"][1] = twins["interactive"]["action"]["buttons"][0].clone();
    assert_refused(
        &rig,
        vec![
            (buttons(4, "Yes"), 131_009, "from 1 to 3"),
            (buttons(1, &long(20)), 100, "20"),
            (twins, 131_009, "twice"),
            (footer, 100, "60"),
            (list(2, 6), 131_009, "10 rows"),
            (list(11, 1), 131_009, "from 1 to 10"),
            (cta(&long(21), "https://example.com"), 100, "display_text"),
            (cta("See", "nowhere"), 100, "url"),
            (of("interactive", json!({"type": "carousel"})), 100, "type"),
            (
                of(
                    "interactive",
                    json!({"type": "flow", "body": {"text": "x"}, "action": {"name": "flow",
                "parameters": {"flow_message_version": "3", "flow_cta": "Go"}}}),
                ),
                131_008,
                "flow_id",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn every_type_within_its_limits_is_accepted() {
    let rig = Rig::start().await;
    let inbound = rig.open_window().await;
    let of = |kind: &str, content: Value| message(&json!({"type": kind, kind: content}));
    let mut reply = text("An answer");
    reply["context"] = json!({"message_id": inbound});
    let mut untyped = text(&"ü".repeat(4096));
    untyped.as_object_mut().unwrap().remove("type");
    for body in [
        text("Hello"),
        reply,
        untyped,
        of("image", json!({"link": "https://example.com/a.jpg", "caption": "Look"})),
        of("video", json!({"link": "https://example.com/a.mp4"})),
        of("audio", json!({"link": "https://example.com/a.mp3"})),
        of(
            "document",
            json!({"link": "https://example.com/a.pdf", "filename": "a.pdf"}),
        ),
        of("sticker", json!({"link": "https://example.com/a.webp"})),
        of(
            "location",
            json!({"latitude": 52.5, "longitude": "13.4", "name": "Here"}),
        ),
        of(
            "contacts",
            json!([{"name": {"formatted_name": "Ada", "first_name": "Ada"}, "phones": [{"phone": "+1"}]}]),
        ),
        of("reaction", json!({"message_id": inbound, "emoji": "👍"})),
        of("reaction", json!({"message_id": inbound, "emoji": ""})),
        buttons(3, "Yes"),
        list(2, 5),
        of(
            "interactive",
            json!({"type": "cta_url", "body": {"text": "See"}, "action": {
            "name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com"}}}),
        ),
        of(
            "interactive",
            json!({"type": "flow", "body": {"text": "x"}, "action": {"name": "flow",
            "parameters": {"flow_message_version": "3", "flow_cta": "Go", "flow_id": "1"}}}),
        ),
        of(
            "template",
            json!({"name": "hello_world", "language": {"code": "en_US"}}),
        ),
    ] {
        rig.send_accepted(&body).await;
    }
    let failed: Vec<Value> = rig
        .all_statuses()
        .await
        .into_iter()
        .filter(|s| s["status"] == "failed")
        .collect();
    assert_eq!(failed, [] as [Value; 0]);
}

#[tokio::test]
async fn a_recipient_may_be_a_phone_in_any_form_or_a_business_scoped_id() {
    let rig = Rig::start().await;
    let send = async |recipient: Value| {
        let mut body = text("Hello");
        body.as_object_mut().unwrap().remove("to");
        body.as_object_mut()
            .unwrap()
            .extend(recipient.as_object().unwrap().clone());
        rig.send(&body).await.1
    };
    let answer = send(json!({"to": "+1 (650) 555-0100"})).await;
    assert_eq!(
        answer["contacts"],
        json!([{"input": "+1 (650) 555-0100", "wa_id": CUSTOMER}])
    );
    let answer = send(json!({"to": CUSTOMER, "recipient": "US.123"})).await;
    assert_eq!(answer["contacts"][0]["wa_id"], CUSTOMER);
    let answer = send(json!({"recipient": "US.123"})).await;
    assert_eq!(answer["contacts"], json!([{"input": "US.123", "user_id": "US.123"}]));
    let answer = send(json!({"to": "5531987654321"})).await;
    assert_eq!(answer["contacts"][0]["wa_id"], "553187654321");
    assert_eq!(send(json!({"recipient": ""})).await["error"]["code"], 131_009);
}
