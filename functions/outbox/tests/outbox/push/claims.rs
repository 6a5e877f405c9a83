//! Several at once, those who die, and what a browser reads.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db;
use shared::domain::push::{BrowserKeys, Endpoint, parse_origin};
use shared::edge::push::PushMessage;
use uuid::Uuid;

use super::{ADA, BOB};
use crate::support::{Desk, NUMBER, until};

#[tokio::test]
async fn everything_that_fits_comes_out_of_the_browser_as_it_went_in() {
    let desk = Desk::new().await;
    let vapid = desk.push.keys.current().await.unwrap().unwrap();
    let letters: Vec<char> = "aZ09 \u{7f}äß字😀\u{202e}".chars().collect();
    // The first and last of each block of padding, and many between.
    let sizes = (0..=3_993).filter(|size| size % 131 == 0 || (size + 2) % 1_024 < 4 || *size > 3_990);
    for size in sizes.filter(|size| *size >= 2) {
        let asked = json!({"applicationServerKey": vapid.public_key()});
        let browser = desk.simulate(reqwest::Method::POST, "subscriptions", &asked).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let endpoint = Endpoint::parse(&text(&browser["endpoint"]), parse_origin(&desk.simulator).as_ref());
        let keys = BrowserKeys::parse(&text(&browser["keys"]["p256dh"]), &text(&browser["keys"]["auth"]));
        let random = Uuid::new_v4().as_u128();
        let mut said = String::new();
        while let letter = letters[usize::try_from((random >> (said.len() % 120)) % 11).unwrap()]
            && said.len() + letter.len_utf8() <= size - 2
        {
            said.push(letter);
        }
        said.push_str(&" ".repeat(size - 2 - said.len()));
        let payload = json!(said).to_string();
        assert_eq!(payload.len(), size);
        let message = PushMessage {
            endpoint: &endpoint.ok().unwrap(),
            keys: &keys.ok().unwrap(),
            payload: payload.as_bytes(),
            topic: "t",
            lifetime: Duration::from_mins(1),
        };
        let answer = desk.push.client.post(&vapid, &message, Timestamp::now()).await;
        assert_eq!(answer.status, Some(201), "{size}");
        let shown = desk.notifications_of_any_form().await;
        let last = shown.last().unwrap();
        assert_eq!(
            (&last["payload"], last["payload_size"].as_u64()),
            (&json!(said), u64::try_from(size).ok())
        );
    }
}

#[tokio::test]
async fn whoever_dies_between_claim_and_answer_is_followed_when_the_lease_ends() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    let (conversation, _) = desk.customer_writes(ADA, "Hello").await;
    let lease = desk.push.lease;
    let claim = desk
        .push
        .database
        .run(async |client| db::push::claim(client, Some(conversation), 10, lease).await);
    let claimed = claim.await.unwrap();
    assert_eq!(claimed.len(), 1);
    desk.tick().await;
    assert_eq!(desk.posts().await.len(), 0, "it is somebody else's");
    desk.pass_push_time().await;
    desk.tick().await;
    assert_eq!((desk.notifications().await.len(), desk.owed().await), (1, 0));
}

#[tokio::test]
async fn what_is_written_while_a_notification_is_under_way_is_told_too() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    let (conversation, _) = desk.customer_writes(ADA, "first").await;
    let lease = desk.push.lease;
    let claim = desk
        .push
        .database
        .run(async |client| db::push::claim(client, Some(conversation), 10, lease).await);
    let claimed = claim.await.unwrap();
    desk.customer_writes(ADA, "second").await;
    desk.tick().await;
    assert_eq!(desk.posts().await.len(), 0, "the first might come after it");
    let settle = desk
        .push
        .database
        .run(async |client| db::push::settle(client, &claimed[0], db::push::Settlement::Delivered).await);
    assert!(settle.await.unwrap(), "it is due again");
    desk.tick().await;
    assert_eq!(desk.notifications().await[0]["payload"]["body"], "second");
    assert_eq!(desk.owed().await, 0);
}

#[tokio::test]
async fn of_two_tries_of_one_notification_the_second_begins_when_the_first_has_ended() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    let (conversation, _) = desk.customer_writes(ADA, "first").await;
    desk.answer_next(&browser, json!({"delay_ms": 2_000})).await;
    let trigger =
        json!({"Records": [{"messageId": "1", "body": json!({"push_conversation_id": conversation}).to_string()}]});
    let second = async {
        let leased = "select count(*) from chat_push_owed where leased_until is not null";
        until("the first try", async || {
            (desk.database.count(leased).await == 1).then_some(())
        })
        .await;
        desk.customer_writes(ADA, "second").await;
        desk.outbox(trigger.clone()).await;
    };
    tokio::join!(desk.outbox(trigger.clone()), second);
    let shown = desk.notifications().await;
    let bodies: Vec<&Value> = shown.iter().map(|it| &it["payload"]["body"]).collect();
    assert_eq!(bodies, ["first", "second"]);
    assert_eq!(desk.owed().await, 0, "nothing waits for the next minute");
}

#[tokio::test]
async fn a_try_that_is_under_way_stays_whose_it_is_while_its_subscription_is_to_wait() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    let (conversation, _) = desk.customer_writes(ADA, "Hello").await;
    let lease = desk.push.lease;
    let claim = desk
        .push
        .database
        .run(async |client| db::push::claim(client, Some(conversation), 10, lease).await);
    let claimed = claim.await.unwrap();
    desk.customer_writes(BOB, "Hello").await;
    desk.answer_next(&browser, json!({"status": 503})).await;
    desk.tick().await;
    desk.run_sql("update chat_push_owed set next_try_at = now()").await;
    desk.tick().await;
    let bodies = desk.notifications().await;
    assert_eq!((bodies.len(), desk.owed().await), (1, 1), "another's try is left alone");
    let settle = desk
        .push
        .database
        .run(async |client| db::push::settle(client, &claimed[0], db::push::Settlement::Delivered).await);
    assert!(!settle.await.unwrap());
    assert_eq!(desk.owed().await, 0);
}

#[tokio::test]
async fn of_workers_at_once_one_tells() {
    let desk = Desk::new().await;
    for _ in 0..3 {
        desk.subscribe(desk.user, true).await;
    }
    for number in 0..10 {
        desk.customer_writes(&format!("491511234560{number}"), "Hello").await;
    }
    // While one claims, the others take what it leaves.
    desk.run_sql("begin").await;
    let claimed = db::push::claim(&desk.database.client, None, 10, desk.push.lease)
        .await
        .unwrap();
    tokio::join!(desk.tick(), desk.tick(), desk.tick());
    assert_eq!((claimed.len(), desk.notifications().await.len()), (10, 20));
    desk.run_sql("rollback").await;
    desk.tick().await;
    assert_eq!((desk.notifications().await.len(), desk.owed().await), (30, 0));
}

#[tokio::test]
async fn one_slow_push_service_holds_no_other_up() {
    let desk = Desk::new().await;
    let slow = desk.subscribe(desk.user, true).await;
    desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    desk.answer_next(&slow, json!({"delay_ms": 60_000})).await;
    desk.tick().await;
    assert_eq!(desk.notifications().await.len(), 1);
    assert_eq!((desk.owed().await, desk.subscriptions().await), (1, 2));
}

#[tokio::test]
async fn conversations_that_become_one_owe_what_both_owed() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    let owed = "insert into chat_push_owed (subscription_id, conversation_id, owed_since)
                select s.id, c.id, now() - interval '1 minute' from chat_push_subscriptions s, chat_conversations c";
    let hidden = json!({"phone_number_id": NUMBER, "user_id": "DE.13491208655302741918", "text": {"body": "hidden"}});
    let url = format!("{}/_simulator/customer-messages", desk.simulator);
    let answer = desk.http.post(&url).json(&hidden).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
    until("the message", async || (desk.owed().await == 1).then_some(())).await;
    desk.run_sql(&format!("delete from chat_push_owed; {owed}")).await;
    let known = json!({"phone_number_id": NUMBER, "from": ADA, "user_id": "DE.13491208655302741918", "text": {"body": "shown"}});
    let answer = desk.http.post(&url).json(&known).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.text().await.unwrap());
    until("the second message", async || {
        (desk.database.count("select count(*) from chat_messages").await == 2).then_some(())
    })
    .await;
    let count = "select count(*) from chat_push_owed o join chat_conversations c on c.id = o.conversation_id";
    assert!(desk.database.count(count).await >= 1);
    desk.tick().await;
    assert!(
        desk.notifications()
            .await
            .iter()
            .any(|it| it["payload"]["body"] == "shown")
    );
}
