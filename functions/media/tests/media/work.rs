//! A file's way into the bucket.

use serde_json::{Value, json};
use shared::metrics::{FetchOutcome, Metric, Work, recording};

use crate::support::{BYTES, Fixture, NUMBER, in_time, sha256_base64, triggers};

#[tokio::test]
async fn a_file_is_fetched_and_stored_with_what_is_known_of_it() {
    let mut fixture = Fixture::new().await;
    let rest = json!({"filename": "facture é.pdf"});
    let id = fixture.receive("document", "application/pdf", BYTES, rest).await;
    fixture
        .execute("update chat_conversations set updated_at = '2020-01-01'")
        .await;
    assert!(fixture.trigger(&[id]).await.is_empty());
    let row = fixture.row(id).await;
    let key = row["object_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with(&format!("inbound/{NUMBER}/")), "{key}");
    assert_eq!(
        (&row["state"], &row["size"], &row["last_error"], &row["attempts"]),
        (&json!("stored"), &json!(BYTES.len()), &Value::Null, &json!(1))
    );
    assert_eq!(
        (&row["mime_type"], &row["filename"], &row["sha256"]),
        (
            &json!("application/pdf"),
            &json!("facture é.pdf"),
            &json!(sha256_base64(BYTES))
        )
    );
    assert_eq!(fixture.objects().await, [key.as_str()]);
    assert_eq!(
        fixture.object(&key).await,
        (BYTES.to_vec(), "application/pdf".to_owned())
    );
    let touched = "select count(*) from chat_conversations where updated_at > now() - interval '1 minute'";
    assert_eq!(fixture.database.count(touched).await, 1);

    // Once is enough.
    fixture.trigger(&[id]).await;
    fixture.strike().await;
    assert_eq!(fixture.downloads().await, 1);
}

#[tokio::test]
async fn what_graph_says_of_the_type_stands_where_the_webhook_said_nothing() {
    let mut fixture = Fixture::new().await;
    let id = fixture
        .receive("image", "image/png", BYTES, json!({"mime_type": null, "sha256": null}))
        .await;
    fixture.trigger(&[id]).await;
    let row = fixture.row(id).await;
    assert_eq!(
        (&row["state"], &row["mime_type"]),
        (&json!("stored"), &json!("image/png"))
    );
}

#[tokio::test]
async fn pictures_and_voice_notes_have_what_their_files_say() {
    let mut fixture = Fixture::new().await;
    let picture = include_bytes!("../../../../simulator/assets/image.jpg");
    let picture = fixture.receive("image", "image/jpeg", picture, json!({})).await;
    let note = include_bytes!("../../../../simulator/assets/voice.ogg");
    let note = fixture
        .receive("audio", "audio/ogg; codecs=opus", note, json!({"voice": true}))
        .await;
    fixture.trigger(&[picture, note]).await;
    let row = fixture.row(picture).await;
    assert!(
        row["width"].as_i64().unwrap() > 0 && row["height"].as_i64().unwrap() > 0,
        "{row}"
    );
    let row = fixture.row(note).await;
    assert!(row["duration_ms"].as_i64().unwrap() > 0, "{row}");
    assert_eq!(row["peaks"].as_array().unwrap().len(), 64);
    assert_eq!(row["width"], Value::Null);
}

#[tokio::test]
async fn a_large_file_comes_whole() {
    let mut fixture = Fixture::new().await;
    let bytes: Vec<u8> = (0..12_000_000_u32).map(|index| (index % 251) as u8).collect();
    let id = fixture.receive("video", "video/mp4", &bytes, json!({})).await;
    fixture.trigger(&[id]).await;
    let row = fixture.row(id).await;
    assert_eq!((&row["state"], &row["size"]), (&json!("stored"), &json!(bytes.len())));
    let stored = fixture.object(row["object_key"].as_str().unwrap()).await.0;
    assert_eq!(sha256_base64(&stored), sha256_base64(&bytes));
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive("document", "text/plain", b"", json!({})).await;
    fixture.trigger(&[id]).await;
    let row = fixture.row(id).await;
    assert_eq!((&row["state"], &row["size"]), (&json!("stored"), &json!(0)));
}

#[tokio::test]
async fn nothing_stays_in_the_temporary_folder() {
    let mut fixture = Fixture::new().await;
    let left = || {
        let entries = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        let owner = std::process::id();
        // Other processes run the same tests.
        let ours = std::fs::read_dir(format!("/proc/{owner}/fd"))
            .into_iter()
            .flatten()
            .flatten();
        let open: Vec<_> = ours.filter_map(|fd| std::fs::read_link(fd.path()).ok()).collect();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("live-chat-media-"))
            .filter(|entry| open.contains(&entry.path()))
            .count()
    };
    let good = fixture.receive_picture().await;
    let bad = fixture.receive_picture().await;
    fixture.fault(json!({"kind": "wrong_bytes", "times": 1})).await;
    fixture.trigger(&[bad]).await;
    fixture.trigger(&[good]).await;
    assert_eq!(left(), 0);
}

#[tokio::test]
async fn old_files_of_dead_calls_are_cleaned_up_and_young_ones_are_not() {
    let folder = std::env::temp_dir().join(format!("clean-up-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let make = |name: &str, age: u64| {
        let file = std::fs::File::create(folder.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age))
            .unwrap();
    };
    make("live-chat-media-old", 3600);
    make("live-chat-media-young", 60);
    make("somebody-elses", 3600);
    media::clean_up(&folder);
    let mut left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["live-chat-media-young", "somebody-elses"]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn tries_are_told_by_their_outcome_and_what_is_overdue_by_its_age() {
    let mut fixture = Fixture::new().await;
    let (stored, missing, late) = (
        fixture.receive_picture().await,
        fixture
            .receive_file(
                "image",
                json!({"id": "unknown", "mime_type": "image/png", "sha256": ""}),
            )
            .await,
        fixture.receive_picture().await,
    );
    fixture
        .execute(&format!(
            "update chat_media set next_try_at = now() - interval '20 minutes' where message_id = {stored};
             update chat_media set next_try_at = now() + interval '1 hour' where message_id = {late}"
        ))
        .await;
    recording::start();
    fixture.strike().await;
    assert_eq!(recording::told(Metric::Owed(Work::Media)), [2]);
    let oldest = recording::told(Metric::OldestOwed(Work::Media))[0];
    assert!((1_200..1_260).contains(&oldest), "{oldest}");
    let told = |outcome| recording::told(Metric::MediaFetches(outcome));
    assert_eq!(
        (told(FetchOutcome::Stored), told(FetchOutcome::Failed)),
        (vec![1], vec![1])
    );
    assert_eq!(fixture.state(missing).await.0, "failed");

    fixture.skip_waits().await;
    fixture
        .execute("update chat_media set received_at = now() - interval '8 days' where state = 'pending'")
        .await;
    fixture.strike().await;
    assert_eq!(told(FetchOutcome::Expired), [1]);
    assert!(told(FetchOutcome::Retried).is_empty());
    let another = fixture.receive_picture().await;
    let app = fixture.without_s3();
    media::handle(&app, triggers(&[another]), in_time()).await;
    assert_eq!(told(FetchOutcome::Retried), [1]);
}
