//! What requests of every kind become, and where each limit lies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use serde_json::{Value, json};
use shared::domain::send::{Content, EXAMPLES, FileUse, InvalidField, Plan, SendRequest, Target, example, plan};
use uuid::Uuid;

const KEY: &str = "8f1b2c3d-0000-4000-8000-000000000001";
const FILE: &str = "8f1b2c3d-0000-4000-8000-00000000000f";

fn plan_of(request: &Value) -> Result<Plan, InvalidField> {
    plan(&serde_json::from_value(request.clone()).unwrap(), Uuid::nil())
}

/// A message of `kind` into conversation 1.
fn message(kind: &str, object: &Value) -> Value {
    json!({"conversation_id": 1, "message_type": kind, kind: object})
}

fn content(kind: &str, object: &Value) -> Content {
    plan_of(&message(kind, object)).unwrap().content
}

/// The refused field.
fn refused(request: &Value) -> String {
    match plan_of(request) {
        Ok(_) => panic!("accepted: {request}"),
        Err(error) => error.field,
    }
}

/// As an HTTP body, which also refuses unknown fields and wrong types.
fn refused_body(request: &Value) -> bool {
    serde_json::from_value::<SendRequest>(request.clone()).is_err()
}

fn file(kind: &'static str, field: &str) -> Vec<FileUse> {
    let media_id = FILE.parse().unwrap();
    let field = field.to_owned();
    vec![FileUse { media_id, kind, field }]
}

#[test]
fn each_kind_becomes_graphs_object_and_what_the_inbox_shows() {
    let link = "https://example.com/a";
    let place = json!({"latitude": 52.5, "longitude": 13.25, "name": "Shop", "address": "Berlin"});
    let cards = json!([
        {"name": {"formatted_name": "Ada Lovelace", "first_name": "Ada"}, "phones": [{"phone": "+44 1", "type": "WORK"}], "birthday": "1985-12-10"},
        {"name": {"formatted_name": "Charles", "suffix": "Jr"}},
    ]);
    let template = json!({"name": "order_shipped", "language": {"code": "en_US"}, "components": [
        {"type": "header", "parameters": [{"type": "image", "image": {"media_id": FILE}}]},
        {"type": "body", "parameters": [{"type": "currency", "currency": {"fallback_value": "€1", "code": "EUR", "amount_1000": 1000}}]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A-1"}]},
    ]});
    let interactive = json!({"type": "button", "header": {"type": "document", "document": {"media_id": FILE, "filename": "a.pdf"}}, "body": {"text": "Well?"},
        "footer": {"text": "Us"}, "action": {"buttons": [{"type": "reply", "reply": {"id": "y", "title": "Yes"}}]}});
    #[rustfmt::skip]
    let rows = [
        ("text", json!({"body": "Hi"}), json!({"body": "Hi", "preview_url": false}), Some("Hi"), None, Value::Null, vec![]),
        ("image", json!({"link": link, "caption": "Look", "filename": ""}), json!({"link": link, "caption": "Look"}), None, Some("Look"),
            json!({"image": {"link": link}}), vec![]),
        ("image", json!({"media_id": FILE, "caption": ""}), json!({"media_id": FILE}), None, None, Value::Null, file("image", "image.media_id")),
        ("video", json!({"id": FILE.to_uppercase(), "caption": "Look"}), json!({"media_id": FILE, "caption": "Look"}), None, Some("Look"), Value::Null,
            file("video", "video.media_id")),
        ("audio", json!({"link": link, "voice": true}), json!({"link": link, "voice": true}), None, None, json!({"audio": {"link": link}}), vec![]),
        ("document", json!({"media_id": FILE, "filename": "a.pdf", "caption": "Yours", "link": null}),
            json!({"media_id": FILE, "filename": "a.pdf", "caption": "Yours"}), None, Some("Yours"), Value::Null, file("document", "document.media_id")),
        ("sticker", json!({"media_id": FILE}), json!({"media_id": FILE}), None, None, Value::Null, file("sticker", "sticker.media_id")),
        ("location", place.clone(), place.clone(), Some("Shop"), None, json!({"location": place}), vec![]),
        ("location", json!({"latitude": "52.5", "longitude": -13, "address": "Berlin"}), json!({"latitude": 52.5, "longitude": -13.0, "address": "Berlin"}),
            Some("Berlin"), None, json!({"location": {"latitude": 52.5, "longitude": -13.0, "address": "Berlin"}}), vec![]),
        ("location", json!({"latitude": 52.5, "longitude": 13, "name": ""}), json!({"latitude": 52.5, "longitude": 13.0}), Some("52.5,13"), None,
            json!({"location": {"latitude": 52.5, "longitude": 13.0}}), vec![]),
        ("contacts", cards.clone(), cards.clone(), Some("Ada Lovelace, Charles"), None, json!({"contacts": cards}), vec![]),
        ("template", template.clone(), template.clone(), None, None, json!({"template": template}), file("image", "template.components[0].parameters[0].image.media_id")),
        ("interactive", interactive.clone(), interactive.clone(), Some("Well?"), None, json!({"interactive": interactive}),
            file("document", "interactive.header.document.media_id")),
        ("reaction", json!({"message_id": "wamid.A", "emoji": "👍🏽"}), json!({"emoji": "👍🏽"}), None, None, Value::Null, vec![]),
    ];
    for (kind, given, object, words, caption, metadata, files) in rows {
        let expected = Content {
            kind,
            object,
            words: words.map(str::to_owned),
            media_caption: caption.map(str::to_owned),
            metadata: Some(metadata).filter(|metadata| !metadata.is_null()),
            files,
        };
        assert_eq!(content(kind, &given), expected, "{given}");
    }
}

#[test]
fn every_example_becomes_a_plan_of_its_kind() {
    for (name, _) in EXAMPLES {
        let request = example(name);
        let plan = plan_of(&request).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(plan.content.kind, request["message_type"], "{name}");
        if name.starts_with("interactive") {
            assert_eq!(plan.content.object, request["interactive"], "{name}");
        }
    }
    let template = plan_of(&example("template")).unwrap();
    assert_eq!(template.target, Target::Customer);
    let reaction = plan_of(&example("reaction")).unwrap();
    assert_eq!(
        reaction.reply_to.as_deref(),
        example("reaction")["reaction"]["message_id"].as_str()
    );
}

#[test]
fn the_sample_events_hold_requests_that_are_accepted() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../events");
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() || !path.file_name().unwrap().to_str().unwrap().starts_with("send-") {
            continue;
        }
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        kinds.push(plan_of(&body).unwrap().content.kind);
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["image", "interactive", "reaction", "template", "text"]);
}

#[test]
fn the_type_is_the_one_objects_where_none_is_named() {
    let kind = |request: Value| plan_of(&request).unwrap().content.kind;
    let image = json!({"link": "https://example.com/a"});
    assert_eq!(kind(json!({"conversation_id": 1, "message": "Hi"})), "text");
    assert_eq!(kind(json!({"conversation_id": 1, "image": image})), "image");
    assert_eq!(
        kind(json!({"conversation_id": 1, "video": null, "image": image, "pigeon": 1})),
        "image"
    );
    assert_eq!(
        refused(&json!({"conversation_id": 1, "image": image, "video": image})),
        "image"
    );
    assert_eq!(refused(&json!({"conversation_id": 1})), "message");
    let error = plan_of(&json!({"conversation_id": 1, "message_type": "pigeon"})).unwrap_err();
    assert!(error.message.ends_with("template, interactive, reaction"), "{error:?}");
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let image = json!({"link": "https://example.com/a"});
    let hello = json!({"name": "hello_world", "language": {"code": "en_US"}});
    let reaction = json!({"message_id": "wamid.A", "emoji": ""});
    #[rustfmt::skip]
    let rows = [
        (json!({"message_type": "image", "video": image}), "video"),
        (json!({"message_type": "image", "image": image, "text": {"body": "x"}}), "text"),
        (json!({"message_type": "image", "image": image, "message": "x"}), "message"),
        (json!({"message_type": "image"}), "image"),
        (json!({"message_type": "contacts"}), "contacts"),
        (json!({"message": "x", "media_id": FILE}), "media_id"),
        (json!({"message": "x", "text": {"body": "x"}}), "text"),
        (json!({"message_type": "image", "media_id": FILE, "image": {"media_id": FILE}}), "media_id"),
        (json!({"message_type": "image", "media_id": FILE, "image": image}), "image.link"),
        (json!({"image": {}}), "image"),
        (json!({"reaction": reaction, "reply_to": "wamid.A"}), "reply_to"),
        (json!({"message": "x", "retry": true}), "message_id"),
        (json!({"message": "x", "message_id": "1"}), "message_id"),
        (json!({"message": "x", "to": "somebody"}), "to"),
        (json!({"message": "x", "conversation_id": null}), "conversation_id"),
        (json!({"message": "x", "conversation_id": null, "phone_number_id": "1", "to": "+1234567890"}), "conversation_id"),
        (json!({"template": hello, "conversation_id": null}), "phone_number_id"),
        (json!({"template": hello, "conversation_id": null, "phone_number_id": "1"}), "to"),
        (json!({"template": hello, "conversation_id": null, "phone_number_id": "1", "to": "CC.1"}), "to"),
    ];
    for (request, field) in rows {
        let mut body = json!({"conversation_id": 1});
        body.as_object_mut()
            .unwrap()
            .extend(request.as_object().cloned().unwrap());
        assert_eq!(refused(&body), field, "{request}");
    }
    let retry = plan_of(&json!({"conversation_id": 1, "message": "x", "message_id": KEY, "retry": true})).unwrap();
    assert!(retry.is_retry);
}

/// A message with one value put at `path` of its object.
fn with(kind: &str, object: &Value, path: &str, value: Value) -> Value {
    let mut object = object.clone();
    let pointer = format!(
        "/{}",
        path.replace(['.', '['], "/").replace(']', "").trim_start_matches('/')
    );
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[key] = value;
    message(kind, &object)
}

/// The path of a field in the request.
fn path_of(kind: &str, path: &str) -> String {
    let dot = if path.starts_with('[') { "" } else { "." };
    format!("{kind}{dot}{path}")
}

#[test]
fn a_text_at_its_limit_passes_and_one_above_names_its_field() {
    let file = json!({"media_id": FILE});
    let place = json!({"latitude": 1, "longitude": 1});
    let cards = json!([{"name": {"formatted_name": "A", "first_name": "A"}, "phones": [{"phone": "1"}], "org": {}}]);
    let base = json!({"type": "button", "header": {"type": "text", "text": "H"}, "body": {"text": "B"}, "footer": {"text": "F"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "1"}}, {"type": "reply", "reply": {"id": "2", "title": "2"}}]}});
    let list = json!({"type": "list", "body": {"text": "B"}, "action": {"button": "O", "sections": [{"title": "S", "rows": [{"id": "1", "title": "1"}]}]}});
    let url = example("interactive_cta_url")["interactive"].clone();
    let flow = example("interactive_flow")["interactive"].clone();
    let mut named_flow = flow.clone();
    named_flow["action"]["parameters"]
        .as_object_mut()
        .unwrap()
        .remove("flow_id");
    let template = json!({"name": "t", "language": {"code": "en"}, "components": [{"type": "body", "parameters": [
        {"type": "text", "text": "x"}, {"type": "currency", "currency": {"fallback_value": "1"}}, {"type": "date_time", "date_time": {"fallback_value": "1"}}]},
        {"type": "button", "sub_type": "quick_reply", "index": 0, "parameters": [{"type": "payload", "payload": "x"}]}]});
    for (kind, object, path, most) in [
        ("text", &json!({}), "body", 4096),
        ("image", &file, "caption", 1024),
        ("video", &file, "caption", 1024),
        ("document", &file, "caption", 1024),
        ("document", &file, "filename", 240),
        ("location", &place, "name", 1000),
        ("location", &place, "address", 1000),
        ("contacts", &cards, "[0].name.formatted_name", 1024),
        ("contacts", &cards, "[0].name.last_name", 1024),
        ("contacts", &cards, "[0].phones[0].wa_id", 1024),
        ("contacts", &cards, "[0].org.company", 1024),
        ("interactive", &base, "header.text", 60),
        ("interactive", &base, "body.text", 1024),
        ("interactive", &base, "footer.text", 60),
        ("interactive", &base, "action.buttons[1].reply.title", 20),
        ("interactive", &base, "action.buttons[1].reply.id", 256),
        ("interactive", &list, "action.button", 20),
        ("interactive", &list, "action.sections[0].title", 24),
        ("interactive", &list, "action.sections[0].rows[0].title", 24),
        ("interactive", &list, "action.sections[0].rows[0].description", 72),
        ("interactive", &list, "action.sections[0].rows[0].id", 200),
        ("interactive", &url, "action.parameters.display_text", 20),
        ("interactive", &flow, "action.parameters.flow_cta", 20),
        ("interactive", &flow, "action.parameters.flow_token", 1024),
        ("interactive", &flow, "action.parameters.flow_id", 128),
        ("interactive", &named_flow, "action.parameters.flow_name", 200),
        (
            "interactive",
            &flow,
            "action.parameters.flow_action_payload.screen",
            200,
        ),
        ("template", &template, "name", 512),
        ("template", &template, "language.code", 16),
        ("template", &template, "components[0].parameters[0].text", 1024),
        ("template", &template, "components[0].parameters[0].parameter_name", 512),
        (
            "template",
            &template,
            "components[0].parameters[1].currency.fallback_value",
            1024,
        ),
        (
            "template",
            &template,
            "components[0].parameters[2].date_time.fallback_value",
            1024,
        ),
        ("template", &template, "components[1].parameters[0].payload", 1024),
        ("reaction", &json!({"emoji": "👍"}), "message_id", 255),
    ] {
        let of = |length| with(kind, object, path, json!("é".repeat(length)));
        assert!(plan_of(&of(most)).is_ok(), "{kind} {path}: {:?}", plan_of(&of(most)));
        let error = plan_of(&of(most + 1)).unwrap_err();
        assert_eq!(error.field, path_of(kind, path));
        assert_eq!(error.message, format!("must have at most {most} characters"));
        let nul = refused(&with(kind, object, path, json!("a\0")));
        assert_eq!(nul, path_of(kind, path));
    }
}

#[test]
fn links_end_at_their_limit_and_are_https() {
    let link = |length: usize| json!(format!("https://example.com/{:a<1$}", "", length - 20));
    let header = json!({"type": "button", "header": {"type": "video", "video": {}}, "body": {"text": "B"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "1"}}]}});
    let template = json!({"name": "t", "language": {"code": "en"}, "components": [{"type": "header", "parameters": [{"type": "image", "image": {}}]}]});
    let url = example("interactive_cta_url")["interactive"].clone();
    for (kind, object, path, most) in [
        ("image", &json!({}), "link", 2048),
        ("sticker", &json!({}), "link", 2048),
        ("interactive", &header, "header.video.link", 2048),
        ("template", &template, "components[0].parameters[0].image.link", 2048),
        ("interactive", &url, "action.parameters.url", 2000),
    ] {
        assert!(plan_of(&with(kind, object, path, link(most))).is_ok(), "{kind} {path}");
        for bad in [
            link(most + 1),
            json!("http://example.com/a"),
            json!("example.com"),
            json!("mailto:a@example.com"),
        ] {
            assert_eq!(refused(&with(kind, object, path, bad)), path_of(kind, path));
        }
    }
}

#[test]
fn lists_have_their_bounds() {
    let buttons = |count: usize| {
        let button = |n| json!({"type": "reply", "reply": {"id": format!("{n}"), "title": format!("{n}")}});
        json!({"type": "button", "body": {"text": "B"}, "action": {"buttons": (0..count).map(button).collect::<Vec<_>>()}})
    };
    let list = |sections: &[usize]| {
        let section = |(n, rows): (usize, &usize)| {
            let rows: Vec<Value> = (0..*rows)
                .map(|row| json!({"id": format!("{n}.{row}"), "title": "R"}))
                .collect();
            json!({"title": "S", "rows": rows})
        };
        let sections: Vec<Value> = sections.iter().enumerate().map(section).collect();
        json!({"type": "list", "body": {"text": "B"}, "action": {"button": "Open", "sections": sections}})
    };
    let cards = |count| json!(vec![json!({"name": {"formatted_name": "A", "first_name": "A"}}); count]);
    for (kind, good) in [
        ("interactive", buttons(1)),
        ("interactive", buttons(3)),
        ("interactive", list(&[10])),
        ("interactive", list(&[1; 10])),
        ("contacts", cards(257)),
    ] {
        assert!(plan_of(&message(kind, &good)).is_ok(), "{good}");
    }
    for (kind, bad, field) in [
        ("interactive", buttons(0), "interactive.action.buttons"),
        ("interactive", buttons(4), "interactive.action.buttons"),
        ("interactive", list(&[]), "interactive.action.sections"),
        ("interactive", list(&[1; 11]), "interactive.action.sections"),
        ("interactive", list(&[5, 6]), "interactive.action.sections"),
        ("interactive", list(&[11]), "interactive.action.sections[0].rows"),
        ("interactive", list(&[1, 0]), "interactive.action.sections[1].rows"),
        ("contacts", cards(0), "contacts"),
        ("contacts", cards(258), "contacts"),
    ] {
        assert_eq!(refused(&message(kind, &bad)), field);
    }
}

#[test]
fn what_whatsapp_would_refuse_by_its_shape_is_refused_by_its_path() {
    let button = json!({"type": "button", "header": {"type": "text", "text": "H"}, "body": {"text": "B"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "1"}}, {"type": "reply", "reply": {"id": "2", "title": "2"}}]}});
    let list = example("interactive_list")["interactive"].clone();
    let url = example("interactive_cta_url")["interactive"].clone();
    let flow = example("interactive_flow")["interactive"].clone();
    let ask = example("interactive_location_request")["interactive"].clone();
    let template = example("template_image")["template"].clone();
    let cards = example("contacts")["contacts"].clone();
    let place = json!({"latitude": 90, "longitude": -180});
    let file = json!({"media_id": FILE});
    let reaction = json!({"message_id": "wamid.A", "emoji": ""});
    #[rustfmt::skip]
    let rows = [
        ("text", &json!({"body": "x"}), "body", json!(" \n"), "body"),
        ("audio", &file, "caption", json!("x"), "caption"),
        ("sticker", &file, "caption", json!("x"), "caption"),
        ("image", &file, "filename", json!("a.png"), "filename"),
        ("video", &file, "voice", json!(true), "voice"),
        ("image", &file, "link", json!("https://example.com/"), "link"),
        ("location", &place, "latitude", json!(90.01), "latitude"),
        ("location", &place, "longitude", json!("-180.01"), "longitude"),
        ("contacts", &cards, "[1].name.first_name", json!(""), "[1].name"),
        ("contacts", &cards, "[1].name.formatted_name", json!(" "), "[1].name.formatted_name"),
        ("contacts", &cards, "[0].birthday", json!("10/12/1985"), "[0].birthday"),
        ("interactive", &button, "type", json!("carousel"), "type"),
        ("interactive", &button, "body.text", json!(""), "body.text"),
        ("interactive", &button, "footer", json!({"text": " "}), "footer.text"),
        ("interactive", &button, "header.type", json!("sticker"), "header.type"),
        ("interactive", &button, "header.type", json!("image"), "header.text"),
        ("interactive", &button, "header", json!({"type": "image"}), "header.image"),
        ("interactive", &button, "header", json!({"type": "image", "image": {}}), "header.image"),
        ("interactive", &button, "header", json!({"type": "text"}), "header.text"),
        ("interactive", &button, "header", json!({"type": "video", "video": {"media_id": FILE, "filename": "x"}}), "header.video.filename"),
        ("interactive", &button, "action.sections", json!([]), "action.sections"),
        ("interactive", &button, "action", json!({}), "action.buttons"),
        ("interactive", &button, "action.buttons[1].type", json!("url"), "action.buttons[1].type"),
        ("interactive", &button, "action.buttons[1].reply.id", json!("1"), "action.buttons[1].reply.id"),
        ("interactive", &button, "action.buttons[1].reply.title", json!("1"), "action.buttons[1].reply.title"),
        ("interactive", &button, "action.buttons[1].reply.title", json!(" "), "action.buttons[1].reply.title"),
        ("interactive", &list, "header", json!({"type": "image", "image": file}), "header.type"),
        ("interactive", &list, "action.button", json!(null), "action.button"),
        ("interactive", &list, "action.sections", json!(null), "action.sections"),
        ("interactive", &list, "action.sections[1].title", json!(""), "action.sections[1].title"),
        ("interactive", &list, "action.sections[1].rows[0].id", json!("fri-9"), "action.sections[1].rows[0].id"),
        ("interactive", &list, "action.sections[1].rows[0].title", json!(""), "action.sections[1].rows[0].title"),
        ("interactive", &url, "action.name", json!(null), "action.name"),
        ("interactive", &url, "action.name", json!("flow"), "action.name"),
        ("interactive", &url, "action.parameters", json!(null), "action.parameters"),
        ("interactive", &url, "action.parameters.flow_cta", json!("Go"), "action.parameters.flow_cta"),
        ("interactive", &url, "action.parameters.display_text", json!(""), "action.parameters.display_text"),
        ("interactive", &flow, "action.parameters.flow_message_version", json!("2"), "action.parameters.flow_message_version"),
        ("interactive", &flow, "action.parameters.flow_message_version", json!(null), "action.parameters.flow_message_version"),
        ("interactive", &flow, "action.parameters.flow_cta", json!(null), "action.parameters.flow_cta"),
        ("interactive", &flow, "action.parameters.flow_id", json!(null), "action.parameters.flow_id"),
        ("interactive", &flow, "action.parameters.flow_name", json!("n"), "action.parameters.flow_name"),
        ("interactive", &flow, "action.parameters.mode", json!("live"), "action.parameters.mode"),
        ("interactive", &flow, "action.parameters.flow_action", json!("go"), "action.parameters.flow_action"),
        ("interactive", &flow, "action.parameters.flow_action_payload.screen", json!(""), "action.parameters.flow_action_payload.screen"),
        ("interactive", &flow, "action.parameters.flow_action_payload.data.day", json!("\0"), "action.parameters.flow_action_payload.data.day"),
        ("interactive", &ask, "action.name", json!("send"), "action.name"),
        ("interactive", &ask, "action.parameters", json!({}), "action.parameters"),
        ("template", &template, "name", json!(""), "name"),
        ("template", &template, "language.code", json!(""), "language.code"),
        ("template", &template, "language.policy", json!("fallback"), "language.policy"),
        ("template", &template, "components[0].type", json!("footer"), "components[0].type"),
        ("template", &template, "components[0].index", json!(1), "components[0].index"),
        ("template", &template, "components[0].parameters[0].type", json!("payload"), "components[0].parameters[0].type"),
        ("template", &template, "components[0].parameters[0].image", json!({}), "components[0].parameters[0].image"),
        ("template", &template, "components[0].parameters[0].image", json!(null), "components[0].parameters[0].image"),
        ("template", &template, "components[1].parameters[0].image", json!(file), "components[1].parameters[0].image"),
        ("template", &template, "components[1].parameters[0].text", json!(""), "components[1].parameters[0].text"),
        ("template", &template, "components[2].sub_type", json!("copy_code"), "components[2].sub_type"),
        ("template", &template, "components[2].sub_type", json!(null), "components[2].sub_type"),
        ("template", &template, "components[2].index", json!(null), "components[2].index"),
        ("reaction", &reaction, "message_id", json!(""), "message_id"),
        ("reaction", &reaction, "emoji", json!("ok"), "emoji"),
        ("reaction", &reaction, "emoji", json!("1"), "emoji"),
        ("reaction", &reaction, "emoji", json!("👍 👍"), "emoji"),
        ("reaction", &reaction, "emoji", json!("👍".repeat(33)), "emoji"),
    ];
    for (kind, object, path, value, field) in rows {
        assert!(plan_of(&message(kind, object)).is_ok(), "{kind} {object}");
        assert_eq!(
            refused(&with(kind, object, path, value)),
            path_of(kind, field),
            "{path}"
        );
    }
    for emoji in ["", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👩‍❤️‍💋‍👨", "❤", "🇩🇪", &"👍".repeat(32)]
    {
        assert!(
            plan_of(&with("reaction", &reaction, "emoji", json!(emoji))).is_ok(),
            "{emoji}"
        );
    }
}

#[test]
fn an_unknown_field_or_a_wrong_type_anywhere_in_an_object_is_no_request() {
    let template = example("template")["template"].clone();
    #[rustfmt::skip]
    let rows = [
        ("text", &json!({"body": "x"}), "bodi", json!("x")),
        ("image", &json!({}), "media_id", json!("17")),
        ("image", &json!({"media_id": FILE}), "id", json!(FILE)),
        ("image", &json!({"media_id": FILE}), "captoin", json!("x")),
        ("location", &json!({"latitude": 1, "longitude": 1}), "latitude", json!("north")),
        ("location", &json!({"latitude": 1, "longitude": 1}), "url", json!("x")),
        ("contacts", &example("contacts")["contacts"], "[0].phones[0].number", json!("1")),
        ("interactive", &example("interactive_flow")["interactive"], "action.parameters.flow", json!("1")),
        ("interactive", &example("interactive_list")["interactive"], "action.sections[0].rows[0].text", json!("1")),
        ("template", &template, "namespace", json!("x")),
        ("template", &template, "components[2].index", json!(10)),
        ("template", &template, "components[2].index", json!("first")),
        ("reaction", &json!({"message_id": "wamid.A", "emoji": "👍"}), "text", json!("x")),
    ];
    for (kind, object, path, value) in rows {
        assert!(refused_body(&with(kind, object, path, value)), "{kind} {path}");
    }
}

#[test]
fn the_hash_covers_what_is_sent_and_not_how_it_was_said() {
    let hash = |request: &str| plan_of(&serde_json::from_str(request).unwrap()).unwrap().request_hash;
    let same = [
        (
            r#"{"conversation_id":1,"message":"Hi"}"#,
            r#"{"conversation_id":1,"text":{"preview_url":false,"body":"Hi"},"to":"+1 (234) 567-890","retry":true,"message_id":"8F1B2C3D-0000-4000-8000-000000000001"}"#,
        ),
        (
            r#"{"conversation_id":1,"image":{"caption":"x","media_id":"8f1b2c3d-0000-4000-8000-00000000000f"}}"#,
            r#"{"message_type":"image","media_id":"8F1B2C3D-0000-4000-8000-00000000000F","image":{"caption":"x"},"conversation_id":1}"#,
        ),
        (
            r#"{"conversation_id":1,"image":{"caption":"","id":"8f1b2c3d-0000-4000-8000-00000000000f"}}"#,
            r#"{"conversation_id":1,"message_type":"image","media_id":"8f1b2c3d-0000-4000-8000-00000000000f"}"#,
        ),
        (
            r#"{"conversation_id":1,"template":{"name":"a","language":{"code":"en"},"components":[]}}"#,
            r#"{"phone_number_id":"1","to":"1234567890","template":{"language":{"policy":null,"code":"en"},"name":"a"}}"#,
        ),
    ];
    for (one, two) in same {
        assert_eq!(hash(one), hash(two), "{two}");
    }
    let mut hashes: Vec<[u8; 32]> = EXAMPLES.iter().map(|(_, request)| hash(request)).collect();
    hashes.push(hash(r#"{"conversation_id":1,"message":"Hello"}"#));
    hashes.push(hash(r#"{"conversation_id":1,"message":"Hello!","preview_url":true}"#));
    hashes.push(hash(r#"{"conversation_id":1,"message":"Hello!","reply_to":"wamid.A"}"#));
    hashes.push(hash(
        r#"{"conversation_id":1,"reaction":{"message_id":"wamid.A","emoji":"👍"}}"#,
    ));
    hashes.push(hash(
        r#"{"conversation_id":1,"reaction":{"message_id":"wamid.B","emoji":"👍"}}"#,
    ));
    let all = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}
