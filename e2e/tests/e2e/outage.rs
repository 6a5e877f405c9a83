//! The database goes away under load and comes back.

use std::process::Command;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::StatusCode;
use serde_json::Value;

use crate::stack::{EVENTS, Stack, and_then, new_phone, until, xtask};

fn postgres(action: &str) {
    let output = xtask(&["postgres", action]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn an_outage_of_the_database_loses_no_message_and_fills_no_dead_letter_queue() {
    const MESSAGES: usize = 40;
    let stack = Stack::open();
    let phone = new_phone();
    post(&stack, &phone, 0, MESSAGES / 2).await;
    postgres("stop");
    post(&stack, &phone, MESSAGES / 2, MESSAGES / 2).await;
    let token = stack.get("agent_token");
    let (status, reply) = stack
        .call(token, reqwest::Method::GET, "/api/live-chat/conversations", None)
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{reply}");
    assert!(reply["error"]["request_id"].is_string());
    let answer = stack
        .http
        .get(format!("{}/api/live-chat/conversations", stack.get("api_url")))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    until("records that wait for the database", async || {
        let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        (stack.depth(EVENTS, hidden).await > 0).then_some(())
    })
    .await;
    postgres("start");
    all_are_there_once(&stack, &phone, MESSAGES).await;
}

/// Posts `count` messages of this customer, beginning with this one.
async fn post(stack: &Stack, phone: &str, first: usize, count: usize) {
    for index in first..first + count {
        let body = stack.text(phone, &format!("wamid.{phone}.{index}"), &format!("message {index}"));
        assert_eq!(stack.post_webhook(&body).await, StatusCode::OK);
    }
}

/// Waits until all messages of this customer are there, and looks that each is there once and none anywhere else.
async fn all_are_there_once(stack: &Stack, phone: &str, count: usize) {
    const COUNT: &str = "
        select count(*), count(distinct wa_message_id) from chat_messages m join chat_conversations c on c.id = m.conversation_id
        where c.customer_phone = $1";
    const QUARANTINED: &str = "select count(*) from chat_quarantine where position(convert_to($1, 'UTF8') in body) > 0";
    let expected = i64::try_from(count).unwrap();
    let database = stack.database().await;
    let rows = until("all messages", async || {
        let row = database.query_one(COUNT, &[&phone]).await.unwrap();
        let (rows, wamids): (i64, i64) = (row.get(0), row.get(1));
        (wamids == expected).then_some(rows)
    })
    .await;
    assert_eq!(rows, expected);
    let row = database.query_one(QUARANTINED, &[&phone]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
    assert_eq!(stack.dead_letters().await, 0);
}

/// Starts the server where it is down; where it runs, that would end it first.
async fn bring_back(stack: &Stack) {
    let connected = tokio_postgres::connect(stack.get("database_url"), tokio_postgres::NoTls).await;
    if connected.is_err() {
        postgres("start");
    }
}

/// Ends the server as the kernel does when memory is short.
fn kill_postgres() {
    let about = std::fs::read_to_string(Stack::folder().join("postgres.json")).unwrap();
    let about: Value = serde_json::from_str(&about).unwrap();
    let data = about["data"].as_str().expect("it names the data folder");
    let lock = std::fs::read_to_string(format!("{data}/postmaster.pid")).expect("the server runs");
    let killed = Command::new("kill")
        .args(["-KILL", lock.lines().next().unwrap()])
        .status();
    assert!(killed.unwrap().success());
}

#[tokio::test]
async fn a_database_that_is_killed_in_mid_batch_and_back_after_20_seconds_has_everything_once() {
    const BEFORE: usize = 30;
    const AWAY: usize = 30;
    let stack = Stack::open();
    let phone = new_phone();
    let outage = async {
        // Batches come as far as their messages and wait there.
        let blocker = stack.database().await;
        let block = "begin; lock table chat_messages in exclusive mode";
        blocker.batch_execute(block).await.unwrap();
        post(&stack, &phone, 0, BEFORE).await;
        let observer = stack.database().await;
        until("batches that have written something", async || {
            const WRITING: &str = "select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and backend_xid is not null";
            (observer.query_one(WRITING, &[]).await.unwrap().get::<_, i64>(0) > 0).then_some(())
        })
        .await;
        kill_postgres();
        let away = tokio::time::sleep(Duration::from_secs(20));
        tokio::join!(away, post(&stack, &phone, BEFORE, AWAY));
        postgres("start");
        all_are_there_once(&stack, &phone, BEFORE + AWAY).await;
    };
    and_then(outage, bring_back(&stack)).await;
}

#[tokio::test]
async fn an_outage_that_outlasts_all_receives_of_a_record_makes_no_dead_letter() {
    const MESSAGES: usize = 20;
    // A record that is given back comes again after five seconds: three receives are over long before.
    const RECEIVES: u32 = 3;
    const AWAY: Duration = Duration::from_secs(90);
    let stack = Stack::open();
    let phone = new_phone();
    let outage = async {
        postgres("stop");
        post(&stack, &phone, 0, MESSAGES).await;
        tokio::time::sleep(AWAY).await;
        assert_eq!(stack.dead_letters().await, 0);
        postgres("start");
        all_are_there_once(&stack, &phone, MESSAGES).await;
    };
    let body = Box::pin(and_then(outage, bring_back(&stack)));
    stack.with_max_receive_count(RECEIVES, body).await;
}
