//! What operators read of the quarantine, and what a second try does to it.

use jiff::Timestamp;
use shared::db::ingest::{Replayed, replay_quarantined};
use shared::db::quarantine::{self, Filter};
use shared::testing::TestDatabase;

/// (reason, phone number id, received at, body), oldest first.
const ROWS: [(&str, Option<&str>, &str, &str); 6] = [
    ("field:flows", None, "2026-11-01T00:00:00Z", "{}"),
    ("field:calls", Some("P"), "2026-11-02T00:00:00Z", "{\"b\":1}"),
    ("fieldwork", Some("P"), "2026-11-03T00:00:00Z", "not json"),
    ("applied:account_update", None, "2026-11-04T00:00:00Z", "{}"),
    ("missing_id", Some("Q"), "2026-11-05T00:00:00Z", ""),
    ("field:calls", Some("P"), "2026-11-06T00:00:00Z", "{\"a\":1}"),
];

async fn filled() -> TestDatabase {
    let test = TestDatabase::migrated().await;
    for (index, (reason, number, received_at, body)) in ROWS.iter().enumerate() {
        let received_at: Timestamp = received_at.parse().unwrap();
        test.client
            .execute(
                "insert into chat_quarantine (digest, reason, source, waba_id, phone_number_id, field, body, received_at)
                 values ($1, $2, 'consumer', 'W', $3, 'messages', $4, $5)",
                &[
                    &vec![u8::try_from(index).unwrap()],
                    reason,
                    number,
                    &body.as_bytes(),
                    &received_at,
                ],
            )
            .await
            .unwrap();
    }
    test
}

fn filter(reason: Option<&str>) -> Filter {
    Filter {
        reason: reason.map(str::to_owned),
        ..Filter::default()
    }
}

#[tokio::test]
async fn rows_are_listed_newest_first_without_what_was_applied() {
    let test = filled().await;
    let rows = quarantine::list(&test.client, &Filter::default(), 10).await.unwrap();
    let reasons: Vec<&str> = rows.iter().map(|row| row.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["field:calls", "missing_id", "fieldwork", "field:calls", "field:flows"]
    );
    let newest = &rows[0];
    assert_eq!(newest.received_at, "2026-11-06T00:00:00Z".parse().unwrap());
    assert_eq!((newest.source.as_str(), newest.size), ("consumer", 7));
    assert_eq!(
        (
            newest.field.as_deref(),
            newest.waba_id.as_deref(),
            newest.phone_number_id.as_deref()
        ),
        (Some("messages"), Some("W"), Some("P"))
    );
    assert_eq!(
        quarantine::list(&test.client, &Filter::default(), 2).await.unwrap(),
        rows[..2]
    );
    let all = Filter {
        with_applied: true,
        ..Filter::default()
    };
    assert_eq!(quarantine::list(&test.client, &all, 10).await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_filter_names_a_reason_or_its_family_a_number_and_a_time() {
    let test = filled().await;
    let since = |time: &str| Filter {
        since: Some(time.parse().unwrap()),
        ..Filter::default()
    };
    let number = Filter {
        phone_number_id: Some("P".to_owned()),
        reason: Some("field".to_owned()),
        ..since("2026-11-03T00:00:00Z")
    };
    let ids = |indexes: &[i64]| indexes.iter().map(|index| index + 1).collect::<Vec<_>>();
    for (filter, expected) in [
        (filter(Some("field")), ids(&[0, 1, 5])),
        (filter(Some("field:calls")), ids(&[1, 5])),
        (filter(Some("field:")), ids(&[])),
        (filter(Some("applied")), ids(&[3])),
        (filter(Some("applied:account_update")), ids(&[3])),
        (since("2026-11-05T00:00:00Z"), ids(&[4, 5])),
        (number, ids(&[5])),
    ] {
        assert_eq!(
            quarantine::ids(&test.client, &filter).await.unwrap(),
            expected,
            "{filter:?}"
        );
        let listed = quarantine::list(&test.client, &filter, 10).await.unwrap();
        let mut listed: Vec<i64> = listed.iter().map(|row| row.id).collect();
        listed.sort_unstable();
        assert_eq!(listed, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn rows_are_counted_by_their_reason() {
    let test = filled().await;
    let counts = quarantine::count_by_reason(&test.client, &Filter::default())
        .await
        .unwrap();
    let counts: Vec<(&str, i64)> = counts.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [
            ("field:calls", 2),
            ("field:flows", 1),
            ("fieldwork", 1),
            ("missing_id", 1)
        ]
    );
}

#[tokio::test]
async fn a_row_is_found_with_its_content_and_one_that_is_gone_is_not() {
    let test = filled().await;
    let row = quarantine::find(&test.client, 3).await.unwrap().unwrap();
    assert_eq!(
        (row.entry.id, row.entry.reason.as_str(), row.body.as_slice(), row.digest),
        (3, "fieldwork", &b"not json"[..], vec![2])
    );
    assert!(quarantine::find(&test.client, 99).await.unwrap().is_none());
    assert_eq!(quarantine::existing(&test.client, &[99, 4, 2]).await.unwrap(), [2, 4]);
}

#[tokio::test]
async fn an_item_for_a_number_that_was_unknown_is_applied_once_the_number_is_there() {
    let mut test = TestDatabase::migrated().await;
    let now = Timestamp::now();
    let webhook = serde_json::json!({"object": "whatsapp_business_account", "entry": [{"id": "W", "changes": [{"field": "messages",
        "value": {"metadata": {"phone_number_id": "P"},
                  "messages": [{"from": "4912345678", "id": "wamid.A", "timestamp": "1782907200", "type": "text", "text": {"body": "Hi"}}]}}]}]});
    test.ingest(&webhook, now).await;
    let ids = quarantine::ids(&test.client, &filter(Some("unknown_phone_number")))
        .await
        .unwrap();
    assert_eq!(ids.len(), 1);
    let replayed = |applied, quarantined| Replayed {
        applied,
        quarantined,
        files: Vec::new(),
        pushes: Vec::new(),
    };
    let again = replay_quarantined(&mut test.client, &ids, now).await.unwrap();
    assert_eq!(again, replayed(0, 1));
    let ids = quarantine::ids(&test.client, &Filter::default()).await.unwrap();
    test.add_number("W", "P").await;
    let again = replay_quarantined(&mut test.client, &ids, now).await.unwrap();
    assert_eq!(again, replayed(1, 0));
    assert_eq!(
        test.json("select to_jsonb(content) from chat_messages").await,
        [serde_json::json!("Hi")]
    );
    assert_eq!(test.count("select count(*) from chat_quarantine").await, 0);
}
