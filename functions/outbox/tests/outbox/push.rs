//! Notifications: from a customer's message through the consumer and the outbox to a browser's push service.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db;
use shared::domain::push::{BrowserKeys, Endpoint, parse_origin};
use shared::edge::push::{PushClient, PushKeys, PushMessage};
use shared::edge::secrets::Secrets;
use shared::testing::{create_secret, emulated_aws};
use uuid::Uuid;

use crate::support::{Desk, NUMBER, until};

const ADA: &str = "4915112345678";
const BOB: &str = "4915187654321";

/// A browser that an agent subscribed with.
struct Browser {
    id: String,
    endpoint: String,
}

impl Desk {
    async fn simulate(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/_simulator/push/{path}", self.simulator);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap_or_default()
    }

    async fn subscribe(&self, agent: Uuid, show_text: bool) -> Browser {
        let key = self.push.keys.current().await.unwrap().unwrap().public_key().to_owned();
        let browser = self
            .simulate(
                reqwest::Method::POST,
                "subscriptions",
                &json!({"applicationServerKey": key}),
            )
            .await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let browser = (
            text(&browser["id"]),
            text(&browser["endpoint"]),
            browser["keys"].clone(),
        );
        let endpoint = Endpoint::parse(&browser.1, parse_origin(&self.simulator).as_ref())
            .ok()
            .unwrap();
        let keys = BrowserKeys::parse(&text(&browser.2["p256dh"]), &text(&browser.2["auth"]))
            .ok()
            .unwrap();
        let upsert = self
            .push
            .database
            .run(async |client| db::push::upsert(client, agent, &endpoint, &keys, show_text, None).await);
        upsert.await.unwrap().unwrap();
        Browser {
            id: browser.0,
            endpoint: browser.1,
        }
    }

    async fn answer_next(&self, browser: &Browser, answer: Value) {
        let path = format!("subscriptions/{}/answers", browser.id);
        self.simulate(reqwest::Method::POST, &path, &answer).await;
    }

    /// All that reached the push service.
    async fn posts(&self) -> Vec<Value> {
        self.simulator("push/notifications").await
    }

    async fn notifications_of_any_form(&self) -> Vec<Value> {
        let posts = self.posts().await;
        assert!(posts.iter().all(|post| post["problem"].is_null()), "{posts:?}");
        posts
    }

    /// What browsers were shown.
    async fn notifications(&self) -> Vec<Value> {
        let posts = self.posts().await;
        for post in &posts {
            let is_right = post["status"] != 201 || post["problem"].is_null() && post["payload"].is_object();
            assert!(is_right, "{post}");
        }
        posts.into_iter().filter(|post| post["status"] == 201).collect()
    }

    async fn owed(&self) -> i64 {
        self.database.count("select count(*) from chat_push_owed").await
    }

    async fn subscriptions(&self) -> i64 {
        self.database
            .count("select count(*) from chat_push_subscriptions")
            .await
    }

    /// Seconds until what is owed is due, the soonest first.
    async fn waits(&self) -> Vec<f64> {
        let waits = "select to_jsonb(extract(epoch from next_try_at - now())) from chat_push_owed order by next_try_at";
        let waits = self.database.json(waits).await;
        waits.iter().map(|wait| wait.as_f64().unwrap()).collect()
    }

    async fn run_sql(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }

    /// As if push services had been left alone for long enough.
    async fn pass_push_time(&self) {
        self.run_sql("update chat_push_owed set next_try_at = now() - interval '1 second'")
            .await;
    }
}

#[tokio::test]
async fn a_browser_is_told_once_a_conversation_and_by_a_trigger() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "first").await;
    let (conversation, wamid) = desk.customer_writes(ADA, "second").await;
    assert_eq!(desk.owed().await, 1);
    let bodies = desk.consumer_sqs.taken();
    let trigger = json!({"push_conversation_id": conversation}).to_string();
    let is_trigger = |entry: &&Value| entry["MessageBody"] == trigger.as_str();
    assert_eq!(bodies.iter().filter(is_trigger).count(), 2);
    assert_eq!(bodies[0]["MessageGroupId"], NUMBER);

    desk.outbox(json!({"Records": [{"messageId": "1", "body": trigger}]}))
        .await;
    let shown = desk.notifications().await;
    assert_eq!(shown.len(), 1);
    let written = "select to_jsonb(timestamp) from chat_messages where content = 'second'";
    let written: Timestamp = desk.database.json(written).await[0].as_str().unwrap().parse().unwrap();
    assert_eq!(
        shown[0]["payload"],
        json!({"type": "message", "conversation_id": conversation, "phone_number_id": NUMBER, "unread_count": 2,
               "title": format!("+{ADA}"), "body": "second", "message_type": "text", "timestamp": written})
    );
    assert_eq!(
        (&shown[0]["urgency"], shown[0]["size"].as_u64()),
        (&json!("high"), Some(86 + 1_024 + 16))
    );
    let ttl = shown[0]["ttl"].as_u64().unwrap();
    assert!((86_000..=86_400).contains(&ttl), "{ttl}");
    assert_eq!(desk.owed().await, 0);

    desk.tick().await;
    assert_eq!(desk.notifications().await.len(), 1, "nothing is told twice ({wamid})");
    desk.customer_writes(ADA, "third").await;
    desk.customer_writes(BOB, "another").await;
    desk.tick().await;
    let shown = desk.notifications().await;
    let topic_of = |body: &str| {
        let of = shown.iter().find(|it| it["payload"]["body"] == body).unwrap();
        of["topic"].as_str().unwrap().to_owned()
    };
    assert_eq!(topic_of("second"), topic_of("third"), "the newer one takes its place");
    assert_ne!(topic_of("third"), topic_of("another"));
}

#[tokio::test]
async fn it_says_who_wrote_and_what_only_where_that_is_wanted() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, false).await;
    let (conversation, _) = desk.customer_writes(ADA, "my password is 1234").await;
    desk.run_sql("update chat_conversations set customer_name = 'Ada'")
        .await;
    desk.tick().await;
    let payload = desk.notifications().await[0]["payload"].clone();
    assert_eq!(payload["conversation_id"], conversation);
    assert_eq!(
        (&payload["title"], &payload["body"], &payload["message_type"]),
        (&Value::Null, &Value::Null, &json!("text"))
    );

    desk.subscribe(desk.user, true).await;
    let image = json!({"phone_number_id": NUMBER, "from": BOB, "type": "image", "image": {}});
    let url = format!("{}/_simulator/customer-messages", desk.simulator);
    desk.http
        .post(url)
        .json(&image)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    until("the picture", async || (desk.owed().await == 2).then_some(())).await;
    desk.run_sql("update chat_conversations set customer_username = 'bob' where customer_name is null")
        .await;
    desk.tick().await;
    let shown = desk.notifications().await;
    let named = shown.iter().find(|it| it["payload"]["title"].is_string()).unwrap();
    assert_eq!(named["payload"]["title"], "bob");
    assert_eq!(
        (&named["payload"]["body"], &named["payload"]["message_type"]),
        (&Value::Null, &json!("image"))
    );
}

#[tokio::test]
async fn nobody_is_told_what_they_see_have_read_or_what_is_gone() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    let visible = format!(
        "insert into chat_connections (connection_id, user_id, expires_at, visible_until)
         values ('c', '{}', now() + interval '1 hour', now() + interval '1 minute')",
        desk.user
    );
    let spoils = [
        ("visible", visible.as_str()),
        (
            "read",
            "update chat_conversations set unread_count = 0; update chat_messages set status = 'read'",
        ),
        ("revoked", "update chat_messages set deleted_at = now(), content = null"),
        (
            "a day old",
            "update chat_messages set created_at = now() - interval '1 day';
                       update chat_push_owed set owed_since = now() - interval '1 day'",
        ),
        ("gone", "delete from chat_messages"),
        ("another's", "update waba_accounts set user_id = null"),
    ];
    for (number, (what, spoil)) in spoils.iter().enumerate() {
        desk.customer_writes(&format!("49151123456{number:02}"), "Hello").await;
        assert_eq!(desk.owed().await, 1, "{what}");
        desk.run_sql(spoil).await;
        desk.tick().await;
        assert_eq!((desk.posts().await.len(), desk.owed().await), (0, 0), "{what}");
        desk.run_sql("delete from chat_connections; delete from chat_conversations")
            .await;
    }
    let hidden = visible.replace("now() + interval '1 minute'", "now() - interval '1 second'");
    let restore = format!("update waba_accounts set user_id = '{}'; {hidden}", desk.user);
    desk.run_sql(&restore).await;
    desk.customer_writes(ADA, "Hello").await;
    desk.tick().await;
    assert_eq!(desk.notifications().await.len(), 1, "a hidden page is told");
}

#[tokio::test]
async fn only_news_is_told() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    let (_, wamid) = desk.customer_writes(ADA, "Hello").await;
    desk.tick().await;
    let now = Timestamp::now().as_second();
    let webhook = |id: &str, time: i64, kind: &str, content: Value| {
        let mut message = json!({"from": ADA, "id": id, "timestamp": time.to_string(), "type": kind});
        message[kind] = content;
        json!({"object": "whatsapp_business_account", "entry": [{"id": "900300", "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp", "metadata": {"display_phone_number": "15550300", "phone_number_id": NUMBER},
            "contacts": [{"wa_id": ADA, "profile": {"name": "Ada"}}], "messages": [message]}}]}]})
    };
    let text = json!({"body": "Hello"});
    for no_news in [
        webhook(&wamid, now, "text", text.clone()),
        webhook("wamid.late", now - 3_601, "text", text.clone()),
        webhook(
            "wamid.reaction",
            now,
            "reaction",
            json!({"message_id": wamid, "emoji": "👍"}),
        ),
        webhook(
            "wamid.system",
            now,
            "system",
            json!({"type": "user_changed_number", "body": "…", "wa_id": ADA}),
        ),
    ] {
        desk.raw_webhook(&no_news).await;
        assert_eq!(desk.owed().await, 0, "{no_news}");
    }
    desk.run_sql("update chat_conversations set read_time = now() + interval '1 hour', read_wamid = 'z'")
        .await;
    desk.raw_webhook(&webhook("wamid.read", now, "text", text.clone()))
        .await;
    assert_eq!(desk.owed().await, 0, "it is read already");
    desk.run_sql("update chat_conversations set read_time = null, read_wamid = null")
        .await;
    desk.raw_webhook(&webhook("wamid.news", now - 3_000, "text", text))
        .await;
    assert_eq!(desk.owed().await, 1);
}

#[tokio::test]
async fn agents_are_told_of_their_own_customers_alone() {
    let desk = Desk::new().await;
    let other = desk.database.add_number("900301", "700301").await;
    desk.subscribe(other, true).await;
    desk.customer_writes(ADA, "Hello").await;
    assert_eq!(desk.owed().await, 0);
    desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, "Hello again").await;
    // The browser is the other agent's by the time that the notification is sent.
    let takeover = format!(
        "delete from chat_push_subscriptions where user_id = '{other}'; update chat_push_subscriptions set user_id = '{other}'"
    );
    desk.run_sql(&takeover).await;
    desk.tick().await;
    assert_eq!((desk.posts().await.len(), desk.owed().await), (0, 0));
}

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
async fn a_long_text_is_cut_and_fits() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    desk.customer_writes(ADA, &"😀\"字".repeat(1_000)).await;
    desk.tick().await;
    let shown = desk.notifications().await;
    assert!(shown[0]["size"].as_u64() <= Some(4_096), "{}", shown[0]["size"]);
    let body = shown[0]["payload"]["body"].as_str().unwrap();
    assert!(body.len() > 1_500 && body.ends_with('…'), "{body}");
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
    let waits = desk.waits().await;
    assert!(
        waits.len() == 2 && waits.iter().all(|wait| (7_100.0..=7_200.0).contains(wait)),
        "{waits:?}"
    );
    // Neither a newer message nor another conversation comes before.
    desk.customer_writes(ADA, "Hello?").await;
    desk.customer_writes("4915100000000", "Hello").await;
    desk.tick().await;
    let waits = desk.waits().await;
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
        let waits = desk.waits().await;
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
    assert!(desk.waits().await[0] > 20.0);
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
    let settle = desk
        .push
        .database
        .run(async |client| db::push::settle(client, &claimed[0], db::push::Settlement::Delivered).await);
    settle.await.unwrap();
    desk.tick().await;
    assert_eq!(desk.notifications().await[0]["payload"]["body"], "second");
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
    tokio::join!(desk.tick(), desk.tick(), desk.tick());
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
