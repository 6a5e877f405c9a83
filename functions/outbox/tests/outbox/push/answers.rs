//! What follows from what push services answer, and when none is asked.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::push::parse_origin;
use shared::edge::push::{PushClient, PushKeys};
use shared::edge::secrets::Secrets;
use shared::testing::{create_secret, emulated_aws};

use super::{ADA, BOB};
use crate::support::Desk;

#[tokio::test]
async fn a_subscription_that_is_over_goes_with_all_that_is_owed_to_it() {
    let answers = [
        json!({"status": 404}),
        json!({"status": 410}),
        json!({"status": 403, "body": "{\"reason\": \"VapidPkHashMismatch\"}"}),
    ];
    let desk = Desk::new().await;
    for answer in answers {
        let browser = desk.subscribe(desk.user, true).await;
        desk.customer_writes(ADA, "Hello").await;
        desk.customer_writes(BOB, "Hello").await;
        desk.answer_next(&browser, answer.clone()).await;
        desk.tick().await;
        assert_eq!((desk.subscriptions().await, desk.owed().await), (0, 0), "{answer}");
    }
    assert_eq!(desk.posts().await.len(), 3, "its second notification is not even tried");

    let browser = desk.subscribe(desk.user, true).await;
    desk.simulate(
        reqwest::Method::DELETE,
        &format!("subscriptions/{}", browser.id),
        &json!({}),
    )
    .await;
    desk.customer_writes(ADA, "Hello").await;
    desk.tick().await;
    assert_eq!(desk.subscriptions().await, 0);

    desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    desk.run_sql("update chat_push_subscriptions set expires_at = now()")
        .await;
    desk.tick().await;
    assert_eq!(
        (desk.subscriptions().await, desk.notifications().await.len()),
        (0, 0),
        "it expired"
    );
}

#[tokio::test]
async fn what_a_push_service_refuses_is_dropped_and_the_subscription_stays() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    let redirect = json!({"status": 307, "headers": {"location": format!("{}/push/elsewhere", desk.simulator)}});
    for answer in [
        json!({"status": 400}),
        json!({"status": 401}),
        json!({"status": 403}),
        redirect,
    ] {
        let before = desk.posts().await.len();
        desk.customer_writes(ADA, "Hello").await;
        desk.answer_next(&browser, answer.clone()).await;
        desk.tick().await;
        let posts = desk.posts().await.len() - before;
        assert_eq!(
            (posts, desk.owed().await, desk.subscriptions().await),
            (1, 0, 1),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_notification_that_is_too_large_is_sent_without_its_text_and_then_given_up() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, &"long ".repeat(800)).await;
    desk.answer_next(&browser, json!({"status": 413})).await;
    desk.tick().await;
    let shown = desk.notifications().await;
    assert_eq!((shown.len(), &shown[0]["payload"]["body"]), (1, &Value::Null));
    assert_eq!(shown[0]["payload"]["title"], format!("+{ADA}"));
    desk.customer_writes(ADA, "Hello").await;
    desk.answer_next(&browser, json!({"status": 413, "times": 2})).await;
    desk.tick().await;
    assert_eq!(
        (desk.posts().await.len(), desk.owed().await, desk.subscriptions().await),
        (4, 0, 1)
    );
}

#[tokio::test]
async fn a_push_service_that_wants_to_be_left_alone_is_for_all_of_the_subscription() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    desk.customer_writes(BOB, "Hello").await;
    desk.answer_next(&browser, json!({"status": 429, "headers": {"retry-after": "7200"}}))
        .await;
    desk.tick().await;
    assert_eq!(desk.posts().await.len(), 1);
    let waits = desk.push_waits().await;
    assert!(
        waits.len() == 2 && waits.iter().all(|wait| (7_100.0..=7_200.0).contains(wait)),
        "{waits:?}"
    );
    // Neither a newer message nor another conversation comes before.
    desk.customer_writes(ADA, "Hello?").await;
    desk.customer_writes("4915100000000", "Hello").await;
    desk.tick().await;
    let waits = desk.push_waits().await;
    assert!(
        waits.len() == 3 && waits.iter().all(|wait| *wait > 7_000.0),
        "{waits:?}"
    );
    assert_eq!(desk.posts().await.len(), 1);

    desk.pass_push_time().await;
    desk.tick().await;
    let mut bodies: Vec<String> = desk
        .notifications()
        .await
        .iter()
        .map(|it| it["payload"]["body"].to_string())
        .collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["\"Hello\"", "\"Hello\"", "\"Hello?\""]);
    let recovered = "select count(*) from chat_push_subscriptions where failures = 0 and wait_until is null";
    assert_eq!(desk.database.count(recovered).await, 1);
}

#[tokio::test]
async fn trouble_is_waited_out_for_longer_and_longer_and_a_day_at_the_most() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    let date = Timestamp::now() + jiff::SignedDuration::from_secs(1_000);
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let troubles = [
        (json!({"status": 500}), 30.0),
        (json!({"status": 503}), 60.0),
        (json!({"status": 429, "headers": {"retry-after": date}}), 1_000.0),
        (json!({"status": 502}), 240.0),
    ];
    for (answer, seconds) in troubles {
        desk.run_sql("update chat_push_subscriptions set wait_until = null")
            .await;
        desk.pass_push_time().await;
        desk.answer_next(&browser, answer.clone()).await;
        desk.tick().await;
        let waits = desk.push_waits().await;
        assert!(
            waits.len() == 1 && (seconds - 25.0..=seconds).contains(&waits[0]),
            "{answer}: {waits:?}"
        );
    }
    desk.run_sql("update chat_messages set created_at = now() - interval '1 day'")
        .await;
    desk.pass_push_time().await;
    desk.tick().await;
    assert_eq!((desk.owed().await, desk.posts().await.len()), (0, 4));
}

#[tokio::test]
async fn a_push_service_that_cannot_be_reached_is_trouble_that_passes() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    // Nobody listens there.
    let origin = "http://127.0.0.1:9";
    let elsewhere = browser.endpoint.replace(&desk.simulator, origin);
    desk.run_sql(&format!("update chat_push_subscriptions set endpoint = '{elsewhere}'"))
        .await;
    let mut push = desk.push.clone();
    push.client = PushClient::new(parse_origin(origin)).unwrap();
    push.send_owed(None, Instant::now() + Duration::from_mins(2))
        .await
        .unwrap();
    assert_eq!((desk.owed().await, desk.subscriptions().await), (1, 1));
    assert!(desk.push_waits().await[0] > 20.0);
}

#[tokio::test]
async fn an_endpoint_that_is_no_push_service_is_never_asked_wherever_it_came_from() {
    let desk = Desk::new().await;
    let browser = desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    let mut push = desk.push.clone();
    push.client = PushClient::new(None).unwrap();
    push.send_owed(None, Instant::now() + Duration::from_mins(2))
        .await
        .unwrap();
    assert_eq!(
        (desk.posts().await.len(), desk.subscriptions().await),
        (0, 0),
        "{}",
        browser.endpoint
    );
}

#[tokio::test]
async fn without_a_key_pair_nothing_is_sent_and_nothing_fails() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello").await;
    let aws = emulated_aws().await;
    for arn in [
        create_secret(&aws, "{}").await,
        create_secret(&aws, "nonsense").await,
        "test/none".to_owned(),
    ] {
        let mut push = desk.push.clone();
        push.keys = PushKeys::new(Secrets::new(&aws, Duration::from_mins(5)), arn);
        push.send_owed(None, Instant::now() + Duration::from_mins(2))
            .await
            .unwrap();
        assert!(push.keys.current().await.unwrap().is_none());
    }
    assert_eq!((desk.posts().await.len(), desk.owed().await), (0, 1));
    desk.run_sql("update chat_push_owed set owed_since = now() - interval '1 day'")
        .await;
    let mut push = desk.push.clone();
    push.keys = PushKeys::new(Secrets::new(&aws, Duration::from_mins(5)), "test/none".to_owned());
    push.send_owed(None, Instant::now() + Duration::from_mins(2))
        .await
        .unwrap();
    assert_eq!(desk.owed().await, 0, "what was owed for a day is dropped");
}
