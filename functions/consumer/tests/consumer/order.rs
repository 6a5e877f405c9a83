//! Ingest is order-free: a random history of everything that WhatsApp sends, shuffled, duplicated, divided anew and consumed by several
//! consumers at once ends in the same tables as in the order of its times. `PROPTEST_CASES` says how many histories.

use crate::support::{Fixture, NOON, change, records};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Two numbers of one portfolio, and one of another.
const NUMBERS: [(&str, &str); 3] = [("900100", "700100"), ("900101", "700101"), ("900200", "700200")];
const PEOPLE: usize = 5;
const CONSUMERS: usize = 4;
const KINDS: u8 = 19;

/// One item.
#[derive(Debug, Clone, Copy)]
struct Seed {
    kind: u8,
    person: usize,
    number: usize,
    /// Few of them, so that some are claimed twice, and events find messages. A person's own, as WhatsApp's are.
    wamid: u8,
    seconds: i64,
    /// Texts, names, states.
    variant: u8,
    /// Under which ids the person appears.
    guise: u8,
}

impl Seed {
    fn time(self) -> String {
        (NOON + self.seconds).to_string()
    }

    fn id(self) -> String {
        format!("wamid.{}.{}", self.person, self.wamid)
    }

    /// A person has had two phone numbers and two user ids.
    fn phone(self, which: usize) -> String {
        format!("1555010{}{which}", self.person)
    }

    fn user_id(self, which: usize) -> String {
        format!("US.{}.{which}", self.person)
    }

    /// What names the person: a phone number, a user id, or both. Most people keep theirs.
    fn names(self, phone_key: &str, user_id_key: &str) -> Value {
        let which = usize::from(self.guise >= 6);
        let (phone, user_id) = (json!(self.phone(which)), json!(self.user_id(which)));
        match self.guise % 3 {
            0 => json!({phone_key: phone}),
            1 => json!({phone_key: phone, user_id_key: user_id}),
            _ => json!({user_id_key: user_id}),
        }
    }

    fn name(self) -> String {
        format!("Name {}", self.variant)
    }

    fn message(self, kind: &str, body: &Value) -> Value {
        merged(
            self.names("from", "from_user_id"),
            json!({"id": self.id(), "timestamp": self.time(), "type": kind, kind: body}),
        )
    }

    fn own_message(self, kind: &str, body: &Value) -> Value {
        let own = json!({"from": "15550100", "id": self.id(), "timestamp": self.time(), "type": kind, kind: body});
        merged(self.names("to", "to_user_id"), own)
    }

    fn contact(self) -> Value {
        let profile = match self.variant {
            0 => json!({"name": self.name()}),
            1 => json!({"username": self.name()}),
            _ => json!({"name": self.name(), "username": self.name()}),
        };
        merged(self.names("wa_id", "user_id"), json!({"profile": profile}))
    }

    fn body(self) -> String {
        let other = format!("wamid.{}.{}", self.person, (self.wamid + self.variant + 1) % 8);
        let (live, echo) = (
            |m: Value| json!({"contacts": [self.contact()], "messages": [m]}),
            |m: Value| json!({"message_echoes": [m]}),
        );
        let text = json!({"body": self.name()});
        let image = json!({"id": format!("M{}", self.variant), "mime_type": "image/png", "sha256": "aA==", "caption": self.name()});
        let history = |message: Value| json!({"history": [{"metadata": {"phase": 0}, "threads": [{"id": self.phone(0), "messages": [message]}]}]});
        let pick = |all: [&'static str; 4]| all[usize::from(self.variant)];
        let emoji = pick(["👍", "", "😮", "❤️"]);
        let edit = json!({"original_message_id": other, "message": {"type": "text", "text": text}});
        let caption = json!({"original_message_id": other, "message": {"type": "image", "image": image}});
        let state = pick(["sent", "delivered", "read", "failed"]);
        let (field, value) = match self.kind {
            0..=2 => ("messages", live(self.message("text", &text))),
            3 => ("messages", live(self.message("image", &image))),
            4 => ("messages", live(self.message("poll", &text))),
            5 => (
                "messages",
                json!({"statuses": [merged(self.names("recipient_id", "recipient_user_id"),
                    json!({"id": other, "status": state, "timestamp": self.time(), "pricing": {"category": self.name()}}))]}),
            ),
            6 => (
                "messages",
                live(self.message("reaction", &json!({"message_id": other, "emoji": emoji}))),
            ),
            7 => (
                "messages",
                live(self.message("edit", if self.guise > 4 { &caption } else { &edit })),
            ),
            8 if self.variant == 0 => (
                "messages",
                live(self.message("revoke", &json!({"original_message_id": other}))),
            ),
            8 => (
                "messages",
                live(self.message("location", &json!({"latitude": 1.5, "longitude": self.variant}))),
            ),
            9 => ("smb_message_echoes", echo(self.own_message("text", &text))),
            10 => ("smb_message_echoes", echo(self.own_message("edit", &edit))),
            11 => (
                "smb_message_echoes",
                echo(self.own_message("reaction", &json!({"message_id": other, "emoji": emoji}))),
            ),
            12 => (
                "history",
                history(
                    json!({"from": self.phone(0), "id": self.id(), "timestamp": self.time(), "type": "text", "text": text}),
                ),
            ),
            13 => (
                "history",
                history(
                    json!({"from": "15550100", "id": self.id(), "timestamp": self.time(), "type": "media_placeholder",
                    "history_context": {"status": pick(["READ", "SENT", "ERROR", "PLAYED"])}}),
                ),
            ),
            14 => (
                "history",
                json!({"messages": [{"from": "15550100", "to": self.phone(0), "id": self.id(), "timestamp": self.time(),
                    "type": "image", "image": image}]}),
            ),
            15 if self.variant == 0 => (
                "messages",
                json!({"messages": [{"from": self.phone(0), "id": self.id(), "timestamp": self.time(),
                    "type": "system", "system": {"type": "user_changed_number", "body": "moved", "wa_id": self.phone(1),
                    "user_id": self.user_id(1), "previous_user_id": self.user_id(0)}}]}),
            ),
            15 if self.variant == 1 => (
                "messages",
                json!({"messages": [{"from_user_id": self.user_id(1), "id": self.id(),
                    "timestamp": self.time(), "type": "system", "system": {"type": "user_changed_user_id", "body": "changed",
                    "user_id": self.user_id(1), "previous_user_id": self.user_id(0)}}]}),
            ),
            15 | 16 => (
                "smb_app_state_sync",
                json!({"state_sync": [{"type": "contact", "action": if self.variant == 3 { "remove" } else { "add" },
                    "contact": merged(self.names("phone_number", "user_id"), json!({"full_name": format!("Book {}", self.variant)})),
                    "metadata": {"timestamp": self.time()}}]}),
            ),
            17 => (
                "user_preferences",
                json!({"user_preferences": [merged(self.names("wa_id", "user_id"), json!({"category": "marketing_messages",
                    "value": if self.variant > 1 { "stop" } else { "resume" }, "timestamp": NOON + self.seconds}))]}),
            ),
            _ => (
                "account_update",
                json!({"event": pick(["ACCOUNT_RESTRICTION", "ACCOUNT_RECONNECTED", "PARTNER_REMOVED", "ACCOUNT_DELETED"])}),
            ),
        };
        let (waba, number) = NUMBERS[self.number];
        change(waba, number, field, NOON + self.seconds, &value)
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    let (Value::Object(map), Value::Object(other)) = (&mut one, other) else {
        panic!("two objects");
    };
    map.extend(other);
    one
}

fn seed() -> impl Strategy<Value = Seed> {
    (0..KINDS, 0..PEOPLE, 0..6usize, 0..8u8, 0..40i64, 0..4u8, 0..8u8).prop_map(
        |(kind, person, number, wamid, seconds, variant, guise)| Seed {
            kind,
            person,
            // Most is about one number.
            number: number.saturating_sub(3),
            wamid,
            seconds,
            variant,
            guise,
        },
    )
}

fn history() -> impl Strategy<Value = (Vec<Seed>, Vec<Vec<Seed>>)> {
    vec(seed(), 200..260).prop_flat_map(|seeds| {
        let thrice: Vec<Seed> = seeds.iter().chain(&seeds[..seeds.len() / 3]).copied().collect();
        let batches = (Just(thrice).prop_shuffle(), vec(1..24usize, 40)).prop_map(|(mut items, sizes)| {
            let mut batches = Vec::new();
            for size in sizes {
                batches.push(items.split_off(items.len().saturating_sub(size)));
            }
            batches.push(items);
            batches.retain(|batch| !batch.is_empty());
            batches
        });
        (Just(seeds), batches)
    })
}

/// Forgets the last history. People 0 to 2 have a conversation with a message of the agent, as another program may have left it.
async fn reset(fixture: &Fixture) {
    fixture
        .database
        .client
        .batch_execute(
            "truncate chat_conversations, chat_messages, chat_message_events, chat_message_sources, chat_media, chat_quarantine, chat_facts,
               chat_customers, chat_customer_ids cascade;
             insert into chat_conversations (waba_id, phone_number_id, customer_phone, customer_user_id, unread_count)
             select '900100', '700100', case i when 1 then '1555010' || i || '0' else '+1555010' || i || '0' end,
                    case i when 2 then 'US.2.1' end, 0 from generate_series(0, 2) i;
             insert into chat_messages (conversation_id, message_id, wa_message_id, message_type, content, sender, status, timestamp)
             select id, 'sent-' || customer_phone, 'wamid.' || right(ltrim(customer_phone, '+'), 2)::int / 10 || '.7', 'text', 'Hi', 'user',
                    'pending', '2026-07-01T11:00:00Z'
             from chat_conversations",
        )
        .await
        .unwrap();
}

async fn consume(fixture: &Fixture, seeds: &[Seed]) {
    let bodies: Vec<String> = seeds.iter().map(|seed| seed.body()).collect();
    let response = consumer::handle(&fixture.app, records(&bodies)).await;
    assert!(response.batch_item_failures.is_empty(), "a record was given back");
}

/// All that the tables say but for our own ids and clocks.
pub(crate) async fn tables(fixture: &Fixture) -> Vec<String> {
    let mut all: Vec<Value> = Vec::new();
    for sql in [
        "select to_jsonb(m) - '{id,message_id,conversation_id,created_at}'::text[] || jsonb_build_object('of', c.customer_phone, 'at', c.phone_number_id)
         from chat_messages m join chat_conversations c on c.id = m.conversation_id",
        "select to_jsonb(c) - '{id,user_id,customer_id,last_message_id,created_at,updated_at}'::text[] || jsonb_build_object('last', m.wa_message_id)
         from chat_conversations c left join chat_messages m on m.id = c.last_message_id",
        "select to_jsonb(t) - 'message_id' || jsonb_build_object('of', m.wa_message_id, 'at', c.phone_number_id)
         from chat_message_texts t join chat_messages m on m.id = t.message_id join chat_conversations c on c.id = m.conversation_id",
        "select to_jsonb(t) - 'conversation_id' from chat_conversation_texts t",
        "select to_jsonb(f) - '{message_id,received_at,next_try_at}'::text[] || jsonb_build_object('of', m.wa_message_id, 'at', c.phone_number_id)
         from chat_media f join chat_messages m on m.id = f.message_id join chat_conversations c on c.id = m.conversation_id",
        "select to_jsonb(e) - '{id,customer_id,received_at}'::text[] from chat_message_events e",
        "select to_jsonb(q) - '{id,received_at}'::text[] from chat_quarantine q",
        "select to_jsonb(s) - '{message_id,received_at}'::text[] from chat_message_sources s",
        "select to_jsonb(f) from chat_facts f",
        "select to_jsonb(i) - '{customer_id,portfolio}'::text[]
                || jsonb_build_object('one_with', (select jsonb_agg(o.value order by o.value) from chat_customer_ids o where o.customer_id = i.customer_id))
         from chat_customer_ids i",
        "select to_jsonb(count(*)) from chat_customers",
    ] {
        all.extend(fixture.database.json(sql).await);
    }
    let mut rows: Vec<String> = all.iter().map(Value::to_string).collect();
    rows.sort_unstable();
    rows
}

async fn numbers() -> Fixture {
    let fixture = Fixture::empty().await;
    let owner = fixture.database.add_number(NUMBERS[0].0, NUMBERS[0].1).await;
    for (waba, number) in &NUMBERS[1..] {
        fixture.database.add_number(waba, number).await;
    }
    let client = &fixture.database.client;
    let portfolio =
        "update waba_accounts set owner_business_id = 'B1', user_id = $1 where waba_id in ('900100', '900101')";
    client.execute(portfolio, &[&owner]).await.unwrap();
    fixture
}

#[test]
fn any_order_duplication_and_batching_ends_in_the_same_tables() {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(100);
    let config = Config {
        cases,
        max_shrink_iters: 10,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (ordered, shuffled) = runtime.block_on(async { tokio::join!(numbers(), numbers()) });
    let result = TestRunner::new(config).run(&history(), |(mut seeds, batches)| {
        let (expected, found) = runtime.block_on(async {
            tokio::join!(reset(&ordered), reset(&shuffled));
            seeds.sort_by_key(|seed| seed.seconds);
            let in_order = async {
                for batch in seeds.chunks(10) {
                    consume(&ordered, batch).await;
                }
            };
            let work = |first: usize| {
                let mine = batches.iter().skip(first).step_by(CONSUMERS);
                let shuffled = &shuffled;
                async move {
                    for batch in mine {
                        consume(shuffled, batch).await;
                    }
                }
            };
            tokio::join!(in_order, work(0), work(1), work(2), work(3));
            (tables(&ordered).await, tables(&shuffled).await)
        });
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter().filter(|row| !other.contains(row)).take(2).cloned().collect()
        };
        prop_assert!(
            expected == found,
            "only in order: {:#?}\nonly shuffled: {:#?}",
            only(&expected, &found),
            only(&found, &expected)
        );
        Ok(())
    });
    if let Err(proptest::test_runner::TestError::Fail(reason, (seeds, _))) = &result {
        panic!("{reason}\nof {} items: {seeds:?}", seeds.len());
    }
    result.unwrap();
}
