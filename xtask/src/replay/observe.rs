//! What the stack shows and keeps: its API as an agent's client reads it, page by page, and the tables that no API shows.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio_postgres::Client;

use super::items;
use super::judge::{ApiMessage, Event, Observed, Shown};
use crate::stack::StackFile;

/// Rows a page; the API gives no more.
const PAGE: &str = "100";

/// Reads everything about these phone numbers.
///
/// # Errors
/// When the API or the database does not answer.
pub(super) async fn observe(stack: &StackFile, database: &Client, numbers: &HashSet<String>) -> Result<Observed> {
    let api = Api {
        http: reqwest::Client::new(),
        stack,
    };
    let known = stack.get(&api.http, "phone-numbers", &[]).await?;
    let known = known["phone_numbers"].as_array().into_iter().flatten();
    let known: HashSet<String> = known
        .filter_map(|number| Some(number["phone_number_id"].as_str()?.to_owned()))
        .collect();
    let mut messages: HashMap<(String, String), Vec<Shown>> = HashMap::new();
    for number in numbers.intersection(&known) {
        for conversation in api
            .pages("conversations", ("phone_number_id", number), "cursor")
            .await?
        {
            let text = |name: &str| conversation[name].as_str().map(str::to_owned);
            let id = conversation["id"]
                .as_i64()
                .context("a conversation without an id")?
                .to_string();
            for message in api.pages("messages", ("conversation_id", &id), "before").await? {
                let message: ApiMessage = serde_json::from_value(message).context("a message of another shape")?;
                let wamid = message.wa_message_id.clone().unwrap_or_default();
                messages.entry((number.clone(), wamid)).or_default().push(Shown {
                    customer_phone: text("customer_phone"),
                    customer_user_id: text("customer_user_id"),
                    message,
                });
            }
        }
    }
    Ok(Observed {
        numbers: known,
        messages,
        events: events(database, numbers).await?,
        quarantined: quarantined(database, numbers).await?,
        customers: customers(database).await?,
    })
}

/// The API as the demo agent.
struct Api<'a> {
    http: reqwest::Client,
    stack: &'a StackFile,
}

impl Api<'_> {
    /// The rows of all pages of a list.
    async fn pages(&self, route: &str, of: (&str, &str), cursor_name: &str) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![of, ("limit", PAGE)];
            query.extend(cursor.as_deref().map(|cursor| (cursor_name, cursor)));
            let mut page = self.stack.get(&self.http, route, &query).await?;
            match page[route].take() {
                Value::Array(more) => rows.extend(more),
                _ => bail!("GET {route} was answered without a list"),
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }
}

async fn events(database: &Client, numbers: &HashSet<String>) -> Result<Vec<Event>> {
    const FIND: &str = "
        select phone_number_id, kind, wa_message_id, event_wamid, sender, status, occurred_at from chat_message_events
        where phone_number_id = any($1)";
    let numbers: Vec<&String> = numbers.iter().collect();
    let rows = database.query(FIND, &[&numbers]).await?;
    rows.iter()
        .map(|row| {
            Ok(Event {
                phone_number_id: row.try_get(0)?,
                kind: row.try_get(1)?,
                target: row.try_get(2)?,
                wamid: row.try_get(3)?,
                sender: row.try_get(4)?,
                status: row.try_get(5)?,
                occurred_at: row.try_get(6)?,
            })
        })
        .collect()
}

/// The reasons by the keys of what the rows hold.
async fn quarantined(database: &Client, numbers: &HashSet<String>) -> Result<HashMap<String, Vec<String>>> {
    const FIND: &str = "
        select reason, body from chat_quarantine where phone_number_id = any($1) or phone_number_id is null order by id";
    let numbers: Vec<&String> = numbers.iter().collect();
    let mut quarantined: HashMap<String, Vec<String>> = HashMap::new();
    for row in database.query(FIND, &[&numbers]).await? {
        let (reason, body): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        for key in std::str::from_utf8(&body).map(items::keys).unwrap_or_default() {
            quarantined.entry(key).or_default().push(reason.clone());
        }
    }
    Ok(quarantined)
}

async fn customers(database: &Client) -> Result<HashMap<String, HashSet<i64>>> {
    let mut customers: HashMap<String, HashSet<i64>> = HashMap::new();
    for row in database
        .query("select value, customer_id from chat_customer_ids", &[])
        .await?
    {
        customers.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
    }
    Ok(customers)
}
