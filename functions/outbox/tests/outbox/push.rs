//! Notifications: from a customer's message through the consumer and the outbox to a browser's push service.

mod answers;
mod claims;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db;
use shared::domain::push::{BrowserKeys, Endpoint, parse_origin};
use uuid::Uuid;

use crate::support::{Desk, NUMBER, until};

const ADA: &str = "4915112345678";
const BOB: &str = "4915187654321";

/// A browser that an agent subscribed with.
pub(crate) struct Browser {
    id: String,
    endpoint: String,
}

impl Desk {
    async fn simulate(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/_simulator/push/{path}", self.simulator);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap_or_default()
    }

    pub(crate) async fn subscribe(&self, agent: Uuid, show_text: bool) -> Browser {
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

    pub(crate) async fn answer_next(&self, browser: &Browser, answer: Value) {
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
    async fn push_waits(&self) -> Vec<f64> {
        let waits = "select to_jsonb(extract(epoch from next_try_at - now())) from chat_push_owed order by next_try_at";
        let waits = self.database.json(waits).await;
        waits.iter().map(|wait| wait.as_f64().unwrap()).collect()
    }

    async fn run_sql(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }

    /// As if push services had been left alone for long enough.
    pub(crate) async fn pass_push_time(&self) {
        self.run_sql("update chat_push_owed set next_try_at = now() - interval '1 second', leased_until = null")
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
        desk.run_sql(&visible).await;
        desk.tick().await;
        assert_eq!((desk.posts().await.len(), desk.owed().await), (0, 1), "it is seen");
        desk.pass_push_time().await;
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
async fn what_came_while_a_page_counted_as_looked_at_is_told_once_it_does_not() {
    let desk = Desk::new().await;
    desk.subscribe(desk.user, true).await;
    let visible = format!(
        "insert into chat_connections (connection_id, user_id, expires_at, visible_until)
         select 'c' || seconds, '{}', now() + interval '1 hour', now() + seconds * interval '1 second'
         from unnest(array[-5, 30, 140]) seconds",
        desk.user
    );
    desk.run_sql(&visible).await;
    desk.customer_writes(ADA, "Hello").await;
    desk.tick().await;
    assert_eq!(desk.posts().await.len(), 0);
    let wait = desk.push_waits().await[0];
    assert!((120.0..=141.0).contains(&wait), "the last of the pages: {wait}");
    // The laptop is shut: nobody says that the page is hidden.
    desk.run_sql("update chat_connections set visible_until = visible_until - interval '150 seconds'")
        .await;
    desk.tick().await;
    assert_eq!(desk.posts().await.len(), 0, "its time has not come");
    desk.pass_push_time().await;
    desk.tick().await;
    assert_eq!((desk.notifications().await.len(), desk.owed().await), (1, 0));
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
