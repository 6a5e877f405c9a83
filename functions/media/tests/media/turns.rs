//! Who fetches what, and when: triggers, the clock, two workers at once, dead ones, time that is over, deleted messages.

use std::time::SystemTime;

use media::{FETCH_TIME, LEASE, handle};
use serde_json::{Value, json};
use shared::db::media as files;
use shared::domain::media::{Ending, MediaTask, StoredFile, settle};
use shared::edge::queue::Queue;
use uuid::Uuid;

use crate::support::{Fixture, in_time, triggers};

#[tokio::test]
async fn a_trigger_comes_through_the_queue_as_the_function_reads_it() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let sqs = aws_sdk_sqs::Client::new(&fixture.aws);
    let made = sqs
        .create_queue()
        .queue_name(format!("media-{}", Uuid::new_v4()))
        .send()
        .await;
    let url = made.unwrap().queue_url.unwrap();
    let queue = Queue::new(sqs.clone(), url.clone());
    queue
        .publish(&[MediaTask { message_id: id }.to_message("700300")])
        .await
        .unwrap();
    let received = sqs
        .receive_message()
        .queue_url(&url)
        .wait_time_seconds(5)
        .send()
        .await
        .unwrap();
    let body = received.messages()[0].body().unwrap();
    let event = json!({"Records": [{"messageId": "1", "body": body, "attributes": {}, "messageAttributes": {}}]});
    handle(&fixture.app, event, in_time()).await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn with_every_trigger_dropped_all_files_come() {
    let mut fixture = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..9 {
        ids.push(fixture.receive_picture().await);
    }
    // One fault among them holds up none of the others.
    fixture
        .fault(json!({"kind": "http_error", "status": 500, "code": 2, "times": 1, "match": {"operation": "media"}}))
        .await;
    fixture.strike().await;
    fixture.skip_waits().await;
    fixture.strike().await;
    let stored = "select count(*) from chat_media where state = 'stored'";
    assert_eq!(fixture.database.count(stored).await, 9);
    assert_eq!(fixture.objects().await.len(), 9);
}

#[tokio::test]
async fn the_clock_takes_more_than_one_look() {
    let mut fixture = Fixture::new().await;
    for _ in 0..45 {
        fixture.receive_picture().await;
    }
    fixture.strike().await;
    let left = "select count(*) from chat_media where state <> 'stored'";
    assert_eq!(fixture.database.count(left).await, 0);
}

#[tokio::test]
async fn nothing_is_begun_that_lambda_would_cut_off() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let soon = SystemTime::now() + FETCH_TIME;
    let response = handle(&fixture.app, triggers(&[id]), soon).await;
    assert!(response.batch_item_failures.is_empty(), "the clock takes it");
    handle(&fixture.app, json!({}), soon).await;
    assert_eq!(fixture.state(id).await, ("pending".to_owned(), None, 0));
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn two_workers_at_once_fetch_a_file_once() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    fixture
        .fault(json!({"kind": "delay", "ms": 200, "match": {"operation": "describe"}}))
        .await;
    let (twice, once) = ([id, id], [id]);
    tokio::join!(
        fixture.trigger(&twice),
        fixture.trigger(&once),
        fixture.strike(),
        fixture.strike()
    );
    assert_eq!(fixture.state(id).await, ("stored".to_owned(), None, 1));
    assert_eq!((fixture.asked().await.len(), fixture.objects().await.len()), (2, 1));
}

#[tokio::test]
async fn a_worker_that_dies_in_mid_fetch_is_followed_when_its_lease_ends() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    fixture
        .fault(json!({"kind": "slow_body", "chunk_bytes": 1, "pause_ms": 500, "times": 1}))
        .await;
    let app = fixture.app.clone();
    let worker = tokio::spawn(async move { handle(&app, triggers(&[id]), in_time()).await });
    // The lease stands once Graph is asked.
    while fixture.downloads().await == 0 {
        tokio::task::yield_now().await;
    }
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    let wait = fixture.wait(id).await;
    let lease = i64::try_from(LEASE.as_secs()).unwrap();
    assert!((lease - 10..=lease).contains(&wait), "{wait}");
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "pending", "the lease holds");
    fixture.skip_waits().await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await, ("stored".to_owned(), None, 2));
}

#[tokio::test]
async fn what_a_dead_worker_left_in_the_bucket_goes() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    fixture.trigger(&[id]).await;
    // It died between storing and settling.
    fixture
        .execute("update chat_media set state = 'pending', size = null")
        .await;
    let left = fixture.objects().await;
    fixture.strike().await;
    let now = fixture.objects().await;
    assert_eq!((left.len(), now.len()), (1, 1));
    assert_ne!(left, now);
    assert_eq!(fixture.row(id).await["object_key"], json!(now[0]));
}

#[tokio::test]
async fn a_worker_whose_row_changed_meanwhile_stores_nothing() {
    for change in [
        // Made due by hand, or another file came under the same wamid.
        "update chat_media set next_try_at = now()",
        "delete from chat_messages",
        "update chat_messages set deleted_at = now()",
    ] {
        let mut fixture = Fixture::new().await;
        let id = fixture.receive_picture().await;
        fixture
            .fault(json!({"kind": "slow_body", "chunk_bytes": 10, "pause_ms": 100, "times": 1}))
            .await;
        let changed = async {
            while fixture.downloads().await == 0 {
                tokio::task::yield_now().await;
            }
            fixture.execute(change).await;
        };
        let triggered = [id];
        tokio::join!(fixture.trigger(&triggered), changed);
        assert!(fixture.objects().await.is_empty(), "{change}");
        let stored = "select count(*) from chat_media where state = 'stored'";
        assert_eq!(fixture.database.count(stored).await, 0, "{change}");
    }
}

#[tokio::test]
async fn what_is_settled_too_late_changes_nothing() {
    for change in [
        "update chat_media set next_try_at = now()",
        "delete from chat_messages",
        "update chat_messages set deleted_at = now()",
    ] {
        let mut fixture = Fixture::new().await;
        let id = fixture.receive_picture().await;
        let client = &fixture.database.client;
        let owed = files::claim(client, id, LEASE).await.unwrap().unwrap();
        assert!(files::reserve_object(client, &owed, "key").await.unwrap());
        fixture.execute(change).await;
        let ending = Ending::Stored(StoredFile::default());
        let settlement = settle(&owed.history(), ending, jiff::Timestamp::now(), 0.5);
        assert!(!files::settle(client, &owed, &settlement).await.unwrap(), "{change}");
        let stored = "select count(*) from chat_media where state <> 'pending'";
        assert_eq!(fixture.database.count(stored).await, 0, "{change}");
    }
}

#[tokio::test]
async fn after_seven_days_it_has_expired_and_nobody_is_asked() {
    let mut fixture = Fixture::new().await;
    let (old, young) = (fixture.receive_picture().await, fixture.receive_picture().await);
    let age = |id: i64, age: &str| {
        format!("update chat_media set received_at = now() - interval '{age}' where message_id = {id}")
    };
    fixture.execute(&age(old, "7 days 1 second")).await;
    fixture.execute(&age(young, "6 days 23 hours")).await;
    fixture
        .execute("update chat_conversations set updated_at = '2020-01-01'")
        .await;
    fixture.trigger(&[old]).await;
    assert_eq!(fixture.state(old).await.0, "expired");
    assert!(fixture.asked().await.is_empty());
    let touched = "select count(*) from chat_conversations where updated_at > now() - interval '1 minute'";
    assert_eq!(fixture.database.count(touched).await, 1);
    // The last try is at the end of the seven days.
    fixture.execute("update chat_media set attempts = 20").await;
    fixture
        .fault(json!({"kind": "http_error", "status": 500, "code": 2, "times": 1, "match": {"operation": "media"}}))
        .await;
    fixture.trigger(&[young]).await;
    let wait = fixture.wait(young).await;
    assert!((3500..=3600).contains(&wait), "{wait}");
    fixture.execute(&age(young, "7 days")).await;
    fixture.skip_waits().await;
    fixture.strike().await;
    let (state, error, _) = fixture.state(young).await;
    assert_eq!(
        (state.as_str(), error.as_deref()),
        ("expired", Some("graph_unavailable"))
    );
}

#[tokio::test]
async fn the_file_of_a_deleted_message_is_not_fetched_or_goes() {
    let mut fixture = Fixture::new().await;
    let unfetched = fixture.receive_picture().await;
    let triggered = fixture.receive_picture().await;
    let due = fixture.receive_picture().await;
    let unfolded = fixture.receive_picture().await;
    fixture.trigger(&[triggered, due, unfolded]).await;
    assert_eq!(fixture.objects().await.len(), 3);
    let asked = fixture.asked().await.len();
    for id in [unfetched, triggered, due] {
        fixture.revoke(id).await;
    }
    // Deleted by another program, which knows nothing of files.
    let delete = format!("update chat_messages set deleted_at = now() where id = {unfolded}");
    fixture.execute(&delete).await;
    fixture.trigger(&[unfetched, triggered, unfolded]).await;
    fixture.strike().await;
    for id in [unfetched, triggered, due, unfolded] {
        let row = fixture.row(id).await;
        assert_eq!(
            (&row["state"], &row["last_error"], &row["object_key"], &row["size"]),
            (&json!("expired"), &json!("message_deleted"), &Value::Null, &Value::Null),
            "{id}"
        );
    }
    assert!(fixture.objects().await.is_empty());
    assert_eq!(fixture.asked().await.len(), asked);
}

#[tokio::test]
async fn a_deletion_is_owed_until_s3_has_done_it() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    fixture.trigger(&[id]).await;
    fixture.revoke(id).await;
    fixture
        .execute("update chat_media set received_at = now() - interval '30 days'")
        .await;
    handle(&fixture.without_s3(), json!({}), in_time()).await;
    let (state, error, _) = fixture.state(id).await;
    assert_eq!(
        (state.as_str(), error.as_deref()),
        ("pending", Some("storage_unavailable"))
    );
    assert_eq!(fixture.objects().await.len(), 1);
    fixture.skip_waits().await;
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.1.as_deref(), Some("message_deleted"));
    assert!(fixture.objects().await.is_empty());
}

#[tokio::test]
async fn the_file_of_a_conversation_that_is_gone_is_taken_out_of_the_bucket() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    fixture.trigger(&[id]).await;
    assert_eq!(fixture.objects().await.len(), 1);
    fixture.execute("delete from chat_conversations").await;
    handle(&fixture.without_s3(), json!({}), in_time()).await;
    assert_eq!(fixture.objects().await.len(), 1, "owed as long as S3 does not do it");
    fixture.strike().await;
    assert!(fixture.objects().await.is_empty());
    let owed = "select count(*) from chat_discarded_files";
    assert_eq!(fixture.database.count(owed).await, 0);
}
