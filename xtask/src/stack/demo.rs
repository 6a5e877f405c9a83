//! Demo data: an agent, one account with two numbers, and a few conversations that simulated customers begin.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Value, json};
use simulator::Number;
use tokio_postgres::Client;

use super::wait;

/// The agent who owns the demo account.
pub(super) const USER_ID: &str = "00000000-0000-4000-8000-000000000001";
/// The demo account.
pub(super) const WABA_ID: &str = "100000000000001";
/// The first of its two numbers.
pub(super) const PHONE_NUMBER_ID: &str = "200000000000001";

const NUMBERS: [(&str, &str, &str); 2] = [
    (PHONE_NUMBER_ID, "+1 555-010-0001", "Lucky Shrub"),
    ("200000000000002", "+1 555-010-0002", "Lucky Shrub Support"),
];

/// What customers write, oldest first.
const MESSAGES: [Message; 5] = [
    Message::new(1, "15550200103", "Chiara Lindqvist", 180, "Grazie mille!"),
    Message::new(0, "15550200101", "Ada Moreno", 42, "Hi! Do you ship succulents abroad?"),
    Message::new(0, "15550200101", "Ada Moreno", 41, "To Portugal, that is 🌵"),
    Message::new(
        0,
        "15550200102",
        "Bashir Okafor",
        12,
        "My order 1042 has not arrived yet.",
    ),
    Message::new(
        1,
        "15550200103",
        "Chiara Lindqvist",
        3,
        "One more question: how often should I water it?",
    ),
];

struct Message {
    /// Which of our numbers it goes to.
    number: usize,
    customer: &'static str,
    name: &'static str,
    minutes_ago: i64,
    text: &'static str,
}

impl Message {
    const fn new(
        number: usize,
        customer: &'static str,
        name: &'static str,
        minutes_ago: i64,
        text: &'static str,
    ) -> Self {
        Self {
            number,
            customer,
            name,
            minutes_ago,
            text,
        }
    }
}

/// The demo account's numbers as the simulator serves them.
pub(super) fn numbers(access_token: &str) -> Vec<Number> {
    let number = |(id, display, name): &(&str, &str, &str)| Number {
        phone_number_id: (*id).to_owned(),
        waba_id: WABA_ID.to_owned(),
        display_phone_number: (*display).to_owned(),
        verified_name: (*name).to_owned(),
        access_token: access_token.to_owned(),
    };
    NUMBERS.iter().map(number).collect()
}

/// Inserts the agent, the account and its numbers where they are missing. The account's token is stored encrypted.
pub(super) async fn insert_account(database: &Client, encrypted_token: &str) -> Result<()> {
    // Ids go in as text: the columns' types are those of the users' own tables.
    database
        .execute(
            "insert into users (id) values ($1::text::uuid) on conflict do nothing",
            &[&USER_ID],
        )
        .await?;
    database
        .execute(
            "insert into waba_accounts (waba_id, user_id, access_token) values ($1, $2::text::uuid, $3)
             on conflict (waba_id) do update set access_token = excluded.access_token",
            &[&WABA_ID, &USER_ID, &encrypted_token],
        )
        .await?;
    for (id, display, name) in NUMBERS {
        database
            .execute(
                "insert into phone_numbers (waba_id, phone_number_id, display_phone_number, verified_name, is_registered)
                 select $1, $2::text, $3, $4, true where not exists (select 1 from phone_numbers where phone_number_id = $2::text)",
                &[&WABA_ID, &id, &display, &name],
            )
            .await?;
    }
    Ok(())
}

/// Has the demo customers write, and waits until the last message can be read. Where there are conversations already, the simulator, which
/// remembers nothing, is told what customers wrote in them.
pub(super) async fn post_conversations(database: &Client, simulator_url: &str) -> Result<()> {
    const INBOUND: &str = "
        select c.phone_number_id, c.customer_phone, coalesce(c.customer_name, c.customer_phone), m.wa_message_id, m.content,
               extract(epoch from m.timestamp)::bigint
        from chat_messages m
        join chat_conversations c on c.id = m.conversation_id
        where c.waba_id = $1 and c.phone_number_id = any($2) and m.sender = 'customer' and m.message_type = 'text'
          and c.customer_phone not like 'bsuid:%' and m.content <> '' and m.wa_message_id is not null
        order by m.timestamp desc
        limit 200";
    let numbers: Vec<&str> = NUMBERS.iter().map(|(id, _, _)| *id).collect();
    let written = database.query(INBOUND, &[&WABA_ID, &numbers]).await?;
    if !written.is_empty() {
        for row in written.iter().rev() {
            let body = json!({
                "phone_number_id": row.get::<_, &str>(0),
                "from": row.get::<_, &str>(1),
                "name": row.get::<_, &str>(2),
                "id": row.get::<_, &str>(3),
                "text": { "body": row.get::<_, &str>(4) },
                "timestamp": row.get::<_, i64>(5),
                "deliver": false,
            });
            write_as_customer(simulator_url, &body).await?;
        }
        return Ok(());
    }
    let now = Timestamp::now().as_second();
    for message in MESSAGES {
        let body = json!({
            "phone_number_id": NUMBERS[message.number].0,
            "from": message.customer,
            "name": message.name,
            "timestamp": now - message.minutes_ago * 60,
            "text": { "body": message.text },
        });
        write_as_customer(simulator_url, &body).await?;
    }
    wait::until("the demo messages", Duration::from_mins(1), async || {
        let stored = database.query(INBOUND, &[&WABA_ID, &numbers]).await?.len();
        Ok((stored >= MESSAGES.len()).then_some(()))
    })
    .await
}

async fn write_as_customer(simulator_url: &str, body: &Value) -> Result<()> {
    let request = reqwest::Client::new().post(format!("{simulator_url}/_simulator/customer-messages"));
    let answer = request.json(body).send().await?.error_for_status();
    answer.context("the simulator refused a demo message").map(drop)
}
