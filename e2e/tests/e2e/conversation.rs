//! A customer writes, an agent answers, and both see it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stack::{Stack, new_phone, until};

#[tokio::test]
async fn a_customers_message_is_answered_and_the_answer_is_read() {
    let stack = Stack::open();
    let phone = new_phone();
    stack.customer_writes(&phone, "Do you deliver on Sundays?").await;
    let conversation = stack.conversation_showing(&phone, "Do you deliver on Sundays?").await;
    assert_eq!(
        (
            &conversation["unread_count"],
            &conversation["needs_reply"],
            &conversation["customer_name"]
        ),
        (&json!(1), &json!(true), &json!("Ines Prado"))
    );
    let id = conversation["id"].as_i64().unwrap();
    let path = format!("/api/live-chat/conversations/{id}/read");
    let (status, reply) = stack.call(stack.get("agent_token"), Method::POST, &path, None).await;
    assert_eq!(
        (status, &reply["conversation"]["unread_count"]),
        (StatusCode::OK, &json!(0))
    );

    let request = json!({"conversation_id": id, "phone_number_id": stack.get("phone_number_id"), "to": phone,
                         "message": "Yes, until noon.", "message_type": "text"});
    let (status, reply) = stack.send(&request).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    let message_id = reply["message"]["message_id"].clone();
    let message = until("the answer to be read", async || {
        let page = stack
            .ask(&format!("/api/live-chat/messages?conversation_id={id}"))
            .await;
        let messages = page["messages"].as_array().unwrap().clone();
        messages
            .into_iter()
            .find(|message| message["message_id"] == message_id && message["status"] == "read")
    })
    .await;
    for time in ["sent_at", "delivered_at", "read_at"] {
        assert!(message[time].is_string(), "{time}");
    }
    assert_eq!(stack.graph_requests_with(message_id.as_str().unwrap()).await.len(), 1);
    let conversation = stack.conversation_showing(&phone, "Yes, until noon.").await;
    assert_eq!(
        (&conversation["needs_reply"], &conversation["last_message_status"]),
        (&json!(false), &json!("read"))
    );
}

#[tokio::test]
async fn ten_posts_at_once_with_one_message_id_reach_graph_once() {
    let stack = Stack::open();
    let phone = new_phone();
    stack.customer_writes(&phone, "Hello?").await;
    let conversation = stack.conversation_showing(&phone, "Hello?").await;
    let message_id = uuid::Uuid::new_v4().to_string();
    let request = json!({"conversation_id": conversation["id"], "message": "Once.", "message_id": message_id});
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let request = request.clone();
        posts.spawn(async move { Stack::open().send(&request).await });
    }
    for (status, reply) in posts.join_all().await {
        assert!(
            [StatusCode::OK, StatusCode::ACCEPTED].contains(&status),
            "{status} {reply}"
        );
        assert_eq!(reply["message"]["message_id"], message_id);
    }
    assert_eq!(stack.graph_requests_with(&message_id).await.len(), 1);
}

#[tokio::test]
async fn the_header_lists_the_agents_numbers() {
    let stack = Stack::open();
    let reply = stack.ask("/api/live-chat/phone-numbers").await;
    let numbers = reply["phone_numbers"].as_array().unwrap();
    assert_eq!(numbers[0]["phone_number_id"], stack.get("phone_number_id"));
    assert!(numbers.len() >= 2);
    assert_eq!(numbers[0]["account_status"], "active");
}

#[tokio::test]
async fn a_browser_of_another_origin_is_let_in() {
    let stack = Stack::open();
    let answer = stack
        .http
        .request(
            Method::OPTIONS,
            format!("{}/api/live-chat/conversations", stack.get("api_url")),
        )
        .header("origin", "https://inbox.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    assert!(answer.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn meta_shakes_hands_and_strangers_do_not() {
    let stack = Stack::open();
    let ask = async |token: &str| {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.verify_token", token),
            ("hub.challenge", "314159"),
        ];
        let answer = stack
            .http
            .get(stack.get("webhook_url"))
            .query(&query)
            .send()
            .await
            .unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(
        ask(stack.get("verify_token")).await,
        (StatusCode::OK, "314159".to_owned())
    );
    assert_eq!(ask("guess").await.0, StatusCode::FORBIDDEN);
    let unsigned = stack
        .http
        .post(stack.get("webhook_url"))
        .json(&Value::Null)
        .send()
        .await
        .unwrap();
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(stack.post_webhook(&json!([])).await, StatusCode::BAD_REQUEST);
    assert_eq!(stack.post_webhook(&json!({})).await, StatusCode::OK);
}
