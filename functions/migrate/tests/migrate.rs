//! The migrations as CloudFormation runs them: it is always answered, whatever happens.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use axum::Router;
use axum::routing::put;
use migrate::handle;
use serde_json::{Value, json};
use shared::db::settings::Settings;
use shared::testing::TestDatabase;
use tokio::sync::mpsc;

/// Stands for the signed URL at which CloudFormation waits.
async fn cloudformation() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, answers) = mpsc::unbounded_channel();
    let take = move |body: String| async move {
        sender.send(serde_json::from_str(&body).unwrap()).unwrap();
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/answer?signature=s3cr3t", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/answer", put(take))).await });
    (url, answers)
}

fn event(request: &str, url: &str) -> Value {
    json!({"RequestType": request, "ResponseURL": url, "StackId": "stack", "RequestId": "request", "ResourceType": "Custom::Migration",
           "LogicalResourceId": "Migration", "ResourceProperties": {"ServiceToken": "arn"}})
}

fn settings(url: &str) -> Result<Settings, String> {
    Settings::from_url(url).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_deployment_migrates_and_is_told_so() {
    let database = TestDatabase::empty().await;
    let (url, mut answers) = cloudformation().await;
    for request in ["Create", "Update"] {
        handle(&settings(&database.url), event(request, &url)).await.unwrap();
        assert_eq!(
            answers.recv().await.unwrap(),
            json!({"Status": "SUCCESS", "StackId": "stack", "RequestId": "request", "LogicalResourceId": "Migration", "PhysicalResourceId": "schema"})
        );
    }
    assert_eq!(database.count("select count(*) from chat_messages").await, 0);
}

#[tokio::test]
async fn a_deployment_that_fails_is_told_why() {
    let broken = TestDatabase::empty().await;
    broken
        .client
        .batch_execute("create table chat_media (mine int)")
        .await
        .unwrap();
    let cases = [
        (settings(&broken.url), "chat_media"),
        (settings("postgres://u:hunter2@127.0.0.1:9/x"), "connect"),
        (
            Err("DATABASE_SECRET_ARN: is required and not set".to_owned()),
            "DATABASE_SECRET_ARN",
        ),
    ];
    let (url, mut answers) = cloudformation().await;
    for (settings, reason) in cases {
        handle(&settings, event("Create", &url)).await.unwrap();
        let answer = answers.recv().await.unwrap();
        assert_eq!(answer["Status"], "FAILED");
        let said = answer["Reason"].as_str().unwrap();
        assert!(said.contains(reason) && !said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn the_way_back_from_a_failed_deployment_needs_no_database() {
    let unreachable = settings("postgres://u:hunter2@127.0.0.1:9/x");
    let (url, mut answers) = cloudformation().await;
    let version =
        |number: u32| json!({"FunctionVersion": format!("arn:aws:lambda:us-east-1:1:function:migrate:{number}")});
    for (from, to, status) in [(9, 10, "FAILED"), (10, 9, "SUCCESS")] {
        let mut event = event("Update", &url);
        event["OldResourceProperties"] = version(from);
        event["ResourceProperties"] = version(to);
        handle(&unreachable, event).await.unwrap();
        assert_eq!(answers.recv().await.unwrap()["Status"], status, "{from} {to}");
    }
}

#[tokio::test]
async fn deleting_the_stack_leaves_the_data() {
    let database = TestDatabase::migrated().await;
    let (url, mut answers) = cloudformation().await;
    let mut event = event("Delete", &url);
    event["PhysicalResourceId"] = "as it was".into();
    handle(&settings(&database.url), event).await.unwrap();
    let answer = answers.recv().await.unwrap();
    assert_eq!(
        (&answer["Status"], &answer["PhysicalResourceId"]),
        (&json!("SUCCESS"), &json!("as it was"))
    );
    assert_eq!(database.count("select count(*) from chat_messages").await, 0);
}

#[tokio::test]
async fn a_plain_invocation_answers_with_the_report() {
    let database = TestDatabase::empty().await;
    let report = handle(&settings(&database.url), json!({})).await.unwrap();
    assert_eq!(report["applied"].as_array().unwrap().len(), 8);
    let failed = handle(&settings("postgres://u:hunter2@127.0.0.1:9/x"), json!({}))
        .await
        .unwrap_err();
    assert!(!failed.to_string().contains("hunter2"), "{failed}");
}

#[tokio::test]
async fn a_url_that_does_not_answer_is_a_failure_that_keeps_its_signature_secret() {
    let database = TestDatabase::empty().await;
    let error = handle(
        &settings(&database.url),
        event("Create", "http://127.0.0.1:9/?signature=s3cr3t"),
    )
    .await
    .unwrap_err();
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
}
