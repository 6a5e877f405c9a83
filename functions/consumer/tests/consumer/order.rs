//! Ingest is order-free: a random history, shuffled, duplicated, divided anew and consumed by several consumers at once ends in the
//! same tables as in the order of its times. `PROPTEST_CASES` says how many histories.

use crate::support::{Fixture, NOON, message, status, text, value, webhook};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const CUSTOMERS: [&str; 4] = ["15550111", "15550112", "15550113", "15550114"];
const CONSUMERS: usize = 4;

/// One item: what kind, whose, which wamid, when, and a variation.
type Seed = (u8, usize, u8, i64, u8);

fn item((kind, customer, wamid, seconds, variant): Seed) -> String {
    let (phone, time) = (CUSTOMERS[customer], NOON + seconds);
    // Few wamids, so that some are claimed twice; a customer's own, as WhatsApp's are.
    let id = format!("wamid.{customer}.{wamid}");
    let name = format!("Name {variant}");
    match kind {
        0 => text(phone, &id, time, &format!("text {variant}")),
        1 => message(
            phone,
            &name,
            json!({"id": id, "timestamp": time.to_string(), "type": "image",
                   "image": {"id": format!("M{variant}"), "mime_type": "image/png", "sha256": "aA==", "caption": name}}),
        ),
        2 => webhook(&value(
            json!({"contacts": [{"wa_id": phone, "profile": {"username": name}}],
            "messages": [{"from": phone, "id": id, "timestamp": time.to_string(), "type": "poll", "poll": variant}]}),
        )),
        3 => webhook(&value(
            json!({"contacts": [{"user_id": format!("US.{customer}"), "profile": {"name": name, "username": name}}],
            "messages": [{"from_user_id": format!("US.{customer}"), "id": id, "timestamp": time.to_string(), "type": "text", "text": {"body": name}}]}),
        )),
        _ => {
            let states = ["sent", "delivered", "read", "failed"];
            status(&format!("wamid.sent.{customer}"), states[usize::from(variant)], time)
        }
    }
}

fn history() -> impl Strategy<Value = (Vec<Seed>, Vec<Vec<Seed>>)> {
    let seed = (0..6u8, 0..CUSTOMERS.len(), 0..12u8, 0..40i64, 0..4u8);
    vec(seed, 200..260).prop_flat_map(|seeds| {
        let thrice: Vec<Seed> = seeds.iter().chain(&seeds[..seeds.len() / 3]).copied().collect();
        let batches = (Just(thrice).prop_shuffle(), vec(1..12usize, 150)).prop_map(|(mut items, sizes)| {
            let mut batches = Vec::new();
            for size in sizes {
                batches.push(items.split_off(items.len().saturating_sub(size)));
            }
            batches.push(items);
            batches
        });
        (Just(seeds), batches)
    })
}

/// A fixture whose conversations stand and hold a message of the agent each.
async fn prepare() -> Fixture {
    let fixture = Fixture::new().await;
    for (customer, phone) in CUSTOMERS.iter().enumerate() {
        fixture
            .consume(&[text(phone, &format!("wamid.first.{customer}"), NOON - 60, "first")])
            .await;
    }
    fixture
        .database
        .client
        .batch_execute(
            "insert into chat_messages (conversation_id, message_id, wa_message_id, message_type, content, sender, status, timestamp)
             select id, 'sent-' || id, 'wamid.sent.' || (id - 1), 'text', 'Hi', 'user', 'pending', '2026-07-01T11:00:00Z' from chat_conversations",
        )
        .await
        .unwrap();
    fixture
}

async fn consume(fixture: &Fixture, seeds: &[Seed]) {
    let bodies: Vec<String> = seeds.iter().map(|seed| item(*seed)).collect();
    assert!(fixture.consume(&bodies).await.is_empty(), "a record was given back");
}

/// All that the tables say but for our own ids and clocks.
async fn tables(fixture: &Fixture) -> Vec<Value> {
    let mut all = fixture.conversations().await;
    for sql in [
        "select to_jsonb(m) - '{id,message_id,conversation_id,created_at}'::text[] || jsonb_build_object('customer', c.customer_phone)
         from chat_messages m join chat_conversations c on c.id = m.conversation_id order by c.customer_phone, m.wa_message_id",
        "select to_jsonb(c) - '{id,user_id,last_message_id,created_at,updated_at}'::text[] || jsonb_build_object('last', m.wa_message_id)
         from chat_conversations c left join chat_messages m on m.id = c.last_message_id order by c.customer_phone",
        "select to_jsonb(f) - '{message_id,received_at,next_try_at}'::text[] || jsonb_build_object('of', m.wa_message_id)
         from chat_media f join chat_messages m on m.id = f.message_id order by m.conversation_id, m.wa_message_id",
        "select to_jsonb(e) - '{id,received_at}'::text[] from chat_message_events e order by e.digest",
        "select to_jsonb(q) - '{id,received_at}'::text[] from chat_quarantine q order by q.digest",
        "select to_jsonb(s) - '{message_id,received_at}'::text[] from chat_message_sources s order by s.digest",
    ] {
        all.extend(fixture.database.json(sql).await);
    }
    all
}

#[test]
fn any_order_duplication_and_batching_ends_in_the_same_tables() {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(12);
    let config = Config {
        cases,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Config::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    TestRunner::new(config)
        .run(&history(), |(mut seeds, batches)| {
            let (expected, found) = runtime.block_on(async {
                let ordered = prepare().await;
                seeds.sort_by_key(|seed| seed.3);
                for batch in seeds.chunks(10) {
                    consume(&ordered, batch).await;
                }
                let shuffled = prepare().await;
                let mut consumers: Vec<Vec<&Vec<Seed>>> = vec![Vec::new(); CONSUMERS];
                for (index, batch) in batches.iter().enumerate() {
                    consumers[index % CONSUMERS].push(batch);
                }
                let work = |mine: Vec<&'_ Vec<Seed>>| {
                    let (shuffled, mine): (&Fixture, Vec<Vec<Seed>>) = (&shuffled, mine.into_iter().cloned().collect());
                    async move {
                        for batch in &mine {
                            consume(shuffled, batch).await;
                        }
                    }
                };
                let mut consumers = consumers.into_iter().map(work);
                let mut next = || consumers.next().expect("four of them");
                tokio::join!(next(), next(), next(), next());
                (tables(&ordered).await, tables(&shuffled).await)
            });
            let differences: Vec<_> = expected
                .iter()
                .zip(&found)
                .filter(|(one, other)| one != other)
                .take(3)
                .collect();
            prop_assert!(
                expected.len() == found.len() && differences.is_empty(),
                "{differences:#?}"
            );
            Ok(())
        })
        .unwrap();
}
