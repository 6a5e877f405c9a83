//! What the API shows of what was consumed, to whoever owns the account.

use crate::support::Fixture;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db::{accounts, conversations, messages};
use shared::domain::page::Seek;
use uuid::Uuid;

/// More than any test consumes.
const ALL: i64 = 10_000;

/// Every conversation, the oldest first.
pub(crate) async fn conversations(fixture: &Fixture) -> Vec<Value> {
    let rows = owned(fixture).await;
    let mut shown = Vec::new();
    for (owner, id) in rows {
        let conversation = conversations::find(&fixture.database.client, owner, id).await.unwrap();
        shown.push(json!(conversation.expect("it is the owner's")));
    }
    shown
}

/// The messages of all conversations in the order of their times.
pub(crate) async fn messages(fixture: &Fixture) -> Vec<Value> {
    let mut shown = Vec::new();
    for (owner, id) in owned(fixture).await {
        let page = messages::list(&fixture.database.client, owner, id, Seek::Newest, ALL).await;
        for message in page.unwrap().rows {
            let alone = messages::find(&fixture.database.client, owner, message.id)
                .await
                .unwrap();
            assert_eq!(json!(alone), json!(message));
            shown.push(message);
        }
    }
    shown.sort_by_key(|message| (message.timestamp, message.wa_message_id.clone()));
    shown.iter().map(|message| json!(message)).collect()
}

/// The message with this wamid.
pub(crate) async fn message(fixture: &Fixture, wamid: &str) -> Value {
    let all = messages(fixture).await;
    let found = all.into_iter().find(|message| message["wa_message_id"] == wamid);
    found.unwrap_or_else(|| panic!("no message {wamid}"))
}

/// The only conversation.
pub(crate) async fn conversation(fixture: &Fixture) -> Value {
    let mut all = conversations(fixture).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// The numbers of the account's owner.
pub(crate) async fn numbers(fixture: &Fixture, waba_id: &str, now: Timestamp) -> Vec<Value> {
    let owner = owner(fixture, waba_id).await;
    let numbers = accounts::list_numbers(&fixture.database.client, owner, now)
        .await
        .unwrap();
    numbers.iter().map(|number| json!(number)).collect()
}

/// The account's user.
pub(crate) async fn owner(fixture: &Fixture, waba_id: &str) -> Uuid {
    let sql = "select user_id from waba_accounts where waba_id = $1";
    let row = fixture.database.client.query_one(sql, &[&waba_id]).await.unwrap();
    row.get(0)
}

/// The named members of a value.
pub(crate) fn pick(value: &Value, keys: &[&str]) -> Value {
    let members = keys.iter().map(|key| ((*key).to_owned(), value[*key].clone()));
    Value::Object(members.collect())
}

/// A time as the API writes it.
pub(crate) fn time(seconds: i64) -> Value {
    json!(Timestamp::from_second(seconds).unwrap())
}

async fn owned(fixture: &Fixture) -> Vec<(Uuid, i64)> {
    let sql =
        "select a.user_id, c.id from chat_conversations c join waba_accounts a on a.waba_id = c.waba_id order by c.id";
    let rows = fixture.database.client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
