//! The client of `web/`, against eight writers and a network that cuts, delays and reorders: in the end it knows what the server knows.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::edge::sockets::Sockets;
use shared::realtime::Realtime;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_postgres::Client;

use crate::stack::Stack;
use crate::tenants::token;

const WRITERS: u64 = 8;
/// Of each writer; in all at least 2,000 changes.
const TURNS: usize = 250;
const CONVERSATIONS: usize = 12;

/// The client, as a process of its own.
struct Mirror {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Mirror {
    fn start(stack: &Stack, token: &str, seed: u64) -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/dist/mirror_process.js");
        let mut process = Command::new("node")
            .arg(program)
            .env("API_URL", stack.get("api_url"))
            .env("TOKEN", token)
            .env("SEED", seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("`cargo xtask test` built web/ and found Node.js");
        Self {
            commands: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()).lines(),
            _process: process,
        }
    }

    async fn command(&mut self, command: &str) -> Value {
        self.commands
            .write_all(format!("{command}\n").as_bytes())
            .await
            .unwrap();
        let answer = tokio::time::timeout(Duration::from_mins(5), self.answers.next_line()).await;
        let line = answer
            .expect("an answer within five minutes")
            .unwrap()
            .expect("the client lives");
        serde_json::from_str(&line).unwrap()
    }
}

/// An agent of this test alone.
struct Agent {
    token: String,
    waba: String,
    number: String,
}

impl Agent {
    async fn new(stack: &Stack, database: &Client) -> Self {
        let user = uuid::Uuid::new_v4();
        let waba = format!("91{}", uuid::Uuid::new_v4().as_u128() % 1_000_000_000_000);
        let number = format!("71{}", uuid::Uuid::new_v4().as_u128() % 1_000_000_000_000);
        database
            .batch_execute(&format!(
                "insert into users (id) values ('{user}');
                 insert into waba_accounts (waba_id, user_id) values ('{waba}', '{user}');
                 insert into phone_numbers (waba_id, phone_number_id, display_phone_number, verified_name, is_registered)
                 values ('{waba}', '{number}', '+1 555 0199', 'Mirrored', true)"
            ))
            .await
            .unwrap();
        let exp = Timestamp::now().as_second() + 3600;
        Self {
            token: token(stack, &json!({"sub": user, "exp": exp})),
            waba,
            number,
        }
    }

    async fn ask(&self, stack: &Stack, path: &str) -> Value {
        let (status, reply) = stack.call(&self.token, Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path} {reply}");
        reply
    }

    /// All pages of a list.
    async fn all(&self, stack: &Stack, path: &str, name: &str, cursor: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.ask(stack, &format!("{path}&limit=100&{cursor}={next}")).await;
            rows.extend(page[name].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(cursor) => cursor.clone_into(&mut next),
                None => return rows,
            }
        }
    }

    /// What the server knows, as the client says it.
    async fn server(&self, stack: &Stack) -> Value {
        let by = |rows: &[Value], id: &str| -> BTreeMap<String, Value> {
            let key = |row: &Value| row[id].as_str().map_or_else(|| row[id].to_string(), str::to_owned);
            rows.iter().map(|row| (key(row), row.clone())).collect()
        };
        let conversations = self
            .all(stack, "/api/live-chat/conversations?", "conversations", "cursor")
            .await;
        let mut messages = Vec::new();
        for conversation in &conversations {
            let path = format!("/api/live-chat/messages?conversation_id={}", conversation["id"]);
            messages.extend(self.all(stack, &path, "messages", "before").await);
        }
        let numbers = self.ask(stack, "/api/live-chat/phone-numbers").await;
        let numbers = numbers["phone_numbers"].as_array().unwrap();
        json!({"conversations": by(&conversations, "id"), "messages": by(&messages, "id"), "phone_numbers": by(numbers, "phone_number_id")})
    }
}

/// Numerical Recipes' generator: any will do.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Writes in transactions that overlap and commit in any order, and tells of each as the functions do.
async fn write(mut client: Client, realtime: Realtime, agent: (String, String), seed: u64) {
    let mut random = Random(seed);
    let (waba, number) = agent;
    for turn in 0..TURNS {
        let transaction = client.transaction().await.unwrap();
        // Rows that somebody else holds are left alone, or the writers would wait for each other in a circle.
        let conversation = format!(
            "(select id from chat_conversations where waba_id = '{waba}' order by md5(id::text || '{seed}.{turn}') limit 1)"
        );
        let some = |what: &str| {
            format!(
                "(select m.id from chat_messages m where m.conversation_id = {conversation} {what} limit 1 for update skip locked)"
            )
        };
        for _ in 0..=random.below(2) {
            let sql = match random.below(12) {
                0..5 => format!(
                    "insert into chat_messages (conversation_id, message_id, wa_message_id, content, sender, status, \"timestamp\", reply_to_wa_message_id)
                     select id, gen_random_uuid()::text, 'wamid.{seed}.{turn}', 'Text {turn}', 'customer', 'delivered', now(), 'wamid.{}.{}'
                     from chat_conversations where id = {conversation} on conflict do nothing",
                    random.below(8) + 1,
                    random.below(turn + 1)
                ),
                5 | 6 => format!("update chat_messages set status = 'read', read_at = now() where id = {}", some("order by random()")),
                7 => format!(
                    "update chat_messages set reactions = '[{{\"emoji\":\"👍\",\"sender\":\"user\",\"timestamp\":\"2026-07-01T12:00:00Z\"}}]' where id = {}",
                    some("order by random()")
                ),
                8 => format!("update chat_messages set content = 'Edited {turn}', edited_at = now() where id = {}", some("order by random()")),
                9 => format!("delete from chat_messages where id = {}", some("order by m.id")),
                10 => format!(
                    "update chat_conversations set unread_count = unread_count + 1, updated_at = now(),
                       last_message_id = (select max(id) from chat_messages m where m.conversation_id = chat_conversations.id)
                     where id = (select id from chat_conversations where id = {conversation} for update skip locked)"
                ),
                _ if random.below(4) == 0 => format!(
                    "delete from chat_conversations where id = (select id from chat_conversations where id = {conversation} for update skip locked);
                     insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('{waba}', '{number}', '+1666{seed:02}{turn:04}')"
                ),
                _ => format!("update chat_messages set deleted_at = now(), content = null where id = {}", some("order by random()")),
            };
            // A conversation may go while somebody writes into it: then nothing of this turn happens.
            if transaction.batch_execute(&sql).await.is_err() {
                break;
            }
            let pause = random.below(20);
            if transaction
                .batch_execute(&format!("select pg_sleep({pause}e-3)"))
                .await
                .is_err()
            {
                break;
            }
        }
        let ended = if random.below(12) == 0 {
            transaction.rollback().await
        } else {
            transaction.commit().await
        };
        ended.unwrap();
        // Some die before they tell.
        if random.below(10) > 0 {
            realtime.publish().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_at_random_ends_with_what_the_server_knows() {
    let stack = Stack::open();
    let database = stack.database().await;
    let settings = shared::db::settings::Settings::from_url(stack.get("database_url")).unwrap();
    let realtime = Realtime {
        database: shared::db::Database::new(settings, 4),
        sockets: Sockets::new(
            &stack.aws().await,
            &stack.get("websocket_url").replacen("ws:", "http:", 1),
        ),
        patience: Duration::from_secs(5),
    };
    for seed in [1, 2] {
        let agent = Agent::new(&stack, &database).await;
        let fill = format!(
            "insert into chat_conversations (waba_id, phone_number_id, customer_phone)
             select '{}', '{}', '+1555' || n from generate_series(1, {CONVERSATIONS}) n",
            agent.waba, agent.number
        );
        database.batch_execute(&fill).await.unwrap();
        let before: i64 = database
            .query_one("select count(*) from chat_changes", &[])
            .await
            .unwrap()
            .get(0);
        let mut mirror = Mirror::start(&stack, &agent.token, seed);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 1..=WRITERS {
            let names = (agent.waba.clone(), agent.number.clone());
            writers.spawn(write(
                stack.database().await,
                realtime.clone(),
                names,
                seed * 100 + writer,
            ));
        }
        while let Some(ended) = writers.join_next().await {
            ended.unwrap();
        }
        let settled = mirror.command("settle").await;
        assert_eq!(settled["settled"], true, "{settled}");
        let after: i64 = database
            .query_one("select count(*) from chat_changes", &[])
            .await
            .unwrap()
            .get(0);
        println!("seed {seed}: {} changes; {settled}", after - before);
        assert!(after - before >= 2_000, "only {} changes", after - before);
        let trouble = ["cuts", "offline"].map(|name| settled[name].as_i64().unwrap());
        assert!(
            trouble.iter().sum::<i64>() >= 3 && settled["frames"].as_i64() > Some(0),
            "{settled}"
        );
        let (known, server) = (mirror.command("dump").await, agent.server(&stack).await);
        for kind in ["conversations", "messages", "phone_numbers"] {
            let (known, server) = (known[kind].as_object().unwrap(), server[kind].as_object().unwrap());
            assert!(!server.is_empty(), "{kind}");
            let ids =
                |one: &serde_json::Map<String, Value>| one.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(ids(known), ids(server), "seed {seed}: {kind}");
            for (id, row) in server {
                assert_eq!(known[id], *row, "seed {seed}: {kind} {id}");
            }
        }
    }
}
