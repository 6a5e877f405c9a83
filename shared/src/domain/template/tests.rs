//! What templates want and what messages bring.

use serde_json::json;

use super::*;
use crate::domain::send::InvalidField;

fn template(parameter_format: &str, components: &Value) -> Template {
    let item = json!({"id": 1, "name": "x", "language": "en", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": parameter_format, "quality_score": {"score": "GREEN"}, "components": components});
    Listed::from_graph(&item).unwrap().into()
}

fn order() -> Template {
    template(
        "POSITIONAL",
        &json!([
            {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["A-1"]}},
            {"type": "BODY", "text": "{{2}} for {{1}}, {{1}}!", "example": {"body_text": [["Ada", "Tea"]]}},
            {"type": "FOOTER", "text": "Bye"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Thanks"},
                {"type": "URL", "text": "Track", "url": "https://example.com/{{1}}", "example": ["https://example.com/A-1"]},
                {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15550100"},
                {"type": "COPY_CODE", "text": "Copy", "example": "25OFF"},
                {"type": "URL", "text": "Shop", "url": "https://example.com/"}]}
        ]),
    )
}

fn texts(kind: &str, values: &[&str]) -> Value {
    let parameters: Vec<Value> = values.iter().map(|it| json!({"type": "text", "text": it})).collect();
    json!({"type": kind, "parameters": parameters})
}

fn track() -> Value {
    json!({"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "A-1"}]})
}

fn code() -> Value {
    json!({"type": "button", "sub_type": "copy_code", "index": 3, "parameters": [{"type": "coupon_code", "coupon_code": "X9"}]})
}

fn good() -> Vec<Value> {
    vec![
        texts("header", &["A-1"]),
        texts("body", &["Ada", "Tea"]),
        track(),
        code(),
    ]
}

fn refusal(template: &Template, components: &[Value]) -> (String, String) {
    let error = check(template, &json!(components)).unwrap_err();
    (error.field, error.message)
}

#[test]
fn placeholders_and_examples_are_read_from_the_components() {
    let order = order();
    let named = |list: &[TemplateParameter]| -> Vec<(String, Option<String>)> {
        list.iter().map(|it| (it.name.clone(), it.example.clone())).collect()
    };
    let pair = |name: &str, example: &str| (name.to_owned(), Some(example.to_owned()));
    assert_eq!(named(&order.header.as_ref().unwrap().parameters), [pair("1", "A-1")]);
    assert_eq!(
        named(&order.body.as_ref().unwrap().parameters),
        [pair("1", "Ada"), pair("2", "Tea")]
    );
    let buttons: Vec<_> = order.buttons.iter().map(|it| it.parameter.as_ref()).collect();
    assert_eq!(buttons[1].unwrap().example.as_deref(), Some("https://example.com/A-1"));
    assert_eq!(buttons[3].unwrap().name, "coupon_code");
    assert!(buttons[0].is_none() && buttons[2].is_none() && buttons[4].is_none());
    assert_eq!(
        (order.quality.as_deref(), order.footer.as_deref()),
        (Some("GREEN"), Some("Bye"))
    );

    let offer = template(
        "NAMED",
        &json!([{"type": "BODY", "text": "{{who}} {{what}}", "example": {"body_text_named_params": [{"param_name": "what", "example": "Tea"}]}},
               {"type": "CAROUSEL", "cards": []}]),
    );
    let wanted = named(&offer.body.as_ref().unwrap().parameters);
    assert_eq!(wanted, [("who".to_owned(), None), pair("what", "Tea")]);
    assert_eq!(offer.other_components, ["CAROUSEL"]);
}

#[test]
fn what_lacks_a_name_or_components_is_no_template() {
    let whole = json!({"id": "1", "name": "x", "language": "en", "status": "APPROVED", "components": []});
    assert!(Listed::from_graph(&whole).is_some());
    for key in ["id", "name", "language", "status", "components"] {
        let mut part = whole.clone();
        part[key] = Value::Null;
        assert!(Listed::from_graph(&part).is_none(), "{key}");
    }
    let mut long = whole.clone();
    long["name"] = "x".repeat(513).into();
    assert!(Listed::from_graph(&long).is_none());
}

#[test]
fn a_message_brings_exactly_the_parameters_of_the_template() {
    let order = order();
    assert_eq!(check(&order, &json!(good())), Ok(()));
    let payload = json!({"type": "button", "sub_type": "quick_reply", "index": 0, "parameters": [{"type": "payload", "payload": "T"}]});
    assert_eq!(check(&order, &json!([good(), vec![payload]].concat())), Ok(()));
    let change = |index: usize, component: Value| {
        let mut components = good();
        components[index] = component;
        refusal(&order, &components)
    };
    let add = |component: Value| refusal(&order, &[good(), vec![component]].concat());
    let without = |index: usize| {
        let mut components = good();
        components.remove(index);
        refusal(&order, &components)
    };
    let field = "template.components";
    for (refusal, expected, words) in [
        (without(0), field.to_owned(), "must have a header with 1 parameter: 1"),
        (without(1), field.to_owned(), "must have a body with 2 parameters: 1, 2"),
        (
            without(2),
            field.to_owned(),
            "must have a button of sub_type url with index 1 and 1 parameter",
        ),
        (
            without(3),
            field.to_owned(),
            "must have a button of sub_type copy_code with index 3 and 1 parameter",
        ),
        (
            change(1, texts("body", &["Ada"])),
            format!("{field}[1].parameters"),
            "must have 2 parameters: 1, 2",
        ),
        (
            change(0, texts("header", &["A", "B"])),
            format!("{field}[0].parameters"),
            "must have 1 parameter: 1",
        ),
        (
            change(1, json!({"type": "body"})),
            format!("{field}[1].parameters"),
            "must have 2 parameters: 1, 2",
        ),
        (
            change(
                0,
                json!({"type": "header", "parameters": [{"type": "image", "image": {}}]}),
            ),
            format!("{field}[0].parameters[0].type"),
            "must be one of: text, currency, date_time",
        ),
        (
            change(
                2,
                json!({"type": "button", "sub_type": "quick_reply", "index": 1, "parameters": []}),
            ),
            format!("{field}[2].sub_type"),
            "must be url",
        ),
        (
            change(
                2,
                json!({"type": "button", "sub_type": "url", "index": 1, "parameters": []}),
            ),
            format!("{field}[2].parameters"),
            "must have 1 parameter",
        ),
        (
            add(
                json!({"type": "button", "sub_type": "url", "index": 4, "parameters": [{"type": "text", "text": "x"}]}),
            ),
            format!("{field}[4].parameters"),
            "must have no parameters",
        ),
        (
            add(json!({"type": "button", "sub_type": "url", "index": 5, "parameters": []})),
            format!("{field}[4].index"),
            "must be from 0 to 4",
        ),
        (
            add(json!({"type": "button", "sub_type": "voice_call", "index": 2, "parameters": []})),
            format!("{field}[4]"),
            "the button takes no parameters",
        ),
        (
            add(json!({"type": "footer"})),
            format!("{field}[4]"),
            "the template has no such component",
        ),
        (
            add(texts("body", &["Ada", "Tea"])),
            format!("{field}[4]"),
            "is given twice",
        ),
        (add(track()), format!("{field}[4]"), "is given twice"),
    ] {
        assert_eq!(refusal, (expected, words.to_owned()));
    }
}

#[test]
fn named_parameters_go_by_their_names() {
    let offer = template("NAMED", &json!([{"type": "BODY", "text": "{{who}}: {{what}}"}]));
    let body = |names: [&str; 2]| {
        let parameters = names.map(|name| json!({"type": "text", "parameter_name": name, "text": name.to_uppercase()}));
        json!([{"type": "body", "parameters": parameters}])
    };
    assert_eq!(check(&offer, &body(["what", "who"])), Ok(()));
    assert_eq!(render(&offer, &body(["what", "who"])).body.unwrap(), "WHO: WHAT");
    let field = "template.components[0].parameters[1].parameter_name";
    let refused = check(&offer, &body(["who", "whom"])).unwrap_err();
    assert_eq!(refused, InvalidField::new(field, "must be one of: who, what"));
    let twice = check(&offer, &body(["who", "who"])).unwrap_err();
    assert_eq!(twice, InvalidField::new(field, "is given twice"));
}

#[test]
fn a_header_takes_the_file_of_its_format() {
    for (format, kind) in [
        ("IMAGE", "image"),
        ("VIDEO", "video"),
        ("DOCUMENT", "document"),
        ("LOCATION", "location"),
    ] {
        let template = template(
            "POSITIONAL",
            &json!([{"type": "HEADER", "format": format}, {"type": "BODY", "text": "x"}]),
        );
        let header = |kind: &str| json!({"type": "header", "parameters": [{"type": kind, kind: {}}]});
        assert_eq!(check(&template, &json!([header(kind)])), Ok(()));
        let expected = format!("must have a header with 1 parameter of type {kind}");
        assert_eq!(refusal(&template, &[]), ("template.components".to_owned(), expected));
        let field = "template.components[0].parameters[0].type".to_owned();
        assert_eq!(
            refusal(&template, &[header("text")]),
            (field, format!("must be {kind}"))
        );
    }
    let plain = template("POSITIONAL", &json!([{"type": "BODY", "text": "x"}]));
    assert_eq!(check(&plain, &Value::Null), Ok(()));
    assert_eq!(check(&plain, &json!([{"type": "body", "parameters": []}])), Ok(()));
    assert_eq!(refusal(&plain, &[texts("header", &[])]).0, "template.components[0]");
    assert_eq!(refusal(&plain, &[track()]).1, "the template has no buttons");
}

#[test]
fn one_time_codes_flows_and_unknown_buttons_are_taken_as_meta_documents_them() {
    let buttons = json!([{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}, {"type": "FLOW", "text": "Book"}, {"type": "VOICE_CALL", "text": "Call"}]);
    let template = template(
        "POSITIONAL",
        &json!([{"type": "BODY", "text": "{{1}} is your code."}, {"type": "BUTTONS", "buttons": buttons}]),
    );
    let code =
        json!({"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "123"}]});
    let flow = json!({"type": "button", "sub_type": "flow", "index": "1", "parameters": [{"type": "action", "action": {"flow_token": "t"}}]});
    let call = json!({"type": "button", "sub_type": "voice_call", "index": "2", "parameters": [{"type": "ttl_minutes", "ttl_minutes": 5}]});
    let body = texts("body", &["123"]);
    assert_eq!(check(&template, &json!([body, code])), Ok(()));
    assert_eq!(check(&template, &json!([body, code, flow, call])), Ok(()));
    assert_eq!(refusal(&template, &[body, flow]).0, "template.components");
}

#[test]
fn a_message_is_shown_as_the_customer_reads_it() {
    let components = json!([
        texts("header", &["A-1"]),
        {"type": "body", "parameters": [
            {"type": "currency", "currency": {"fallback_value": "{{2}}", "code": "EUR", "amount_1000": 1}},
            {"type": "date_time", "date_time": {"fallback_value": "Friday"}}]},
        track(), code()
    ]);
    let rendered = render(&order(), &components);
    assert_eq!(
        rendered.words().as_deref(),
        Some("Order A-1\n\nFriday for {{2}}, {{2}}!")
    );
    assert_eq!(rendered.footer.as_deref(), Some("Bye"));
    let shown: Vec<_> = rendered
        .buttons
        .iter()
        .map(|it| (it.url.as_deref(), it.code.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            (None, None),
            (Some("https://example.com/A-1"), None),
            (None, None),
            (None, Some("X9")),
            (Some("https://example.com/"), None)
        ]
    );
    let object = json!({"name": "x", "language": {"code": "en"}, "components": components});
    let metadata = rendered.metadata(&object);
    assert_eq!(metadata["template"]["components"], components);
    assert_eq!(
        metadata["template"]["rendered"]["buttons"][2]["phone_number"],
        "+15550100"
    );
    let silent = template("POSITIONAL", &json!([{"type": "HEADER", "format": "IMAGE"}]));
    assert_eq!(render(&silent, &json!([])).words(), None);
}

#[test]
fn a_webhook_tells_the_status_and_a_warning_changes_none() {
    assert_eq!(status_after("PAUSED"), Some("PAUSED"));
    assert_eq!(status_after("REINSTATED"), Some("APPROVED"));
    assert_eq!(status_after("FLAGGED"), None);
}
