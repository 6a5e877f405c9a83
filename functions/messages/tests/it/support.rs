//! An agent with one conversation, and messages in it.

use messages::{App, service};
use serde_json::Value;
use shared::db::Database;
use shared::edge::storage::Storage;
use shared::testing::TestDatabase;
use shared::testing::api::{Api, Reply, authenticator};
use shared::testing::emulated_aws;
use shared::testing::sqs::SqsStub;
use uuid::Uuid;

/// The agent's account and phone number.
pub(crate) const WABA: &str = "900100";
pub(crate) const NUMBER: &str = "700100";

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) agent: Uuid,
    pub(crate) conversation: i64,
    pub(crate) api: Api,
    /// The queue of triggers for files.
    pub(crate) sqs: SqsStub,
    /// The bucket with the files.
    pub(crate) bucket: String,
}

pub(crate) async fn api(database: Database, agent: Uuid) -> Api {
    api_with(database, agent, "unused").await.0
}

async fn api_with(database: Database, agent: Uuid, bucket: &str) -> (Api, SqsStub) {
    let (sqs, media_queue) = SqsStub::start().await;
    let app = App {
        http: shared::http::App {
            database,
            authenticator: authenticator(),
        },
        storage: Storage::new(&emulated_aws().await, bucket.to_owned()),
        media_queue,
    };
    (Api::new(service(app), agent), sqs)
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::migrated().await;
        let agent = database.add_number(WABA, NUMBER).await;
        let conversation = add_conversation(&database, WABA, NUMBER, "+15550001").await;
        let bucket = format!("media-{}", Uuid::new_v4());
        let (api, sqs) = api_with(database.pool(), agent, &bucket).await;
        Self {
            database,
            agent,
            conversation,
            api,
            sqs,
            bucket,
        }
    }

    /// A message from further columns and their values, as SQL.
    pub(crate) async fn insert(&self, columns: &str, values: &str) -> i64 {
        let conversation = self.conversation;
        let sql = format!(
            "insert into chat_messages (conversation_id, {columns}) values ({conversation}, {values}) returning id"
        );
        self.database.count(&sql).await
    }

    /// A text of the customer; its wamid is `wamid.` and this name.
    pub(crate) async fn text(&self, name: &str, at: &str) -> i64 {
        self.insert(
            r#"message_id, wa_message_id, content, sender, status, "timestamp""#,
            &format!("gen_random_uuid()::text, 'wamid.{name}', '{name}', 'customer', 'delivered', '{at}'"),
        )
        .await
    }

    /// One text of each second of a minute, the first is the oldest.
    pub(crate) async fn texts(&self, count: usize) -> Vec<i64> {
        assert!(count <= 60);
        let mut ids = Vec::new();
        for second in 0..count {
            ids.push(
                self.text(&second.to_string(), &format!("2026-07-01T12:00:{second:02}Z"))
                    .await,
            );
        }
        ids
    }

    pub(crate) async fn ask(&self, query: &str) -> Reply {
        let conversation = self.conversation;
        self.api
            .get(&format!(
                "/api/live-chat/messages?conversation_id={conversation}&{query}"
            ))
            .await
    }

    pub(crate) async fn page(&self, query: &str) -> Value {
        self.ask(query).await.ok()
    }

    /// The message with this id.
    pub(crate) async fn message(&self, id: i64) -> Value {
        let page = self.page(&format!("around={id}&limit=100")).await;
        let messages = page["messages"].as_array().expect("a list");
        messages
            .iter()
            .find(|message| message["id"] == id)
            .expect("it is in its own page")
            .clone()
    }
}

pub(crate) async fn add_conversation(database: &TestDatabase, waba: &str, number: &str, customer: &str) -> i64 {
    let sql = format!(
        "insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('{waba}', '{number}', '{customer}')
         returning id"
    );
    database.count(&sql).await
}

/// The ids of a page.
pub(crate) fn ids(page: &Value) -> Vec<i64> {
    let messages = page["messages"].as_array().expect("a list");
    messages
        .iter()
        .map(|message| message["id"].as_i64().expect("an id"))
        .collect()
}

/// The newest `count` of rows that were made oldest first, without the newest `skip`, newest first.
pub(crate) fn newest(rows: &[i64], skip: usize, count: usize) -> Vec<i64> {
    rows.iter().rev().skip(skip).take(count).copied().collect()
}
