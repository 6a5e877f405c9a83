//! Who may open a socket, for how long, and what it says.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::Value;
use shared::db::Database;
use shared::db::settings::Settings;

use crate::support::{Fixture, TICKET};

#[tokio::test]
async fn a_ticket_opens_one_connection_of_its_agent() {
    let fixture = Fixture::new().await;
    let before = Timestamp::now();
    let reply = fixture.ana.api.send(Method::POST, TICKET, "").await.ok();
    let url = reply["url"].as_str().unwrap();
    let ticket = url.strip_prefix("wss://sockets.example/live?ticket=").unwrap();
    assert!(ticket.len() >= 43, "256 bits");
    let expires_at: Timestamp = reply["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(expires_at.duration_since(before).as_secs() >= 59);
    assert_eq!(fixture.connect("one", Some(ticket)).await, 200);
    let sql = format!(
        "select count(*) from chat_connections where connection_id = 'one' and user_id = '{}'",
        fixture.ana.user
    );
    assert_eq!(fixture.count(&sql).await, 1);
    // Used.
    assert_eq!(fixture.connect("two", Some(ticket)).await, 403);
    assert_eq!(fixture.count("select count(*) from chat_connections").await, 1);
}

#[tokio::test]
async fn a_handshake_without_a_good_ticket_is_refused() {
    let fixture = Fixture::new().await;
    let old = fixture.ticket(&fixture.ana).await;
    fixture
        .run("update chat_tickets set expires_at = now() - interval '1 second'")
        .await;
    assert_eq!(fixture.connect("old", Some(&old)).await, 403);
    let ticket = fixture.ticket(&fixture.ana).await;
    let mut forged = ticket.clone();
    forged.replace_range(0..1, if ticket.starts_with('A') { "B" } else { "A" });
    for forged in [forged.as_str(), "x", "' or true --", "\0"] {
        assert_eq!(fixture.connect("forged", Some(forged)).await, 403, "{forged}");
    }
    for nothing in [None, Some("")] {
        assert_eq!(fixture.connect("none", nothing).await, 401);
    }
    assert_eq!(fixture.count("select count(*) from chat_connections").await, 0);
    // The true one still opens.
    assert_eq!(fixture.connect("good", Some(&ticket)).await, 200);
}

#[tokio::test]
async fn of_ten_handshakes_with_one_ticket_one_opens() {
    let fixture = Fixture::new().await;
    let ticket = fixture.ticket(&fixture.ana).await;
    let ids: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let statuses = futures_util::future::join_all(ids.iter().map(|id| fixture.connect(id, Some(&ticket)))).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(fixture.count("select count(*) from chat_connections").await, 1);
}

#[tokio::test]
async fn tickets_are_for_agents_and_stand_nowhere() {
    let fixture = Fixture::new().await;
    let stranger = fixture.ana.api.with_authorization(None);
    stranger.send(Method::POST, TICKET, "").await.refused(401);
    let ticket = fixture.ticket(&fixture.ana).await;
    let kept = fixture.database.json("select to_jsonb(t) from chat_tickets t").await;
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].to_string().contains(&ticket));
}

#[tokio::test]
async fn a_ping_is_answered_and_says_whether_the_page_is_seen() {
    let fixture = Fixture::new().await;
    fixture.open("one", &fixture.ana).await;
    let visible = "select count(*) from chat_connections where visible_until > now() + interval '1 minute'";
    assert_eq!(fixture.count(visible).await, 0);
    assert_eq!(fixture.say("one", r#"{"type": "ping", "visible": true}"#).await, 200);
    assert_eq!(fixture.count(visible).await, 1);
    assert_eq!(fixture.say("one", r#"{"type":"ping"}"#).await, 200);
    assert_eq!(fixture.count(visible).await, 0);
    assert_eq!(fixture.told("one"), ["pong", "pong"]);
    // What is not understood changes nothing.
    for said in [
        "",
        "{",
        "[]",
        r#"{"type":"hello"}"#,
        r#"{"type":"ping","visible":"yes"}"#,
        "\u{0}",
    ] {
        assert_eq!(fixture.say("one", said).await, 200, "{said}");
    }
    // Whom nothing would be sent to gets no pong, and connects anew.
    fixture.say("unknown", r#"{"type":"ping"}"#).await;
    fixture.run("update chat_connections set expires_at = now()").await;
    fixture.say("one", r#"{"type":"ping"}"#).await;
    assert_eq!(fixture.stub.frames().len(), 2);
}

#[tokio::test]
async fn what_is_over_is_deleted() {
    let fixture = Fixture::new().await;
    fixture.open("closed", &fixture.ana).await;
    fixture.open("old", &fixture.ana).await;
    fixture.open("open", &fixture.ben).await;
    fixture.disconnect("closed").await;
    fixture.disconnect("never seen").await;
    fixture.ticket(&fixture.ana).await;
    fixture
        .run("update chat_connections set expires_at = now() where connection_id = 'old'; update chat_tickets set expires_at = now()")
        .await;
    fixture.ticket(&fixture.ben).await;
    realtime::handle_clock(&fixture.app).await;
    assert_eq!(
        fixture
            .database
            .json("select to_jsonb(connection_id) from chat_connections")
            .await,
        [Value::from("open")]
    );
    assert_eq!(fixture.count("select count(*) from chat_tickets").await, 1);
}

#[tokio::test]
async fn without_a_database_no_socket_opens_and_the_clock_ends() {
    let fixture = Fixture::new().await;
    let mut app = fixture.app.clone();
    app.http.database = Database::new(Settings::from_url("postgres://nobody@127.0.0.1:9/nothing").unwrap(), 1);
    app.realtime.database = app.http.database.clone();
    let event = serde_json::json!({"requestContext": {"connectionId": "1", "eventType": "CONNECT"}, "queryStringParameters": {"ticket": "x"}});
    let reply = realtime::handle_socket(&app, serde_json::from_value(event).unwrap()).await;
    assert_eq!(reply.status_code, 503);
    realtime::handle_clock(&app).await;
}
