//! Webhooks as Meta posts them, and the SQS events that carry them.

use aws_lambda_events::sqs::SqsMessage;
use consumer::App;
use serde_json::{Value, json};
use shared::testing::TestDatabase;
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
        let app = App {
            database: database.pool(),
            queue,
            media_queue,
        };
        Self {
            database,
            app,
            sqs,
            media_sqs,
        }
    }

    /// Consumes bodies as one batch; the ids of the records that are given back.
    pub(crate) async fn consume(&self, bodies: &[String]) -> Vec<String> {
        let response = consumer::handle(&self.app, records(bodies)).await;
        response
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect()
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
