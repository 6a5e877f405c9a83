//! An agent with one business phone number, and conversations on it.

use conversations::{App, service};
use serde_json::{Value, json};
use shared::db::Database;
use shared::testing::TestDatabase;
use shared::testing::api::{Api, authenticator};
use shared::testing::sockets::no_sockets;
use shared::testing::sqs::SqsStub;
use uuid::Uuid;

/// The agent's account and phone number.
pub(crate) const WABA: &str = "900100";
pub(crate) const NUMBER: &str = "700100";

/// The list, without parameters.
pub(crate) const LIST: &str = "/api/live-chat/conversations";

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) agent: Uuid,
    pub(crate) api: Api,
    pub(crate) sqs: SqsStub,
}

/// The service, with the queue that it asks for read receipts.
pub(crate) async fn api(database: Database, agent: Uuid) -> (Api, SqsStub) {
    let (sqs, outbox) = SqsStub::start().await;
    let app = App {
        realtime: no_sockets(database.clone()),
        database,
        authenticator: authenticator(),
        outbox,
    };
    (Api::new(service(app), agent), sqs)
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::migrated().await;
        let agent = database.add_number(WABA, NUMBER).await;
        let (api, sqs) = api(database.pool(), agent).await;
        Self {
            database,
            agent,
            api,
            sqs,
        }
    }

    /// A conversation of the agent's number; `at` is the time of its last message.
    pub(crate) async fn conversation(&self, customer: &str, at: &str) -> i64 {
        self.insert(&format!(
            "(waba_id, phone_number_id, customer_phone, last_message_time) values ('{WABA}', '{NUMBER}', '{customer}', '{at}')"
        ))
        .await
    }

    /// A conversation from columns and values.
    pub(crate) async fn insert(&self, columns_and_values: &str) -> i64 {
        self.database
            .count(&format!(
                "insert into chat_conversations {columns_and_values} returning id"
            ))
            .await
    }

    /// One conversation of each minute of an hour, the first is the oldest.
    pub(crate) async fn conversations(&self, count: usize) -> Vec<i64> {
        assert!(count <= 60);
        let mut ids = Vec::new();
        for minute in 0..count {
            ids.push(
                self.conversation(&format!("+1555{minute:06}"), &format!("2026-07-01T12:{minute:02}:00Z"))
                    .await,
            );
        }
        ids
    }

    /// Somebody else with a number and a conversation on it: the agent, the number's id, the conversation's id.
    pub(crate) async fn stranger(&self) -> (Uuid, &'static str, i64) {
        let stranger = self.database.add_number("900999", "700999").await;
        let id = self
            .insert(
                "(waba_id, phone_number_id, customer_phone, unread_count) values ('900999', '700999', '+15550999', 7)",
            )
            .await;
        (stranger, "700999", id)
    }

    pub(crate) async fn list(&self, query: &str) -> Value {
        self.api.get(&format!("{LIST}?{query}")).await.ok()
    }

    pub(crate) async fn one(&self, id: i64) -> Value {
        self.api.get(&format!("{LIST}/{id}")).await.ok()["conversation"].clone()
    }
}

/// The ids of a page.
pub(crate) fn ids(page: &Value) -> Vec<i64> {
    let conversations = page["conversations"].as_array().expect("a list");
    conversations
        .iter()
        .map(|conversation| conversation["id"].as_i64().expect("an id"))
        .collect()
}

/// The names of an object's fields, sorted.
pub(crate) fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// The fields of a conversation, sorted.
pub(crate) const CONVERSATION_FIELDS: [&str; 20] = [
    "created_at",
    "customer_name",
    "customer_phone",
    "customer_user_id",
    "customer_username",
    "id",
    "last_message",
    "last_message_sender",
    "last_message_status",
    "last_message_time",
    "last_message_type",
    "marketing_opted_out_at",
    "needs_reply",
    "phone_number_id",
    "status",
    "unread_count",
    "updated_at",
    "waba_id",
    "waiting_since",
    "window_expires_at",
];

/// A webhook in which a customer of the agent writes a text.
pub(crate) fn text_webhook(phone: &str, name: &str, wamid: &str, time: i64, body: &str) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER},
        "contacts": [{"wa_id": phone, "profile": {"name": name}}],
        "messages": [{"from": phone, "id": wamid, "timestamp": time.to_string(), "type": "text", "text": {"body": body}}]
    }}]}]})
}
