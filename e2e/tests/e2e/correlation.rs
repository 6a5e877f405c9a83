//! One id leads from a request through the logs of every function that went on with it.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use shared::testing::sign_hs256;
use shared::whatsapp::signature;
use uuid::Uuid;

use crate::stack::{Stack, new_phone, until};

fn id_of(answer: &Response) -> String {
    answer.headers()["x-request-id"].to_str().unwrap().to_owned()
}

/// Waits for a line of the function about this request.
async fn is_told(stack: &Stack, function: &str, id: &str) -> Value {
    let path = std::path::Path::new(stack.get("logs")).join(format!("{function}.log"));
    until(&format!("{id} in the log of {function}"), async || {
        let log = std::fs::read_to_string(&path).ok()?;
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["span"]["correlation_id"] == id)
    })
    .await
}

async fn ask(stack: &Stack, token: &str, method: Method, path: &str, body: &Value) -> Response {
    let url = format!("{}/api/live-chat/{path}", stack.get("api_url"));
    let request = stack.http.request(method, url).bearer_auth(token).json(body);
    request.send().await.expect("the API answers")
}

async fn simulate(stack: &Stack, path: &str, body: &Value) -> Value {
    let url = format!("{}/_simulator/{path}", stack.get("simulator_url"));
    let answer = stack.http.post(url).json(body).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap_or_default()
}

/// An agent of their own with an account, a number and a browser that is subscribed no longer; their token.
async fn agent(stack: &Stack, waba: &str) -> String {
    let user = Uuid::new_v4();
    let claims = json!({"sub": user, "role": "authenticated", "aud": "authenticated", "iss": stack.get("jwt_issuer"),
                        "exp": jiff::Timestamp::now().as_second() + 600});
    let token = sign_hs256(&claims, stack.get("jwt_secret"));
    let insert = format!(
        "insert into users (id) values ('{user}');
         insert into waba_accounts (waba_id, user_id) values ('{waba}', '{user}');
         insert into phone_numbers (waba_id, phone_number_id, is_registered) values ('{waba}', '{waba}0', true)"
    );
    stack.database().await.batch_execute(&insert).await.unwrap();
    let known: Value = ask(stack, &token, Method::GET, "push-subscriptions", &Value::Null)
        .await
        .json()
        .await
        .unwrap();
    let key = json!({"applicationServerKey": known["public_key"]});
    let browser = simulate(stack, "push/subscriptions", &key).await;
    let made = ask(stack, &token, Method::POST, "push-subscriptions", &browser).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let id = browser["id"].as_str().unwrap();
    simulate(
        stack,
        &format!("push/subscriptions/{id}/answers"),
        &json!({"status": 410}),
    )
    .await;
    token
}

#[tokio::test]
async fn a_webhook_is_followed_to_the_consumer_to_its_file_and_to_its_notification() {
    let stack = Stack::open();
    let waba = format!("7{}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
    agent(&stack, &waba).await;
    let mut webhook = stack.text(&new_phone(), &format!("wamid.{}", Uuid::new_v4()), "");
    webhook["entry"][0]["id"] = json!(waba);
    let value = &mut webhook["entry"][0]["changes"][0]["value"];
    value["metadata"]["phone_number_id"] = json!(format!("{waba}0"));
    value["messages"][0]["type"] = json!("image");
    value["messages"][0]["image"] = json!({"id": "314159265", "mime_type": "image/png", "sha256": ""});
    let body = webhook.to_string();
    let post = stack.http.post(stack.get("webhook_url"));
    let post = post.header(
        signature::HEADER,
        signature::sign(stack.get("app_secret"), body.as_bytes()),
    );
    let answer = post.body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let id = id_of(&answer);
    assert_eq!(is_told(&stack, "webhook", &id).await["message"], "webhook queued");
    let line = is_told(&stack, "consumer", &id).await;
    assert!(line["age_ms"].is_i64(), "{line}");
    is_told(&stack, "media", &id).await;
    is_told(&stack, "outbox", &id).await;
    let remove = format!(
        "delete from chat_conversations where waba_id = '{waba}'; delete from phone_numbers where waba_id = '{waba}';
         delete from waba_accounts where waba_id = '{waba}'"
    );
    stack.database().await.batch_execute(&remove).await.unwrap();
}

#[tokio::test]
async fn a_message_is_followed_from_the_agent_to_the_outbox() {
    let stack = Stack::open();
    let phone = new_phone();
    stack.customer_writes(&phone, "Hello?").await;
    let conversation = stack.conversation_showing(&phone, "Hello?").await;
    let to = json!({"to": phone.trim_start_matches('+')});
    let fault = json!({"kind": "http_error", "times": 1, "status": 503, "code": 2, "retry_after": 7, "match": to});
    simulate(&stack, "faults", &fault).await;
    let request = json!({"conversation_id": conversation["id"], "message": "Hello!"});
    let answer = ask(&stack, stack.get("agent_token"), Method::POST, "send-message", &request).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let id = id_of(&answer);
    is_told(&stack, "send", &id).await;
    assert_eq!(is_told(&stack, "outbox", &id).await["message"], "message sent");
}

#[tokio::test]
async fn a_refused_request_is_found_in_the_log_by_the_id_of_its_answer() {
    let stack = Stack::open();
    let path = "conversations/2000000000";
    let answer = ask(&stack, stack.get("agent_token"), Method::GET, path, &Value::Null).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        is_told(&stack, "conversations", &id_of(&answer)).await["message"],
        "request refused"
    );
}
