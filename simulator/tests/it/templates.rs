//! Templates: listing them page by page, and what a message that uses one has to bring.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Rig, WABA, message};

fn template(name: &str, language: &str, components: &Value) -> Value {
    message(&json!({"type": "template", "template": {
        "name": name, "language": {"code": language}, "components": components}}))
}

fn texts(kind: &str, values: &[&str]) -> Value {
    let parameters: Vec<Value> = values.iter().map(|v| json!({"type": "text", "text": v})).collect();
    json!({"type": kind, "parameters": parameters})
}

#[tokio::test]
async fn the_pages_of_the_list_hold_every_template_once() {
    let rig = Rig::start().await;
    let base = format!("/v26.0/{WABA}/message_templates");
    let all = rig.get(&base).await;
    let mut page = rig.get(&format!("{base}?fields=name,status&limit=3")).await;
    let mut ids = Vec::new();
    loop {
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= 3);
        assert!(
            data.iter()
                .all(|t| t.get("components").is_none() && t["status"].is_string())
        );
        ids.extend(data.iter().map(|t| t["id"].clone()));
        let Some(next) = page["paging"]["next"].as_str() else {
            break;
        };
        page = rig.get(next.strip_prefix(&rig.base).unwrap()).await;
    }
    let expected: Vec<Value> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["id"].clone())
        .collect();
    assert_eq!(ids, expected);
    let approved = rig.get(&format!("{base}?status=APPROVED&name=order_update")).await;
    assert_eq!(approved["data"].as_array().unwrap().len(), 2);
    assert_eq!(rig.get(&format!("{base}?fields=colour")).await["error"]["code"], 100);
}

#[tokio::test]
async fn a_template_takes_exactly_its_parameters() {
    let rig = Rig::start().await;
    let image =
        json!({"type": "header", "parameters": [{"type": "image", "image": {"link": "https://example.com/a.jpg"}}]});
    let url =
        json!({"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "A-1"}]});
    let reply = json!({"type": "button", "sub_type": "quick_reply", "index": 1, "parameters": [{"type": "payload", "payload": "CALL"}]});
    let named = json!({"type": "body", "parameters": [
        {"type": "text", "parameter_name": "first_name", "text": "Ada"},
        {"type": "text", "parameter_name": "discount", "text": "10%"}]});
    for good in [
        template("hello_world", "en_US", &json!([])),
        template(
            "order_update",
            "en_US",
            &json!([texts("header", &["A-1"]), texts("body", &["Ada", "Friday"]), reply]),
        ),
        template("order_shipped", "en_US", &json!([image, texts("body", &["A-1"]), url])),
        template("season_offer", "en_US", &json!([named])),
    ] {
        rig.send_accepted(&good).await;
    }
    for (bad, code) in [
        (template("hello_world", "de", &json!([])), 132_001),
        (template("goodbye_world", "en_US", &json!([])), 132_001),
        (
            template("new_opening_hours", "en_US", &json!([texts("body", &["9:00"])])),
            132_001,
        ),
        (template("free_money", "en_US", &json!([])), 132_001),
        (template("come_back", "en_US", &json!([])), 132_015),
        (
            template("hello_world", "en_US", &json!([texts("body", &["extra"])])),
            132_000,
        ),
        (
            template(
                "order_update",
                "en_US",
                &json!([texts("header", &["A-1"]), texts("body", &["Ada"])]),
            ),
            132_000,
        ),
        (
            template(
                "order_shipped",
                "en_US",
                &json!([texts("header", &["x"]), texts("body", &["A-1"]), url]),
            ),
            132_012,
        ),
        (
            template("order_shipped", "en_US", &json!([image, texts("body", &["A-1"])])),
            132_000,
        ),
        (
            template("season_offer", "en_US", &json!([texts("body", &["Ada", "10%"])])),
            132_000,
        ),
        (template("hello_world", "en_US", &json!([{"type": "footer"}])), 100),
        (
            message(&json!({"type": "template", "template": {"name": "hello_world"}})),
            100,
        ),
    ] {
        let answer = rig.send(&bad).await.1;
        assert_eq!(answer["error"]["code"], code, "{bad} was answered with {answer}");
    }
}

#[tokio::test]
async fn a_test_may_put_other_templates_and_they_are_listed_and_sent() {
    let rig = Rig::start().await;
    let put = async |templates: Value| {
        rig.call(Method::PUT, "/_simulator/templates", Some(&templates))
            .await
            .unwrap()
    };
    let mut greeting = json!({"id": "1", "name": "greeting", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "quality_score": {"score": "GREEN"}, "parameter_format": "POSITIONAL", "components": [{"type": "BODY", "text": "Hello {{1}}"}]});
    assert_eq!(put(json!([greeting])).await.0, 200);
    let listed = rig.get(&format!("/v26.0/{WABA}/message_templates")).await;
    assert_eq!(listed["data"], json!([greeting]));
    rig.send_accepted(&template("greeting", "en_US", &json!([texts("body", &["Ada"])])))
        .await;
    let gone = rig.send(&template("hello_world", "en_US", &json!([]))).await.1;
    assert_eq!(gone["error"]["code"], 132_001);
    greeting.as_object_mut().unwrap().remove("status");
    let (status, refusal) = put(json!([greeting])).await;
    assert_eq!((status, &refusal["error"]), (422, &json!("[0].status: is required")));
}
