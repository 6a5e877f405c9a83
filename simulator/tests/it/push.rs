//! The push service takes nothing from a sender who is not known, or that a browser could not read. What it takes, the tests of the outbox
//! show.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Rig;

const KEY: &str = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";
/// The example of RFC 8292: well signed, for another push service, and over.
const TOKEN: &str = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";

async fn subscribe(rig: &Rig) -> Value {
    let body = json!({"applicationServerKey": KEY});
    let (status, browser) = rig
        .call(Method::POST, "/_simulator/push/subscriptions", Some(&body))
        .await
        .unwrap();
    assert_eq!(status, 201, "{browser}");
    browser
}

async fn push(rig: &Rig, endpoint: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = rig.client.post(endpoint).body("x");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn nobody_sends_without_a_token_for_this_push_service() {
    let rig = Rig::start().await;
    let browser = subscribe(&rig).await;
    let endpoint = browser["endpoint"].as_str().unwrap();
    let forged = TOKEN.replace("vapid t=e", "vapid t=f");
    let padded = format!("{TOKEN}=");
    for (authorization, problem) in [
        ("", "the scheme is not vapid"),
        ("Bearer x", "the scheme is not vapid"),
        ("vapid t=x", "there is no k"),
        (&forged, "t is not signed by k"),
        (&padded, "k has padding"),
        (TOKEN, "aud is another push service"),
    ] {
        let answer = push(&rig, endpoint, &[("TTL", "0"), ("authorization", authorization)]).await;
        assert_eq!(answer, (401, problem.to_owned()));
    }
    assert_eq!(push(&rig, &format!("{endpoint}x"), &[]).await.0, 404);
    let log = rig.get("/_simulator/push/notifications").await;
    assert_eq!(log.as_array().unwrap().len(), 7);
    assert!(log[0]["payload"].is_null() && log[0]["problem"].is_string());
}

#[tokio::test]
async fn a_browser_that_unsubscribed_is_gone_and_answers_come_as_they_were_told() {
    let rig = Rig::start().await;
    let browser = subscribe(&rig).await;
    let (endpoint, id) = (browser["endpoint"].as_str().unwrap(), browser["id"].as_str().unwrap());
    let path = format!("/_simulator/push/subscriptions/{id}");
    let told = json!({"status": 429, "headers": {"retry-after": "7"}, "body": "later"});
    let set = rig
        .call(Method::POST, &format!("{path}/answers"), Some(&told))
        .await
        .unwrap();
    assert_eq!(set.0, 201);
    assert_eq!(push(&rig, endpoint, &[]).await, (429, "later".to_owned()));
    assert_eq!(push(&rig, endpoint, &[]).await.0, 401, "once");
    rig.call(Method::DELETE, &path, None).await.unwrap();
    assert_eq!(push(&rig, endpoint, &[]).await.0, 410);
}
