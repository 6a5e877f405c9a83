//! A batch is applied by sets: what the database is asked does not grow with the number of items.

use crate::support::{Fixture, NOON, NUMBER, WABA, change, message, records, status, text};
use serde_json::json;

/// One of everything for each of these customers, new to us.
fn everything(customers: std::ops::Range<u32>) -> Vec<String> {
    customers
        .flat_map(|customer| {
            let phone = format!("1555{customer:07}");
            let wamid = |kind: &str| format!("wamid.{kind}.{customer}");
            let event = |kind: &str, body: serde_json::Value| {
                message(&phone, "Ana", json!({"id": wamid(kind), "timestamp": NOON.to_string(), "type": kind, kind: body}))
            };
            let image = json!({"id": "M", "mime_type": "image/png", "sha256": "aA==", "caption": "c"});
            let contact = json!({"state_sync": [{"type": "contact", "action": "add", "metadata": {"timestamp": NOON.to_string()},
                "contact": {"full_name": "Ana", "phone_number": phone, "user_id": format!("US.{customer}")}}]});
            let echo = json!({"message_echoes": [{"to": phone, "id": wamid("echo"), "timestamp": NOON.to_string(), "type": "text",
                "text": {"body": "x"}}]});
            [
                text(&phone, &wamid("text"), NOON, "x"),
                event("image", image),
                event("reaction", json!({"message_id": wamid("text"), "emoji": "x"})),
                event("edit", json!({"original_message_id": wamid("text"), "message": {"type": "text", "text": {"body": "y"}}})),
                event("revoke", json!({"original_message_id": wamid("image")})),
                status(&wamid("echo"), "read", NOON),
                change(WABA, NUMBER, "smb_message_echoes", NOON, &echo),
                change(WABA, NUMBER, "smb_app_state_sync", NOON, &contact),
                change(WABA, "404", "smb_message_echoes", NOON, &echo),
            ]
        })
        .collect()
}

#[tokio::test]
async fn a_batch_of_any_size_takes_the_same_number_of_round_trips() {
    let fixture = Fixture::new().await;
    let (proxy, app) = fixture.behind_a_proxy().await;
    app.database.warm_up().await;
    let mut counts = Vec::new();
    for customers in [0..1, 1..3, 3..103] {
        // New to us, then known.
        for _ in 0..2 {
            let before = proxy.round_trips();
            let response = consumer::handle(&app, records(&everything(customers.clone()))).await;
            assert!(response.batch_item_failures.is_empty());
            counts.push(proxy.round_trips() - before);
        }
    }
    assert_eq!(fixture.messages().await.len(), 3 * 103);
    let (new, known): (Vec<usize>, Vec<usize>) = counts.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    assert!(new.iter().all(|count| *count == new[0]), "{new:?}");
    assert!(known.iter().all(|count| *count == known[0]), "{known:?}");
    assert!((1..=40).contains(&new[0]) && known[0] < new[0], "{new:?} {known:?}");
}
