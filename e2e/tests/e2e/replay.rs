//! `cargo xtask replay` over the sample webhooks of `events/`.

use std::path::Path;

use crate::stack::{Stack, xtask};

async fn rows(database: &tokio_postgres::Client) -> Vec<(String, i64, String)> {
    let mut counts = Vec::new();
    for table in [
        "chat_conversations",
        "chat_messages",
        "chat_message_events",
        "chat_facts",
        // The rest of these rows is the media function's, which works at them meanwhile.
        "(select message_id, wa_media_id, mime_type, filename, sha256 from chat_media)",
        "chat_quarantine",
    ] {
        let sql =
            format!("select count(*), coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {table} t");
        let row = database.query_one(&sql, &[]).await.unwrap();
        counts.push((table.to_owned(), row.get(0), row.get(1)));
    }
    counts
}

#[tokio::test]
async fn every_sample_webhook_is_stored_or_quarantined_and_again_changes_nothing() {
    let stack = Stack::open();
    let database = shared::testing::connect(stack.get("database_url")).await;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/webhooks");
    let replay = || {
        let output = xtask(&["replay", samples.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    };
    let first = replay();
    let total = first.lines().last().unwrap();
    assert_eq!(
        total,
        "65 payloads; items: 4 contact quarantined, 8 event stored, 37 message stored, 19 other quarantined, 8 status stored"
    );
    let before = rows(&database).await;
    let second = replay();
    assert_eq!(second.lines().last(), Some(total));
    assert_eq!(rows(&database).await, before);
}
