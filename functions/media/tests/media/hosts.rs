//! The access token goes to Meta alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::net::TcpListener;

use crate::support::Fixture;

/// A host that is not Meta's, and counts who comes.
async fn stranger() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/file?secret", listener.local_addr().unwrap());
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = visits.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, visits)
}

#[tokio::test]
async fn a_link_to_a_foreign_host_is_not_followed() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let (url, visits) = stranger().await;
    for url in [url.as_str(), "file:///etc/hostname", "no URL", ""] {
        fixture
            .fault(json!({"kind": "wrong_description", "url": url, "times": 1}))
            .await;
        fixture.trigger(&[id]).await;
        let (state, error, _) = fixture.state(id).await;
        assert_eq!(
            (state.as_str(), error.as_deref()),
            ("pending", Some("foreign_host")),
            "{url}"
        );
        fixture.skip_waits().await;
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
    // What is a passing fault of Graph ends well.
    fixture.strike().await;
    assert_eq!(fixture.state(id).await.0, "stored");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut fixture = Fixture::new().await;
    let id = fixture.receive_picture().await;
    let (url, visits) = stranger().await;
    fixture
        .fault(json!({"kind": "redirect", "location": url, "times": 1}))
        .await;
    fixture.trigger(&[id]).await;
    let row = fixture.row(id).await;
    assert_eq!(
        (&row["state"], &row["last_error"]),
        (&json!("pending"), &json!("foreign_host"))
    );
    assert!(!row.to_string().contains("127.0.0.1"), "an error holds no URL");
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_stranger_of_these_tests_counts() {
    let (url, visits) = stranger().await;
    reqwest::Client::new()
        .get(url)
        .timeout(std::time::Duration::from_millis(200))
        .send()
        .await
        .unwrap_err();
    assert_eq!(visits.load(Ordering::SeqCst), 1);
}
