//! `cargo xtask tokens` on the running stack.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::tokens::KeyRing;
use tokio::task::JoinSet;

use crate::stack::{Stack, new_phone, until, xtask};

fn text(output: &Output) -> String {
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}{errors}");
    shown
}

#[tokio::test]
async fn a_token_in_plain_text_is_encrypted_once_and_is_the_same_token() {
    let stack = Stack::open();
    let database = stack.database().await;
    let waba = uuid::Uuid::new_v4().to_string();
    let insert = "insert into waba_accounts (waba_id, access_token) values ($1, 'EAAplain')";
    database.execute(insert, &[&waba]).await.unwrap();
    let encrypt = || text(&xtask(&["tokens", "encrypt"]));
    assert!(encrypt().starts_with("1 encrypted now"));
    let select = "select access_token from waba_accounts where waba_id = $1";
    let stored: String = database.query_one(select, &[&waba]).await.unwrap().get(0);
    let ring = KeyRing::parse(&stack.key_ring().await.to_string()).unwrap();
    assert_eq!(ring.decrypt(&waba, &stored).unwrap(), "EAAplain");
    assert!(encrypt().starts_with("0 encrypted now"));
}

/// The ids of a ring's keys, the active one's too, and the keys.
fn keys(ring: &Value) -> (Vec<String>, String, Vec<String>) {
    let mut keys = ring.as_object().unwrap().clone();
    let active = keys.remove("active").unwrap().as_str().unwrap().to_owned();
    let digits = keys.values().map(|key| key.as_str().unwrap().to_owned());
    (keys.keys().cloned().collect(), active, digits.collect())
}

#[tokio::test]
async fn a_rotation_while_agents_send_fails_no_send_and_leaves_one_key() {
    const CLIENTS: usize = 5;
    // What one customer may be sent is limited.
    const PACE: Duration = Duration::from_millis(800);
    const SENT: &str = "
        select count(*) from chat_messages where message_id = any($1) and status in ('sent', 'delivered', 'read')";
    let stack = Stack::open();
    let mut conversations = Vec::new();
    for _ in 0..CLIENTS {
        let phone = new_phone();
        stack.customer_writes(&phone, "Are you there?").await;
        let conversation = stack.conversation_showing(&phone, "Are you there?").await;
        conversations.push(conversation["id"].clone());
    }
    let before = stack.key_ring().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for conversation in conversations {
        let is_over = Arc::clone(&is_over);
        clients.spawn(async move {
            let (stack, mut ids) = (Stack::open(), Vec::new());
            let mut turns = tokio::time::interval(PACE);
            while !is_over.load(Ordering::Relaxed) {
                turns.tick().await;
                let request = json!({"conversation_id": conversation, "message": "Still here."});
                let (status, reply) = stack.send(&request).await;
                assert_eq!((status, &reply["success"]), (StatusCode::OK, &json!(true)), "{reply}");
                ids.push(reply["message"]["message_id"].as_str().unwrap().to_owned());
            }
            ids
        });
    }
    let rotation = tokio::task::spawn_blocking(|| xtask(&["tokens", "rotate", "--grace-seconds", "15"]));
    let shown = text(&rotation.await.unwrap());
    is_over.store(true, Ordering::Relaxed);
    let ids = clients.join_all().await.concat();
    assert!(ids.len() > 15 * CLIENTS, "the clients sent all the time: {}", ids.len());

    let after = stack.key_ring().await;
    let ((_, old, old_keys), (names, active, new_keys)) = (keys(&before), keys(&after));
    assert_eq!(names, std::slice::from_ref(&active), "one key is left");
    assert_ne!((&active, &new_keys), (&old, &old_keys));
    for key in old_keys.iter().chain(&new_keys) {
        assert!(!shown.contains(key), "{shown}");
    }
    let database = stack.database().await;
    let others = "select count(*) from waba_accounts where access_token like 'enc:%' and access_token not like $1";
    let others: i64 = database
        .query_one(others, &[&format!("enc:v1:{active}:%")])
        .await
        .unwrap()
        .get(0);
    assert_eq!(others, 0);
    until("all messages to be sent", async || {
        let sent: i64 = database.query_one(SENT, &[&ids]).await.unwrap().get(0);
        (usize::try_from(sent) == Ok(ids.len())).then_some(())
    })
    .await;
    assert_eq!(
        stack.graph_requests_with("Still here.").await.len(),
        ids.len(),
        "none was sent twice"
    );
}
