//! Seek paging of the list.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::support::{Fixture, LIST, NUMBER, WABA, ids};

async fn follow(fixture: &Fixture, query: &str, cursor: &Value) -> Value {
    let cursor = cursor.as_str().expect("a cursor");
    fixture.list(&format!("{query}&cursor={cursor}")).await
}

#[tokio::test]
async fn pages_lead_down_and_up_again_while_conversations_arrive() {
    let fixture = Fixture::new().await;
    let mut rows = fixture.conversations(10).await;
    rows.reverse();

    let mut page = fixture.list("limit=3").await;
    assert_eq!(page["prev_cursor"], Value::Null);
    let mut down = ids(&page);
    while page["next_cursor"] != Value::Null {
        // It comes before everything that was read, so that a page by offset would repeat a row.
        let time = format!("2026-07-02T12:00:{:02}Z", down.len());
        rows.insert(0, fixture.conversation(&format!("+1666{:06}", down.len()), &time).await);
        page = follow(&fixture, "limit=3", &page["next_cursor"]).await;
        down.extend(ids(&page));
        assert!(down.len() < 20, "it leads round and round");
    }
    let arrived = rows.len() - 10;
    assert_eq!(arrived, 3);
    assert_eq!(down, rows[arrived..], "each older one once, in order");

    // Up again, and further to those that arrived; the last page up is short.
    let mut up = ids(&page);
    while page["prev_cursor"] != Value::Null {
        page = follow(&fixture, "limit=3", &page["prev_cursor"]).await;
        assert_ne!(page["next_cursor"], Value::Null);
        up.splice(0..0, ids(&page));
        assert!(up.len() < 20, "it leads round and round");
    }
    assert_eq!(up, rows);
}

#[tokio::test]
async fn a_full_last_page_has_no_cursor() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(4).await;
    assert_eq!(fixture.list("limit=4").await["next_cursor"], Value::Null);
    let page = fixture.list("limit=2").await;
    let last = follow(&fixture, "limit=2", &page["next_cursor"]).await;
    assert_eq!(ids(&last), [rows[1], rows[0]]);
    assert_eq!(last["next_cursor"], Value::Null);
    let first = follow(&fixture, "limit=2", &last["prev_cursor"]).await;
    assert_eq!(ids(&first), [rows[3], rows[2]]);
    assert_eq!(first["prev_cursor"], Value::Null);
}

#[tokio::test]
async fn conversations_of_one_moment_are_each_read_once() {
    let fixture = Fixture::new().await;
    let mut rows = Vec::new();
    for n in 0..7 {
        rows.push(
            fixture
                .conversation(&format!("+15550{n:03}"), "2026-07-01T12:00:00Z")
                .await,
        );
    }
    rows.reverse();
    let mut page = fixture.list("limit=2").await;
    let mut down = ids(&page);
    while page["next_cursor"] != Value::Null {
        page = follow(&fixture, "limit=2", &page["next_cursor"]).await;
        down.extend(ids(&page));
        assert!(down.len() < 20, "it leads round and round");
    }
    assert_eq!(down, rows);
    let mut up = ids(&page);
    while page["prev_cursor"] != Value::Null {
        page = follow(&fixture, "limit=2", &page["prev_cursor"]).await;
        up.splice(0..0, ids(&page));
        assert!(up.len() < 20, "it leads round and round");
    }
    assert_eq!(up, rows);
}

#[tokio::test]
async fn old_rows_without_times_stand_where_they_were_created_or_at_the_end() {
    let fixture = Fixture::new().await;
    let columns = "(waba_id, phone_number_id, customer_phone, last_message_time, created_at, updated_at) values";
    let timeless = fixture
        .insert(&format!("{columns} ('{WABA}', '{NUMBER}', '+1', null, null, null)"))
        .await;
    let newer = fixture.conversation("+2", "2026-07-03T00:00:00Z").await;
    let created = fixture
        .insert(&format!(
            "{columns} ('{WABA}', '{NUMBER}', '+3', null, '2026-07-02T00:00:00Z', null)"
        ))
        .await;
    let older = fixture.conversation("+4", "2026-07-01T00:00:00Z").await;
    let mut page = fixture.list("limit=1").await;
    let mut seen = ids(&page);
    while page["next_cursor"] != Value::Null {
        page = follow(&fixture, "limit=1", &page["next_cursor"]).await;
        seen.extend(ids(&page));
        assert!(seen.len() < 20, "it leads round and round");
    }
    assert_eq!(seen, [newer, created, older, timeless]);
    let last = &page["conversations"][0];
    for field in ["last_message_time", "created_at", "updated_at", "window_expires_at"] {
        assert_eq!(last[field], Value::Null, "{field}");
    }
}

#[tokio::test]
async fn a_cursor_keeps_to_the_filter_it_is_used_with() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(6).await;
    let archive = format!(
        "update chat_conversations set status = 'archived' where id in ({}, {}, {})",
        rows[0], rows[2], rows[4]
    );
    fixture.database.client.batch_execute(&archive).await.unwrap();
    let query = format!("limit=2&status=archived&phone_number_id={NUMBER}");
    let page = fixture.list(&query).await;
    assert_eq!(ids(&page), [rows[4], rows[2]]);
    let page = follow(&fixture, &query, &page["next_cursor"]).await;
    assert_eq!(ids(&page), [rows[0]]);
    assert_eq!(page["next_cursor"], Value::Null);
}

#[tokio::test]
async fn somebody_elses_cursor_shows_ones_own_conversations_only() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(3).await;
    let (stranger, _, foreign) = fixture.stranger().await;
    let page = fixture.list("limit=1").await;
    let path = format!("{LIST}?cursor={}", page["next_cursor"].as_str().unwrap());
    let theirs = fixture.api.as_agent(stranger).get(&path).await.ok();
    assert!(ids(&theirs).iter().all(|id| *id == foreign), "{rows:?}");
}

#[tokio::test]
async fn forged_cursors_are_refused() {
    let fixture = Fixture::new().await;
    fixture.conversations(3).await;
    let page = fixture.list("limit=1").await;
    let good = page["next_cursor"].as_str().unwrap();
    let text = BASE64_URL_SAFE_NO_PAD.decode(good).unwrap();
    let text = String::from_utf8(text).unwrap();
    let forge = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let forged = [
        "1".to_owned(),
        "null".to_owned(),
        "%00".to_owned(),
        "%F0%9F%98%80".to_owned(),
        "'%20or%20true".to_owned(),
        format!("{good}="),
        format!("%20{good}"),
        good[..good.len() / 2].to_owned(),
        "A".repeat(10_000),
        forge("é1.1"),
        forge(&text[1..]),
        forge(&format!("z{}", &text[1..])),
        forge(&format!("{text}.1")),
        forge("b1"),
        forge("b1."),
        forge("b1.x"),
        forge("b9223372036854775808.1"),
        forge("b1.9223372036854775808"),
        // Times that are none, and times that PostgreSQL does not have.
        forge("b9223372036854775807.1"),
        forge("b-9223372036854775808.1"),
        forge("b-377705023201000000.1"),
        forge("a-300000000000000000.1"),
    ];
    for cursor in forged {
        fixture
            .api
            .get(&format!("{LIST}?cursor={cursor}"))
            .await
            .refuses_field("cursor");
    }
}
