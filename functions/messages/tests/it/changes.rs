//! What changed since a cursor: all of it, once, as it is now, whoever wrote it and in whatever order it was committed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::domain::change::Cursor;
use shared::testing::connect;
use tokio_postgres::Client;

use crate::support::{Fixture, NUMBER, WABA, add_conversation};

const CHANGES: &str = "/api/live-chat/changes";

impl Fixture {
    async fn changes(&self, query: &str) -> Value {
        self.api.get(&format!("{CHANGES}?{query}")).await.ok()
    }

    /// The present cursor.
    async fn cursor(&self) -> String {
        let present = self.changes("").await;
        assert_eq!(present["changes"], json!([]));
        assert_eq!(present["has_more"], false);
        text(&present["next_cursor"])
    }

    /// What changed since, without the numbers, and the next cursor.
    async fn since(&self, cursor: &str) -> (Vec<Value>, String) {
        let (mut changes, mut cursor) = (Vec::new(), cursor.to_owned());
        loop {
            let page = self.changes(&format!("after={cursor}&limit=100")).await;
            let told = page["changes"].as_array().unwrap().iter();
            changes.extend(told.filter(|change| change["type"] != "phone_number.updated").cloned());
            cursor = text(&page["next_cursor"]);
            if page["has_more"] == false {
                return (changes, cursor);
            }
        }
    }

    async fn run(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn kinds(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|change| change["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_thing_that_changed_is_told_once_and_as_it_is_now() {
    let fixture = Fixture::new().await;
    let before = fixture.cursor().await;
    assert_eq!(fixture.since(&before).await.0, Vec::<Value>::new());
    let id = fixture.text("A", "2026-07-01T12:00:00Z").await;
    fixture
        .run("update chat_messages set status = 'sent'; update chat_messages set status = 'read'")
        .await;
    let (changes, after) = fixture.since(&before).await;
    assert_eq!(kinds(&changes), ["message.created"]);
    let change = &changes[0];
    assert_eq!(change["message"], fixture.message(id).await);
    assert_eq!(change["message"]["status"], "read");
    assert_eq!(
        (&change["id"], &change["conversation_id"]),
        (&json!(id), &json!(fixture.conversation))
    );
    assert_eq!(change["message_id"], change["message"]["message_id"]);
    assert!(change["version"].is_i64() && change["cursor"].is_string());
    for absent in ["conversation", "phone_number", "phone_number_id"] {
        assert!(change[absent].is_null(), "{absent}");
    }
    assert_eq!(fixture.since(&after).await.0, Vec::<Value>::new());
    // A change's own cursor leads behind it.
    assert_eq!(fixture.since(&text(&change["cursor"])).await.0, Vec::<Value>::new());
    fixture.run("update chat_messages set reactions = '[]'").await;
    assert_eq!(kinds(&fixture.since(&after).await.0), ["message.updated"]);
}

#[tokio::test]
async fn files_conversations_and_what_is_gone_are_changes_too() {
    let fixture = Fixture::new().await;
    let id = fixture.text("A", "2026-07-01T12:00:00Z").await;
    fixture
        .run(&format!(
            "insert into chat_media (message_id, wa_media_id) values ({id}, 'm')"
        ))
        .await;
    let cursor = fixture.cursor().await;

    // That somebody tries to fetch it does not show.
    fixture
        .run("update chat_media set attempts = 1, next_try_at = now(), last_error = 'cut'")
        .await;
    let (changes, cursor) = fixture.since(&cursor).await;
    assert_eq!(changes, Vec::<Value>::new());
    fixture.run("update chat_media set state = 'stored', width = 3").await;
    let (changes, cursor) = fixture.since(&cursor).await;
    assert_eq!(kinds(&changes), ["message.updated"]);
    assert_eq!(changes[0]["message"]["media"]["state"], "stored");

    fixture.run("update chat_conversations set unread_count = 7").await;
    let (changes, cursor) = fixture.since(&cursor).await;
    assert_eq!(kinds(&changes), ["conversation.updated"]);
    assert_eq!(changes[0]["conversation"]["unread_count"], 7);
    assert_eq!(changes[0]["conversation_id"], fixture.conversation);

    // Messages move when two conversations become one.
    let other = add_conversation(&fixture.database, WABA, NUMBER, "+15550002").await;
    fixture
        .run(&format!(
            "update chat_messages set conversation_id = {other}; delete from chat_conversations where id = {}",
            fixture.conversation
        ))
        .await;
    let (changes, cursor) = fixture.since(&cursor).await;
    assert_eq!(
        kinds(&changes),
        ["conversation.updated", "message.updated", "conversation.deleted"]
    );
    assert_eq!(changes[1]["message"]["conversation_id"], other);
    assert_eq!(changes[2]["conversation_id"], fixture.conversation);

    fixture.run("delete from chat_messages").await;
    let (changes, cursor) = fixture.since(&cursor).await;
    assert_eq!(kinds(&changes), ["message.deleted"]);
    assert_eq!((&changes[0]["id"], &changes[0]["message"]), (&json!(id), &Value::Null));

    // What came and went is told as gone, whether or not anybody knew it.
    fixture.run(&format!("insert into chat_messages (conversation_id, content) values ({other}, 'x'); delete from chat_conversations where id = {other}")).await;
    assert_eq!(
        kinds(&fixture.since(&cursor).await.0),
        ["message.deleted", "conversation.deleted"]
    );
}

#[tokio::test]
async fn what_shows_a_message_changes_with_it() {
    let fixture = Fixture::new().await;
    let answer = fixture
        .insert("content, sender, reply_to_wa_message_id", "'Yes', 'user', 'wamid.A'")
        .await;
    let cursor = fixture.cursor().await;
    let question = fixture.text("A", "2026-07-01T12:00:00Z").await;
    let (changes, cursor) = fixture.since(&cursor).await;
    assert_eq!(kinds(&changes), ["message.updated", "message.created"]);
    assert_eq!(changes[0]["id"], answer);
    assert_eq!(changes[0]["message"]["reply_to"]["content"], "A");
    fixture
        .run("update chat_conversations set last_message_id = null")
        .await;
    let (_, cursor) = fixture.since(&cursor).await;
    fixture
        .run(&format!("update chat_conversations set last_message_id = {question}"))
        .await;
    let (_, cursor) = fixture.since(&cursor).await;
    fixture
        .run(&format!(
            "update chat_messages set status = 'read', content = 'Edited' where id = {question}"
        ))
        .await;
    let (changes, _) = fixture.since(&cursor).await;
    assert_eq!(
        kinds(&changes),
        ["message.updated", "message.updated", "conversation.updated"]
    );
    assert_eq!(changes[0]["message"]["reply_to"]["content"], "Edited");
    assert_eq!(changes[2]["conversation"]["last_message_status"], "read");
}

#[tokio::test]
async fn numbers_are_told_when_anything_of_them_shows_differently() {
    let fixture = Fixture::new().await;
    // An account without a token has to be connected first, whatever else it lacks.
    fixture.run("update waba_accounts set access_token = 'enc:v1'").await;
    let mut cursor = fixture.cursor().await;
    for (change, field, value) in [
        (
            "update chat_conversations set unread_count = 3",
            "unread_count",
            json!(3),
        ),
        (
            "update phone_numbers set verified_name = 'New'",
            "verified_name",
            json!("New"),
        ),
        (
            "insert into chat_holds (scope, scope_id, reason, next_try_at) values ('account', '900100', 'payment_required', now())",
            "account_status",
            json!("payment_required"),
        ),
        (
            "insert into chat_account_settings values ('900100', 'never')",
            "read_receipts",
            json!("never"),
        ),
    ] {
        fixture.run(change).await;
        let page = fixture.changes(&format!("after={cursor}")).await;
        let told = page["changes"].as_array().unwrap().last().unwrap();
        assert_eq!(told["type"], "phone_number.updated", "{change}");
        assert_eq!(told["phone_number_id"], NUMBER);
        assert_eq!(told["phone_number"][field], value, "{change}");
        cursor = text(&page["next_cursor"]);
        assert_eq!(
            fixture.changes(&format!("after={cursor}")).await["changes"],
            json!([]),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_missed_and_one_that_lasts_holds_nobody_up() {
    let fixture = Fixture::new().await;
    let (early, late) = (
        fixture.text("A", "2026-07-01T12:00:00Z").await,
        fixture.text("B", "2026-07-01T12:00:01Z").await,
    );
    let cursor = fixture.cursor().await;
    let mut client = connect(&fixture.database.url).await;
    let slow = client.transaction().await.unwrap();
    slow.batch_execute(&format!("update chat_messages set status = 'read' where id = {early}"))
        .await
        .unwrap();
    // The slow one's number is the smaller, and it is still running.
    fixture
        .run(&format!("update chat_messages set status = 'read' where id = {late}"))
        .await;
    let (changes, between) = fixture.since(&cursor).await;
    assert_eq!(
        changes.iter().map(|change| &change["id"]).collect::<Vec<_>>(),
        [&json!(late)]
    );
    slow.commit().await.unwrap();
    let (changes, after) = fixture.since(&between).await;
    assert_eq!(
        changes.iter().map(|change| &change["id"]).collect::<Vec<_>>(),
        [&json!(early)]
    );
    assert_eq!(fixture.since(&after).await.0, Vec::<Value>::new());
    // What is undone never happened.
    let undone = client.transaction().await.unwrap();
    undone
        .batch_execute("update chat_messages set status = 'sent'")
        .await
        .unwrap();
    undone.rollback().await.unwrap();
    assert_eq!(fixture.since(&after).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn a_long_absence_comes_in_pages_and_ends_where_it_began_to_be_read() {
    let fixture = Fixture::new().await;
    let cursor = fixture.cursor().await;
    let rows = fixture.texts(25).await;
    let mut client = connect(&fixture.database.url).await;
    let slow = client.transaction().await.unwrap();
    slow.batch_execute(&format!(
        "update chat_messages set content = 'late' where id = {}",
        rows[3]
    ))
    .await
    .unwrap();

    let first = fixture.changes(&format!("after={cursor}&limit=10")).await;
    assert_eq!(first["has_more"], true);
    // Between two pages one transaction ends that began before the first, and another comes and goes.
    slow.commit().await.unwrap();
    fixture
        .run(&format!(
            "update chat_messages set content = 'later' where id = {}",
            rows[20]
        ))
        .await;
    let (mut told, mut page) = (Vec::new(), first);
    loop {
        let changes = page["changes"].as_array().unwrap().iter();
        told.extend(changes.filter_map(|change| change["id"].as_i64()));
        if page["has_more"] == false {
            break;
        }
        let after = text(&page["next_cursor"]);
        page = fixture.changes(&format!("after={after}&limit=10")).await;
    }
    // Each once, in the order of the log; then what the first page could not see.
    let expected: Vec<i64> = rows.iter().copied().chain([rows[3], rows[20]]).collect();
    assert_eq!(told, expected);
    assert_eq!(fixture.since(&text(&page["next_cursor"])).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn a_catch_up_that_is_broken_off_goes_on_to_the_present_or_grows_too_old() {
    let fixture = Fixture::new().await;
    let cursor = fixture.cursor().await;
    fixture.texts(3).await;
    let first = fixture.changes(&format!("after={cursor}&limit=2")).await;
    // A night later.
    let later = fixture.text("later", "2026-07-02T12:00:00Z").await;
    let (changes, _) = fixture.since(&text(&first["next_cursor"])).await;
    assert_eq!(changes.last().unwrap()["id"], later);
    // Its age is that of what its first page saw, however often it was asked since.
    let mut broken_off = Cursor::from_text(first["next_cursor"].as_str().unwrap()).unwrap();
    broken_off.seconds -= 47 * 3600;
    let page = fixture.changes(&format!("after={}", broken_off.to_text())).await;
    let mut next = Cursor::from_text(page["next_cursor"].as_str().unwrap()).unwrap();
    assert_eq!(
        (next.seconds, page["has_more"].as_bool()),
        (broken_off.seconds, Some(true))
    );
    next.seconds -= 2 * 3600;
    let reply = fixture.api.get(&format!("{CHANGES}?after={}", next.to_text())).await;
    reply.refused(410);
}

#[tokio::test]
async fn what_other_programs_do_to_the_tables_is_told_too() {
    let fixture = Fixture::new().await;
    let heir = fixture.database.add_number("900200", "700200").await;
    let api = fixture.api.as_agent(heir);
    let (mine, theirs) = (
        fixture.cursor().await,
        text(&api.get(CHANGES).await.ok()["next_cursor"]),
    );
    fixture
        .run("update chat_conversations set waba_id = '900200', phone_number_id = '700200'")
        .await;
    let (changes, mine) = fixture.since(&mine).await;
    assert_eq!(kinds(&changes), ["conversation.deleted"]);
    let page = api.get(&format!("{CHANGES}?after={theirs}")).await.ok();
    assert_eq!(page["changes"][0]["type"], "conversation.updated");
    fixture.run("truncate chat_messages cascade").await;
    let reply = fixture.api.get(&format!("{CHANGES}?after={mine}")).await;
    assert_eq!(reply.refused(410)["code"], "cursor_expired");
}

#[tokio::test]
async fn a_cursor_that_is_too_old_or_of_another_log_is_gone() {
    let fixture = Fixture::new().await;
    let gone = async |cursor: &str| {
        let reply = fixture.api.get(&format!("{CHANGES}?after={cursor}")).await;
        assert_eq!(reply.refused(410)["code"], "cursor_expired");
    };
    let cursor = fixture.cursor().await;
    let of = |change: fn(&mut Cursor)| {
        let mut cursor = Cursor::from_text(&cursor).unwrap();
        change(&mut cursor);
        cursor.to_text()
    };
    fixture.since(&of(|cursor| cursor.seconds -= 47 * 3600)).await;
    gone(&of(|cursor| cursor.seconds -= 49 * 3600)).await;
    // It saw more than this server has done: a backup was restored.
    gone(&of(|cursor| cursor.seen.next += 1_000_000)).await;
    // What an operator does then.
    let mut client = connect(&fixture.database.url).await;
    shared::db::changes::reset(&mut client).await.unwrap();
    gone(&cursor).await;
    let rest = "select (select count(*) from chat_changes) + (select count(*) from chat_unpublished)";
    assert_eq!(fixture.database.count(rest).await, 0);
    fixture.since(&fixture.cursor().await).await;
}

#[tokio::test]
async fn changes_are_kept_for_three_days() {
    let fixture = Fixture::new().await;
    fixture.texts(3).await;
    fixture
        .run("update chat_changes set changed_at = now() - interval '73 hours'")
        .await;
    let (younger, cursor) = (fixture.text("A", "2026-07-01T12:00:00Z").await, fixture.cursor().await);
    let prune = async |portion| {
        shared::db::changes::prune(&fixture.database.client, portion)
            .await
            .unwrap()
    };
    assert_eq!(fixture.database.count("select count(*) from chat_changes").await, 5);
    assert_eq!(prune(2).await, 2);
    assert_eq!(prune(1000).await, 2);
    assert_eq!(prune(1000).await, 0);
    let left = fixture.database.count("select message_id from chat_changes").await;
    assert_eq!(left, younger);
    fixture.since(&cursor).await;
}

#[tokio::test]
async fn with_an_account_that_changes_hands_both_load_anew() {
    let fixture = Fixture::new().await;
    let heir = fixture.database.add_number("900200", "700200").await;
    let api = fixture.api.as_agent(heir);
    let (mine, theirs) = (
        fixture.cursor().await,
        text(&api.get(CHANGES).await.ok()["next_cursor"]),
    );
    fixture
        .run(&format!(
            "update waba_accounts set user_id = '{heir}' where waba_id = '{WABA}'"
        ))
        .await;
    for (api, cursor) in [(&fixture.api, mine), (&api, theirs)] {
        let reply = api.get(&format!("{CHANGES}?after={cursor}")).await;
        assert_eq!(reply.refused(410)["code"], "cursor_expired");
    }
}

#[tokio::test]
async fn nobody_is_told_of_another_agents() {
    let fixture = Fixture::new().await;
    let other = fixture.database.add_number("900200", "700200").await;
    let api = fixture.api.as_agent(other);
    let cursor = text(&api.get(CHANGES).await.ok()["next_cursor"]);
    fixture.text("A", "2026-07-01T12:00:00Z").await;
    fixture
        .run("update chat_conversations set unread_count = 1; delete from chat_messages")
        .await;
    assert_eq!(
        api.get(&format!("{CHANGES}?after={cursor}")).await.ok()["changes"],
        json!([])
    );
    // Nor by a cursor of somebody else's.
    let cursor = fixture.cursor().await;
    fixture.text("B", "2026-07-01T12:00:00Z").await;
    api.get(&format!("{CHANGES}?after={cursor}")).await.refused(410);
}

#[tokio::test]
async fn what_is_no_cursor_is_named() {
    let fixture = Fixture::new().await;
    for cursor in ["x", "YjEuMQ", "%F0%9F%98%80", "e30", "%00"] {
        fixture
            .api
            .get(&format!("{CHANGES}?after={cursor}"))
            .await
            .refuses_field("after");
    }
    fixture
        .api
        .get(&format!("{CHANGES}?limit=-1"))
        .await
        .refuses_field("limit");
    let stranger = fixture.api.with_authorization(None);
    stranger.get(CHANGES).await.refused(401);
}

/// What a client knows: messages and conversations by id.
type State = BTreeMap<(&'static str, i64), Value>;

fn take(state: &mut State, change: &Value) {
    let id = |name: &str| change[name].as_i64().unwrap();
    match change["type"].as_str().unwrap() {
        "message.created" | "message.updated" => {
            state.insert(("message", id("id")), change["message"].clone());
        }
        "message.deleted" => {
            state.remove(&("message", id("id")));
        }
        "conversation.updated" => {
            state.insert(("conversation", id("conversation_id")), change["conversation"].clone());
        }
        "conversation.deleted" => {
            let gone = id("conversation_id");
            state.retain(|(kind, key), row| {
                !(*kind == "conversation" && *key == gone || *kind == "message" && row["conversation_id"] == gone)
            });
        }
        "phone_number.updated" => {}
        other => panic!("{other}"),
    }
}

/// Writes in transactions of its own that last for a while, so that they commit in any order; some are undone.
async fn write(mut client: Client, seed: u64, conversations: Vec<i64>) {
    let mut random = seed;
    let mut next = |limit: usize| {
        // Numerical Recipes' generator: any will do.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % limit
    };
    for turn in 0..40 {
        let transaction = client.transaction().await.unwrap();
        for _ in 0..=next(3) {
            let conversation = conversations[next(conversations.len())];
            let sql = match next(8) {
                0..4 => format!(
                    "insert into chat_messages (conversation_id, content, sender) values ({conversation}, '{seed}.{turn}', 'user')"
                ),
                // Rows in the order of their ids, or the writers would wait for each other in a circle.
                4 | 5 => format!(
                    "update chat_messages set content = '{seed}.{turn}' where id = (select id from chat_messages where conversation_id = {conversation} order by random() limit 1 for update skip locked)"
                ),
                6 => format!(
                    "delete from chat_messages where id = (select id from chat_messages where conversation_id = {conversation} order by id limit 1 for update skip locked)"
                ),
                _ => format!(
                    "update chat_conversations set unread_count = unread_count + 1 where id = (select id from chat_conversations where id = {conversation} for update skip locked)"
                ),
            };
            transaction.batch_execute(&sql).await.unwrap();
            let pause = std::time::Duration::from_millis(next(6) as u64);
            transaction
                .batch_execute(&format!("select pg_sleep({})", pause.as_secs_f64()))
                .await
                .unwrap();
        }
        if next(10) == 0 {
            transaction.rollback().await.unwrap();
        } else {
            transaction.commit().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_the_changes_of_eight_writers_ends_with_what_the_tables_say() {
    let fixture = Fixture::new().await;
    let mut conversations = vec![fixture.conversation];
    for customer in 2..6 {
        conversations.push(add_conversation(&fixture.database, WABA, NUMBER, &format!("+1555000{customer}")).await);
    }
    let mut cursor = fixture.cursor().await;
    let mut state = State::new();
    let mut writers = tokio::task::JoinSet::new();
    for seed in 1..=8 {
        writers.spawn(write(connect(&fixture.database.url).await, seed, conversations.clone()));
    }
    let (mut pages, mut is_over) = (0, false);
    loop {
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
        let page = fixture.changes(&format!("after={cursor}&limit=7")).await;
        let changes = page["changes"].as_array().unwrap();
        for change in changes {
            take(&mut state, change);
        }
        pages += 1;
        cursor = text(&page["next_cursor"]);
        if page["has_more"] == true {
            continue;
        }
        // This catch-up may have begun before the last writer ended; the next one does not.
        if is_over {
            break;
        }
        is_over = writers.is_empty();
    }
    assert!(pages > 50, "only {pages} pages while the writers wrote");
    let mut stored = State::new();
    let rows = fixture
        .database
        .json("select jsonb_build_array(id, conversation_id, content) from chat_messages")
        .await;
    for row in &rows {
        stored.insert(("message", row[0].as_i64().unwrap()), row.clone());
    }
    let known: State = state
        .iter()
        .filter(|((kind, _), _)| *kind == "message")
        .map(|(key, row)| (*key, json!([row["id"], row["conversation_id"], row["content"]])))
        .collect();
    assert_eq!(known, stored);
    let rows = fixture
        .database
        .json("select jsonb_build_array(id, unread_count) from chat_conversations where unread_count > 0")
        .await;
    for row in rows {
        let key = ("conversation", row[0].as_i64().unwrap());
        assert_eq!(state[&key]["unread_count"], row[1]);
    }
}
