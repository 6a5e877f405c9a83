//! A release over a filled installation, and one whose migration fails.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stack::{Stack, and_then, new_phone, xtask};

/// The hash of each function's code, by the function's name.
async fn running_code(stack: &Stack) -> BTreeMap<String, String> {
    let scope =
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    let url = format!("{}/2015-03-31/functions/", stack.get("aws_endpoint_url"));
    let answer = stack.http.get(url).header("Authorization", scope).send().await;
    let listed: Value = answer.unwrap().json().await.unwrap();
    let text = |function: &Value, key: &str| function[key].as_str().unwrap().to_owned();
    let functions = listed["Functions"].as_array().unwrap();
    functions
        .iter()
        .map(|function| (text(function, "FunctionName"), text(function, "CodeSha256")))
        .collect()
}

/// A customer writes, and is answered: webhook, consumer, conversations and send at work, with every secret they need.
async fn both_write(stack: &Stack, phone: &str, text: &str) -> i64 {
    stack.customer_writes(phone, text).await;
    let conversation = stack.conversation_showing(phone, text).await;
    let id = conversation["id"].as_i64().unwrap();
    let request = json!({"conversation_id": id, "message": format!("Re: {text}"), "message_type": "text"});
    let (status, reply) = stack.send(&request).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    id
}

#[tokio::test]
async fn a_release_over_a_filled_installation_keeps_everything() {
    let stack = Stack::open();
    let phone = new_phone();
    let id = both_write(&stack, &phone, "Before the release").await;
    let before = running_code(&stack).await;

    let deployed = xtask(&["deploy"]);
    assert!(
        deployed.status.success(),
        "{}",
        String::from_utf8_lossy(&deployed.stderr)
    );

    let after = running_code(&stack).await;
    assert!(before.keys().eq(after.keys()), "{before:?} {after:?}");
    for (name, code) in &before {
        assert_ne!(after[name], *code, "{name} is the one before");
    }
    assert_eq!(both_write(&stack, &phone, "After the release").await, id);
    let messages = stack
        .ask(&format!("/api/live-chat/messages?conversation_id={id}"))
        .await;
    let contents: Vec<_> = messages["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["content"])
        .collect();
    for content in [
        "Before the release",
        "Re: Before the release",
        "After the release",
        "Re: After the release",
    ] {
        assert_eq!(
            contents.iter().filter(|shown| **shown == content).count(),
            1,
            "{contents:?}"
        );
    }
    // A page from another origin may still ask.
    let url = format!("{}/api/live-chat/conversations", stack.get("api_url"));
    let asked = stack
        .http
        .request(Method::OPTIONS, url)
        .header("Origin", "https://pages.example.com");
    let asked = asked
        .header("Access-Control-Request-Method", "GET")
        .send()
        .await
        .unwrap();
    assert!(asked.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_release_whose_migration_fails_leaves_the_one_before_running() {
    let stack = Stack::open();
    let phone = new_phone();
    both_write(&stack, &phone, "Before the failure").await;
    let database = stack.database().await;
    let before = running_code(&stack).await;
    // As if somebody had changed a migration that this database has seen.
    let checksum = database
        .query_one("select checksum from chat_migrations where version = 1", &[])
        .await;
    let checksum: String = checksum.unwrap().get(0);
    let set = "update chat_migrations set checksum = $1 where version = 1";
    database.execute(set, &[&"1"]).await.unwrap();
    let fails = async {
        let deployed = xtask(&["deploy"]);
        let said = String::from_utf8_lossy(&deployed.stderr);
        assert!(!deployed.status.success());
        assert!(
            said.contains("UPDATE_ROLLBACK_COMPLETE") && said.contains("Migration"),
            "{said}"
        );
        assert_eq!(running_code(&stack).await, before);
        both_write(&stack, &phone, "After the failure").await;
    };
    and_then(fails, async {
        database.execute(set, &[&checksum]).await.unwrap();
    })
    .await;
    let deployed = xtask(&["deploy"]);
    assert!(
        deployed.status.success(),
        "{}",
        String::from_utf8_lossy(&deployed.stderr)
    );
    both_write(&stack, &phone, "After the next release").await;
}
