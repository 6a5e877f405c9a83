//! What we accept, WhatsApp accepts: the examples of every kind against the simulator, which checks as Meta does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use shared::domain::send::{EXAMPLES, FileUse, example, plan};
use shared::whatsapp::bodies::{self, Recipient};
use tokio::net::TcpListener;
use uuid::Uuid;

const NUMBER: &str = "700300";
const TOKEN: &str = "EAAtesttoken";

/// A simulator of its own; where it takes requests of the number.
async fn start_simulator() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v26.0/{NUMBER}", listener.local_addr().unwrap());
    let config = simulator::Config {
        // Nobody listens: statuses are other tests' affair.
        webhook_url: "http://127.0.0.1:9/".to_owned(),
        numbers: vec![simulator::Number {
            phone_number_id: NUMBER.to_owned(),
            waba_id: "900300".to_owned(),
            display_phone_number: "+1 555 0300".to_owned(),
            verified_name: "Test".to_owned(),
            access_token: TOKEN.to_owned(),
        }],
        ..simulator::Config::default()
    };
    tokio::spawn(simulator::serve(listener, config));
    url
}

/// Uploads a file of `kind`; its id.
async fn upload(http: &reqwest::Client, url: &str, kind: &str) -> Value {
    let (mime_type, bytes): (&str, &'static [u8]) = match kind {
        "image" => ("image/png", b"\x89PNG\r\n\x1a\n"),
        "video" => ("video/mp4", b"\0\0\0\x18ftypmp42"),
        "audio" => ("audio/ogg", b"OggS"),
        "sticker" => ("image/webp", b"RIFF\0\0\0\0WEBPVP8 "),
        _ => ("application/pdf", b"%PDF-1.7"),
    };
    let part = Part::bytes(bytes).file_name("file").mime_str(mime_type).unwrap();
    let form = Form::new()
        .text("messaging_product", "whatsapp")
        .text("type", mime_type)
        .part("file", part);
    let request = http.post(format!("{url}/media")).bearer_auth(TOKEN).multipart(form);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(answer["id"].is_string(), "{kind}: {answer}");
    answer["id"].clone()
}

/// Puts WhatsApp's id of a file where ours stands.
fn replace_file(object: &mut Value, file: &FileUse, id: &Value) {
    match object {
        Value::Object(map) => {
            if map.get("media_id") == Some(&json!(file.media_id)) {
                map.remove("media_id");
                map.insert("id".to_owned(), id.clone());
            }
            map.values_mut().for_each(|value| replace_file(value, file, id));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| replace_file(value, file, id)),
        _ => {}
    }
}

/// Sends what a request is planned to; Graph's answer.
async fn send(http: &reqwest::Client, url: &str, request: &Value) -> (u16, Value) {
    let request = serde_json::from_value(request.clone()).unwrap();
    let plan = plan(&request, Uuid::new_v4()).unwrap_or_else(|error| panic!("{error:?}"));
    let mut object = plan.content.object;
    for file in &plan.content.files {
        replace_file(&mut object, file, &upload(http, url, file.kind).await);
    }
    let mut reply_to = plan.reply_to.as_deref();
    if plan.content.kind == "reaction" {
        object["message_id"] = json!(reply_to.take());
    }
    let recipient = Recipient::Phone("+4915112345678".to_owned());
    let body = bodies::message(&recipient, plan.content.kind, &object, reply_to, &plan.message_id);
    let request = http.post(format!("{url}/messages")).bearer_auth(TOKEN).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn graph_takes_every_example() {
    let (url, http) = (start_simulator().await, reqwest::Client::new());
    for (name, _) in EXAMPLES {
        let (status, answer) = send(&http, &url, &example(name)).await;
        assert_eq!(status, 200, "{name}: {answer}");
    }
}

#[tokio::test]
async fn graph_takes_what_stands_at_every_limit() {
    let (url, http) = (start_simulator().await, reqwest::Client::new());
    let long = |length| "é".repeat(length);
    let link = |length: usize| format!("https://example.com/{:a<1$}", "", length - 20);
    let buttons: Vec<Value> = ["1", "2", "3"]
        .map(|n| json!({"type": "reply", "reply": {"id": format!("{n}{}", long(255)), "title": format!("{n}{}", long(19))}}))
        .into();
    let sections: Vec<Value> = (0..10)
        .map(|n| {
            let row = json!({"id": format!("{n}{}", long(199)), "title": long(24), "description": long(72)});
            json!({"title": long(24), "rows": [row]})
        })
        .collect();
    let card = json!({"name": {"formatted_name": long(1024), "suffix": long(1024)}, "phones": [{}], "org": {}});
    for object in [
        json!({"text": {"body": long(4096)}}),
        json!({"image": {"link": link(2048), "caption": long(1024)}}),
        json!({"image": {"link": "http://127.0.0.1/a.png", "caption": ""}}),
        json!({"document": {"link": link(2048), "caption": long(1024), "filename": long(240)}}),
        json!({"location": {"latitude": "-90", "longitude": 180, "name": long(1000), "address": long(1000)}}),
        json!({"contacts": vec![card; 2]}),
        json!({"interactive": {"type": "button", "header": {"type": "text", "text": long(60)}, "body": {"text": long(1024)},
            "footer": {"text": long(60)}, "action": {"buttons": buttons}}}),
        json!({"interactive": {"type": "list", "body": {"text": "B"}, "action": {"button": long(20), "sections": sections}}}),
        json!({"interactive": {"type": "cta_url", "body": {"text": "B"}, "header": {"type": "video", "video": {"link": link(2048)}},
            "action": {"name": "cta_url", "parameters": {"display_text": long(20), "url": link(2000)}}}}),
        json!({"interactive": {"type": "flow", "body": {"text": "B"}, "action": {"name": "flow", "parameters": {"flow_message_version": "3",
            "flow_name": long(200), "flow_cta": long(20), "flow_token": long(1024), "mode": "draft", "flow_action": "data_exchange",
            "flow_action_payload": {"screen": long(200)}}}}}),
        json!({"template": {"name": "season_offer", "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": [
            {"type": "text", "parameter_name": "first_name", "text": long(1024)},
            {"type": "currency", "parameter_name": "discount", "currency": {"fallback_value": long(1024), "code": "EUR", "amount_1000": 1}}]}]}}),
        json!({"reaction": {"message_id": "wamid.A", "emoji": ""}}),
        json!({"reaction": {"message_id": "wamid.A", "emoji": "👍".repeat(32)}}),
    ] {
        let mut request = object.clone();
        request["conversation_id"] = json!(1);
        let (status, answer) = send(&http, &url, &request).await;
        assert_eq!(
            status,
            200,
            "{answer} {}",
            object.to_string().chars().take(200).collect::<String>()
        );
    }
}
