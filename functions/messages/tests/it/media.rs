//! Links to files, followed to the emulated S3, and asking for a file again.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db;
use shared::edge::storage::Storage;
use shared::testing::emulated_aws;
use shared::testing::sqs::Answer;

use super::support::Fixture;

const ID: &str = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
const BYTES: &[u8] = b"the bytes of a file";

/// A file in the bucket and the message it belongs to; the row's id.
async fn add_file(fixture: &Fixture, kind: &str, mime_type: Option<&str>, filename: Option<&str>) -> i64 {
    let aws = emulated_aws().await;
    let config = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    // It is there from the second file on.
    let _ = s3.create_bucket().bucket(&fixture.bucket).send().await;
    let object_key = format!("inbound/700100/{}", uuid::Uuid::new_v4());
    let path = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
    std::fs::write(&path, BYTES).unwrap();
    let hash = aws_lc_rs_sha256(BYTES);
    let storage = Storage::new(&aws, fixture.bucket.clone());
    storage.put_file(&object_key, &path, "text/html", &hash).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let id = fixture
        .insert(
            r#"message_id, message_type, sender, "timestamp""#,
            &format!("gen_random_uuid()::text, '{kind}', 'customer', '2026-07-01T23:30:00Z'"),
        )
        .await;
    let insert = "insert into chat_media (message_id, wa_media_id, state, mime_type, filename, object_key)
                  values ($1, 'm1', 'stored', $2, $3, $4)";
    fixture
        .database
        .client
        .execute(insert, &[&id, &mime_type, &filename, &object_key])
        .await
        .unwrap();
    id
}

fn aws_lc_rs_sha256(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes)
        .as_ref()
        .to_vec()
}

async fn link(fixture: &Fixture, id: i64) -> Value {
    fixture.api.get(&format!("/api/live-chat/media/{id}")).await.ok()
}

/// The agent's own upload; the id.
async fn add_upload(fixture: &Fixture, owner: uuid::Uuid, checked_at: &str) -> uuid::Uuid {
    let id = uuid::Uuid::new_v4();
    let insert = format!(
        "insert into chat_uploads (id, user_id, kind, mime_type, filename, size, object_key, checked_at)
         values ('{id}', '{owner}', 'image', 'image/png', 'offer.png', {}, 'outbound/{id}', {checked_at})",
        BYTES.len()
    );
    fixture.database.client.batch_execute(&insert).await.unwrap();
    id
}

/// A message with a file in this state; the row's id.
async fn add_unstored(fixture: &Fixture, state: &str) -> i64 {
    let id = fixture
        .insert("message_id, message_type", &format!("'{ID}', 'image'"))
        .await;
    let insert = format!(
        "insert into chat_media (message_id, wa_media_id, state, next_try_at, attempts, last_error)
         values ({id}, 'm1', '{state}', now() + interval '5 hours', 9, 'graph_unavailable')"
    );
    fixture.database.client.batch_execute(&insert).await.unwrap();
    id
}

async fn retry(fixture: &Fixture, id: &str) -> shared::testing::api::Reply {
    let path = format!("/api/live-chat/media/{id}/retry");
    fixture.api.send(Method::POST, &path, "").await
}

#[tokio::test]
async fn a_link_leads_to_the_bytes_under_their_type_and_name() {
    let fixture = Fixture::new().await;
    for (kind, mime_type, filename, content_type, disposition) in [
        (
            "image",
            Some("image/jpeg"),
            None,
            "image/jpeg",
            "inline; filename=\"image-2026-07-01.jpg\"",
        ),
        (
            "audio",
            Some("audio/ogg; codecs=opus"),
            None,
            "audio/ogg",
            "inline; filename=\"audio-2026-07-01.ogg\"",
        ),
        (
            "document",
            Some("application/pdf"),
            Some("facture é.pdf"),
            "application/pdf",
            "inline; filename=\"facture _.pdf\"; filename*=UTF-8''facture%20%C3%A9.pdf",
        ),
        (
            "document",
            Some("text/html"),
            Some("a\"b/c.html"),
            "application/octet-stream",
            "attachment; filename=\"a_b_c.html\"",
        ),
        (
            "document",
            Some("image/svg+xml"),
            Some("x.svg"),
            "application/octet-stream",
            "attachment; filename=\"x.svg\"",
        ),
        (
            "document",
            None,
            None,
            "application/octet-stream",
            "attachment; filename=\"document-2026-07-01.bin\"",
        ),
    ] {
        let id = add_file(&fixture, kind, mime_type, filename).await;
        let reply = link(&fixture, id).await;
        // As a browser follows it: with no header of its own.
        let answer = reqwest::get(reply["url"].as_str().unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            (header("content-type").as_str(), header("content-disposition").as_str()),
            (content_type, disposition)
        );
        assert_eq!(header("cache-control"), "private, max-age=1800, immutable");
        assert_eq!(answer.bytes().await.unwrap(), BYTES);
    }
}

#[tokio::test]
async fn a_link_signs_no_header_lives_for_minutes_and_repeats() {
    let fixture = Fixture::new().await;
    let id = add_file(&fixture, "image", Some("image/png"), None).await;
    // A quarter of an hour may end between two questions, and not between four.
    let mut previous = link(&fixture, id).await;
    let mut repeats = 0;
    for _ in 0..3 {
        let next = link(&fixture, id).await;
        repeats += u32::from(next == previous);
        previous = next;
    }
    assert!(repeats >= 2);
    let url = previous["url"].as_str().unwrap();
    assert!(url.contains("X-Amz-SignedHeaders=host&"), "{url}");
    assert!(url.contains("X-Amz-Expires=1800"), "{url}");
    let expires_at: Timestamp = previous["expires_at"].as_str().unwrap().parse().unwrap();
    let left = expires_at.as_second() - Timestamp::now().as_second();
    assert!((899..=1800).contains(&left), "{left}");
    assert_eq!(expires_at.as_second() % 900, 0);
}

#[tokio::test]
async fn links_are_the_same_within_a_quarter_and_others_in_the_next() {
    let storage = Storage::new(&emulated_aws().await, "bucket".to_owned());
    let served = shared::domain::served::served(None, None, None, Timestamp::UNIX_EPOCH);
    let link_at = async |at: &str| storage.link("key", &served, at.parse().unwrap()).await.unwrap();
    let first = link_at("2026-07-01T12:15:00Z").await;
    let last = link_at("2026-07-01T12:29:59Z").await;
    let next = link_at("2026-07-01T12:30:00Z").await;
    assert!(first == last);
    assert!(first.url != next.url);
    let expected: Timestamp = "2026-07-01T12:45:00Z".parse().unwrap();
    assert_eq!(first.expires_at, expected);
}

#[tokio::test]
async fn a_redirect_leads_to_the_same_link_and_is_cached_for_less_than_it_lives() {
    let fixture = Fixture::new().await;
    let id = add_file(&fixture, "image", Some("image/png"), None).await;
    let path = format!("/api/live-chat/media/{id}");
    let reply = fixture.api.get(&format!("{path}?redirect=1")).await;
    assert_eq!(reply.status, 302);
    assert_eq!(reply.headers["location"], reply.body["url"].as_str().unwrap());
    let control = reply.headers["cache-control"].to_str().unwrap();
    let age: i64 = control.strip_prefix("private, max-age=").unwrap().parse().unwrap();
    let expires_at: Timestamp = reply.body["expires_at"].as_str().unwrap().parse().unwrap();
    let left = expires_at.as_second() - Timestamp::now().as_second();
    assert!(age > 800 && age < left, "{age} of {left}");
    let plain = fixture.api.get(&format!("{path}?redirect=0")).await;
    assert!(!plain.headers.contains_key("location"));
    plain.ok();
    fixture
        .api
        .get(&format!("{path}?redirect=yes"))
        .await
        .refuses_field("redirect");
}

#[tokio::test]
async fn an_upload_is_linked_by_its_own_id_and_by_every_message_that_uses_it() {
    let fixture = Fixture::new().await;
    let id = add_upload(&fixture, fixture.agent, "now()").await;
    let put = |s3: aws_sdk_s3::Client| {
        let key = format!("outbound/{id}");
        s3.put_object()
            .bucket(&fixture.bucket)
            .key(key)
            .body(BYTES.to_vec().into())
    };
    // The bucket is made with the first file.
    add_file(&fixture, "image", None, None).await;
    let aws = emulated_aws().await;
    let config = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
    put(aws_sdk_s3::Client::from_conf(config)).send().await.unwrap();
    let mut names = vec![id.to_string(), id.to_string().to_uppercase()];
    for _ in 0..2 {
        let message = fixture
            .insert(
                "message_id, message_type, sender",
                "gen_random_uuid()::text, 'image', 'user'",
            )
            .await;
        let upload = db::uploads::list(&fixture.database.client, &[id])
            .await
            .unwrap()
            .remove(0);
        assert!(
            db::uploads::attach(&fixture.database.client, message, &upload)
                .await
                .unwrap()
        );
        names.push(message.to_string());
        let shown = fixture.message(message).await;
        assert_eq!(
            (
                &shown["media"]["state"],
                &shown["media"]["filename"],
                &shown["media"]["size"]
            ),
            (&json!("stored"), &json!("offer.png"), &json!(BYTES.len()))
        );
        let retried = retry(&fixture, &message.to_string()).await.ok();
        assert_eq!(retried["message"]["media"]["state"], "stored");
    }
    for name in names {
        let reply = fixture.api.get(&format!("/api/live-chat/media/{name}")).await.ok();
        let answer = reqwest::get(reply["url"].as_str().unwrap()).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "image/png");
        assert_eq!(
            answer.headers()["content-disposition"],
            "inline; filename=\"offer.png\""
        );
        assert_eq!(answer.bytes().await.unwrap(), BYTES);
    }
}

#[tokio::test]
async fn an_upload_that_nobody_looked_at_has_no_link_and_anothers_is_not_found() {
    let fixture = Fixture::new().await;
    let unchecked = add_upload(&fixture, fixture.agent, "null").await;
    let path = format!("/api/live-chat/media/{unchecked}");
    let error = fixture.api.get(&path).await.refused(409);
    assert_eq!(error["code"], "media_not_stored");
    let foreign = add_upload(&fixture, uuid::Uuid::new_v4(), "now()").await;
    let path = format!("/api/live-chat/media/{foreign}");
    fixture.api.get(&path).await.refused(404);
    // There is nobody to ask for it again.
    assert_eq!(retry(&fixture, &unchecked.to_string()).await.status, 404);
}

#[tokio::test]
async fn a_message_is_named_by_either_id() {
    let fixture = Fixture::new().await;
    let id = add_file(&fixture, "image", Some("image/png"), None).await;
    let update = format!("update chat_messages set message_id = '{ID}' where id = {id}");
    fixture.database.client.batch_execute(&update).await.unwrap();
    for name in [id.to_string(), ID.to_owned(), ID.to_uppercase()] {
        fixture.api.get(&format!("/api/live-chat/media/{name}")).await.ok();
    }
}

#[tokio::test]
async fn what_is_not_stored_says_its_state() {
    for state in ["pending", "failed", "expired"] {
        let fixture = Fixture::new().await;
        let id = add_unstored(&fixture, state).await;
        let error = fixture
            .api
            .get(&format!("/api/live-chat/media/{id}"))
            .await
            .refused(409);
        assert_eq!(error["code"], "media_not_stored");
        assert!(error["message"].as_str().unwrap().contains(state), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_yours_is_not_found() {
    let fixture = Fixture::new().await;
    let file = add_file(&fixture, "image", Some("image/png"), None).await;
    let text = fixture.text("a", "2026-07-01T12:00:00Z").await;
    let deleted = add_file(&fixture, "image", Some("image/png"), None).await;
    let delete = format!("update chat_messages set deleted_at = now() where id = {deleted}");
    fixture.database.client.batch_execute(&delete).await.unwrap();
    let stranger = fixture.database.add_number("900999", "700999").await;
    let stranger = fixture.api.as_agent(stranger);
    for (api, id) in [
        (&stranger, file.to_string()),
        (&fixture.api, text.to_string()),
        (&fixture.api, deleted.to_string()),
        (&fixture.api, "424242".to_owned()),
        (&fixture.api, "99999999999999999999999".to_owned()),
        (&fixture.api, "-1".to_owned()),
        (&fixture.api, "x".to_owned()),
        (&fixture.api, "%FF".to_owned()),
        (&fixture.api, "%00".to_owned()),
        (&fixture.api, ID.to_owned()),
    ] {
        let path = format!("/api/live-chat/media/{id}");
        assert_eq!(api.get(&path).await.refused(404)["code"], "not_found", "{id}");
        let retried = api.send(Method::POST, &format!("{path}/retry"), "").await;
        assert_eq!(retried.refused(404)["code"], "not_found", "{id}");
    }
    assert!(fixture.sqs.calls().is_empty());
    let nobody = fixture.api.with_authorization(None);
    nobody.get(&format!("/api/live-chat/media/{file}")).await.refused(401);
}

#[tokio::test]
async fn asking_again_makes_a_file_due_now_and_triggers_it() {
    for state in ["failed", "pending", "expired"] {
        let fixture = Fixture::new().await;
        let id = add_unstored(&fixture, state).await;
        let reply = retry(&fixture, ID).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        assert_eq!(
            (
                &reply.body["success"],
                &reply.body["message"]["id"],
                &reply.body["message"]["media"]["state"]
            ),
            (&json!(true), &json!(id), &json!("pending"))
        );
        let due = "select count(*) from chat_media where state = 'pending' and next_try_at <= now() and attempts = 0";
        assert_eq!(fixture.database.count(due).await, 1);
        let taken = fixture.sqs.taken();
        let body: Value = serde_json::from_str(taken[0]["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!((taken.len(), body), (1, json!({ "message_id": id })));
    }
}

#[tokio::test]
async fn asking_again_for_what_is_stored_changes_nothing() {
    let fixture = Fixture::new().await;
    let id = add_file(&fixture, "image", Some("image/png"), None).await;
    let row = "select to_jsonb(f) from chat_media f";
    let before = fixture.database.json(row).await;
    let reply = retry(&fixture, &id.to_string()).await.ok();
    assert_eq!(reply["message"]["media"]["state"], "stored");
    assert_eq!(fixture.database.json(row).await, before);
    assert!(fixture.sqs.calls().is_empty());
}

#[tokio::test]
async fn what_is_older_than_seven_days_is_not_asked_for_again() {
    let fixture = Fixture::new().await;
    add_unstored(&fixture, "expired").await;
    let age = "update chat_media set received_at = now() - interval '7 days'";
    fixture.database.client.batch_execute(age).await.unwrap();
    assert_eq!(retry(&fixture, ID).await.refused(409)["code"], "media_expired");
    let unchanged = "select count(*) from chat_media where state = 'expired' and attempts = 9";
    assert_eq!(fixture.database.count(unchanged).await, 1);
    assert!(fixture.sqs.calls().is_empty());
}

#[tokio::test]
async fn without_the_queue_it_is_asked_for_all_the_same() {
    let fixture = Fixture::new().await;
    add_unstored(&fixture, "failed").await;
    fixture.sqs.answer_always(Answer::Status(500));
    assert_eq!(retry(&fixture, ID).await.status, 202);
    let due = "select count(*) from chat_media where state = 'pending' and next_try_at <= now()";
    assert_eq!(fixture.database.count(due).await, 1);
}
