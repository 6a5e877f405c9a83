//! What holds for calls as such: tokens, versions, rates, receipts, the log.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{CUSTOMER, FOREIGN, NUMBER, Rig, SIBLING, TOKEN, WABA, text};

#[tokio::test]
async fn only_the_right_token_version_and_path_are_served() {
    let rig = Rig::start().await;
    let ask = async |path: &str, token: Option<&str>| {
        let mut request = rig.client.post(format!("{}{path}", rig.base)).json(&text("Hello"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let answer: Value = response.json().await.unwrap();
        (
            status,
            answer["error"]["code"].as_i64(),
            answer["error"]["error_subcode"].as_i64(),
        )
    };
    let own = format!("/v26.0/{NUMBER}/messages");
    assert_eq!(ask(&own, None).await, (401, Some(190), None));
    assert_eq!(ask(&own, Some("stolen")).await, (401, Some(190), None));
    assert_eq!(ask(&own, Some("")).await, (401, Some(190), None));
    let foreign = format!("/v26.0/{FOREIGN}/messages");
    assert_eq!(ask(&foreign, Some(TOKEN)).await, (400, Some(100), Some(33)));
    assert_eq!(
        ask("/v26.0/999/messages", Some(TOKEN)).await,
        (400, Some(100), Some(33))
    );
    assert_eq!(
        ask(&format!("/v3.1/{NUMBER}/messages"), Some(TOKEN)).await.1,
        Some(2635)
    );
    assert_eq!(ask(&format!("/26/{NUMBER}/messages"), Some(TOKEN)).await.1, Some(2500));
    assert_eq!(
        ask(&format!("/v26.0/{NUMBER}/messages/x"), Some(TOKEN)).await.1,
        Some(2500)
    );
    assert_eq!(ask(&format!("/v26.0/{WABA}"), Some(TOKEN)).await.2, Some(33));
}

#[tokio::test]
async fn a_request_that_is_not_json_is_refused() {
    let rig = Rig::start().await;
    let request = rig
        .client
        .post(format!("{}/v26.0/{NUMBER}/messages", rig.base))
        .bearer_auth(TOKEN);
    let response = request.body("messaging_product=whatsapp").send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], 100);
}

#[tokio::test]
async fn rates_are_limited_for_a_pair_and_for_a_number() {
    let rig = Rig::start_with(|config| {
        config.limits.pair_burst = 2;
        config.limits.messages_per_second = 4;
        config.limits.pair_interval_ms = 60_000;
    })
    .await;
    let send = async |to: &str| {
        let mut body = text("Hello");
        body["to"] = json!(to);
        rig.send(&body).await.1["error"]["code"].as_i64()
    };
    assert_eq!(send(CUSTOMER).await, None);
    assert_eq!(send(CUSTOMER).await, None);
    assert_eq!(send(CUSTOMER).await, Some(131_056));
    assert_eq!(send("16505550101").await, None);
    let mut codes = Vec::new();
    for last in 102..112 {
        codes.push(send(&format!("16505550{last}")).await);
    }
    assert!(codes.contains(&Some(130_429)), "{codes:?}");
}

#[tokio::test]
async fn a_read_receipt_needs_a_message_of_the_customer_from_the_last_thirty_days() {
    let rig = Rig::start().await;
    let inbound = rig.open_window().await;
    let old = rig
        .customer_sends(json!({"text": "Long ago", "timestamp": 1_600_000_000}))
        .await;
    let own = rig.send_accepted(&text("Hello")).await;
    let read = |wamid: &str| json!({"messaging_product": "whatsapp", "status": "read", "message_id": wamid});
    assert_eq!(rig.send(&read(&inbound)).await, (200, json!({"success": true})));
    for wamid in ["wamid.unknown", &old, &own] {
        assert_eq!(rig.send(&read(wamid)).await.1["error"]["code"], 131_009, "{wamid}");
    }
    let mut typing = read(&inbound);
    typing["typing_indicator"] = json!({"type": "text"});
    assert_eq!(rig.send(&typing).await, (200, json!({"success": true})));
    typing["typing_indicator"] = json!({"type": "voice"});
    assert_eq!(rig.send(&typing).await.1["error"]["code"], 100);
    let seen = rig.get("/_simulator/conversations").await;
    assert_eq!(seen[0]["messages"][0]["read_by_business"], true);
    assert!(seen[0]["typing_until"].is_string());
}

#[tokio::test]
async fn the_log_shows_each_call_without_its_token() {
    let rig = Rig::start().await;
    let mut body = text("Hello");
    body["biz_opaque_callback_data"] = json!("the-callback-data");
    let wamid = rig.send_accepted(&body).await;
    rig.send(&json!({})).await;
    let log = rig
        .get("/_simulator/requests?biz_opaque_callback_data=the-callback-data")
        .await;
    assert_eq!(log.as_array().unwrap().len(), 1);
    assert_eq!(log[0]["method"], "POST");
    assert_eq!(log[0]["path"], format!("/v26.0/{NUMBER}/messages"));
    assert_eq!(log[0]["authorization"], format!("waba:{WABA}"));
    assert_eq!(log[0]["body"], body);
    assert_eq!(log[0]["response"]["body"]["messages"][0]["id"], wamid);
    let all = rig.get(&format!("/_simulator/requests?phone_number_id={NUMBER}")).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(!all.to_string().contains(TOKEN));
    rig.call(Method::DELETE, "/_simulator/requests", None).await.unwrap();
    assert_eq!(rig.get("/_simulator/requests").await, json!([]));
}

#[tokio::test]
async fn numbers_can_be_looked_at_by_their_own_account() {
    let rig = Rig::start().await;
    let one = rig
        .get(&format!("/v26.0/{NUMBER}?fields=verified_name,quality_rating"))
        .await;
    assert_eq!(
        one,
        json!({"verified_name": "A Shop", "quality_rating": "GREEN", "id": NUMBER})
    );
    let all = rig.get(&format!("/v26.0/{WABA}/phone_numbers")).await;
    assert_eq!(all["data"][1]["id"], SIBLING);
    assert_eq!(
        rig.get(&format!("/v26.0/{FOREIGN}")).await["error"]["error_subcode"],
        33
    );
    assert_eq!(
        rig.get("/v26.0/200000000000002/phone_numbers").await["error"]["error_subcode"],
        33
    );
}

#[tokio::test]
async fn an_account_has_no_webhooks_while_no_app_is_subscribed_to_it() {
    let rig = Rig::start().await;
    let path = format!("/v26.0/{WABA}/subscribed_apps");
    let apps = async || rig.get(&path).await["data"].as_array().unwrap().len();
    assert_eq!(apps().await, 1);
    let deleted = rig.call(Method::DELETE, &path, None).await.unwrap();
    assert_eq!(deleted, (200, json!({"success": true})));
    assert_eq!(apps().await, 0);
    rig.customer_sends(json!({"text": {"body": "Is anybody there?"}})).await;
    rig.flush().await;
    assert!(rig.received().is_empty());
    rig.call(Method::POST, &path, None).await.unwrap();
    rig.customer_sends(json!({"text": {"body": "And now?"}})).await;
    rig.flush().await;
    assert_eq!((apps().await, rig.received().len()), (1, 1));
    let foreign = rig.call(Method::GET, "/v26.0/999/subscribed_apps", None).await.unwrap();
    assert_eq!((foreign.0, &foreign.1["error"]["code"]), (400, &json!(100)));
}
