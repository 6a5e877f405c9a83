//! Every kind of message and every answer of WhatsApp, each with what follows from it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use serde_json::{Value, json};
use shared::domain::send::{EXAMPLES, example};
use shared::edge::graph::Graph;
use shared::outbound::Outbound;
use tokio::net::TcpListener;

use crate::files::{PNG, VOICE};
use crate::support::{Desk, NUMBER, Wishes};

const CUSTOMER: &str = "+4915112345678";
/// The message that the examples answer.
const QUOTED: &str = "wamid.HBgLMTIzNDU2Nzg5MDAVAgASGBQzQTAwMDAwMDAwMDAwMDAwMDAwMQA=";

/// What becomes of an example.
struct Row {
    /// The type, and Graph's object; what is not the type's own stands beside it.
    body: Value,
    content: Value,
    caption: Value,
    metadata: Value,
    /// Of `media`: type, name and size.
    media: Value,
}

fn body(kind: &str, object: Value) -> Value {
    let mut body = json!({ "type": kind });
    body[kind] = object;
    body
}

/// A message without a file, whose words are these.
fn words(kind: &str, object: Value, content: &str, metadata: Value) -> Row {
    Row {
        body: body(kind, object),
        content: json!(content),
        caption: Value::Null,
        metadata,
        media: Value::Null,
    }
}

/// A file, by its link or by Meta's id.
fn file(kind: &str, object: Value, caption: Value, metadata: Value, media: Value) -> Row {
    Row {
        body: body(kind, object),
        content: Value::Null,
        caption,
        metadata,
        media,
    }
}

/// The same object to Graph and in the metadata.
fn kept(kind: &str, object: Value, content: &str) -> Row {
    let metadata = json!({kind: object});
    words(kind, object, content, metadata)
}

/// `ours` and `metas` name the files of the examples by their last letter.
fn expected(name: &str, ours: impl Fn(&str) -> Value, metas: impl Fn(&str) -> Value) -> Row {
    match name {
        "text" => words(
            "text",
            json!({"body": "Hello!", "preview_url": false}),
            "Hello!",
            Value::Null,
        ),
        "text_object" => {
            let text = "Here is where your parcel is: https://example.com/track/A-1001";
            let mut row = words("text", json!({"body": text, "preview_url": true}), text, Value::Null);
            row.body["context"] = json!({"message_id": QUOTED});
            row
        }
        "image" => file(
            "image",
            json!({"link": "https://example.com/parcel.jpg", "caption": "Your parcel"}),
            json!("Your parcel"),
            json!({"image": {"link": "https://example.com/parcel.jpg"}}),
            Value::Null,
        ),
        "video" => file(
            "video",
            json!({"link": "https://example.com/unpacking.mp4", "caption": "How to unpack it"}),
            json!("How to unpack it"),
            json!({"video": {"link": "https://example.com/unpacking.mp4"}}),
            Value::Null,
        ),
        "audio" => file(
            "audio",
            json!({"id": metas("a"), "voice": true}),
            Value::Null,
            Value::Null,
            json!(["audio/ogg; codecs=opus", "note.ogg", VOICE.len(), true]),
        ),
        "document" => file(
            "document",
            json!({"id": metas("d"), "filename": "Invoice A-1001.pdf", "caption": "Your invoice"}),
            json!("Your invoice"),
            Value::Null,
            json!(["application/pdf", "scan.pdf", 8, null]),
        ),
        "sticker" => file(
            "sticker",
            json!({"id": metas("e")}),
            Value::Null,
            Value::Null,
            json!(["image/webp", "smile.webp", 20, null]),
        ),
        "location" => kept(
            "location",
            json!({"latitude": 52.5163, "longitude": 13.3777, "name": "Our shop", "address": "Pariser Platz, Berlin"}),
            "Our shop",
        ),
        "contacts" => kept(
            "contacts",
            json!([
                {"name": {"formatted_name": "Dr Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "prefix": "Dr"},
                 "phones": [{"phone": "+44 1234 567890", "wa_id": "441234567890", "type": "WORK"}],
                 "emails": [{"email": "ada@example.com", "type": "WORK"}],
                 "urls": [{"url": "https://example.com/ada", "type": "WORK"}],
                 "addresses": [{"street": "1 Example Street", "city": "London", "zip": "N1 1AA", "country": "United Kingdom",
                                "country_code": "gb", "type": "WORK"}],
                 "org": {"company": "Analytical Engines", "department": "Support", "title": "Programmer"},
                 "birthday": "1985-12-10"},
                {"name": {"formatted_name": "Charles", "first_name": "Charles"}}]),
            "Dr Ada Lovelace, Charles",
        ),
        "template" => {
            let object = json!({"name": "order_update", "language": {"code": "en_US"}, "components": [
                {"type": "header", "parameters": [{"type": "text", "text": "A-1001"}]},
                {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "date_time", "date_time": {"fallback_value": "Friday"}}]},
                {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "thanks"}]}]});
            let button = |text: &str| json!({"type": "QUICK_REPLY", "text": text, "url": null, "phone_number": null, "code": null});
            let rendered = json!({"header": {"format": "TEXT", "text": "Order A-1001"},
                "body": "Hello Ada, your order will arrive on Friday.", "footer": "Thank you for your order",
                "buttons": [button("Thanks"), button("Call me")]});
            let said = "Order A-1001\n\nHello Ada, your order will arrive on Friday.";
            template(object.clone(), object, said, rendered)
        }
        "template_image" => {
            let object = |image: Value| {
                json!({"name": "order_shipped", "language": {"code": "en_US", "policy": "deterministic"}, "components": [
                    {"type": "header", "parameters": [{"type": "image", "image": image}]},
                    {"type": "body", "parameters": [{"type": "text", "text": "A-1001"}]},
                    {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A-1001"}]}]})
            };
            let rendered = json!({"header": {"format": "IMAGE", "text": null}, "body": "Your parcel A-1001 is on its way.", "footer": null,
                "buttons": [{"type": "URL", "text": "Track it", "url": "https://example.com/track/A-1001", "phone_number": null, "code": null}]});
            let (to_graph, kept) = (
                object(json!({"id": metas("b")})),
                object(json!({"media_id": ours("b")})),
            );
            template(to_graph, kept, "Your parcel A-1001 is on its way.", rendered)
        }
        "interactive_button" => {
            let object = |image: Value| {
                json!({"type": "button", "header": {"type": "image", "image": image},
                    "body": {"text": "Your parcel can come on Friday. Does that suit you?"}, "footer": {"text": "Deliveries from 9:00 to 18:00"},
                    "action": {"buttons": [{"type": "reply", "reply": {"id": "friday", "title": "Friday"}},
                                           {"type": "reply", "reply": {"id": "other", "title": "Another day"}}]}})
            };
            words(
                "interactive",
                object(json!({"id": metas("b")})),
                "Your parcel can come on Friday. Does that suit you?",
                json!({"interactive": object(json!({"media_id": ours("b")}))}),
            )
        }
        "interactive_list" => kept(
            "interactive",
            json!({"type": "list", "header": {"type": "text", "text": "Your delivery"}, "body": {"text": "When shall we come?"},
                "action": {"button": "Choose a time", "sections": [
                    {"title": "Friday", "rows": [{"id": "fri-9", "title": "9:00", "description": "By bicycle"}, {"id": "fri-14", "title": "14:00"}]},
                    {"title": "Saturday", "rows": [{"id": "sat-9", "title": "9:00"}]}]}}),
            "When shall we come?",
        ),
        "interactive_cta_url" => kept(
            "interactive",
            json!({"type": "cta_url", "body": {"text": "Your parcel is on its way."},
                "action": {"name": "cta_url", "parameters": {"display_text": "Track it", "url": "https://example.com/track/A-1001"}}}),
            "Your parcel is on its way.",
        ),
        "interactive_flow" => kept(
            "interactive",
            json!({"type": "flow", "body": {"text": "Book an appointment with us."}, "action": {"name": "flow", "parameters": {
                "flow_message_version": "3", "flow_id": "1234567890", "flow_token": "appointment-1001", "flow_cta": "Book", "mode": "published",
                "flow_action": "navigate", "flow_action_payload": {"screen": "APPOINTMENT", "data": {"day": "2026-07-24"}}}}}),
            "Book an appointment with us.",
        ),
        "interactive_location_request" => kept(
            "interactive",
            json!({"type": "location_request_message", "body": {"text": "Where shall we bring it?"}, "action": {"name": "send_location"}}),
            "Where shall we bring it?",
        ),
        other => panic!("nothing is expected of {other}"),
    }
}

fn template(to_graph: Value, mut kept: Value, content: &str, rendered: Value) -> Row {
    kept["rendered"] = rendered;
    words("template", to_graph, content, json!({ "template": kept }))
}

#[tokio::test]
async fn every_example_reaches_graph_as_it_documents_and_shows_in_the_inbox() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let quoted = format!("update chat_messages set wa_message_id = '{QUOTED}'");
    desk.database.client.batch_execute(&quoted).await.unwrap();
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (letter, mime_type, filename, bytes) in [
        ("a", "audio/ogg; codecs=opus", "note.ogg", VOICE),
        ("b", "image/png", "parcel.png", PNG),
        ("d", "application/pdf", "scan.pdf", b"%PDF-1.7"),
        ("e", "image/webp", "smile.webp", b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0"),
    ] {
        files.insert(letter, desk.put_file(mime_type, filename, bytes).await);
    }
    for (name, _) in EXAMPLES.into_iter().filter(|(name, _)| *name != "reaction") {
        let mut text = example(name).to_string();
        for (letter, id) in &files {
            text = text.replace(&format!("8f1b2c3d-0000-4000-8000-00000000000{letter}"), id);
        }
        let mut request: Value = serde_json::from_str(&text).unwrap();
        for (field, own) in [
            ("conversation_id", json!(conversation)),
            ("phone_number_id", json!(NUMBER)),
            ("to", json!(CUSTOMER)),
        ] {
            if !request[field].is_null() {
                request[field] = own;
            }
        }
        let (status, reply) = desk.send(request).await;
        assert_eq!(
            (status, &reply["result"]),
            (StatusCode::OK, &json!("accepted")),
            "{name}: {reply}"
        );
        let message = &reply["message"];
        let mut metas = BTreeMap::new();
        for (letter, id) in &files {
            metas.insert(*letter, json!(desk.meta_id(id).await));
        }
        let row = expected(name, |letter| json!(files[letter]), |letter| metas[letter].clone());
        let mut body = row.body;
        let answers = body.get("context").is_some();
        let kind = body["type"].clone();
        for (field, value) in [
            ("messaging_product", "whatsapp"),
            ("recipient_type", "individual"),
            ("to", "4915112345678"),
        ] {
            body[field] = json!(value);
        }
        body["biz_opaque_callback_data"] = message["message_id"].clone();
        assert_eq!(desk.accepted().await.pop().unwrap()["body"], body, "{name}");
        let media = &message["media"];
        let media = if media.is_null() {
            Value::Null
        } else {
            assert_eq!(media["state"], "stored", "{name}");
            json!([media["mime_type"], media["filename"], media["size"], media["voice"]])
        };
        assert_eq!(
            (
                &message["content"],
                &message["media_caption"],
                &message["metadata"],
                &media
            ),
            (&row.content, &row.caption, &row.metadata, &row.media),
            "{name}"
        );
        assert_eq!(
            (
                &message["message_type"],
                &message["status"],
                &message["sender"],
                &message["conversation_id"],
                &message["error"]
            ),
            (
                &kind,
                &json!("sent"),
                &json!("user"),
                &json!(conversation),
                &Value::Null
            ),
            "{name}"
        );
        let reply_to = if answers {
            json!([QUOTED, "customer", "text", "Hello?"])
        } else {
            json!([null, null, null, null])
        };
        let quoted = &message["reply_to"];
        assert_eq!(
            json!([
                quoted["wa_message_id"],
                quoted["sender"],
                quoted["message_type"],
                quoted["content"]
            ]),
            reply_to,
            "{name}"
        );
        let id = message["message_id"].as_str().unwrap();
        desk.reaches(id, "read").await;
        let mut shown = desk.shown(conversation, id).await;
        for later in ["status", "delivered_at", "read_at", "sent_at", "pricing"] {
            shown[later] = message[later].clone();
        }
        assert_eq!(&shown, message, "{name}: the history says the same");
    }
}

/// A desk whose customers read at once.
async fn quick_desk() -> Desk {
    let delays = simulator::Delays {
        sent_ms: 5,
        delivered_ms: 10,
        read_ms: 15,
    };
    Desk::with(Wishes {
        delays,
        ..Wishes::default()
    })
    .await
}

/// What follows from a refusal.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// It is tried again after from the first to the second wait (milliseconds).
    Later(i64, i64),
    /// So it is, and the whole number waits.
    Slower(i64, i64),
    /// It waits for its account or number, which shows this state.
    Held(&'static str),
    /// It is over.
    Failed,
}

const SOON: Then = Then::Later(1_000, 3_000);

/// How Graph answers, and what follows: HTTP status, code, and `is_transient`.
const REFUSALS: [(u16, i64, bool, Then); 49] = [
    (400, 4, false, Then::Slower(1_000, 3_000)),
    (400, 80_007, false, Then::Slower(1_000, 3_000)),
    (429, 130_429, false, Then::Slower(1_000, 3_000)),
    (400, 131_056, false, Then::Later(4_000, 4_000)),
    (503, 131_016, false, SOON),
    (500, 131_057, false, SOON),
    (500, 131_000, false, SOON),
    (400, 135_000, false, SOON),
    (400, 987_654, true, SOON),
    (500, 987_654, false, SOON),
    (429, 987_654, false, SOON),
    (400, 1, false, SOON),
    (400, 2, false, SOON),
    (400, 131_047, false, Then::Failed),
    (400, 131_026, false, Then::Failed),
    (400, 131_030, false, Then::Failed),
    (400, 131_021, false, Then::Failed),
    (400, 131_051, false, Then::Failed),
    (400, 131_008, false, Then::Failed),
    (400, 131_009, false, Then::Failed),
    (400, 132_000, false, Then::Failed),
    (404, 132_001, false, Then::Failed),
    (400, 132_015, false, Then::Failed),
    (400, 131_052, false, Then::Failed),
    (400, 131_053, false, Then::Failed),
    (400, 131_062, false, Then::Failed),
    (400, 137_000, false, Then::Failed),
    (400, 131_049, false, Then::Failed),
    (400, 131_050, false, Then::Failed),
    (400, 130_497, false, Then::Failed),
    (400, 100, false, Then::Failed),
    (400, 987_654, false, Then::Failed),
    (429, 131_048, false, Then::Held("spam_limited")),
    (400, 131_064, false, Then::Held("spam_limited")),
    (401, 0, false, Then::Held("reconnect_required")),
    (400, 3, false, Then::Held("reconnect_required")),
    (403, 10, false, Then::Held("reconnect_required")),
    (401, 190, false, Then::Held("reconnect_required")),
    (401, 190, true, Then::Held("reconnect_required")),
    (500, 190, false, Then::Held("reconnect_required")),
    (403, 200, false, Then::Held("reconnect_required")),
    (403, 250, false, Then::Held("reconnect_required")),
    (403, 299, false, Then::Held("reconnect_required")),
    (403, 131_005, false, Then::Held("reconnect_required")),
    (403, 368, false, Then::Held("restricted")),
    (403, 131_031, false, Then::Held("restricted")),
    (400, 131_042, false, Then::Held("payment_required")),
    (500, 131_045, false, Then::Held("registration_required")),
    (400, 131_045, false, Then::Held("registration_required")),
];

impl Desk {
    /// A customer for a row of a table.
    async fn customer(&self, number: usize) -> i64 {
        self.conversation(&format!("+49151200{number:05}")).await
    }

    /// How long until the only message that is owed may be sent (milliseconds), the code that it waits for, and whether its number waits.
    async fn wait(&self) -> (i64, Value, bool) {
        let wait =
            "select jsonb_build_array((extract(epoch from next_try_at - now()) * 1000)::bigint, last_error -> 'code',
                           (select send_slot_at > now() + interval '500 milliseconds' from chat_phone_numbers))
                    from chat_sends where settled_at is null and attempted_at is null";
        let mut row = self.database.json(wait).await.remove(0);
        (row[0].as_i64().unwrap(), row[1].take(), row[2] == true)
    }
}

#[tokio::test]
async fn every_refusal_of_graph_has_its_consequence() {
    let desk = quick_desk().await;
    for (number, (http, code, is_transient, then)) in REFUSALS.into_iter().enumerate() {
        let conversation = desk.customer(number).await;
        let asked = desk.requests().await.len();
        desk.fault(json!({"kind": "http_error", "status": http, "code": code, "is_transient": is_transient, "details": "Because.", "times": 1}))
            .await;
        let request = json!({"conversation_id": conversation, "message": "Hello!"});
        let (status, reply) = desk.send(request).await;
        let (message, case) = (&reply["message"], format!("{http} {code} {then:?}: {reply}"));
        let id = message["message_id"].as_str().unwrap();
        if let Then::Failed = then {
            let error = &message["error"];
            assert_eq!(
                (status, &message["status"], &reply["error"]["code"]),
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &json!("failed"),
                    &json!("message_failed")
                ),
                "{case}"
            );
            assert_eq!(
                (&error["code"], &error["details"], &error["retryable"]),
                (&json!(code), &json!("Because."), &json!(false)),
                "{case}"
            );
            let opted_out = format!(
                "select count(*) from chat_conversations where id = {conversation} and marketing_opted_out_at is not null"
            );
            assert_eq!(
                desk.database.count(&opted_out).await,
                i64::from(code == 131_050),
                "{case}"
            );
            desk.pass_time().await;
            desk.tick().await;
            assert_eq!(desk.requests().await.len(), asked + 1, "{case}");
            continue;
        }
        assert_eq!(
            (status, &message["status"], &message["error"]),
            (StatusCode::ACCEPTED, &json!("pending"), &Value::Null),
            "{case}"
        );
        let (wait, waits_for, is_number_slow) = desk.wait().await;
        assert_eq!(waits_for, code, "{case}");
        let (least, most) = match then {
            Then::Later(least, most) | Then::Slower(least, most) => (least, most),
            _ => (120_000, 120_000),
        };
        // The machine may have been busy since.
        assert!((least - 900..=most).contains(&wait), "{case}: {wait} ms");
        assert_eq!(is_number_slow, matches!(then, Then::Slower(..)), "{case}");
        let account = if let Then::Held(account) = then {
            account
        } else {
            "active"
        };
        assert_eq!(desk.account_status().await, account, "{case}");
        desk.tick().await;
        assert_eq!(desk.requests().await.len(), asked + 1, "{case}: it is not due");
        desk.pass_time().await;
        desk.tick().await;
        desk.reaches(id, "read").await;
        assert_eq!(desk.requests().await.len(), asked + 2, "{case}");
        assert_eq!(desk.account_status().await, "active", "{case}");
        assert_eq!(desk.shown(conversation, id).await["error"], Value::Null, "{case}");
    }
    assert_eq!(desk.database.count("select count(*) from chat_quarantine").await, 0);
}

/// A Graph that answers everything with a status and these words.
async fn curt(status: StatusCode, said: &'static str) -> Graph {
    let router = axum::Router::new().fallback(async move || (status, [(RETRY_AFTER, "60")], said));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Graph::new(&url, "v26.0").unwrap()
}

#[tokio::test]
async fn an_answer_that_is_not_graphs_own_is_tried_again_only_where_graph_cannot_have_taken_the_message() {
    let desk = quick_desk().await;
    for (number, (status, said, is_retried)) in [
        (500, "", true),
        (503, "<html>Service Unavailable</html>", true),
        (429, "", true),
        (502, "", false),
        (504, "<html>Gateway Timeout</html>", false),
        (200, "", false),
        (200, "{\"messages\": []}", false),
        (200, "{\"messages\": [{\"id\": \"\"}]}", false),
    ]
    .into_iter()
    .enumerate()
    {
        let conversation = desk.customer(number).await;
        let outbound = Outbound {
            graph: curt(StatusCode::from_u16(status).unwrap(), said).await,
            ..desk.outbound.clone()
        };
        let request = json!({"conversation_id": conversation, "message": "Hello!"});
        let (http, reply) = desk
            .post(
                desk.send_function(Some(outbound)),
                "/api/live-chat/send-message",
                &request,
            )
            .await;
        let case = format!("{status} {said}: {reply}");
        assert_eq!(
            (http, &reply["message"]["status"]),
            (StatusCode::ACCEPTED, &json!("pending")),
            "{case}"
        );
        let id = reply["message"]["message_id"].as_str().unwrap();
        if is_retried {
            let (wait, ..) = desk.wait().await;
            assert!(
                (59_000..=60_000).contains(&wait),
                "{case}: {wait} ms, and Graph asked for a minute"
            );
        } else {
            let marked = "select (extract(epoch from next_try_at - now()))::bigint from chat_sends where settled_at is null and attempted_at is not null";
            let wait = desk.database.count(marked).await;
            assert!(
                (890..=900).contains(&wait),
                "{case}: {wait} s until nobody waits for a status any more"
            );
        }
        let accepted = desk.accepted().await.len();
        desk.pass_time().await;
        desk.tick().await;
        if is_retried {
            desk.reaches(id, "read").await;
        } else {
            let (state, error) = desk.state(id).await;
            assert_eq!(
                (state.as_str(), &error["title"], &error["retryable"]),
                ("failed", &json!("unconfirmed"), &json!(false)),
                "{case}"
            );
        }
        assert_eq!(
            desk.accepted().await.len() - accepted,
            usize::from(is_retried),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_graph_that_falls_silent_is_asked_once_whether_it_took_the_message_or_not() {
    let desk = quick_desk().await;
    for (number, (fault, is_taken)) in [("no_answer", true), ("no_answer_before_accept", false)]
        .into_iter()
        .enumerate()
    {
        let conversation = desk.customer(number).await;
        desk.fault(json!({"kind": fault, "times": 1})).await;
        let (id, status) = desk.text(conversation, "Hello!").await;
        assert_eq!(status, "pending", "{fault}");
        if is_taken {
            desk.reaches(&id, "read").await;
        }
        desk.pass_time().await;
        desk.tick().await;
        let (status, error) = desk.state(&id).await;
        if is_taken {
            assert_eq!((status.as_str(), error), ("read", Value::Null));
        } else {
            assert_eq!(
                (status.as_str(), &error["title"], &error["code"]),
                ("failed", &json!("unconfirmed"), &Value::Null)
            );
        }
        let own = desk
            .requests()
            .await
            .into_iter()
            .filter(|request| request["body"]["biz_opaque_callback_data"] == id);
        assert_eq!(own.count(), 1, "{fault}");
    }
    assert_eq!(desk.accepted().await.len(), 1);
}

#[tokio::test]
async fn every_code_of_a_failed_status_fails_the_message_and_says_whether_another_try_may_succeed() {
    let desk = quick_desk().await;
    let passes = [1, 2, 4, 80_007, 130_429, 131_056, 131_016, 131_057, 131_000, 135_000];
    let codes: BTreeMap<i64, bool> = REFUSALS
        .into_iter()
        .map(|(_, code, ..)| (code, passes.contains(&code)))
        .collect();
    for (number, (code, is_retryable)) in codes.into_iter().enumerate() {
        let conversation = desk.customer(number).await;
        desk.fault(json!({"kind": "status_failed", "code": code, "title": "Title", "details": "Because.", "after_sent": number % 2 == 0, "times": 1}))
            .await;
        let (id, _) = desk.text(conversation, "Hello!").await;
        desk.reaches(&id, "failed").await;
        let shown = desk.shown(conversation, &id).await;
        assert_eq!(
            shown["error"],
            json!({"code": code, "title": "Title", "details": "Because.", "retryable": is_retryable}),
            "{code}"
        );
        let opted_out = format!(
            "select count(*) from chat_conversations where id = {conversation} and marketing_opted_out_at is not null"
        );
        assert_eq!(
            desk.database.count(&opted_out).await,
            i64::from(code == 131_050),
            "{code}"
        );
        // A code that speaks of the account or the number holds it, as in an answer.
        let held = REFUSALS.into_iter().find_map(|(_, held_by, _, then)| match then {
            Then::Held(state) if held_by == code => Some(state),
            _ => None,
        });
        assert_eq!(desk.account_status().await, held.unwrap_or("active"), "{code}");
        let release = "delete from chat_holds";
        desk.database.client.batch_execute(release).await.unwrap();
        // By itself nothing is sent again.
        desk.tick().await;
        let request = json!({"conversation_id": conversation, "message": "Hello!", "message_id": id});
        let (status, reply) = desk.send(request).await;
        if is_retryable {
            assert_eq!(
                (status, &reply["result"]),
                (StatusCode::OK, &json!("retried")),
                "{code}: {reply}"
            );
            desk.reaches(&id, "read").await;
        } else {
            assert_eq!(
                (status, &reply["error"]["code"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!("message_failed")),
                "{code}: {reply}"
            );
        }
        let own = desk
            .requests()
            .await
            .into_iter()
            .filter(|request| request["body"]["biz_opaque_callback_data"] == id);
        assert_eq!(own.count(), 1 + usize::from(is_retryable), "{code}");
    }
}
