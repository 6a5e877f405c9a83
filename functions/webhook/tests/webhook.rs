//! The webhook with a queue that fails as SQS does, and with the emulated SQS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request};
use serde_json::{Value, json};
use shared::edge::queue::Queue;
use shared::edge::secrets::Secrets;
use shared::metrics::{Metric, recording};
use shared::testing::sqs::{Answer, SqsStub};
use shared::testing::{create_secret, emulated_aws};
use shared::whatsapp::signature::sign;
use webhook::{App, Keys, WebhookSecrets, handle};

const SECRET: &str = "app secret";
const BODY: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"700"},"messages":[{"id":"wamid.A","text":{"body":"\u00e9"}}]}}]}]}"#;

fn keys(app_secrets: &[&str]) -> WebhookSecrets {
    WebhookSecrets::Fixed(Arc::new(Keys {
        app_secrets: app_secrets.iter().map(|secret| (*secret).to_owned()).collect(),
        verify_token: "verify me".to_owned(),
    }))
}

async fn app() -> (SqsStub, App) {
    let (sqs, queue) = SqsStub::start().await;
    (
        sqs,
        App {
            secrets: keys(&[SECRET]),
            queue,
        },
    )
}

async fn post(app: &App, body: impl Into<Body>, signature: Option<String>) -> StatusCode {
    let mut request = Request::new(body.into());
    *request.method_mut() = Method::POST;
    if let Some(signature) = signature {
        request
            .headers_mut()
            .insert("x-hub-signature-256", signature.parse().unwrap());
    }
    handle(app, request).await.unwrap().status()
}

async fn post_signed(app: &App, body: &[u8]) -> StatusCode {
    post(app, body.to_vec(), Some(sign(SECRET, body))).await
}

/// A request as API Gateway's HTTP API hands it to the function.
async fn through_api_gateway(app: &App, event: Value) -> (StatusCode, String) {
    let event: lambda_http::request::LambdaRequest = serde_json::from_value(event).unwrap();
    let response = handle(app, event.into()).await.unwrap();
    let status = response.status();
    let Body::Text(text) = response.into_body() else {
        panic!("a text")
    };
    (status, text)
}

fn api_event(method: &str, query: &str, change: &Value) -> Value {
    let parameters: serde_json::Map<String, Value> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), json!(value.replace('+', " "))))
        .collect();
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/webhooks/whatsapp", "rawQueryString": query,
        "headers": {"host": "api.example"}, "queryStringParameters": parameters, "isBase64Encoded": false,
        "requestContext": {"accountId": "1", "apiId": "a", "stage": "$default", "requestId": "r", "routeKey": "$default", "time": "",
            "timeEpoch": 0, "domainName": "api.example", "domainPrefix": "api",
            "http": {"method": method, "path": "/api/webhooks/whatsapp", "protocol": "HTTP/1.1", "sourceIp": "1.1.1.1", "userAgent": "x"}}});
    event
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().cloned().unwrap_or_default());
    event
}

#[tokio::test]
async fn the_handshake_answers_with_the_bare_challenge() {
    let (_, app) = app().await;
    let ask = async |query: &str| through_api_gateway(&app, api_event("GET", query, &json!({}))).await;
    let right = "hub.mode=subscribe&hub.verify_token=verify+me&hub.challenge=1158201444";
    assert_eq!(ask(right).await, (StatusCode::OK, "1158201444".to_owned()));
    for wrong in [
        "hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1",
        "hub.mode=unsubscribe&hub.verify_token=verify+me&hub.challenge=1",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=verify+me",
        "",
    ] {
        assert_eq!(ask(wrong).await.0, StatusCode::FORBIDDEN, "{wrong}");
    }
}

#[tokio::test]
async fn a_signed_post_is_on_the_queue_as_it_came() {
    let (sqs, app) = app().await;
    assert_eq!(post_signed(&app, BODY.as_bytes()).await, StatusCode::OK);
    let taken = sqs.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (&taken[0]["MessageBody"], &taken[0]["MessageGroupId"]),
        (&json!(BODY), &json!("700"))
    );
}

#[tokio::test]
async fn every_unit_carries_the_id_of_the_request_and_so_does_the_answer() {
    let (sqs, app) = app().await;
    let change = |number: &str| json!({"field": "messages", "value": {"metadata": {"phone_number_id": number}}});
    let body =
        json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change("1"), change("2")]}]})
            .to_string();
    let request = |signature: String| {
        let rest = json!({"body": body, "headers": {"x-hub-signature-256": signature, "x-request-id": "a client's"}});
        let event: lambda_http::request::LambdaRequest = serde_json::from_value(api_event("POST", "", &rest)).unwrap();
        event.into()
    };
    let answer = handle(&app, request(sign(SECRET, body.as_bytes()))).await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["x-request-id"]),
        (StatusCode::OK, &"r".parse().unwrap())
    );
    let carried: Vec<Value> = sqs
        .taken()
        .iter()
        .map(|entry| entry["MessageAttributes"]["correlation_id"]["StringValue"].clone())
        .collect();
    assert_eq!(carried, ["r", "r"]);

    recording::start();
    sqs.answer_always(Answer::Status(403));
    let answer = handle(&app, request(sign(SECRET, body.as_bytes()))).await.unwrap();
    assert_eq!(recording::told(Metric::ServerErrors), [1]);
    let Body::Text(text) = answer.into_body() else {
        panic!("a text")
    };
    let failure: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(failure["error"]["request_id"], "r");
}

#[tokio::test]
async fn a_body_that_api_gateway_hands_over_in_base64_is_verified_by_its_bytes() {
    // "{}" and its base64.
    let (sqs, app) = app().await;
    let change =
        json!({"isBase64Encoded": true, "body": "e30=", "headers": {"x-hub-signature-256": sign(SECRET, b"{}")}});
    assert_eq!(
        through_api_gateway(&app, api_event("POST", "", &change)).await.0,
        StatusCode::OK
    );
    assert_eq!(sqs.taken()[0]["MessageBody"], "{}");
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_reaches_no_queue() {
    let (sqs, app) = app().await;
    let body = BODY.as_bytes();
    let good = sign(SECRET, body);
    let digest = good.strip_prefix("sha256=").unwrap();
    for signature in [
        None,
        Some(sign("other", body)),
        Some(sign(SECRET, b"x")),
        Some("sha1=00".to_owned()),
        Some(format!("sha1={digest}")),
        Some(format!("SHA256={digest}")),
        Some(digest.to_owned()),
        Some(format!("sha256= {digest}")),
        Some(good[..good.len() - 2].to_owned()),
        Some(good[..good.len() - 1].to_owned()),
        Some(format!("{good}00")),
        Some(format!("{good},{good}")),
        Some(format!("{}, {good}", sign("other", body))),
        Some(format!("sha256={}", "0".repeat(100_000))),
        Some(String::new()),
    ] {
        assert_eq!(
            post(&app, body.to_vec(), signature.clone()).await,
            StatusCode::UNAUTHORIZED,
            "{signature:?}"
        );
    }
    let closed = App {
        secrets: keys(&[]),
        ..app.clone()
    };
    assert_eq!(
        post(&closed, body.to_vec(), Some(sign("", body))).await,
        StatusCode::UNAUTHORIZED
    );
    assert!(sqs.calls().is_empty());
    // Hex is hex.
    let upper = format!("sha256={}", digest.to_uppercase());
    assert_eq!(post(&app, body.to_vec(), Some(upper)).await, StatusCode::OK);
    let rotating = App {
        secrets: keys(&["new", SECRET]),
        ..app
    };
    assert_eq!(post_signed(&rotating, body).await, StatusCode::OK);
}

#[tokio::test]
async fn signed_bodies_of_any_shape_are_kept_and_only_json_objects_are_taken() {
    let (sqs, app) = app().await;
    for body in ["not json", "[]", "\"text\"", "1", ""] {
        assert_eq!(
            post_signed(&app, body.as_bytes()).await,
            StatusCode::BAD_REQUEST,
            "{body}"
        );
    }
    assert!(sqs.calls().is_empty());
    let deep = format!(
        r#"{{"object":"whatsapp_business_account","entry":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for body in [
        "{}".as_bytes(),
        br#"{"object":"page"}"#,
        deep.as_bytes(),
        b"{\"a\":\"\xff\"}",
    ] {
        assert_eq!(post_signed(&app, body).await, StatusCode::OK);
    }
    assert_eq!(sqs.taken().len(), 4);
}

#[tokio::test]
async fn entries_that_sqs_did_not_take_are_sent_again() {
    let (sqs, app) = app().await;
    let changes: Vec<Value> = (0..23)
        .map(|index| json!({"field": "messages", "value": {"metadata": {"phone_number_id": index.to_string()}}}))
        .collect();
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).to_string();
    sqs.answer_next([Answer::AllBut(vec![0, 3]), Answer::Status(500), Answer::AllBut(vec![1])]);
    assert_eq!(post_signed(&app, body.as_bytes()).await, StatusCode::OK);
    let mut groups: Vec<u32> = sqs
        .taken()
        .iter()
        .map(|entry| entry["MessageGroupId"].as_str().unwrap().parse().unwrap())
        .collect();
    groups.sort_unstable();
    assert_eq!(groups, (0..23).collect::<Vec<_>>());
}

#[tokio::test]
async fn meta_is_told_to_send_again_when_the_queue_does_not_take_all() {
    let (sqs, app) = app().await;
    sqs.answer_always(Answer::AllBut(vec![0]));
    assert_eq!(
        post_signed(&app, BODY.as_bytes()).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    sqs.answer_always(Answer::Status(403));
    assert_eq!(
        post_signed(&app, BODY.as_bytes()).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn the_emulated_queue_takes_what_it_would_refuse_as_text() {
    let aws = emulated_aws().await;
    let client = aws_sdk_sqs::Client::new(&aws);
    let name = "webhook-tests";
    let url = client
        .create_queue()
        .queue_name(name)
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    client.purge_queue().queue_url(&url).send().await.unwrap();
    let app = App {
        secrets: keys(&[SECRET]),
        queue: Queue::new(client.clone(), url.clone()),
    };
    let large = "x".repeat(200_000);
    let bodies = [
        BODY.to_owned(),
        BODY.replace("\\u00e9", "\u{fffe}"),
        BODY.replace("\\u00e9", &large),
    ];
    for body in &bodies {
        assert_eq!(post_signed(&app, body.as_bytes()).await, StatusCode::OK);
    }
    let mut received = Vec::new();
    while received.len() < bodies.len() {
        let answer = client
            .receive_message()
            .queue_url(&url)
            .message_attribute_names("All")
            .wait_time_seconds(1);
        for message in answer.send().await.unwrap().messages.unwrap_or_default() {
            let packed = message
                .message_attributes
                .as_ref()
                .is_some_and(|attributes| attributes.contains_key("encoding"));
            let body = shared::whatsapp::unit::decode(message.body().unwrap(), packed).unwrap();
            received.push(String::from_utf8(body).unwrap());
            client
                .delete_message()
                .queue_url(&url)
                .receipt_handle(message.receipt_handle().unwrap())
                .send()
                .await
                .unwrap();
        }
    }
    received.sort();
    let mut expected = bodies.to_vec();
    expected.sort();
    assert_eq!(received, expected);
}

#[tokio::test]
async fn a_rotated_app_secret_is_picked_up_without_a_deployment() {
    let aws = emulated_aws().await;
    let arn = create_secret(&aws, r#"{"app_secrets":["old"],"verify_token":"v"}"#).await;
    let (_, queue) = SqsStub::start().await;
    let secrets = Secrets::new(&aws, std::time::Duration::ZERO);
    let app = App {
        secrets: WebhookSecrets::Stored {
            secrets,
            arn: arn.clone(),
        },
        queue,
    };
    assert_eq!(post_signed(&app, b"{}").await, StatusCode::UNAUTHORIZED);
    let new = json!({"app_secrets": [SECRET, "old"], "verify_token": "v"}).to_string();
    shared::testing::put_secret(&aws, &arn, &new).await;
    assert_eq!(post_signed(&app, b"{}").await, StatusCode::OK);
    shared::testing::put_secret(&aws, &arn, "malformed").await;
    assert_eq!(post_signed(&app, b"{}").await, StatusCode::SERVICE_UNAVAILABLE);
}
