//! An agent without an account, at the demo agent's conversation. Every route and every broken token: `matrix`.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::testing::sign_hs256;

use crate::stack::{Stack, new_phone};

pub(crate) fn token(stack: &Stack, change: &Value) -> String {
    let exp = Timestamp::now().as_second() + 600;
    let mut claims = json!({"sub": uuid::Uuid::new_v4(), "role": "authenticated", "aud": "authenticated",
                            "iss": stack.get("jwt_issuer"), "exp": exp});
    claims
        .as_object_mut()
        .unwrap()
        .extend(change.as_object().cloned().unwrap_or_default());
    sign_hs256(&claims, stack.get("jwt_secret"))
}

/// Every route of the agents, about a conversation of the demo agent.
fn routes(id: &Value) -> Vec<(Method, String, Option<Value>)> {
    vec![
        (Method::GET, format!("/api/live-chat/conversations/{id}"), None),
        (
            Method::PATCH,
            format!("/api/live-chat/conversations/{id}"),
            Some(json!({"status": "archived"})),
        ),
        (Method::POST, format!("/api/live-chat/conversations/{id}/read"), None),
        (Method::POST, format!("/api/live-chat/conversations/{id}/unread"), None),
        (
            Method::GET,
            format!("/api/live-chat/messages?conversation_id={id}&q=Private"),
            None,
        ),
        (
            Method::GET,
            format!("/api/live-chat/messages?conversation_id={id}"),
            None,
        ),
        (
            Method::POST,
            "/api/live-chat/send-message".to_owned(),
            Some(json!({"conversation_id": id, "message": "mine?"})),
        ),
    ]
}

#[tokio::test]
async fn somebody_elses_conversation_is_not_there() {
    let stack = Stack::open();
    let phone = new_phone();
    stack.customer_writes(&phone, "Private").await;
    let conversation = stack.conversation_showing(&phone, "Private").await;
    let stranger = token(&stack, &json!({}));
    for (method, path, body) in routes(&conversation["id"]) {
        let (status, reply) = stack.call(&stranger, method.clone(), &path, body.as_ref()).await;
        assert_eq!(
            (status, &reply["error"]["code"]),
            (StatusCode::NOT_FOUND, &json!("not_found")),
            "{method} {path}"
        );
    }
    let by_number = format!(
        "/api/live-chat/conversations?phone_number_id={}",
        stack.get("phone_number_id")
    );
    assert_eq!(
        stack.call(&stranger, Method::GET, &by_number, None).await.0,
        StatusCode::NOT_FOUND
    );
    let by_user = format!("/api/live-chat/conversations?user_id={}", stack.get("user_id"));
    assert_eq!(
        stack.call(&stranger, Method::GET, &by_user, None).await.0,
        StatusCode::FORBIDDEN
    );
    for (path, list) in [("conversations", "conversations"), ("phone-numbers", "phone_numbers")] {
        let (status, reply) = stack
            .call(&stranger, Method::GET, &format!("/api/live-chat/{path}"), None)
            .await;
        assert_eq!((status, &reply[list]), (StatusCode::OK, &json!([])));
    }
    let mine = stack.ask(&by_user).await;
    assert!(!mine["conversations"].as_array().unwrap().is_empty());
}
