//! Search through messages: what is found, where, and what is shown of it.

use serde_json::{Value, json};

use super::support::{Fixture, NUMBER, WABA, add_conversation, ids, newest};

const MESSAGES: &str = "/api/live-chat/messages";

/// As a query string holds it.
fn encoded(q: &str) -> String {
    q.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

impl Fixture {
    /// A text of a conversation, at a second after noon.
    async fn says(&self, conversation: i64, second: i64, content: &str) -> i64 {
        let sql = r#"insert into chat_messages (conversation_id, content, sender, status, "timestamp")
                     values ($1, $2, 'customer', 'read', timestamptz '2026-07-01 12:00:00Z' + $3 * interval '1 second') returning id"#;
        #[expect(clippy::cast_precision_loss, reason = "a day has few seconds")]
        let second = second as f64;
        let client = &self.database.client;
        let row = client.query_one(sql, &[&conversation, &content, &second]).await;
        row.unwrap().get(0)
    }

    async fn search(&self, query: &str) -> Value {
        self.api.get(&format!("{MESSAGES}?{query}")).await.ok()
    }

    async fn found(&self, q: &str) -> Vec<i64> {
        ids(&self.search(&format!("q={}", encoded(q))).await)
    }
}

#[tokio::test]
async fn any_part_of_a_text_is_found_in_any_script_and_case() {
    let fixture = Fixture::new().await;
    let mut rows = Vec::new();
    for (second, text) in [
        "Where is my ORDER no. 5_000?",
        "Grüße aus KÖLN, 100% sicher",
        "أين الطَّلَب؟ مَرْحَبــاً",
        "请问订单什么时候到货？",
        "注文はいつ届きますか",
        "배송은 언제 되나요",
        "Ο Οδυσσεύς ΉΡΘΕ",
        "İstanbul'a \\ gönderin",
        "ok 👍🏽",
        "it's o.k.\nsecond line",
        "\u{feff}call \u{202a}+49 151 23\u{ad}45\u{202c}",
    ]
    .iter()
    .enumerate()
    {
        let second = i64::try_from(second).unwrap();
        rows.push(fixture.says(fixture.conversation, second, text).await);
    }
    for (q, expected) in [
        ("order", vec![0]),
        ("49 151 2345", vec![10]),
        ("\u{2066}+49\u{2069} 15\u{200e}1\u{200f}", vec![10]),
        ("RDE", vec![0]),
        ("5_0", vec![0]),
        ("_", vec![0]),
        ("0%", vec![1]),
        ("%", vec![1]),
        ("\\", vec![7]),
        ("köln", vec![1]),
        ("GRÜSSE", vec![]),
        ("grüße", vec![1]),
        ("الطلب", vec![2]),
        ("مرحبا", vec![2]),
        ("طَلَب", vec![2]),
        ("订单", vec![3]),
        ("订", vec![3]),
        ("什么时候", vec![3]),
        ("单订", vec![]),
        ("注文", vec![4]),
        ("いつ", vec![4]),
        ("언제", vec![5]),
        ("ΟΔΥΣΣΕΎΣ", vec![6]),
        ("ήρθε", vec![6]),
        ("istanbul", vec![7]),
        ("ok", vec![8]),
        ("👍", vec![8]),
        ("O.K", vec![9]),
        ("ｓｅｃｏｎｄ", vec![9]),
        ("second line", vec![9]),
        ("my order no. 5_000?", vec![0]),
        ("o", vec![9, 8, 0]),
        ("nothing", vec![]),
        ("' or true --", vec![]),
        ("\u{0}", vec![]),
    ] {
        let expected: Vec<i64> = expected.into_iter().map(|index: usize| rows[index]).collect();
        assert_eq!(fixture.found(q).await, expected, "{q}");
        let here = fixture.page(&format!("q={}", encoded(q))).await;
        assert_eq!(ids(&here), expected, "{q}");
    }
}

#[tokio::test]
async fn a_hit_has_its_snippet_and_its_conversation_and_a_plain_list_has_neither() {
    let fixture = Fixture::new().await;
    let other = add_conversation(&fixture.database, WABA, NUMBER, "+15550002").await;
    let first = fixture.says(fixture.conversation, 0, "Where is ORDER 5?").await;
    let second = fixture.says(other, 1, "An order, please").await;
    let third = fixture.says(other, 2, "order").await;
    let caption = "conversation_id, message_type, media_caption, sender, status, timestamp";
    let image = fixture
        .database
        .count(&format!(
            "insert into chat_messages ({caption}) values ({other}, 'image', 'The order as it came', 'user', 'sent', '2026-07-01T13:00:00Z') returning id"
        ))
        .await;
    let page = fixture.search("q=order").await;
    assert_eq!(ids(&page), [image, third, second, first]);
    let snippets: Vec<&Value> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["snippet"])
        .collect();
    assert_eq!(
        json!(snippets),
        json!([
            {"before": "The ", "match": "order", "after": " as it came"},
            {"before": "", "match": "order", "after": ""},
            {"before": "An ", "match": "order", "after": ", please"},
            {"before": "Where is ", "match": "ORDER", "after": " 5?"}
        ])
    );
    let conversations = page["conversations"].as_array().unwrap();
    let shown: Vec<Value> = conversations
        .iter()
        .map(|it| json!([it["id"], it["customer_phone"]]))
        .collect();
    assert_eq!(
        json!(shown),
        json!([[fixture.conversation, "+15550001"], [other, "+15550002"]])
    );
    let page = fixture.page("q=ORDER").await;
    assert_eq!(ids(&page), [first]);
    assert_eq!(page["conversations"].as_array().unwrap().len(), 1);

    let plain = fixture.page("").await;
    assert_eq!(plain["messages"][0]["snippet"], Value::Null);
    assert_eq!(plain["conversations"], json!([]));
    let nothing =
        json!({"success": true, "messages": [], "conversations": [], "next_cursor": null, "prev_cursor": null});
    assert_eq!(fixture.search("q=missing").await, nothing);
}

#[tokio::test]
async fn what_was_edited_is_found_by_its_new_words_and_what_was_deleted_not_at_all() {
    let mut fixture = Fixture::new().await;
    let now = "2026-07-01T13:00:00Z".parse().unwrap();
    let webhook = |item: Value| {
        json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER},
            "messages": [item]}}]}]})
    };
    let item = |id: &str, kind: &str, body: &Value| {
        webhook(json!({"from": "15550001", "id": id, "timestamp": "1782907200", "type": kind, kind: body}))
    };
    let text = item("wamid.A", "text", &json!({"body": "apples"}));
    let edit = item(
        "wamid.E",
        "edit",
        &json!({"original_message_id": "wamid.A", "message": {"type": "text", "text": {"body": "pears"}}}),
    );
    let revoke = item("wamid.R", "revoke", &json!({"original_message_id": "wamid.A"}));
    for (webhook, apples, pears) in [(text, 1, 0), (edit, 0, 1), (revoke, 0, 0)] {
        fixture.database.ingest(&webhook, now).await;
        assert_eq!(
            (fixture.found("apples").await.len(), fixture.found("pear").await.len()),
            (apples, pears)
        );
    }
    assert_eq!(
        fixture.database.count("select count(*) from chat_message_texts").await,
        0
    );
}

#[tokio::test]
async fn pages_of_hits_lead_down_and_up_again_over_months_accounts_and_numbers() {
    let fixture = Fixture::new().await;
    fixture.database.add_number("900200", "700200").await;
    let share = format!("update waba_accounts set user_id = '{}'", fixture.agent);
    fixture.database.client.batch_execute(&share).await.unwrap();
    let other = add_conversation(&fixture.database, "900200", "700200", "+15550002").await;
    let month = 31 * 24 * 3600;
    let mut rows = Vec::new();
    for n in 0..12 {
        let conversation = if n % 3 == 0 { other } else { fixture.conversation };
        // Two of one moment.
        rows.push(
            fixture
                .says(conversation, (n / 2) * month, &format!("needle {n}"))
                .await,
        );
        fixture.says(conversation, (n / 2) * month + 1, "hay").await;
    }
    // More than are compared one by one, so that the index is asked.
    let fill = format!(
        r#"insert into chat_messages (conversation_id, content, sender, status, "timestamp")
           select {}, 'hay ' || n, 'customer', 'read', timestamptz '2027-06-01' - n * interval '1 minute' from generate_series(1, 2500) n"#,
        fixture.conversation
    );
    let both_ways = async |query: &str| {
        let mut page = fixture.search(query).await;
        let mut down = ids(&page);
        while let Some(cursor) = page["next_cursor"].as_str() {
            page = fixture.search(&format!("{query}&before={cursor}")).await;
            down.extend(ids(&page));
            assert!(down.len() < 50, "it leads round and round");
        }
        let mut up = ids(&page);
        while let Some(cursor) = page["prev_cursor"].as_str() {
            page = fixture.search(&format!("{query}&after={cursor}")).await;
            up.splice(0..0, ids(&page));
            assert!(up.len() < 50, "it leads round and round");
        }
        (down, up)
    };
    let of_other: Vec<i64> = rows.iter().step_by(3).rev().copied().collect();
    let here: Vec<i64> = (0..12).rev().filter(|n| n % 3 != 0).map(|n| rows[n]).collect();
    for is_filled in [false, true] {
        if is_filled {
            fixture.database.client.batch_execute(&fill).await.unwrap();
        }
        for limit in [1, 5, 50] {
            for (query, expected) in [
                (format!("q=NEEDLE&limit={limit}"), newest(&rows, 0, 12)),
                (format!("q=le&limit={limit}"), newest(&rows, 0, 12)),
                (
                    format!("q=needle&phone_number_id=700200&limit={limit}"),
                    of_other.clone(),
                ),
                (
                    format!("q=eedle&limit={limit}&conversation_id={}", fixture.conversation),
                    here.clone(),
                ),
            ] {
                let (down, up) = both_ways(&query).await;
                assert_eq!((&down, &up), (&expected, &expected), "{query}");
            }
        }
    }
    assert_eq!(fixture.found("needle 3").await, [rows[3]]);
    assert_eq!(ids(&fixture.search("q=hay&limit=70").await).len(), 70);
    // Within a conversation a message's id is as good as a cursor.
    let page = fixture.page(&format!("q=needle&before={}", rows[7])).await;
    assert_eq!(ids(&page), [5, 4, 2, 1].map(|n: usize| rows[n]));
}

#[tokio::test]
async fn a_search_that_compares_very_many_texts_is_gone_on_with_by_its_cursor() {
    let fixture = Fixture::new().await;
    let oldest = fixture.says(fixture.conversation, -3600, "zq").await;
    let fill = format!(
        "alter table chat_message_texts drop constraint chat_message_texts_message_fkey;
           insert into chat_message_texts (message_id, waba_id, period, time, body)
           select -n, '{WABA}', '202607', timestamptz '2026-07-01 12:00:00Z' + n * interval '1 second', 'x' from generate_series(1, 210000) n"
    );
    fixture.database.client.batch_execute(&fill).await.unwrap();
    let page = fixture.search("q=zq").await;
    assert_eq!((ids(&page), &page["prev_cursor"]), (Vec::new(), &Value::Null));
    let page = fixture
        .search(&format!("q=zq&before={}", page["next_cursor"].as_str().unwrap()))
        .await;
    assert_eq!((ids(&page), &page["next_cursor"]), (vec![oldest], &Value::Null));
}

#[tokio::test]
async fn a_word_that_is_everywhere_is_found_in_a_number_where_little_is_written() {
    let fixture = Fixture::new().await;
    let number = format!(
        "insert into phone_numbers (waba_id, phone_number_id, is_registered) values ('{WABA}', '700101', true)"
    );
    fixture.database.client.batch_execute(&number).await.unwrap();
    let quiet = add_conversation(&fixture.database, WABA, "700101", "+15550009").await;
    let month = 31 * 24 * 3600;
    let mut rows = Vec::new();
    for second in [-2 * month, -month, 0, 1] {
        rows.push(fixture.says(quiet, second, "hello again").await);
        fixture.says(fixture.conversation, second, "hello again").await;
    }
    // In one month more than the index may find, and in the next one, too.
    let fill = format!(
        "alter table chat_message_texts drop constraint chat_message_texts_message_fkey;
         insert into chat_message_texts (message_id, waba_id, phone_number_id, period, time, body)
         select -n, '{WABA}', '{NUMBER}', to_char(time at time zone 'UTC', 'YYYYMM'), time, 'hello ' || n
         from generate_series(1, 44000) n
         cross join lateral (select timestamptz '2026-07-02 12:00:00Z' + n * interval '1 minute' as time) t"
    );
    fixture.database.client.batch_execute(&fill).await.unwrap();
    for limit in [1, 2, 50] {
        let query = format!("q=hello&phone_number_id=700101&limit={limit}");
        let mut page = fixture.search(&query).await;
        let mut down = ids(&page);
        while let Some(cursor) = page["next_cursor"].as_str() {
            page = fixture.search(&format!("{query}&before={cursor}")).await;
            down.extend(ids(&page));
        }
        let mut up = ids(&page);
        while let Some(cursor) = page["prev_cursor"].as_str() {
            page = fixture.search(&format!("{query}&after={cursor}")).await;
            up.splice(0..0, ids(&page));
        }
        let all = newest(&rows, 0, 4);
        assert_eq!((&down, &up), (&all, &all), "{limit}");
    }
}

#[tokio::test]
async fn texts_go_with_their_conversation_to_another_account_and_number() {
    let fixture = Fixture::new().await;
    fixture.database.add_number("900200", "700200").await;
    let share = format!("update waba_accounts set user_id = '{}'", fixture.agent);
    fixture.database.client.batch_execute(&share).await.unwrap();
    let moved = fixture
        .database
        .count("insert into chat_conversations (customer_phone) values ('+15550009') returning id")
        .await;
    let id = fixture.says(moved, 0, "needle").await;
    let stays = fixture.says(fixture.conversation, 1, "needle").await;
    assert_eq!(fixture.found("needle").await, [stays], "it is nobody's");
    for (account, number, found) in [
        ("'900200'", "'700200'", vec![id]),
        (&format!("'{WABA}'"), &format!("'{NUMBER}'"), vec![stays, id]),
        ("null", "null", vec![]),
    ] {
        let to =
            format!("update chat_conversations set waba_id = {account}, phone_number_id = {number} where id = {moved}");
        fixture.database.client.batch_execute(&to).await.unwrap();
        let rows = format!("select to_jsonb(waba_id = {account}) from chat_message_texts where message_id = {id}");
        let expected = if found.is_empty() { vec![] } else { vec![json!(true)] };
        assert_eq!(fixture.database.json(&rows).await, expected);
        if !found.is_empty() {
            let query = format!("q=needle&phone_number_id={}", number.trim_matches('\''));
            assert_eq!(ids(&fixture.search(&query).await), found);
        }
    }
}

#[tokio::test]
async fn a_message_whose_time_is_none_disturbs_no_other() {
    let fixture = Fixture::new().await;
    let id = fixture.says(fixture.conversation, 0, "needle").await;
    for time in ["infinity", "-infinity", "12026-01-01", "0001-01-01 BC"] {
        let sql = format!(
            r#"insert into chat_messages (conversation_id, content, sender, "timestamp") values ({}, 'needle', 'customer', '{time}');
               update chat_messages set content = 'needle!' where "timestamp" = '{time}'"#,
            fixture.conversation
        );
        fixture.database.client.batch_execute(&sql).await.unwrap();
        assert_eq!(fixture.found("needle").await, [id], "{time}");
    }
    let since = format!("select chat_waiting_since({})::text", fixture.conversation);
    let since: String = fixture.database.client.query_one(&since, &[]).await.unwrap().get(0);
    assert!(since.starts_with("2026-07-01"), "{since}");
}

#[tokio::test]
async fn nobody_elses_messages_are_found() {
    let fixture = Fixture::new().await;
    let stranger = fixture.database.add_number("900999", "700999").await;
    let foreign = add_conversation(&fixture.database, "900999", "700999", "+1").await;
    let mine = fixture.says(fixture.conversation, 0, "a shared word 词").await;
    let theirs = fixture.says(foreign, 1, "a shared word 词, theirs").await;
    for q in ["shared", "词", "wo", "word 词"] {
        assert_eq!(fixture.found(q).await, [mine], "{q}");
        let api = fixture.api.as_agent(stranger);
        let page = api.get(&format!("{MESSAGES}?q={}", encoded(q))).await.ok();
        assert_eq!(ids(&page), [theirs], "{q}");
        assert_eq!(page["conversations"].as_array().unwrap().len(), 1);
    }
    assert_eq!(fixture.found("theirs").await, [0i64; 0]);
    for query in [
        "phone_number_id=700999",
        "phone_number_id=1",
        &format!("conversation_id={foreign}"),
    ] {
        fixture
            .api
            .get(&format!("{MESSAGES}?q=shared&{query}"))
            .await
            .refused(404);
    }
    // The account's next agent finds them, and the former one no more.
    let hand_over = format!("update waba_accounts set user_id = '{stranger}' where waba_id = '{WABA}'");
    fixture.database.client.batch_execute(&hand_over).await.unwrap();
    assert_eq!(fixture.found("shared").await, [0i64; 0]);
    let api = fixture.api.as_agent(stranger);
    assert_eq!(
        ids(&api.get(&format!("{MESSAGES}?q=shared")).await.ok()),
        [theirs, mine]
    );
}

#[tokio::test]
async fn texts_follow_their_messages_wherever_those_go() {
    let fixture = Fixture::new().await;
    let other = add_conversation(&fixture.database, WABA, NUMBER, "+15550002").await;
    let id = fixture.says(fixture.conversation, 0, "Where is it?").await;
    let run = async |sql: &str| fixture.database.client.batch_execute(sql).await.unwrap();
    run(&format!(
        "update chat_messages set conversation_id = {other}, timestamp = '2026-08-01T00:00:00Z' where id = {id}"
    ))
    .await;
    assert_eq!(
        ids(&fixture.search(&format!("q=where&conversation_id={other}")).await),
        [id]
    );
    let rows = fixture
        .database
        .json("select to_jsonb(t) - 'message_id' from chat_message_texts t")
        .await;
    let expected = json!({"waba_id": WABA, "phone_number_id": NUMBER, "period": "202608", "time": "2026-08-01T00:00:00+00:00", "body": "where is it?"});
    assert_eq!(rows, [expected]);
    run("update chat_messages set content = ''").await;
    assert_eq!(
        fixture.database.count("select count(*) from chat_message_texts").await,
        0
    );
    run("update chat_messages set content = 'again'").await;
    assert_eq!(fixture.found("AGAIN").await, [id]);
    // Of a very long text the beginning is found.
    let long = format!("update chat_messages set content = 'start' || repeat(' filler', 5000) || 'end'; select {id}");
    run(&long).await;
    assert_eq!(
        (fixture.found("start").await, fixture.found("end").await),
        (vec![id], Vec::new())
    );
    run("delete from chat_messages").await;
    assert_eq!(
        fixture.database.count("select count(*) from chat_message_texts").await,
        0
    );
}

#[tokio::test]
async fn a_search_is_refused_where_it_names_nothing_or_what_does_not_go_with_it() {
    let fixture = Fixture::new().await;
    let id = fixture.says(fixture.conversation, 0, "hello").await;
    for q in ["%20", "+", "%0A", "%D9%80", &"a".repeat(101), &"%E8%AF%8D".repeat(101)] {
        fixture.api.get(&format!("{MESSAGES}?q={q}")).await.refuses_field("q");
        fixture.ask(&format!("q={q}")).await.refuses_field("q");
    }
    fixture.search(&format!("q={}", "%E8%AF%8D".repeat(100))).await;
    for (rest, field) in [
        (format!("around={id}"), "around"),
        ("offset=0".to_owned(), "offset"),
        ("before=wamid.unknown".to_owned(), "before"),
        ("limit=ten".to_owned(), "limit"),
    ] {
        fixture.ask(&format!("q=hello&{rest}")).await.refuses_field(field);
        fixture
            .api
            .get(&format!("{MESSAGES}?q=hello&{rest}"))
            .await
            .refuses_field(field);
    }
    // Without a conversation only a cursor says where to go on.
    let path = format!("{MESSAGES}?q=hello&before={id}");
    fixture.api.get(&path).await.refuses_field("before");
    fixture
        .api
        .get(&format!("{MESSAGES}?q="))
        .await
        .refuses_field("conversation_id");
}
