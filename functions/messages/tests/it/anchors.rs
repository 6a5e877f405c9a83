//! Pages that begin at a message: `before`, `after` and `around`, by the row's id, our id, and the wamid.

use serde_json::Value;

use super::support::{Fixture, NUMBER, WABA, add_conversation, ids, newest};

/// The names by which a message may be given.
async fn names(fixture: &Fixture, id: i64) -> Vec<String> {
    let message = fixture.message(id).await;
    vec![
        id.to_string(),
        message["message_id"].as_str().unwrap().to_owned(),
        message["message_id"].as_str().unwrap().to_uppercase(),
        message["wa_message_id"].as_str().unwrap().to_owned(),
    ]
}

#[tokio::test]
async fn a_message_is_named_by_its_id_our_id_or_the_wamid() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(7).await;
    for name in names(&fixture, rows[3]).await {
        assert_eq!(
            ids(&fixture.page(&format!("before={name}")).await),
            newest(&rows, 4, 3),
            "{name}"
        );
        assert_eq!(
            ids(&fixture.page(&format!("after={name}")).await),
            newest(&rows, 0, 3),
            "{name}"
        );
        assert_eq!(
            ids(&fixture.page(&format!("around={name}&limit=3")).await),
            newest(&rows, 2, 3),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_wamid_may_hold_what_a_url_escapes() {
    let fixture = Fixture::new().await;
    let id = fixture.text("HBgL+/==", "2026-07-01T12:00:00Z").await;
    assert_eq!(ids(&fixture.page("around=wamid.HBgL%2B%2F%3D%3D").await), [id]);
}

#[tokio::test]
async fn after_begins_with_what_is_next_to_the_message() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(7).await;
    let page = fixture.page(&format!("after={}&limit=2", rows[1])).await;
    assert_eq!(ids(&page), [rows[3], rows[2]]);
    let page = fixture
        .page(&format!("after={}&limit=10", page["prev_cursor"].as_str().unwrap()))
        .await;
    assert_eq!(ids(&page), newest(&rows, 0, 3));
    assert_eq!(page["prev_cursor"], Value::Null);
}

#[tokio::test]
async fn around_shows_a_message_in_the_middle_and_leads_both_ways() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(11).await;
    let page = fixture.page(&format!("around={}&limit=5", rows[5])).await;
    assert_eq!(ids(&page), newest(&rows, 3, 5));
    let older = fixture
        .page(&format!("before={}", page["next_cursor"].as_str().unwrap()))
        .await;
    assert_eq!(ids(&older), newest(&rows, 8, 3));
    let newer = fixture
        .page(&format!("after={}", page["prev_cursor"].as_str().unwrap()))
        .await;
    assert_eq!(ids(&newer), newest(&rows, 0, 3));
}

#[tokio::test]
async fn around_at_an_end_shows_the_message_and_what_there_is() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(6).await;
    let first = fixture.page(&format!("around={}&limit=4", rows[5])).await;
    assert_eq!(ids(&first), newest(&rows, 0, 4));
    assert_eq!(first["prev_cursor"], Value::Null);
    assert_ne!(first["next_cursor"], Value::Null);
    let last = fixture.page(&format!("around={}&limit=4", rows[0])).await;
    assert!(ids(&last).contains(&rows[0]));
    assert_eq!(last["next_cursor"], Value::Null);
    assert_ne!(last["prev_cursor"], Value::Null);
}

#[tokio::test]
async fn around_with_a_page_of_one_or_two_shows_the_message_and_leads_both_ways() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(5).await;
    for limit in [1, 2] {
        let page = fixture.page(&format!("around={}&limit={limit}", rows[2])).await;
        assert!(ids(&page).contains(&rows[2]), "{limit}: {page}");
        assert_eq!(ids(&page).len(), limit);
        for (way, cursor) in [("before", "next_cursor"), ("after", "prev_cursor")] {
            let cursor = page[cursor]
                .as_str()
                .unwrap_or_else(|| panic!("{limit}: {cursor} is null"));
            let next = fixture.page(&format!("{way}={cursor}")).await;
            assert!(
                !ids(&next).is_empty() && !ids(&next).contains(&rows[2]),
                "{limit}, {way}"
            );
        }
    }
    for row in [rows[0], rows[4]] {
        let page = fixture.page(&format!("around={row}&limit=1")).await;
        assert_eq!(ids(&page), [row]);
        let end = if row == rows[0] { "next_cursor" } else { "prev_cursor" };
        assert_eq!(page[end], Value::Null, "{end}");
    }
}

#[tokio::test]
async fn around_in_one_moment_shows_each_message_once() {
    let fixture = Fixture::new().await;
    let mut rows = Vec::new();
    for n in 0..9 {
        rows.push(fixture.text(&n.to_string(), "2026-07-01T12:00:00Z").await);
    }
    let page = fixture.page(&format!("around={}&limit=5", rows[4])).await;
    assert_eq!(ids(&page), newest(&rows, 2, 5));
}

#[tokio::test]
async fn there_is_nothing_before_the_first_and_nothing_after_the_last() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(2).await;
    let page = fixture.page(&format!("before={}", rows[0])).await;
    assert_eq!((ids(&page).len(), &page["next_cursor"]), (0, &Value::Null));
    let page = fixture.page(&format!("after={}", rows[1])).await;
    assert_eq!((ids(&page).len(), &page["prev_cursor"]), (0, &Value::Null));
}

#[tokio::test]
async fn a_message_that_is_not_in_the_conversation_is_refused() {
    let fixture = Fixture::new().await;
    fixture.texts(1).await;
    let other = add_conversation(&fixture.database, WABA, NUMBER, "+15550002").await;
    let add = format!(
        "insert into chat_messages (conversation_id, wa_message_id) values ({other}, 'wamid.other') returning id"
    );
    let elsewhere = fixture.database.count(&add).await.to_string();
    for name in [
        elsewhere.as_str(),
        "wamid.other",
        "wamid.unknown",
        "6f9619ff-8b86-4011-b42d-00c04fc964ff",
        "-1",
        "99999999999999999999",
        "%00",
        "%FF",
        "'",
        // Cursors of other hands: half of one, and a time that PostgreSQL does not have.
        "YjE",
        "Yi0zNzc3MDUwMjMyMDEwMDAwMDAuMQ",
    ] {
        for form in ["before", "after", "around"] {
            fixture.ask(&format!("{form}={name}")).await.refuses_field(form);
        }
    }
}
