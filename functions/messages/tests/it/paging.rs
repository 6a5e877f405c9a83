//! The order of messages, and paging by offset and by cursor.

use serde_json::{Value, json};

use super::support::{Fixture, ids, newest};

#[tokio::test]
async fn messages_come_newest_first_and_by_id_within_one_moment() {
    let fixture = Fixture::new().await;
    let noon = fixture.text("a", "2026-07-01T12:00:00Z").await;
    let later = fixture.text("z", "2026-07-01T12:00:01Z").await;
    let noon_again = fixture.text("0", "2026-07-01T12:00:00Z").await;
    let earlier = fixture.text("b", "2026-07-01T11:59:59.999999Z").await;
    let page = fixture.page("").await;
    assert_eq!(ids(&page), [later, noon_again, noon, earlier]);
    assert_eq!(
        (&page["next_cursor"], &page["prev_cursor"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn a_conversation_without_messages_has_an_empty_page() {
    let fixture = Fixture::new().await;
    let empty = json!({"success": true, "messages": [], "conversations": [], "next_cursor": null, "prev_cursor": null});
    for query in ["", "offset=0", "offset=7", "limit=0"] {
        assert_eq!(fixture.page(query).await, empty, "{query}");
    }
}

#[tokio::test]
async fn the_limit_is_50_and_at_most_100() {
    let fixture = Fixture::new().await;
    let fill = format!(
        r#"insert into chat_messages (conversation_id, content, "timestamp")
           select {}, n, timestamptz '2026-07-01' + n * interval '1 second' from generate_series(1, 120) n"#,
        fixture.conversation
    );
    fixture.database.client.batch_execute(&fill).await.unwrap();
    for (query, length, first) in [
        ("", 50, "120"),
        ("limit=1", 1, "120"),
        ("limit=500", 100, "120"),
        ("limit=99999999999999999999", 100, "120"),
        ("offset=15", 50, "105"),
        ("offset=90", 30, "30"),
        ("limit=2&offset=119", 1, "1"),
    ] {
        let page = fixture.page(query).await;
        assert_eq!(ids(&page).len(), length, "{query}");
        assert_eq!(page["messages"][0]["content"], first, "{query}");
    }
    for offset in ["120", "9223372036854775807", "99999999999999999999"] {
        let page = fixture.page(&format!("offset={offset}")).await;
        assert_eq!((ids(&page).len(), &page["next_cursor"]), (0, &Value::Null), "{offset}");
    }
}

#[tokio::test]
async fn offset_and_cursors_lead_to_the_same_pages() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(7).await;
    let mut cursor = String::new();
    for (offset, length) in [(0, 3), (3, 3), (6, 1)] {
        let by_offset = fixture.page(&format!("limit=3&offset={offset}")).await;
        let by_cursor = fixture.page(&format!("limit=3&before={cursor}")).await;
        assert_eq!(ids(&by_offset), newest(&rows, offset, length));
        assert_eq!(by_offset, by_cursor);
        by_cursor["next_cursor"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut cursor);
    }
    assert!(cursor.is_empty(), "null at the end");
}

#[tokio::test]
async fn pages_lead_down_and_up_again_while_messages_arrive() {
    let fixture = Fixture::new().await;
    let mut rows = fixture.texts(8).await;
    let mut page = fixture.page("limit=3").await;
    let mut down = ids(&page);
    while let Some(cursor) = page["next_cursor"].as_str() {
        let arrived = rows.len();
        rows.push(
            fixture
                .text(&format!("new {arrived}"), &format!("2026-07-01T13:00:{arrived:02}Z"))
                .await,
        );
        page = fixture.page(&format!("limit=3&before={cursor}")).await;
        down.extend(ids(&page));
        assert!(down.len() < 20, "it leads round and round");
    }
    assert_eq!(rows.len(), 10);
    assert_eq!(down, newest(&rows, 2, 8));
    let mut up = ids(&page);
    while let Some(cursor) = page["prev_cursor"].as_str() {
        page = fixture.page(&format!("limit=3&after={cursor}")).await;
        up.splice(0..0, ids(&page));
        assert!(up.len() < 20, "it leads round and round");
    }
    assert_eq!(up, newest(&rows, 0, 10));
}

#[tokio::test]
async fn messages_of_one_moment_are_each_read_once() {
    let fixture = Fixture::new().await;
    let mut rows = Vec::new();
    for n in 0..7 {
        rows.push(fixture.text(&n.to_string(), "2026-07-01T12:00:00Z").await);
    }
    let mut page = fixture.page("limit=2").await;
    let mut down = ids(&page);
    while let Some(cursor) = page["next_cursor"].as_str() {
        page = fixture.page(&format!("limit=2&before={cursor}")).await;
        down.extend(ids(&page));
        assert!(down.len() < 20, "it leads round and round");
    }
    assert_eq!(down, newest(&rows, 0, 7));
}

#[tokio::test]
async fn old_rows_without_times_stand_where_they_were_created_or_at_the_end() {
    let fixture = Fixture::new().await;
    let columns = r#"content, "timestamp", created_at"#;
    let timeless = fixture.insert(columns, "'timeless', null, null").await;
    let newer = fixture.insert(columns, "'newer', '2026-07-03', null").await;
    let created = fixture.insert(columns, "'created', null, '2026-07-02'").await;
    let older = fixture.insert(columns, "'older', '2026-07-01', '2026-07-09'").await;
    let mut page = fixture.page("limit=1").await;
    let mut seen = ids(&page);
    while let Some(cursor) = page["next_cursor"].as_str() {
        page = fixture.page(&format!("limit=1&before={cursor}")).await;
        seen.extend(ids(&page));
        assert!(seen.len() < 20, "it leads round and round");
    }
    assert_eq!(seen, [newer, created, older, timeless]);
    assert_eq!(page["messages"][0]["timestamp"], Value::Null);
    assert_eq!(
        ids(&fixture.page(&format!("after={timeless}")).await),
        [newer, created, older]
    );
    assert_eq!(
        ids(&fixture.page(&format!("around={created}")).await),
        [newer, created, older, timeless]
    );
}

#[tokio::test]
async fn a_cursor_works_in_either_direction() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(6).await;
    let page = fixture.page("limit=2&offset=2").await;
    assert_eq!(ids(&page), newest(&rows, 2, 2));
    let (next, prev) = (
        page["next_cursor"].as_str().unwrap(),
        page["prev_cursor"].as_str().unwrap(),
    );
    // `before` and `after` say the direction; the cursor says the row.
    assert_eq!(ids(&fixture.page(&format!("before={next}")).await), newest(&rows, 4, 2));
    assert_eq!(ids(&fixture.page(&format!("after={prev}")).await), newest(&rows, 0, 2));
    assert_eq!(ids(&fixture.page(&format!("after={next}")).await), newest(&rows, 0, 3));
    assert_eq!(ids(&fixture.page(&format!("before={prev}")).await), newest(&rows, 3, 3));
}
