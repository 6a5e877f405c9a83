//! Webhooks of shapes that nobody documented: each is stored or kept, and none disturbs its neighbours.

use crate::shown::{self, pick};
use crate::support::{Fixture, NOON, WABA, message, value, webhook};
use serde_json::{Value, json};
use shared::whatsapp::split::split;

const ANA: &str = "15550111";

fn live(item: Value) -> String {
    webhook(&value(json!({"messages": [item]})))
}

fn entries(entries: Value) -> String {
    json!({"object": "whatsapp_business_account", "entry": entries}).to_string()
}

#[tokio::test]
async fn numbers_are_taken_where_strings_are_documented() {
    let fixture = Fixture::new().await;
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": 900_100, "changes": [{"field": "messages", "value": {
        "metadata": {"display_phone_number": 15_550_100, "phone_number_id": 700_100},
        "contacts": [{"wa_id": 15_550_111, "profile": {"name": 42}}],
        "messages": [{"from": 15_550_111, "id": 99, "timestamp": NOON, "type": "image", "context": {"id": 98},
            "image": {"id": 5, "mime_type": 6, "caption": 7}}]}}]}]});
    assert!(fixture.consume(&[body.to_string()]).await.is_empty());
    let message = shown::message(&fixture, "99").await;
    assert_eq!(
        (&message["media_caption"], &message["reply_to"]["wa_message_id"]),
        (&json!("7"), &json!("98"))
    );
    assert_eq!(
        pick(
            &shown::conversation(&fixture).await,
            &["customer_phone", "customer_name"]
        ),
        json!({"customer_phone": "+15550111", "customer_name": "42"})
    );
}

#[tokio::test]
async fn a_body_of_another_shape_is_an_unsupported_message() {
    let fixture = Fixture::new().await;
    let bodies = [
        ("text", json!({})),
        ("text", json!([])),
        ("text", json!("words")),
        ("text", json!({"body": ["words"]})),
        ("text", Value::Null),
        ("image", json!([{"id": "M1"}])),
        ("image", json!({"id": {}})),
        ("location", json!([1.5, 2.5])),
        ("location", json!({"latitude": [1], "longitude": {}})),
        ("contacts", json!({"name": {"formatted_name": "x"}})),
        (
            "interactive",
            json!({"type": "button_reply", "button_reply": [{"title": "x"}]}),
        ),
        (
            "interactive",
            json!({"type": "list_reply", "list_reply": {"title": {"a": 1}}}),
        ),
        ("interactive", json!("button_reply")),
        ("button", json!("Yes")),
        ("order", json!({"product_items": {"0": {}}})),
        ("system", json!("moved")),
    ];
    let items: Vec<String> = (0..)
        .zip(&bodies)
        .map(|(index, (kind, body))| {
            let item = json!({"id": format!("wamid.{index:02}"), "timestamp": (NOON + index).to_string(), "type": kind, (*kind): body});
            message(ANA, "Ana", item)
        })
        .collect();
    assert!(fixture.consume(&items).await.is_empty());
    let shown = shown::messages(&fixture).await;
    assert_eq!(shown.len(), bodies.len());
    for (message, (kind, body)) in shown.iter().zip(&bodies) {
        assert_eq!(message["message_type"], "unsupported", "{kind} {body}");
        assert_eq!(&message["metadata"]["raw"][kind], body);
    }
}

#[tokio::test]
async fn odd_parts_of_a_good_message_are_no_reason_to_lose_it() {
    let fixture = Fixture::new().await;
    let rests = [
        json!({"context": "wamid.X"}),
        json!({"context": [{"id": "wamid.X"}]}),
        json!({"context": {"id": "w".repeat(256)}}),
        json!({"referral": ["ad"], "errors": "none", "system": 5, "group_id": null}),
        json!({"from_user_id": ["US.1"]}),
        json!({"from_user_id": ""}),
        json!({"identity": {"hash": 1}, "timestamp": NOON}),
    ];
    let items: Vec<String> = (0..)
        .zip(&rests)
        .map(|(index, rest)| {
            let mut item = json!({"from": ANA, "id": format!("wamid.{index}"), "timestamp": NOON.to_string(), "type": "text", "text": {"body": "x"}});
            item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
            live(item)
        })
        .collect();
    assert!(fixture.consume(&items).await.is_empty());
    for message in shown::messages(&fixture).await {
        assert_eq!(
            pick(&message, &["content", "reply_to", "referral"]),
            json!({"content": "x", "reply_to": null, "referral": null})
        );
    }
    assert_eq!(shown::conversation(&fixture).await["unread_count"], rests.len());
}

#[tokio::test]
async fn contacts_that_are_missing_strange_or_somebody_elses_name_nobody() {
    let fixture = Fixture::new().await;
    let with = |contacts: Value, wamid: &str| {
        let item =
            json!({"from": ANA, "id": wamid, "timestamp": NOON.to_string(), "type": "text", "text": {"body": "x"}});
        webhook(&value(json!({"contacts": contacts, "messages": [item]})))
    };
    let bea = json!({"wa_id": "15550222", "user_id": "US.2", "profile": {"name": "Bea"}});
    let cases = [
        Value::Null,
        json!({}),
        json!([null, 5, "Ana", []]),
        json!([bea]),
        json!([bea, {"wa_id": "15550333", "profile": {"name": "Cleo"}}]),
        json!([{"wa_id": ANA}]),
        json!([{"wa_id": ANA, "profile": {"name": {"first": "Ana"}}}]),
        json!([{"wa_id": ANA, "profile": "Ana"}]),
    ];
    let items: Vec<String> = (0..)
        .zip(&cases)
        .map(|(index, contacts)| with(contacts.clone(), &format!("wamid.{index}")))
        .collect();
    assert!(fixture.consume(&items).await.is_empty());
    let fields = ["customer_phone", "customer_user_id", "customer_name", "unread_count"];
    assert_eq!(
        pick(&shown::conversation(&fixture).await, &fields),
        json!({"customer_phone": "+15550111", "customer_user_id": null, "customer_name": null, "unread_count": cases.len()})
    );
    // Without a sender of its own a message is the only contact's, whose `wa_id` may be empty.
    let lone = json!({"contacts": [{"wa_id": "", "user_id": "US.9", "profile": {"name": "Zoe"}}],
        "messages": [{"from": "", "id": "wamid.Z", "timestamp": NOON.to_string(), "type": "text", "text": {"body": "x"}}]});
    fixture.consume(&[webhook(&value(lone))]).await;
    assert_eq!(
        pick(&shown::conversations(&fixture).await[1], &fields),
        json!({"customer_phone": null, "customer_user_id": "US.9", "customer_name": "Zoe", "unread_count": 1})
    );
}

#[tokio::test]
async fn envelopes_of_other_shapes_are_kept_with_their_reason() {
    let fixture = Fixture::new().await;
    let good = |wamid: &str| {
        json!({"field": "messages", "value": value(json!({"messages": [
        {"from": ANA, "id": wamid, "timestamp": NOON.to_string(), "type": "text", "text": {"body": wamid}}]}))})
    };
    let cases = [
        (entries(json!({})), vec!["no_entries"]),
        (entries(Value::Null), vec!["no_entries"]),
        (entries(json!([])), vec!["no_entries"]),
        (
            entries(json!([null, {}, 5])),
            vec!["malformed_entry", "no_changes", "malformed_entry"],
        ),
        (
            entries(json!([{"id": WABA, "changes": {"field": "messages"}}])),
            vec!["no_changes"],
        ),
        (
            entries(json!([{"id": WABA, "changes": [null, {"field": "messages", "value": []}, good("wamid.1")]}])),
            vec!["malformed_change", "malformed_change"],
        ),
        (entries(json!([{"changes": [good("wamid.2")]}])), vec![]),
        (
            webhook(&json!({"metadata": null, "messages": [{"from": ANA, "id": "wamid.m", "timestamp": "1"}]})),
            vec!["missing_phone_number_id"],
        ),
        (
            webhook(
                &json!({"metadata": {"phone_number_id": ""}, "messages": [{"from": ANA, "id": "wamid.n", "timestamp": "1"}]}),
            ),
            vec!["missing_phone_number_id"],
        ),
        (
            webhook(&value(json!({"messages": [null, 5, "x", [], {}]}))),
            vec!["missing_id"; 5],
        ),
        (
            webhook(&value(json!({"messages": {}, "statuses": null}))),
            vec!["no_items"],
        ),
        (
            webhook(&value(
                json!({"statuses": [{"id": "wamid.s", "status": ["sent"], "timestamp": "1"}]}),
            )),
            vec!["status:"],
        ),
    ];
    for (body, expected) in cases {
        fixture
            .database
            .client
            .batch_execute("truncate chat_quarantine")
            .await
            .unwrap();
        assert!(fixture.consume(std::slice::from_ref(&body)).await.is_empty());
        let mut expected: Vec<Value> = expected.into_iter().map(|reason| json!(reason)).collect();
        expected.sort_by_key(ToString::to_string);
        assert_eq!(fixture.quarantine().await, expected, "{body}");
    }
    let contents: Vec<Value> = shown::messages(&fixture)
        .await
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(contents, ["wamid.1", "wamid.2"]);
}

#[tokio::test]
async fn a_list_of_another_shape_beside_good_items_is_kept_by_itself() {
    let fixture = Fixture::new().await;
    let padding = "x".repeat(50_000);
    let good = |wamid: &str| json!({"from": ANA, "id": wamid, "timestamp": NOON.to_string(), "type": "text", "text": {"body": padding}});
    let strange = json!({"messages": [good("wamid.1"), good("wamid.2"), good("wamid.3")], "statuses": {"id": "wamid.lost"},
        "state_sync": [{"type": "contact", "contact": {"full_name": "Lost", "phone_number": ANA}}], "errors": null, "history": []});
    let body = webhook(&value(strange));
    // Whole, as a small webhook travels, and divided, as this one does.
    let units: Vec<String> = split(body.as_bytes())
        .unwrap()
        .into_iter()
        .map(|unit| String::from_utf8(unit.body).unwrap())
        .collect();
    assert!(units.len() > 3);
    for (bodies, reasons) in [
        (vec![body], ["unexpected_list", "unexpected_list"]),
        (units, ["no_items", "no_items"]),
    ] {
        fixture
            .database
            .client
            .batch_execute("truncate chat_quarantine")
            .await
            .unwrap();
        assert!(fixture.consume(&bodies).await.is_empty());
        assert_eq!(shown::messages(&fixture).await.len(), 3);
        assert_eq!(fixture.quarantine().await, reasons.map(|reason| json!(reason)));
        let kept = fixture
            .database
            .json("select to_jsonb(convert_from(body, 'UTF8')) from chat_quarantine")
            .await;
        for lost in ["wamid.lost", "Lost"] {
            assert!(
                kept.iter()
                    .any(|body| body.as_str().unwrap().contains(lost) && !body.as_str().unwrap().contains("wamid.1"))
            );
        }
    }
}
