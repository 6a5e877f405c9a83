//! The browsers in which an agent is notified, over the API.

use std::time::Duration;

use axum::http::Method;
use realtime::{App, service};
use serde_json::{Value, json};
use shared::edge::push::{PushKeys, make_keys};
use shared::edge::secrets::Secrets;
use shared::testing::api::{Api, Reply, authenticator};
use shared::testing::sockets::no_sockets;
use shared::testing::{TestDatabase, create_secret, emulated_aws};
use uuid::Uuid;

const PATH: &str = "/api/live-chat/push-subscriptions";
const ENDPOINT: &str = "https://fcm.googleapis.com/fcm/send/abc";
const POINTS: [&str; 2] = [
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
];
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

struct Fixture {
    database: TestDatabase,
    api: Api,
    user: Uuid,
}

async fn fixture(secret: &str) -> Fixture {
    let database = TestDatabase::migrated().await;
    let aws = emulated_aws().await;
    let arn = create_secret(&aws, secret).await;
    let app = App {
        http: shared::http::App {
            database: database.pool(),
            authenticator: authenticator(),
        },
        websocket_url: "wss://pages.example/live".to_owned(),
        realtime: no_sockets(database.pool()),
        push_keys: PushKeys::new(Secrets::new(&aws, Duration::from_mins(5)), arn),
        push_origin: None,
    };
    let user = database.add_number("900400", "700400").await;
    Fixture {
        api: Api::new(service(app), user),
        database,
        user,
    }
}

fn browser(endpoint: &str) -> Value {
    json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": POINTS[0], "auth": AUTH}})
}

impl Fixture {
    async fn post(&self, body: &Value) -> Reply {
        self.api.send(Method::POST, PATH, body.to_string()).await
    }

    async fn subscribe(&self, endpoint: &str) -> Value {
        let reply = self.post(&browser(endpoint)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.body["subscription"].clone()
    }

    async fn list(&self) -> Vec<Value> {
        let mut body = self.api.get(PATH).await.ok();
        body["subscriptions"].as_array_mut().unwrap().drain(..).collect()
    }
}

#[tokio::test]
async fn a_browser_subscribes_renews_and_unsubscribes() {
    let (secret, public_key) = make_keys("mailto:tests@example.com").unwrap();
    let fixture = fixture(&secret).await;
    let body = fixture.api.get(PATH).await.ok();
    assert_eq!(
        (&body["public_key"], &body["subscriptions"]),
        (&json!(public_key), &json!([]))
    );

    let made = fixture.subscribe(ENDPOINT).await;
    assert_eq!(
        (&made["endpoint_host"], &made["show_text"]),
        (&json!("fcm.googleapis.com"), &json!(true))
    );
    assert!(!made.to_string().contains("abc"), "the endpoint is a secret");
    let mut again = browser("https://FCM.googleapis.com:443/fcm/send/abc");
    again["show_text"] = json!(false);
    again["expiration_time"] = json!(4_102_444_800_000_i64);
    again.as_object_mut().unwrap().remove("expirationTime");
    let renewed = fixture.post(&again).await.body["subscription"].clone();
    assert_eq!(
        (&renewed["id"], &renewed["created_at"]),
        (&made["id"], &made["created_at"])
    );
    assert_eq!(renewed["show_text"], false);
    assert_eq!(fixture.list().await, [renewed]);

    for endpoint in [ENDPOINT, ENDPOINT, "https://example.com/never"] {
        let body = json!({"endpoint": endpoint}).to_string();
        fixture.api.send(Method::DELETE, PATH, body).await.ok();
    }
    assert!(fixture.list().await.is_empty());
}

#[tokio::test]
async fn without_a_key_pair_there_is_no_public_key() {
    for secret in ["{}", r#"{"private_key": "x", "public_key": "y", "subject": "z"}"#] {
        let body = fixture(secret).await.api.get(PATH).await.ok();
        assert_eq!(
            (&body["public_key"], &body["subscriptions"]),
            (&Value::Null, &json!([]))
        );
    }
}

#[tokio::test]
async fn what_is_no_subscription_of_a_browser_is_refused_by_its_field() {
    let fixture = fixture("{}").await;
    let changed = |pointer: &str, value: Value| {
        let mut body = browser(ENDPOINT);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for endpoint in [
        "http://fcm.googleapis.com/x",
        "https://169.254.169.254/x",
        "https://fcm.googleapis.com.evil.example/x",
        "",
    ] {
        let body = changed("/endpoint", json!(endpoint));
        fixture.post(&body).await.refuses_field("endpoint");
    }
    let bodies = [
        ("keys.p256dh", changed("/keys/p256dh", json!(AUTH))),
        ("keys.auth", changed("/keys/auth", json!(POINTS[0]))),
        ("expiration_time", changed("/expirationTime", json!(1))),
    ];
    for (field, body) in bodies {
        fixture.post(&body).await.refuses_field(field);
    }
    let without_keys = fixture.post(&json!({"endpoint": ENDPOINT})).await;
    assert!(without_keys.status.is_client_error());
    assert!(fixture.list().await.is_empty());
}

#[tokio::test]
async fn another_agent_s_browser_is_theirs_unless_the_same_browser_says_otherwise() {
    let fixture = fixture("{}").await;
    let other = fixture.database.add_number("900401", "700401").await;
    fixture.subscribe(ENDPOINT).await;
    let as_other = fixture.api.as_agent(other);
    let count = async |user: Uuid| {
        let count = format!("select count(*) from chat_push_subscriptions where user_id = '{user}'");
        fixture.database.count(&count).await
    };

    // Nothing of it is seen, and to know the endpoint is not enough to take or delete it.
    assert_eq!(as_other.get(PATH).await.ok()["subscriptions"], json!([]));
    let named = json!({"endpoint": ENDPOINT}).to_string();
    as_other.send(Method::DELETE, PATH, named).await.ok();
    let mut foreign = browser(ENDPOINT);
    foreign["keys"]["p256dh"] = json!(POINTS[1]);
    let refused = as_other.send(Method::POST, PATH, foreign.to_string()).await;
    refused.refuses_field("endpoint");
    assert_eq!((count(fixture.user).await, count(other).await), (1, 0));

    // The first one's own browser may get other keys.
    assert_eq!(fixture.post(&foreign).await.status, 201);
    let moved = as_other.send(Method::POST, PATH, foreign.to_string()).await;
    assert_eq!(moved.status, 201, "{}", moved.body);
    assert_eq!((count(fixture.user).await, count(other).await), (0, 1));
}

#[tokio::test]
async fn the_browser_that_was_renewed_longest_ago_makes_room() {
    let fixture = fixture("{}").await;
    let endpoint = |number: usize| format!("https://fcm.googleapis.com/fcm/send/{number}");
    for number in 0..20 {
        fixture.subscribe(&endpoint(number)).await;
    }
    fixture.subscribe(&endpoint(0)).await;
    let other = fixture.database.add_number("900401", "700401").await;
    let theirs = browser("https://fcm.googleapis.com/fcm/send/theirs").to_string();
    fixture.api.as_agent(other).send(Method::POST, PATH, theirs).await;
    fixture.subscribe(&endpoint(20)).await;
    assert_eq!(fixture.list().await.len(), 20);
    let left = "select to_jsonb(endpoint) from chat_push_subscriptions order by id";
    let left = fixture.database.json(left).await;
    assert_eq!(left.len(), 21);
    assert!(left.contains(&json!(endpoint(0))) && !left.contains(&json!(endpoint(1))));
}

#[tokio::test]
async fn nobody_is_nobody_s_agent() {
    let fixture = fixture("{}").await;
    let nobody = fixture.api.with_authorization(None);
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let reply = nobody.send(method, PATH, browser(ENDPOINT).to_string()).await;
        reply.refused(401);
    }
}
