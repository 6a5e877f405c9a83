//! Pages that are open, over the emulated WebSocket API.

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::{SinkExt, StreamExt, stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stack::{Stack, new_phone, until};
use crate::tenants::token;

/// An open page.
pub(crate) struct Page(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Page {
    /// Opens a socket by the URL of a ticket; the status of a refusal.
    pub(crate) async fn open(url: &str) -> Result<Self, u16> {
        match connect_async(url).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let next = tokio::time::timeout(std::time::Duration::from_mins(1), self.0.next()).await;
            if let Message::Text(text) = next.expect("a frame within a minute").expect("it is open").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next frame of this type that fits.
    pub(crate) async fn find(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind && fits(&frame) {
                return frame;
            }
        }
    }

    async fn say(&mut self, said: &str) {
        self.0.send(Message::text(said)).await.unwrap();
    }
}

/// The URL of a new ticket.
async fn ticket(stack: &Stack, token: &str) -> String {
    let (status, reply) = stack
        .call(token, Method::POST, "/api/live-chat/realtime-ticket", None)
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    reply["url"].as_str().unwrap().to_owned()
}

pub(crate) async fn open(stack: &Stack, token: &str) -> Page {
    Page::open(&ticket(stack, token).await)
        .await
        .expect("the ticket is good")
}

#[tokio::test]
async fn a_page_is_told_what_a_customer_writes_and_what_becomes_of_the_answer() {
    let stack = Stack::open();
    let token = stack.get("agent_token");
    let (mut page, mut other_tab) = (open(&stack, token).await, open(&stack, token).await);
    let phone = new_phone();
    stack.customer_writes(&phone, "Is it open today?").await;
    let told = page
        .find("message.created", |frame| {
            frame["message"]["content"] == "Is it open today?"
        })
        .await;
    let conversation = told["conversation_id"].as_i64().unwrap();
    let told = page
        .find("conversation.updated", |frame| frame["conversation_id"] == conversation)
        .await;
    assert_eq!(told["conversation"]["unread_count"], 1);
    page.find("phone_number.updated", |frame| {
        frame["phone_number_id"] == stack.get("phone_number_id")
    })
    .await;
    let (_, sent) = stack
        .send(&json!({"conversation_id": conversation, "message": "Until six."}))
        .await;
    let id = &sent["message"]["id"];
    // The agent's own, in the other tab, up to the ticks.
    other_tab.find("message.created", |frame| frame["id"] == *id).await;
    other_tab
        .find("message.updated", |frame| {
            frame["id"] == *id && frame["message"]["status"] == "read"
        })
        .await;
    stack
        .call(
            token,
            Method::POST,
            &format!("/api/live-chat/conversations/{conversation}/read"),
            None,
        )
        .await;
    page.find("conversation.updated", |frame| {
        frame["conversation_id"] == conversation && frame["conversation"]["unread_count"] == 0
    })
    .await;
    page.say(r#"{"type":"ping","visible":true}"#).await;
    page.find("pong", |_| true).await;
    stack
        .call(
            token,
            Method::POST,
            "/api/live-chat/typing",
            Some(&json!({"conversation_id": conversation})),
        )
        .await;
    other_tab
        .find("typing", |frame| frame["conversation_id"] == conversation)
        .await;
}

#[tokio::test]
async fn a_file_is_told_when_it_is_there() {
    let stack = Stack::open();
    let mut page = open(&stack, stack.get("agent_token")).await;
    stack
        .customer_sends(
            &new_phone(),
            json!({"type": "image", "image": {"caption": "The label of the box"}}),
        )
        .await;
    let told = page
        .find("message.created", |frame| {
            frame["message"]["media_caption"] == "The label of the box"
        })
        .await;
    page.find("message.updated", |frame| {
        frame["id"] == told["id"] && frame["message"]["media"]["state"] == "stored"
    })
    .await;
}

#[tokio::test]
async fn a_ticket_that_was_used_forged_or_is_old_opens_nothing_and_a_strangers_shows_nothing() {
    let stack = Stack::open();
    let database = stack.database().await;
    let agent = stack.get("agent_token");
    let used = ticket(&stack, agent).await;
    let mut page = Page::open(&used).await.expect("it is new");
    let old = ticket(&stack, agent).await;
    database
        .batch_execute("update chat_tickets set expires_at = now() - interval '1 second'")
        .await
        .unwrap();
    let base = used.split_once('?').unwrap().0;
    let forged = format!("{base}?ticket={}", "A".repeat(43));
    for url in [used.as_str(), &old, &forged, base, &format!("{base}?ticket=")] {
        let refused = Page::open(url).await.err();
        assert!(matches!(refused, Some(401 | 403)), "{refused:?}");
    }
    // A stranger with a good ticket of their own hears nothing of the agent's.
    let mut stranger = open(&stack, &token(&stack, &json!({}))).await;
    stack.customer_writes(&new_phone(), "For the owner alone").await;
    page.find("message.created", |frame| {
        frame["message"]["content"] == "For the owner alone"
    })
    .await;
    stranger.say(r#"{"type":"ping"}"#).await;
    assert_eq!(
        stranger.next().await["type"],
        "pong",
        "the first frame, after all that was told"
    );
}

#[tokio::test]
async fn a_thousand_pages_are_told_once_each_and_dead_ones_hold_nobody_up() {
    const PAGES: usize = 1_000;
    const DEAD: usize = 50;
    let stack = Stack::open();
    let database = stack.database().await;
    let user = stack.get("user_id");
    let base = ticket(&stack, stack.get("agent_token")).await;
    let base = base.split_once('?').unwrap().0;
    // A thousand tickets at once, which nobody asks for.
    let tickets: Vec<String> = (0..PAGES).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let digests: Vec<Vec<u8>> = tickets
        .iter()
        .map(|ticket| digest(&SHA256, ticket.as_bytes()).as_ref().to_vec())
        .collect();
    let insert =
        "insert into chat_tickets select d, $2::text::uuid, now() + interval '10 minutes' from unnest($1::bytea[]) d";
    database.execute(insert, &[&digests, &user]).await.unwrap();
    // Connections that ended without a word.
    let dead = "insert into chat_connections (connection_id, user_id, expires_at)
                select 'dead-' || n, $1::text::uuid, now() + interval '1 hour' from generate_series(1, $2::int) n";
    database
        .execute(dead, &[&user, &i32::try_from(DEAD).unwrap()])
        .await
        .unwrap();
    let mut pages: Vec<Page> = stream::iter(&tickets)
        .map(async |ticket| {
            Page::open(&format!("{base}?ticket={ticket}"))
                .await
                .expect("the ticket is good")
        })
        .buffer_unordered(16)
        .collect()
        .await;
    let begun = std::time::Instant::now();
    stack.customer_writes(&new_phone(), "To a thousand").await;
    let told = pages.iter_mut().map(async |page| {
        let fits = |frame: &Value| frame["message"]["content"] == "To a thousand";
        page.find("message.created", fits).await["id"].clone()
    });
    let ids: Vec<Value> = futures_util::future::join_all(told).await;
    println!(
        "{PAGES} pages were told within {:.1} s of the customer's message",
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(ids.iter().map(Value::to_string).collect::<HashSet<_>>().len(), 1);
    // Once: before the answer to a ping nothing more of it comes.
    for page in pages.iter_mut().step_by(100) {
        page.say(r#"{"type":"ping"}"#).await;
        let mut again = 0;
        loop {
            let frame = page.next().await;
            again += usize::from(frame["type"] == "message.created" && frame["id"] == ids[0]);
            if frame["type"] == "pong" {
                break;
            }
        }
        assert_eq!(again, 0);
    }
    until("dead connections to be forgotten", async || {
        let left = "select count(*) from chat_connections where connection_id like 'dead-%'";
        let left: i64 = database.query_one(left, &[]).await.unwrap().get(0);
        (left == 0).then_some(())
    })
    .await;
}
