//! Every message type through the consumer, as the API then shows it.

use crate::shown::{self, pick, time};
use crate::support::{Fixture, NOON, NUMBER, WABA, change, message, text, value, webhook};
use serde_json::{Value, json};

const ANA: &str = "15550111";

/// A message of Ana's, `seconds` after noon.
fn said(wamid: &str, seconds: i64, kind: &str, body: Value) -> String {
    let item = json!({"id": wamid, "timestamp": (NOON + seconds).to_string(), "type": kind, kind: body});
    message(ANA, "Ana", item)
}

/// A message of Ana's with something beside its body.
fn said_with(wamid: &str, rest: Value) -> String {
    let mut item = json!({"id": wamid, "timestamp": NOON.to_string(), "type": "text", "text": {"body": "x"}});
    item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
    message(ANA, "Ana", item)
}

#[tokio::test]
async fn every_type_is_shown_in_words_with_the_rest_in_its_metadata() {
    let cards = json!([
        {"name": {"formatted_name": "Ines Duarte"}, "phones": [{"phone": "+1 555 0140", "wa_id": "15550140"}]},
        {"name": {"formatted_name": "Plant Doctor"}, "org": {"company": "Leaf"}},
        {"name": {"first_name": "Nameless"}}]);
    let items = json!([{"product_retailer_id": "a", "quantity": 2, "item_price": 4.5, "currency": "EUR"},
        {"product_retailer_id": "b", "quantity": 1, "item_price": 3, "currency": "EUR"}]);
    let flow = r#"{"flow_token":"t","day":{"date":"2026-07-02"},"nul":"a\u0000b","half":"\ud83d"}"#;
    let button = json!({"type": "button_reply", "button_reply": {"id": "b1", "title": "Tomorrow"}});
    let row = json!({"type": "list_reply", "list_reply": {"id": "r1", "title": "Large", "description": "30 cm"}});
    let call = json!({"type": "call_permission_reply", "call_permission_reply": {"response": "accept", "expiration_timestamp": "1783512000"}});
    let answer = json!({"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": flow}});
    let place = json!({"latitude": 38.7139, "longitude": -9.1334, "name": "Miradouro", "address": "Lisboa", "url": "https://example.com"});
    let cases = [
        ("text", json!({"body": "Hello"}), json!("Hello"), "", Value::Null),
        ("text", json!({"body": 7}), json!("7"), "", Value::Null),
        ("location", place.clone(), json!("Miradouro"), "/location", place),
        (
            "location",
            json!({"latitude": 1.5, "longitude": 2, "address": "Rua 1"}),
            json!("Rua 1"),
            "/location/latitude",
            json!(1.5),
        ),
        (
            "location",
            json!({"latitude": 38.7139, "longitude": -9.1334, "name": ""}),
            json!("38.7139,-9.1334"),
            "/location/longitude",
            json!(-9.1334),
        ),
        (
            "contacts",
            cards.clone(),
            json!("Ines Duarte, Plant Doctor"),
            "/contacts",
            cards,
        ),
        ("interactive", button.clone(), json!("Tomorrow"), "/interactive", button),
        ("interactive", row.clone(), json!("Large"), "/interactive", row),
        (
            "interactive",
            call,
            json!("accept"),
            "/interactive/call_permission_reply/expiration_timestamp",
            json!("1783512000"),
        ),
        (
            "interactive",
            answer.clone(),
            json!("Sent"),
            "/interactive/nfm_reply/response",
            json!({"flow_token": "t", "day": {"date": "2026-07-02"}, "nul": "ab", "half": "\u{fffd}"}),
        ),
        (
            "interactive",
            answer,
            json!("Sent"),
            "/interactive/nfm_reply/response_json",
            json!(flow),
        ),
        (
            "button",
            json!({"payload": "YES", "text": "Yes, please"}),
            json!("Yes, please"),
            "/button/payload",
            json!("YES"),
        ),
        (
            "order",
            json!({"catalog_id": "C", "text": "Wrapped?", "product_items": items}),
            json!("Wrapped?"),
            "/order/product_items",
            items.clone(),
        ),
        (
            "order",
            json!({"catalog_id": "C", "text": "", "product_items": items}),
            json!("2 items"),
            "/order/catalog_id",
            json!("C"),
        ),
        (
            "order",
            json!({"catalog_id": "C", "product_items": [items[0]]}),
            json!("1 item"),
            "/order/product_items/0/item_price",
            json!(4.5),
        ),
        (
            "system",
            json!({"type": "customer_identity_changed", "body": "Ana has a new phone"}),
            json!("Ana has a new phone"),
            "/system/type",
            json!("customer_identity_changed"),
        ),
    ];
    let fixture = Fixture::new().await;
    let bodies: Vec<String> = (0..)
        .zip(&cases)
        .map(|(index, (kind, body, ..))| said(&format!("wamid.{index:02}"), index, kind, body.clone()))
        .collect();
    assert!(fixture.consume(&bodies).await.is_empty());
    let shown = shown::messages(&fixture).await;
    assert_eq!(shown.len(), cases.len());
    for (message, (kind, _, content, pointer, expected)) in shown.iter().zip(&cases) {
        assert_eq!(
            (&message["message_type"], &message["content"]),
            (&json!(kind), content),
            "{message:#}"
        );
        let found = if pointer.is_empty() {
            Some(&message["metadata"])
        } else {
            message["metadata"].pointer(pointer)
        };
        assert_eq!(found, Some(expected), "{pointer} of {message:#}");
        assert_eq!(
            pick(message, &["media", "media_caption", "reply_to", "sender"]),
            json!({"media": null, "media_caption": null, "reply_to": null, "sender": "customer"})
        );
    }
    let conversation = shown::conversation(&fixture).await;
    assert_eq!(
        pick(
            &conversation,
            &["last_message", "last_message_type", "unread_count", "needs_reply"]
        ),
        json!({"last_message": "Ana has a new phone", "last_message_type": "system", "unread_count": cases.len() - 1, "needs_reply": true})
    );
}

#[tokio::test]
async fn a_file_has_a_caption_and_a_state_and_no_content() {
    let fixture = Fixture::new().await;
    let file = |rest: Value| {
        let mut file = json!({"id": "M1", "mime_type": "a/b", "sha256": "aGFzaA=="});
        file.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        file
    };
    let cases = [
        ("image", json!({"caption": "Look"})),
        ("video", json!({"caption": ""})),
        ("audio", json!({"voice": true})),
        (
            "document",
            json!({"filename": "facture é.pdf", "caption": "Please pay"}),
        ),
        ("sticker", json!({"animated": false})),
    ];
    let bodies: Vec<String> = (0..)
        .zip(&cases)
        .map(|(index, (kind, rest))| said(&format!("wamid.{kind}"), index, kind, file(rest.clone())))
        .collect();
    fixture.consume(&bodies).await;
    let shown = shown::messages(&fixture).await;
    for (message, (kind, rest)) in shown.iter().zip(&cases) {
        let caption = rest["caption"].as_str().filter(|caption| !caption.is_empty());
        assert_eq!(
            pick(message, &["message_type", "content", "media_caption"]),
            json!({"message_type": kind, "content": null, "media_caption": caption})
        );
        assert_eq!(
            pick(
                &message["media"],
                &["state", "mime_type", "filename", "sha256", "voice", "animated"]
            ),
            json!({"state": "pending", "mime_type": "a/b", "filename": rest["filename"], "sha256": "aGFzaA==",
                   "voice": rest["voice"], "animated": rest["animated"]})
        );
    }
    assert_eq!(shown.len(), cases.len());
}

#[tokio::test]
async fn what_cannot_be_shown_is_unsupported_and_kept_raw() {
    let errors = json!([{"code": 131_051, "title": "Unknown", "error_data": {"details": "Not supported."}}]);
    let cases = [
        json!({"type": "unsupported", "errors": errors}),
        json!({"type": "unknown", "errors": errors}),
        json!({"type": "interactive", "errors": errors}),
        json!({"type": "interactive", "interactive": {"type": "reply_of_tomorrow", "reply_of_tomorrow": {"title": "x"}}}),
        json!({"type": "poll", "poll": {"question": "Which?"}}),
        json!({"type": "request_welcome"}),
        json!({"type": "ephemeral"}),
        json!({"type": null}),
        json!({"type": "location", "location": {"name": ""}}),
        json!({"type": "image", "image": {"caption": "no id"}}),
        json!({"type": "order", "order": {"catalog_id": "C"}}),
    ];
    let fixture = Fixture::new().await;
    let bodies: Vec<String> = (0..)
        .zip(&cases)
        .map(|(index, rest)| {
            let mut item = json!({"id": format!("wamid.{index:02}"), "timestamp": (NOON + index).to_string()});
            item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
            message(ANA, "Ana", item)
        })
        .collect();
    assert!(fixture.consume(&bodies).await.is_empty());
    let shown = shown::messages(&fixture).await;
    assert_eq!(shown.len(), cases.len());
    for (message, rest) in shown.iter().zip(&cases) {
        assert_eq!(
            pick(message, &["message_type", "content", "media", "status"]),
            json!({"message_type": "unsupported", "content": null, "media": null, "status": "delivered"})
        );
        for (key, part) in rest.as_object().unwrap() {
            assert_eq!(&message["metadata"]["raw"][key], part);
        }
        assert_eq!(message["metadata"]["errors"], rest["errors"]);
    }
    let conversation = shown::conversation(&fixture).await;
    assert_eq!(
        pick(
            &conversation,
            &["last_message", "last_message_type", "unread_count", "needs_reply"]
        ),
        json!({"last_message": null, "last_message_type": "unsupported", "unread_count": cases.len(), "needs_reply": true})
    );
}

#[tokio::test]
async fn a_reply_shows_what_it_answers_once_that_is_there() {
    let fixture = Fixture::new().await;
    let quoting = |wamid: &str, quoted: &str| said_with(wamid, json!({"context": {"from": "15550100", "id": quoted}}));
    fixture
        .consume(&[
            quoting("wamid.R1", "wamid.T"),
            quoting("wamid.R2", "wamid.I"),
            quoting("wamid.R3", "wamid.never"),
        ])
        .await;
    let unknown =
        json!({"message_id": null, "wa_message_id": "wamid.T", "sender": null, "message_type": null, "content": null});
    assert_eq!(shown::message(&fixture, "wamid.R1").await["reply_to"], unknown);
    let echo = json!({"message_echoes": [{"from": "15550100", "to": ANA, "id": "wamid.I", "timestamp": NOON.to_string(), "type": "image",
        "image": {"id": "M", "caption": "Our shop"}}]});
    let echo = change(WABA, NUMBER, "smb_message_echoes", NOON, &echo);
    fixture
        .consume(&[text(ANA, "wamid.T", NOON - 9, "How much?"), echo])
        .await;
    let quoted = [
        ("wamid.R1", "customer", "text", "How much?"),
        ("wamid.R2", "user", "image", "Our shop"),
    ];
    for (wamid, sender, kind, content) in quoted {
        let reply = shown::message(&fixture, wamid).await["reply_to"].take();
        assert_eq!(
            pick(&reply, &["sender", "message_type", "content"]),
            json!({"sender": sender, "message_type": kind, "content": content})
        );
        let quoted = reply["wa_message_id"].as_str().unwrap();
        assert_eq!(
            reply["message_id"],
            shown::message(&fixture, quoted).await["message_id"]
        );
    }
    let reply = shown::message(&fixture, "wamid.R3").await["reply_to"].take();
    assert_eq!(
        pick(&reply, &["wa_message_id", "content"]),
        json!({"wa_message_id": "wamid.never", "content": null})
    );
}

#[tokio::test]
async fn a_quoted_message_of_somebody_else_is_not_shown() {
    let fixture = Fixture::new().await;
    let quoting = said_with("wamid.R", json!({"context": {"from": "15550100", "id": "wamid.B"}}));
    fixture
        .consume(&[text("15550222", "wamid.B", NOON, "Bea's secret"), quoting])
        .await;
    let reply = shown::message(&fixture, "wamid.R").await["reply_to"].take();
    assert_eq!(
        pick(&reply, &["wa_message_id", "content"]),
        json!({"wa_message_id": "wamid.B", "content": null})
    );
}

#[tokio::test]
async fn forwarded_messages_and_ads_are_told_on_every_type() {
    let fixture = Fixture::new().await;
    let ad = json!({"source_url": "https://fb.example/1", "source_id": "12", "source_type": "ad", "headline": "Half price", "body": "Now",
        "media_type": "image", "ctwa_clid": "Afc", "welcome_message": {"text": "Hi!"}});
    let image = json!({"type": "image", "image": {"id": "M", "mime_type": "image/png"}});
    let merged = |one: &Value, other: Value| {
        let mut all = one.clone();
        all.as_object_mut().unwrap().extend(other.as_object().cloned().unwrap());
        all
    };
    let bodies = [
        said_with("wamid.1", json!({"context": {"forwarded": true}})),
        said_with(
            "wamid.2",
            merged(
                &image,
                json!({"context": {"frequently_forwarded": true, "forwarded": false}}),
            ),
        ),
        said_with("wamid.3", merged(&image, json!({"referral": ad}))),
        said_with("wamid.4", json!({"type": "poll", "referral": ad})),
        said_with(
            "wamid.5",
            json!({"context": {"from": "15550100", "id": "wamid.1", "referred_product": {"catalog_id": "C"}}}),
        ),
        said_with("wamid.6", json!({"referral": "https://fb.example"})),
    ];
    fixture.consume(&bodies).await;
    let shown = shown::messages(&fixture).await;
    let flags = ["forwarded", "frequently_forwarded"];
    assert_eq!(
        pick(&shown[0]["metadata"], &flags),
        json!({"forwarded": true, "frequently_forwarded": null})
    );
    assert_eq!(
        pick(&shown[1]["metadata"], &flags),
        json!({"forwarded": null, "frequently_forwarded": true})
    );
    // Only what names a message is a reply.
    assert_eq!(
        (&shown[0]["reply_to"], &shown[1]["reply_to"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!((&shown[2]["referral"], &shown[3]["referral"]), (&ad, &ad));
    assert_eq!(shown[4]["metadata"]["context"]["referred_product"]["catalog_id"], "C");
    assert_eq!(shown[5]["referral"], Value::Null);
}

#[tokio::test]
async fn a_sent_message_shows_its_times_price_and_failure() {
    let fixture = Fixture::new().await;
    let echo = |wamid: &str| json!({"from": "15550100", "to": ANA, "id": wamid, "timestamp": NOON.to_string(), "type": "text", "text": {"body": "Hi"}});
    let echoes = json!({"message_echoes": [echo("wamid.1"), echo("wamid.2")]});
    let price =
        |category: &str| json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": category});
    let status = |wamid: &str, state: &str, seconds: i64, rest: Value| {
        let mut item =
            json!({"id": wamid, "status": state, "timestamp": (NOON + seconds).to_string(), "recipient_id": ANA});
        item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        webhook(&value(json!({"statuses": [item]})))
    };
    let failure = json!({"errors": [{"code": 131_047, "title": "Re-engagement message", "message": "Re-engagement message",
        "error_data": {"details": "More than 24 hours."}, "href": "https://example.com"}]});
    fixture
        .consume(&[
            change(WABA, NUMBER, "smb_message_echoes", NOON, &echoes),
            status("wamid.1", "played", 4, json!({})),
            status("wamid.1", "sent", 1, json!({"pricing": price("utility")})),
            status("wamid.1", "delivered", 2, json!({"pricing": price("marketing")})),
            status("wamid.1", "delivered", 3, json!({"pricing": "free"})),
            status("wamid.2", "failed", 5, failure),
        ])
        .await;
    let fields = ["status", "sent_at", "delivered_at", "read_at", "pricing", "error"];
    assert_eq!(
        pick(&shown::message(&fixture, "wamid.1").await, &fields),
        json!({"status": "read", "sent_at": time(NOON + 1), "delivered_at": time(NOON + 2), "read_at": time(NOON + 4),
               "pricing": price("marketing"), "error": null})
    );
    assert_eq!(
        pick(&shown::message(&fixture, "wamid.2").await, &fields),
        json!({"status": "failed", "sent_at": null, "delivered_at": null, "read_at": null, "pricing": null,
               "error": {"code": 131_047, "title": "Re-engagement message", "details": "More than 24 hours.", "retryable": false}})
    );
    assert_eq!(shown::conversation(&fixture).await["last_message_status"], "failed");
}
