//! Who needs something: the filters of the list, and its order by who waits.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::support::{Fixture, LIST, NUMBER, WABA, ids, text_webhook};

/// A time on the first of July 2026.
const NOON: i64 = 1_782_907_200;

impl Fixture {
    /// Sets columns of a conversation.
    async fn set(&self, id: i64, assignments: &str) {
        let sql = format!("update chat_conversations set {assignments} where id = {id}");
        self.database.client.batch_execute(&sql).await.unwrap();
    }

    /// Reads page after page of a list, down to its end and up again, and returns what came each way, in the list's order.
    async fn read_both_ways(&self, query: &str) -> (Vec<i64>, Vec<i64>) {
        let mut page = self.list(query).await;
        let mut down = ids(&page);
        while let Some(cursor) = page["next_cursor"].as_str() {
            page = self.list(&format!("{query}&cursor={cursor}")).await;
            down.extend(ids(&page));
            assert!(down.len() < 50, "it leads round and round");
        }
        let mut up = ids(&page);
        while let Some(cursor) = page["prev_cursor"].as_str() {
            page = self.list(&format!("{query}&cursor={cursor}")).await;
            up.splice(0..0, ids(&page));
            assert!(up.len() < 50, "it leads round and round");
        }
        (down, up)
    }
}

#[tokio::test]
async fn a_customer_waits_from_the_first_message_after_the_last_answer() {
    let mut fixture = Fixture::new().await;
    let now = Timestamp::from_second(NOON + 3600).unwrap();
    let write = |wamid: &str, seconds: i64| text_webhook("15550123", "Ana", wamid, NOON + seconds, "hi");
    fixture.database.ingest(&write("wamid.B", 60), now).await;
    fixture.database.ingest(&write("wamid.A", 30), now).await;
    let id = ids(&fixture.list("").await)[0];
    let waiting = async |fixture: &Fixture| {
        let conversation = fixture.one(id).await;
        (
            conversation["waiting_since"].clone(),
            conversation["needs_reply"].clone(),
        )
    };
    assert_eq!(waiting(&fixture).await, (json!("2026-07-01T12:00:30Z"), json!(true)));

    let own = |kind: &str, wamid: &str, seconds: i64| {
        let echo = json!({"from": "15550100", "to": "15550123", "id": wamid, "timestamp": (NOON + seconds).to_string(), "type": "text",
            "text": {"body": "Hello"}});
        let system = json!({"from": "15550123", "id": wamid, "timestamp": (NOON + seconds).to_string(), "type": "system",
            "system": {"type": "user_changed_number", "body": "moved", "wa_id": "15550124"}});
        let (field, key, item) = if kind == "echo" {
            ("smb_message_echoes", "message_echoes", echo)
        } else {
            ("messages", "messages", system)
        };
        json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": field, "value": {
            "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER}, key: [item]}}]}]})
    };
    // What the business wrote on its phone is an answer too; what was written after it waits.
    fixture.database.ingest(&own("echo", "wamid.E", 45), now).await;
    assert_eq!(waiting(&fixture).await, (json!("2026-07-01T12:01:00Z"), json!(true)));
    // A system message is neither an answer nor a question.
    fixture.database.ingest(&own("system", "wamid.S", 90), now).await;
    assert_eq!(waiting(&fixture).await, (json!("2026-07-01T12:01:00Z"), json!(true)));
    fixture.database.ingest(&own("echo", "wamid.F", 100), now).await;
    assert_eq!(waiting(&fixture).await, (Value::Null, json!(false)));
    fixture.database.ingest(&own("system", "wamid.T", 110), now).await;
    assert_eq!(waiting(&fixture).await, (Value::Null, json!(false)));
}

#[tokio::test]
async fn what_failed_is_no_answer() {
    let mut fixture = Fixture::new().await;
    let now = Timestamp::from_second(NOON + 3600).unwrap();
    let question = text_webhook("15550123", "Ana", "wamid.A", NOON, "hi");
    fixture.database.ingest(&question, now).await;
    let id = ids(&fixture.list("").await)[0];
    let answer = format!(
        "insert into chat_messages (conversation_id, wa_message_id, sender, status, timestamp)
         values ({id}, 'wamid.O', 'user', 'sent', '2026-07-01T12:10:00Z')"
    );
    fixture.database.client.batch_execute(&answer).await.unwrap();
    let status = |state: &str| {
        json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER},
            "statuses": [{"id": "wamid.O", "status": state, "timestamp": NOON.to_string(), "recipient_id": "15550123"}]}}]}]})
    };
    fixture.database.ingest(&status("failed"), now).await;
    assert_eq!(fixture.one(id).await["waiting_since"], "2026-07-01T12:00:00Z");
    // WhatsApp delivered it after all.
    fixture.database.ingest(&status("delivered"), now).await;
    assert_eq!(fixture.one(id).await["waiting_since"], Value::Null);
}

#[tokio::test]
async fn filters_narrow_the_list_to_what_needs_something() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(12).await;
    for (index, id) in rows.iter().enumerate() {
        if index % 2 == 0 {
            fixture.set(*id, "unread_count = 3").await;
        }
        if index % 3 == 0 {
            fixture
                .set(*id, "waiting_since = last_message_time, status = 'archived'")
                .await;
        }
    }
    let those = |step: usize| -> Vec<i64> { rows.iter().copied().step_by(step).rev().collect() };
    for (query, expected) in [
        ("filter=unread", those(2)),
        ("filter=unanswered", those(3)),
        ("filter=", rows.iter().rev().copied().collect()),
        ("filter=unread&status=archived", those(6)),
        ("filter=unanswered&status=active", Vec::new()),
        (&format!("filter=unanswered&phone_number_id={NUMBER}"), those(3)),
        ("filter=unread&sort=recent", those(2)),
    ] {
        let query = format!("{query}&limit=2");
        let (down, up) = fixture.read_both_ways(&query).await;
        assert_eq!((&down, &up), (&expected, &expected), "{query}");
    }
}

#[tokio::test]
async fn a_window_is_closing_in_its_last_four_hours() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(6).await;
    let now = Timestamp::now();
    for (id, minutes) in rows
        .iter()
        .zip([19 * 60 + 55, 20 * 60 + 5, 22 * 60, 23 * 60 + 55, 24 * 60 + 1, 0])
    {
        let at = now - SignedDuration::from_mins(minutes);
        fixture.set(*id, &format!("last_inbound_at = '{at}'")).await;
    }
    fixture.set(rows[5], "last_inbound_at = null").await;
    assert_eq!(
        ids(&fixture.list("filter=window_closing").await),
        [rows[3], rows[2], rows[1]]
    );
    assert_eq!(
        fixture
            .read_both_ways("filter=window_closing&limit=1&sort=waiting")
            .await
            .0,
        [rows[3], rows[2], rows[1]]
    );
}

#[tokio::test]
async fn by_waiting_those_who_wait_come_first_longest_first_and_then_the_others() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(9).await;
    // Two of them since the same moment.
    for (index, since) in [(1, "13:00"), (4, "11:00"), (5, "12:00"), (7, "12:00"), (8, "10:00")] {
        fixture
            .set(rows[index], &format!("waiting_since = '2026-07-01T{since}:00Z'"))
            .await;
    }
    let expected: Vec<i64> = [8, 4, 5, 7, 1, 6, 3, 2, 0].map(|index| rows[index]).to_vec();
    for limit in [1, 2, 3, 5, 9, 50] {
        let (down, up) = fixture.read_both_ways(&format!("sort=waiting&limit={limit}")).await;
        assert_eq!((&down, &up), (&expected, &expected), "{limit}");
    }
    let (down, up) = fixture.read_both_ways("sort=waiting&filter=unanswered&limit=2").await;
    assert_eq!((down.as_slice(), up.as_slice()), (&expected[..5], &expected[..5]));
}

#[tokio::test]
async fn by_waiting_pages_lead_on_while_answers_and_questions_arrive() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(8).await;
    for id in &rows[..4] {
        fixture.set(*id, "waiting_since = last_message_time").await;
    }
    let page = fixture.list("sort=waiting&limit=3").await;
    assert_eq!(ids(&page), rows[..3]);
    // One that was read is answered, and one that was not waits now, longer than all others.
    fixture.set(rows[1], "waiting_since = null").await;
    fixture.set(rows[6], "waiting_since = '2026-06-01'").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = fixture.list(&format!("sort=waiting&limit=3&cursor={cursor}")).await;
    assert_eq!(ids(&page), [rows[3], rows[7], rows[5]]);
    let cursor = page["prev_cursor"].as_str().unwrap();
    let page = fixture.list(&format!("sort=waiting&limit=3&cursor={cursor}")).await;
    assert_eq!(ids(&page), [rows[6], rows[0], rows[2]]);
    assert_eq!(page["prev_cursor"], Value::Null);
}

#[tokio::test]
async fn several_numbers_and_accounts_are_one_list_by_waiting_too() {
    let fixture = Fixture::new().await;
    let other = fixture.database.add_number("900200", "700200").await;
    let share = format!(
        "update waba_accounts set user_id = '{}' where user_id = '{other}'",
        fixture.agent
    );
    fixture.database.client.batch_execute(&share).await.unwrap();
    let (_, _, foreign) = fixture.stranger().await;
    fixture.set(foreign, "waiting_since = '2020-01-01'").await;
    let rows = fixture.conversations(4).await;
    fixture
        .set(
            rows[1],
            "waiting_since = '2026-07-01T10:00:00Z', phone_number_id = '700200', waba_id = '900200'",
        )
        .await;
    fixture
        .set(rows[2], "phone_number_id = '700200', waba_id = '900200'")
        .await;
    fixture.set(rows[3], "waiting_since = '2026-07-01T09:00:00Z'").await;
    let (down, up) = fixture.read_both_ways("sort=waiting&limit=1").await;
    let expected = [rows[3], rows[1], rows[2], rows[0]];
    assert_eq!((down.as_slice(), up.as_slice()), (&expected[..], &expected[..]));
    let (down, _) = fixture
        .read_both_ways("sort=waiting&limit=1&phone_number_id=700200")
        .await;
    assert_eq!(down, [rows[1], rows[2]]);
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(4).await;
    fixture.set(rows[0], "waiting_since = last_message_time").await;
    let recent = fixture.list("limit=1").await["next_cursor"].clone();
    let waiting = fixture.list("limit=1&sort=waiting").await["next_cursor"].clone();
    let answered = fixture.list("limit=2&sort=waiting").await["next_cursor"].clone();
    for (sort, cursor) in [("waiting", recent), ("recent", waiting), ("", answered)] {
        let path = format!("{LIST}?sort={sort}&cursor={}", cursor.as_str().unwrap());
        fixture.api.get(&path).await.refuses_field("cursor");
    }
}

#[tokio::test]
async fn unknown_filters_and_orders_are_named_with_the_known_ones() {
    let fixture = Fixture::new().await;
    for (field, value, known) in [
        ("filter", "Unread", "unread, unanswered, window_closing"),
        ("filter", "unread,unanswered", "unread, unanswered, window_closing"),
        ("sort", "oldest", "recent, waiting"),
    ] {
        let error = fixture
            .api
            .get(&format!("{LIST}?{field}={value}"))
            .await
            .refuses_field(field);
        assert!(error["message"].as_str().unwrap().contains(known), "{error}");
    }
}
