//! Webhooks as Meta posts them, and the SQS events that carry them.

use aws_lambda_events::sqs::SqsMessage;
use consumer::App;
use serde_json::{Value, json};
use shared::db::Database;
use shared::db::retention::Retention;
use shared::db::settings::Settings;
use shared::testing::TestDatabase;
use shared::testing::proxy::Proxy;
use shared::testing::sockets::no_sockets;
use shared::testing::sqs::SqsStub;

/// The account and the number that tests write to.
pub(crate) const WABA: &str = "900100";
pub(crate) const NUMBER: &str = "700100";
/// A time on the first of July 2026.
pub(crate) const NOON: i64 = 1_782_907_200;

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) app: App,
    pub(crate) sqs: SqsStub,
    pub(crate) media_sqs: SqsStub,
    pub(crate) outbox_sqs: SqsStub,
}

impl Fixture {
    /// A database with one number, and a consumer.
    pub(crate) async fn new() -> Self {
        let fixture = Self::empty().await;
        fixture.database.add_number(WABA, NUMBER).await;
        fixture
    }

    /// A database without any number, and a consumer.
    pub(crate) async fn empty() -> Self {
        let database = TestDatabase::migrated().await;
        let (sqs, queue) = SqsStub::start().await;
        let (media_sqs, media_queue) = SqsStub::start().await;
        let (outbox_sqs, outbox_queue) = SqsStub::start().await;
        let app = App {
            realtime: no_sockets(database.pool()),
            database: database.pool(),
            queue,
            media_queue,
            outbox_queue,
            retention: Retention::FOREVER,
        };
        Self {
            database,
            app,
            sqs,
            media_sqs,
            outbox_sqs,
        }
    }

    /// Consumes bodies as one batch; the ids of the records that are given back.
    pub(crate) async fn consume(&self, bodies: &[String]) -> Vec<String> {
        consume(&self.app, bodies).await
    }

    /// This consumer with its connections to the database through a proxy.
    pub(crate) async fn behind_a_proxy(&self) -> (Proxy, App) {
        let (proxy, url) = Proxy::before(&self.database.url).await;
        let settings = Settings::from_url(&url).expect("the URL is well-formed");
        let database = Database::new(settings, 1);
        (
            proxy,
            App {
                database,
                ..self.app.clone()
            },
        )
    }

    pub(crate) async fn messages(&self) -> Vec<Value> {
        self.database
            .json(
                r#"select jsonb_build_object('wamid', wa_message_id, 'type', message_type, 'content', content, 'caption', media_caption,
                     'sender', sender, 'status', status, 'time', extract(epoch from "timestamp")::bigint)
                   from chat_messages order by "timestamp", wa_message_id collate "C""#,
            )
            .await
    }

    pub(crate) async fn conversations(&self) -> Vec<Value> {
        self.database
            .json(
                "select jsonb_build_object('phone', customer_phone, 'user_id', customer_user_id, 'name', customer_name,
                   'username', customer_username, 'last', last_message, 'unread', unread_count, 'status', status)
                 from chat_conversations order by customer_phone",
            )
            .await
    }

    /// Reasons of the quarantine, sorted.
    pub(crate) async fn quarantine(&self) -> Vec<Value> {
        self.database
            .json("select to_jsonb(reason) from chat_quarantine order by reason, digest")
            .await
    }
}

/// Consumes bodies as one batch; the ids of the records that are given back.
pub(crate) async fn consume(app: &App, bodies: &[String]) -> Vec<String> {
    let response = consumer::handle(app, records(bodies)).await;
    let failures = response.batch_item_failures.into_iter();
    failures.map(|failure| failure.item_identifier).collect()
}

/// A record of SQS for each body.
pub(crate) fn records(bodies: &[String]) -> Vec<SqsMessage> {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| {
            json!({"messageId": format!("record-{index}"), "receiptHandle": format!("receipt-{index}"), "body": body,
                   "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": (NOON * 1000 + 5).to_string()},
                   "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1"})
        })
        .collect();
    serde_json::from_value(json!(records)).expect("the shape of SQS")
}

/// A webhook with one change about any number and field.
pub(crate) fn change(waba: &str, number: &str, field: &str, time: i64, rest: &Value) -> String {
    let mut value = json!({"messaging_product": "whatsapp",
                           "metadata": {"display_phone_number": "15550100", "phone_number_id": number}});
    value
        .as_object_mut()
        .expect("an object")
        .extend(rest.as_object().cloned().unwrap_or_default());
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": waba, "time": time, "changes": [{"field": field, "value": value}]}]})
    .to_string()
}

/// A webhook of each kind that names a customer: a message with and without a file, a status, what is done to messages, an echo, a history,
/// a contact of the address book, a preference.
pub(crate) fn one_of_each(waba: &str, number: &str) -> Vec<String> {
    let item = |id: &str, seconds: i64, kind: &str, body: Value| json!({"from": "15550111", "id": id, "timestamp": (NOON + seconds).to_string(), "type": kind, kind: body});
    let own = |id: &str, seconds: i64, kind: &str, body: Value| json!({"from": "15550100", "to": "15550111", "id": id, "timestamp": (NOON + seconds).to_string(), "type": kind, kind: body});
    let contacts = json!([{"wa_id": "15550111", "profile": {"name": "Ana"}}]);
    let live = |message: Value| ("messages", json!({"contacts": contacts, "messages": [message]}));
    let image = json!({"id": "M1", "mime_type": "image/png", "sha256": "aGFzaA==", "caption": "Look"});
    let edit = json!({"original_message_id": "wamid.text", "message": {"type": "text", "text": {"body": "Hello!"}}});
    let old = json!([{"from": "15550122", "id": "wamid.old", "timestamp": (NOON - 99_000).to_string(), "type": "text", "text": {"body": "Long ago"}}]);
    let all = [
        live(item("wamid.text", 0, "text", json!({"body": "Hello"}))),
        live(item("wamid.image", 1, "image", image)),
        live(item("wamid.gone", 2, "text", json!({"body": "A slip"}))),
        (
            "messages",
            json!({"statuses": [{"id": "wamid.echo", "status": "read", "timestamp": (NOON + 9).to_string(), "recipient_id": "15550111"}]}),
        ),
        live(item(
            "wamid.heart",
            3,
            "reaction",
            json!({"message_id": "wamid.text", "emoji": "❤️"}),
        )),
        live(item("wamid.edit", 4, "edit", edit)),
        live(item(
            "wamid.revoke",
            5,
            "revoke",
            json!({"original_message_id": "wamid.gone"}),
        )),
        (
            "smb_message_echoes",
            json!({"message_echoes": [own("wamid.echo", 6, "text", json!({"body": "From the phone"}))]}),
        ),
        (
            "history",
            json!({"history": [{"metadata": {"phase": 0}, "threads": [{"id": "15550122", "messages": old}]}]}),
        ),
        (
            "smb_app_state_sync",
            json!({"state_sync": [{"type": "contact", "action": "add", "contact": {"phone_number": "15550111", "full_name": "Ana Lima"},
                                   "metadata": {"timestamp": (NOON + 7).to_string()}}]}),
        ),
        (
            "user_preferences",
            json!({"user_preferences": [{"wa_id": "15550111", "category": "marketing_messages", "value": "stop", "timestamp": NOON + 8}]}),
        ),
    ];
    let webhooks = all.iter().map(|(field, rest)| change(waba, number, field, NOON, rest));
    webhooks.collect()
}

/// A webhook with one change of messages.
pub(crate) fn webhook(value: &Value) -> String {
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": WABA, "changes": [{"field": "messages", "value": value}]}]})
    .to_string()
}

/// The value of a change about [`NUMBER`].
pub(crate) fn value(rest: Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
                           "metadata": {"display_phone_number": "15550100", "phone_number_id": NUMBER}});
    value
        .as_object_mut()
        .expect("an object")
        .extend(rest.as_object().cloned().unwrap_or_default());
    value
}

/// A webhook with one message of this customer.
pub(crate) fn message(phone: &str, name: &str, message: Value) -> String {
    let mut full = json!({"from": phone});
    full.as_object_mut()
        .expect("an object")
        .extend(message.as_object().cloned().unwrap_or_default());
    webhook(&value(
        json!({"contacts": [{"wa_id": phone, "profile": {"name": name}}], "messages": [full]}),
    ))
}

pub(crate) fn text(phone: &str, wamid: &str, time: i64, body: &str) -> String {
    message(
        phone,
        "Ana",
        json!({"id": wamid, "timestamp": time.to_string(), "type": "text", "text": {"body": body}}),
    )
}

/// A webhook with one status.
pub(crate) fn status(wamid: &str, status: &str, time: i64) -> String {
    webhook(&value(
        json!({"statuses": [{"id": wamid, "status": status, "timestamp": time.to_string(), "recipient_id": "15550111"}]}),
    ))
}
