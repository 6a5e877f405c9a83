//! Everything that goes wrong on a file's way, and that it ends well or is given up for a reason.

use media::App;
use serde_json::{Value, json};
use shared::db::Database;
use shared::db::settings::Settings;
use shared::testing::proxy::Proxy;

use crate::support::{BYTES, Fixture, in_time, triggers};

/// Sets a fault for one call, triggers the file, and gives what the row says.
async fn with_fault(fixture: &Fixture, id: i64, fault: Value) -> (String, Option<String>, i64) {
    let mut fault = fault;
    fault["times"] = json!(1);
    fixture.fault(fault).await;
    assert!(fixture.trigger(&[id]).await.is_empty());
    fixture.state(id).await
}

fn pending(code: &str, attempts: i64) -> (String, Option<String>, i64) {
    ("pending".to_owned(), Some(code.to_owned()), attempts)
}

#[tokio::test]
async fn what_passes_is_tried_again_later_and_ends_well() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let waits = [
        (9, 11),
        (27, 33),
        (108, 132),
        (540, 660),
        (3240, 3960),
        (19_440, 23_760),
    ];
    let faults = [
        (
            json!({"kind": "http_error", "status": 500, "code": 2, "match": {"operation": "describe"}}),
            "graph_unavailable",
        ),
        (
            json!({"kind": "http_error", "status": 429, "code": 4, "match": {"operation": "describe"}}),
            "graph_unavailable",
        ),
        (
            json!({"kind": "no_answer_before_accept", "match": {"operation": "describe"}}),
            "graph_unavailable",
        ),
        (
            json!({"kind": "http_error", "status": 404, "code": 1, "match": {"operation": "download"}}),
            "link_expired",
        ),
        (
            json!({"kind": "http_error", "status": 401, "code": 190, "match": {"operation": "describe"}}),
            "token_refused",
        ),
        (
            json!({"kind": "http_error", "status": 503, "code": 2, "match": {"operation": "download"}}),
            "graph_unavailable",
        ),
        (json!({"kind": "cut_body", "after_bytes": 10}), "cut"),
        (
            json!({"kind": "no_answer_before_accept", "match": {"operation": "download"}}),
            "graph_unavailable",
        ),
        // Slower than the tests' patience: at the answer, and between two pieces of it.
        (
            json!({"kind": "delay", "ms": 1500, "match": {"operation": "describe"}}),
            "graph_unavailable",
        ),
        (
            json!({"kind": "delay", "ms": 1500, "match": {"operation": "download"}}),
            "graph_unavailable",
        ),
        (json!({"kind": "slow_body", "chunk_bytes": 20, "pause_ms": 1500}), "cut"),
    ];
    for (attempt, (fault, code)) in (1..).zip(faults) {
        assert_eq!(
            with_fault(&fixture, id, fault.clone()).await,
            pending(code, attempt),
            "{fault}"
        );
        let index = usize::try_from(attempt - 1).unwrap().min(waits.len() - 1);
        let (least, most) = waits[index];
        let wait = fixture.wait(id).await;
        assert!((least - 2..=most).contains(&wait), "attempt {attempt} waits {wait} s");
        fixture.skip_waits().await;
    }
    fixture.strike().await;
    assert_eq!(fixture.state(id).await, ("stored".to_owned(), None, 12));
    assert_eq!(fixture.objects().await.len(), 1);
}

#[tokio::test]
async fn what_is_not_due_is_not_tried() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    with_fault(
        &fixture,
        id,
        json!({"kind": "http_error", "status": 500, "code": 2, "match": {"operation": "media"}}),
    )
    .await;
    fixture.trigger(&[id]).await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await, pending("graph_unavailable", 1));
    assert_eq!(fixture.asked().await.len(), 1);
}

#[tokio::test]
async fn a_slow_server_is_borne_as_long_as_something_comes() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    // Longer in all than the patience with each piece.
    let (state, ..) = with_fault(
        &fixture,
        id,
        json!({"kind": "slow_body", "chunk_bytes": 6, "pause_ms": 200}),
    )
    .await;
    assert_eq!(state, "stored");
}

#[tokio::test]
async fn a_file_that_meta_does_not_know_is_given_up() {
    let mut fixture = Fixture::new().await;
    let unknown = json!({"id": "424242", "mime_type": "image/png", "sha256": "aGFzaA=="});
    let id = fixture.receive_file("image", unknown).await;
    fixture.trigger(&[id]).await;
    assert_eq!(
        fixture.state(id).await,
        ("failed".to_owned(), Some("not_found".to_owned()), 1)
    );
    fixture.strike().await;
    assert_eq!(fixture.asked().await.len(), 1);
    let other = fixture.receive_picture().await;
    let gone = json!({"kind": "http_error", "status": 404, "code": 9, "match": {"operation": "describe"}});
    let (state, error, _) = with_fault(&fixture, other, gone).await;
    assert_eq!((state.as_str(), error.as_deref()), ("failed", Some("not_found")));
}

#[tokio::test]
async fn a_file_that_is_another_than_announced_is_tried_three_times_and_never_stored() {
    for (fault, code) in [
        (json!({"kind": "wrong_bytes"}), "wrong_hash"),
        (json!({"kind": "extra_bytes", "bytes": 1}), "wrong_size"),
        (json!({"kind": "wrong_description", "file_size": 1000}), "wrong_size"),
        (
            json!({"kind": "wrong_description", "sha256": "00".repeat(32)}),
            "wrong_hash",
        ),
    ] {
        let mut fixture = Fixture::new().await;
        let id = fixture.receive_picture().await;
        for attempt in 1..=2 {
            assert_eq!(with_fault(&fixture, id, fault.clone()).await, pending(code, attempt));
            assert!(fixture.wait(id).await <= 33);
            fixture.skip_waits().await;
        }
        let (state, error, attempts) = with_fault(&fixture, id, fault.clone()).await;
        assert_eq!(
            (state.as_str(), error.as_deref(), attempts),
            ("failed", Some(code), 3),
            "{fault}"
        );
        assert!(fixture.objects().await.is_empty());
        assert_eq!(fixture.row(id).await["object_key"], Value::Null);
    }
}

#[tokio::test]
async fn a_file_that_was_damaged_once_ends_well() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    with_fault(&fixture, id, json!({"kind": "wrong_bytes"})).await;
    fixture.skip_waits().await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn the_webhooks_hash_counts_as_well_as_graphs() {
    let mut fixture = Fixture::new().await;
    let other = crate::support::sha256_base64(b"another file");
    let id = fixture
        .receive("image", "image/png", BYTES, json!({"sha256": other}))
        .await;
    fixture.trigger(&[id]).await;
    assert_eq!(fixture.state(id).await, pending("wrong_hash", 1));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, BYTES);
    let hexadecimal = json!({"sha256": hex::encode(digest)});
    let id = fixture.receive("image", "image/png", BYTES, hexadecimal).await;
    fixture.trigger(&[id]).await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn more_than_whatsapp_carries_is_not_even_begun() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let huge = json!({"kind": "wrong_description", "file_size": 100 * 1024 * 1024 + 1});
    let (state, error, _) = with_fault(&fixture, id, huge).await;
    assert_eq!((state.as_str(), error.as_deref()), ("failed", Some("too_large")));
    assert_eq!(fixture.downloads().await, 0);
}

#[tokio::test]
async fn without_a_good_token_it_waits_for_one() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let stored = fixture
        .database
        .json("select to_jsonb(access_token) from waba_accounts")
        .await
        .remove(0);
    for broken in ["null", "'EAAplain'"] {
        fixture
            .execute(&format!("update waba_accounts set access_token = {broken}"))
            .await;
        fixture.trigger(&[id]).await;
        assert_eq!(fixture.state(id).await.1.as_deref(), Some("no_token"));
        fixture.skip_waits().await;
    }
    assert!(fixture.asked().await.is_empty());
    let mended = format!("update waba_accounts set access_token = '{}'", stored.as_str().unwrap());
    fixture.execute(&mended).await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn without_s3_it_is_fetched_again_and_nothing_is_left_over() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let app = fixture.without_s3();
    let response = media::handle(&app, triggers(&[id]), in_time()).await;
    assert!(response.batch_item_failures.is_empty());
    assert_eq!(fixture.state(id).await, pending("storage_unavailable", 1));
    fixture.skip_waits().await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "stored");
    assert_eq!(fixture.objects().await.len(), 1);
}

#[tokio::test]
async fn without_a_database_the_triggers_come_again() {
    let fixture = Fixture::new().await;
    // Nothing listens there.
    let settings = Settings::from_url("postgres://nobody@127.0.0.1:9/nothing").unwrap();
    let app = App {
        database: Database::new(settings, 1),
        ..fixture.app.clone()
    };
    let response = media::handle(&app, triggers(&[1, 2]), in_time()).await;
    let mut failed: Vec<_> = response
        .batch_item_failures
        .into_iter()
        .map(|failure| failure.item_identifier)
        .collect();
    failed.sort();
    assert_eq!(failed, ["record-0", "record-1"]);
    // The clock ends too.
    media::handle(&app, json!({}), in_time()).await;
    assert!(fixture.asked().await.is_empty());
}

#[tokio::test]
async fn a_database_that_goes_away_in_mid_fetch_leaves_nothing_in_the_bucket_that_no_row_names() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let (mut proxy, url) = Proxy::before(&fixture.database.url).await;
    let app = App {
        database: Database::new(Settings::from_url(&url).unwrap(), 1),
        ..fixture.app.clone()
    };
    fixture
        .fault(json!({"kind": "slow_body", "chunk_bytes": 10, "pause_ms": 300, "times": 1}))
        .await;
    let work = media::handle(&app, triggers(&[id]), in_time());
    let cut = async {
        while fixture.downloads().await == 0 {
            tokio::task::yield_now().await;
        }
        proxy.cut().await;
    };
    let (response, ()) = tokio::join!(work, cut);
    assert_eq!(response.batch_item_failures.len(), 1);
    assert!(fixture.objects().await.is_empty());
    fixture.skip_waits().await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn a_trigger_that_is_none_is_done_with() {
    let fixture = Fixture::new().await;
    let mut event = triggers(&[1]);
    for body in [
        "",
        "{}",
        "no JSON",
        r#"{"message_id": "x"}"#,
        r#"{"message_id": 424242}"#,
    ] {
        event["Records"][0]["body"] = json!(body);
        let response = media::handle(&fixture.app, event.clone(), in_time()).await;
        assert!(response.batch_item_failures.is_empty(), "{body}");
    }
}
