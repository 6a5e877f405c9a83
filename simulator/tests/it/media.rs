//! Media there and back: uploads, links, bytes, limits.

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{NUMBER, Rig, SIBLING, TOKEN, message};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

async fn upload(rig: &Rig, mime_type: &str, bytes: Vec<u8>) -> Value {
    let part = Part::bytes(bytes).file_name("file").mime_str(mime_type).unwrap();
    let form = Form::new()
        .text("messaging_product", "whatsapp")
        .text("type", mime_type.to_owned())
        .part("file", part);
    let request = rig.client.post(format!("{}/v26.0/{NUMBER}/media", rig.base));
    request
        .bearer_auth(TOKEN)
        .multipart(form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

async fn fetch(rig: &Rig, url: &str, token: Option<&str>) -> (StatusCode, Bytes) {
    let mut request = rig.client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.bytes().await.unwrap())
}

#[tokio::test]
async fn an_upload_comes_back_byte_for_byte_and_can_be_sent_and_deleted() {
    let rig = Rig::start().await;
    let id = upload(&rig, "image/png", PNG.to_vec()).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let about = rig.get(&format!("/v26.0/{id}?phone_number_id={NUMBER}")).await;
    assert_eq!(about["mime_type"], "image/png");
    assert_eq!(about["file_size"], PNG.len().to_string());
    assert_eq!(about["messaging_product"], "whatsapp");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, PNG);
    assert_eq!(about["sha256"], hex::encode(digest));
    let url = about["url"].as_str().unwrap();
    assert_eq!(
        fetch(&rig, url, Some(TOKEN)).await,
        (StatusCode::OK, Bytes::from_static(PNG))
    );
    assert_eq!(fetch(&rig, url, None).await.0, StatusCode::UNAUTHORIZED);
    let forged = url.replace("hash=", "hash=0");
    assert_eq!(fetch(&rig, &forged, Some(TOKEN)).await.0, StatusCode::NOT_FOUND);

    rig.send_accepted(&message(&json!({"type": "image", "image": {"id": id}})))
        .await;
    let as_audio = rig
        .send(&message(&json!({"type": "audio", "audio": {"id": id}})))
        .await
        .1;
    assert_eq!(as_audio["error"]["code"], 131_053);
    let elsewhere = rig.get(&format!("/v26.0/{id}?phone_number_id={SIBLING}")).await;
    assert_eq!(elsewhere["error"]["error_subcode"], 33);

    let deleted = rig.call(Method::DELETE, &format!("/v26.0/{id}"), None).await.unwrap();
    assert_eq!(deleted, (200, json!({"success": true})));
    assert_eq!(rig.get(&format!("/v26.0/{id}")).await["error"]["error_subcode"], 33);
    let gone = rig
        .send(&message(&json!({"type": "image", "image": {"id": id}})))
        .await
        .1;
    assert_eq!(gone["error"]["code"], 100);
}

#[tokio::test]
async fn a_link_that_has_expired_leads_nowhere() {
    let rig = Rig::start_with(|config| config.media_url_seconds = 0).await;
    let id = upload(&rig, "image/png", PNG.to_vec()).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let about = rig.get(&format!("/v26.0/{id}")).await;
    let answer = fetch(&rig, about["url"].as_str().unwrap(), Some(TOKEN)).await;
    assert_eq!(answer.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_whose_time_is_over_is_not_known_any_more() {
    let rig = Rig::start().await;
    let id = upload(&rig, "image/png", PNG.to_vec()).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let expire = format!("/_simulator/media/{id}/expire");
    assert_eq!(rig.call(Method::POST, &expire, None).await.unwrap().0, 204);
    assert_eq!(rig.get(&format!("/v26.0/{id}")).await["error"]["error_subcode"], 33);
    let refused = rig
        .send(&message(&json!({"type": "image", "image": {"id": id}})))
        .await
        .1;
    assert_eq!(refused["error"]["code"], 100);
    let unknown = rig
        .call(Method::POST, "/_simulator/media/1/expire", None)
        .await
        .unwrap();
    assert_eq!(unknown.0, 404);
}

#[tokio::test]
async fn a_file_of_the_wrong_type_or_size_is_refused() {
    let rig = Rig::start().await;
    assert_eq!(
        upload(&rig, "application/zip", PNG.to_vec()).await["error"]["code"],
        100
    );
    for (mime_type, most) in [
        ("image/jpeg", 5 << 20),
        ("image/webp", 100 << 10),
        ("audio/ogg", 16 << 20),
    ] {
        assert!(
            upload(&rig, mime_type, vec![1; most]).await["id"].is_string(),
            "{mime_type}"
        );
        let refused = upload(&rig, mime_type, vec![1; most + 1]).await;
        assert_eq!(refused["error"]["code"], 131_053, "{mime_type}");
    }
    let form = Form::new().text("type", "image/png").part("file", Part::bytes(PNG));
    let request = rig.client.post(format!("{}/v26.0/{NUMBER}/media", rig.base));
    let answer: Value = request
        .bearer_auth(TOKEN)
        .multipart(form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        answer["error"]["message"],
        "(#100) The parameter messaging_product is required."
    );
}

#[tokio::test]
async fn what_a_customer_sends_can_be_fetched_and_has_the_digest_of_the_webhook() {
    let rig = Rig::start().await;
    for kind in ["image", "video", "audio", "voice", "document", "sticker"] {
        rig.customer_sends(json!({"type": kind})).await;
    }
    for webhook in rig.all_received().await {
        let message = &webhook.value()["messages"][0];
        let media = &message[message["type"].as_str().unwrap()];
        let about = rig.get(&format!("/v26.0/{}", media["id"].as_str().unwrap())).await;
        let (_, bytes) = fetch(&rig, about["url"].as_str().unwrap(), Some(TOKEN)).await;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        assert_eq!(media["sha256"], STANDARD.encode(digest));
        assert_eq!(media["mime_type"], about["mime_type"]);
    }
}

/// A customer's picture; its id and its link.
async fn customers_picture(rig: &Rig) -> (String, String) {
    let request = rig
        .client
        .post(format!("{}/_simulator/media?phone_number_id={NUMBER}", rig.base));
    let stored: Value = request
        .header("content-type", "image/png")
        .body(PNG)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let id = stored["id"].as_str().unwrap().to_owned();
    let about = rig.get(&format!("/v26.0/{id}")).await;
    (id, about["url"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn asking_for_a_file_and_fetching_it_fail_apart_from_each_other() {
    let rig = Rig::start().await;
    let (id, url) = customers_picture(&rig).await;
    let fail = |operation: &str| json!({"kind": "http_error", "status": 500, "code": 2, "times": 1, "match": {"operation": operation}});
    rig.set_fault(fail("download")).await;
    assert!(rig.get(&format!("/v26.0/{id}")).await["url"].is_string());
    let failed = fetch(&rig, &url, Some(TOKEN)).await.0;
    assert_eq!(failed, StatusCode::INTERNAL_SERVER_ERROR);
    rig.set_fault(fail("describe")).await;
    assert_eq!(fetch(&rig, &url, Some(TOKEN)).await.0, StatusCode::OK);
    assert_eq!(rig.get(&format!("/v26.0/{id}")).await["error"]["code"], 2);
}

#[tokio::test]
async fn a_file_can_be_described_as_another() {
    let rig = Rig::start().await;
    let (id, _) = customers_picture(&rig).await;
    rig.set_fault(
        json!({"kind": "wrong_description", "url": "https://evil.example/x", "file_size": 7, "sha256": "00", "times": 1}),
    )
    .await;
    let about = rig.get(&format!("/v26.0/{id}")).await;
    assert_eq!(
        (&about["url"], &about["file_size"], &about["sha256"]),
        (&json!("https://evil.example/x"), &json!("7"), &json!("00"))
    );
    assert_eq!(about["mime_type"], "image/png");
    assert_eq!(
        rig.get(&format!("/v26.0/{id}")).await["file_size"],
        PNG.len().to_string()
    );
}

#[tokio::test]
async fn a_files_bytes_can_be_wrong_too_many_slow_or_elsewhere() {
    let rig = Rig::start().await;
    let (_, url) = customers_picture(&rig).await;
    rig.set_fault(json!({"kind": "wrong_bytes", "times": 1})).await;
    let wrong = fetch(&rig, &url, Some(TOKEN)).await.1;
    assert_eq!(wrong.len(), PNG.len());
    assert_ne!(wrong, PNG);
    rig.set_fault(json!({"kind": "extra_bytes", "bytes": 3, "times": 1}))
        .await;
    let longer = fetch(&rig, &url, Some(TOKEN)).await.1;
    assert_eq!((longer.len(), longer.starts_with(PNG)), (PNG.len() + 3, true));
    rig.set_fault(json!({"kind": "slow_body", "chunk_bytes": 5, "pause_ms": 20, "times": 1}))
        .await;
    let begun = std::time::Instant::now();
    assert_eq!(fetch(&rig, &url, Some(TOKEN)).await.1, PNG);
    let pauses = u32::try_from(PNG.len().div_ceil(5)).unwrap();
    assert!(begun.elapsed() >= std::time::Duration::from_millis(20) * pauses);
    rig.set_fault(json!({"kind": "redirect", "location": format!("{}/elsewhere", rig.base), "times": 1}))
        .await;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client.get(&url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(answer.headers()["location"], format!("{}/elsewhere", rig.base));
    assert_eq!(fetch(&rig, &url, Some(TOKEN)).await.1, PNG);
}

#[tokio::test]
async fn the_connection_can_end_in_the_middle_of_a_file() {
    let rig = Rig::start().await;
    let (_, url) = customers_picture(&rig).await;
    rig.set_fault(json!({"kind": "cut_body", "after_bytes": 4, "times": 1}))
        .await;
    let mut answer = rig.client.get(&url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(PNG.len() as u64));
    assert_eq!(answer.chunk().await.unwrap().unwrap(), PNG[..4]);
    answer.chunk().await.unwrap_err();
}
