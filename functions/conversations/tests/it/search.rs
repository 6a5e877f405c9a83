//! Conversations by name, username and phone number.

use serde_json::Value;

use super::support::{Fixture, LIST, NUMBER, WABA, ids};

/// As a query string holds it.
fn encoded(q: &str) -> String {
    q.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

impl Fixture {
    async fn named(&self, phone: &str, name: &str, username: &str) -> i64 {
        let sql = "insert into chat_conversations (waba_id, phone_number_id, customer_phone, customer_name, customer_username, last_message_time)
                   values ($1, $2, $3, nullif($4, ''), nullif($5, ''), '2026-07-01') returning id";
        let client = &self.database.client;
        let row = client.query_one(sql, &[&WABA, &NUMBER, &phone, &name, &username]).await;
        row.unwrap().get(0)
    }

    async fn found(&self, q: &str) -> Vec<i64> {
        let mut found = ids(&self.list(&format!("q={}", encoded(q))).await);
        found.sort_unstable();
        found
    }
}

#[tokio::test]
async fn any_part_of_name_username_and_phone_number_is_found_in_any_case() {
    let fixture = Fixture::new().await;
    let jürgen = fixture.named("+4915112345678", "Jürgen ÖZTÜRK-Straße", "").await;
    let ana = fixture.named("15550100", "Ana_Silva 100%", "ana.silva").await;
    let bsuid = fixture
        .named("bsuid:0123456789abcdef0123456789abcdef", "", "Οδυσσεύς")
        .await;
    let chinese = fixture.named("+8613800000000", "王小明", "").await;
    let arabic = fixture.named("+201000000000", "مُحَمَّد", "").await;
    let istanbul = fixture.named("+905320000000", "İbrahim \\ 5", "").await;
    for (q, expected) in [
        ("jürgen", vec![jürgen]),
        ("ÖZTÜRK", vec![jürgen]),
        ("öztürk-strasse", vec![]),
        ("ÜRG", vec![jürgen]),
        ("j", vec![jürgen]),
        ("ü", vec![jürgen]),
        ("a_s", vec![ana]),
        ("_", vec![ana]),
        ("0%", vec![ana]),
        ("%", vec![ana]),
        ("\\", vec![istanbul]),
        ("ANA.SILVA", vec![ana]),
        ("ΟΔΥΣΣΕΎΣ", vec![bsuid]),
        ("小明", vec![chinese]),
        ("王", vec![chinese]),
        ("محمد", vec![arabic]),
        ("ibrahim", vec![istanbul]),
        ("İB", vec![istanbul]),
        ("ＡＮＡ", vec![ana]),
        // The phone number, however it is written.
        ("+4915112345678", vec![jürgen]),
        ("4915112345678", vec![jürgen]),
        ("+49 (151) 123-45 678", vec![jürgen]),
        ("\u{202a}+49 151 12345678\u{202c}", vec![jürgen]),
        ("\u{2066}1512\u{ad}345\u{2069}", vec![]),
        ("\u{feff}\u{200e}1511\u{200f}2345", vec![jürgen]),
        ("511234", vec![jürgen]),
        ("5 1", vec![jürgen]),
        ("+15550100", vec![ana]),
        ("50100", vec![ana]),
        ("5678 +", vec![jürgen]),
        // The hash that stands for a number is none, and a part of two fields is in neither.
        ("bsuid", vec![]),
        ("cdef", vec![]),
        ("100%ana", vec![]),
        ("nobody", vec![]),
        ("+", vec![]),
        ("' or true --", vec![]),
    ] {
        assert_eq!(fixture.found(q).await, expected, "{q}");
    }
    let all = fixture.list(&format!("q={}", encoded("i"))).await;
    assert_eq!(ids(&all), [istanbul, ana], "newest first");
}

#[tokio::test]
async fn a_new_name_is_found_and_the_old_one_no_more() {
    let fixture = Fixture::new().await;
    let id = fixture.named("+4915112345678", "Ana", "").await;
    let rename =
        format!("update chat_conversations set customer_name = 'Bea', customer_phone = '+33123' where id = {id}");
    fixture.database.client.batch_execute(&rename).await.unwrap();
    assert_eq!(fixture.found("bea").await, [id]);
    assert_eq!(fixture.found("+33 123").await, [id]);
    for gone in ["ana", "4915"] {
        assert_eq!(fixture.found(gone).await, [0i64; 0], "{gone}");
    }
    let delete = "delete from chat_conversations";
    fixture.database.client.batch_execute(delete).await.unwrap();
    assert_eq!(
        fixture
            .database
            .count("select count(*) from chat_conversation_texts")
            .await,
        0
    );
}

#[tokio::test]
async fn a_search_goes_together_with_filters_orders_and_cursors() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(9).await;
    let set = "update chat_conversations set customer_name = case when id % 3 = 0 then 'Bea' else 'Ana' end,
                 unread_count = id % 2, waiting_since = case when id % 2 = 0 then last_message_time end";
    fixture.database.client.batch_execute(set).await.unwrap();
    let ana: Vec<i64> = rows.iter().copied().filter(|id| id % 3 != 0).collect();
    let newest_first: Vec<i64> = ana.iter().rev().copied().collect();
    let unread: Vec<i64> = newest_first.iter().copied().filter(|id| id % 2 == 1).collect();
    let mut waiting: Vec<i64> = ana.iter().copied().filter(|id| id % 2 == 0).collect();
    waiting.extend(&unread);
    for (query, expected) in [
        ("q=ANA", &newest_first),
        ("q=na&filter=unread", &unread),
        ("q=n&sort=waiting", &waiting),
        (&format!("q=1555&filter=unread&phone_number_id={NUMBER}&q=ana"), &unread),
    ] {
        let mut page = fixture.list(&format!("{query}&limit=2")).await;
        let mut down = ids(&page);
        while let Some(cursor) = page["next_cursor"].as_str() {
            page = fixture.list(&format!("{query}&limit=2&cursor={cursor}")).await;
            down.extend(ids(&page));
        }
        let mut up = ids(&page);
        while let Some(cursor) = page["prev_cursor"].as_str() {
            page = fixture.list(&format!("{query}&limit=2&cursor={cursor}")).await;
            up.splice(0..0, ids(&page));
        }
        assert_eq!((&down, &up), (expected, expected), "{query}");
    }
}

#[tokio::test]
async fn a_name_among_many_is_found_however_old_the_conversation_is() {
    let fixture = Fixture::new().await;
    // More than are compared one by one.
    let fill = format!(
        "insert into chat_conversations (waba_id, phone_number_id, customer_phone, customer_name, last_message_time)
         select '{WABA}', '{NUMBER}', '+1555' || n, case when n in (1, 700) then 'Needle ' || n else 'Hay' end,
                timestamptz '2026-07-01' + n * interval '1 minute'
         from generate_series(1, 2500) n"
    );
    fixture.database.client.batch_execute(&fill).await.unwrap();
    for q in ["needle", "le", "dle 1"] {
        let page = fixture.list(&format!("q={}", encoded(q))).await;
        let names: Vec<&Value> = page["conversations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["customer_name"])
            .collect();
        let expected: &[&str] = if q == "dle 1" {
            &["Needle 1"]
        } else {
            &["Needle 700", "Needle 1"]
        };
        assert_eq!(names, expected, "{q}");
    }
    assert_eq!(ids(&fixture.list("q=%2B1555700").await).len(), 1);
    assert_eq!(ids(&fixture.list("q=hay&limit=70").await).len(), 70);
}

#[tokio::test]
async fn nobody_elses_customers_are_found() {
    let fixture = Fixture::new().await;
    let (stranger, number, foreign) = fixture.stranger().await;
    let name = format!("update chat_conversations set customer_name = 'Ana' where id = {foreign}");
    fixture.database.client.batch_execute(&name).await.unwrap();
    let mine = fixture.named("+15550001", "Ana", "").await;
    assert_eq!(fixture.found("ana").await, [mine]);
    assert_eq!(fixture.found("15550999").await, [0i64; 0]);
    let path = format!("{LIST}?q=ana&phone_number_id={number}");
    fixture.api.get(&path).await.refused(404);
    let theirs = fixture.api.as_agent(stranger).get(&format!("{LIST}?q=ana")).await.ok();
    assert_eq!(ids(&theirs), [foreign]);
}

#[tokio::test]
async fn a_query_of_nothing_or_too_much_is_refused() {
    let fixture = Fixture::new().await;
    for q in ["%20", "%0A%09", "%D9%80", &"a".repeat(101)] {
        fixture.api.get(&format!("{LIST}?q={q}")).await.refuses_field("q");
    }
    for q in ["", "%00", "%FF", &"%25".repeat(100)] {
        fixture.list(&format!("q={q}")).await;
    }
}
