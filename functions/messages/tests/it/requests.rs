//! Who may ask for what, and what is refused.

use std::time::{Duration, Instant};

use axum::http::Method;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;
use shared::db::Database;
use shared::db::settings::Settings;
use shared::testing::proxy::Proxy;

use super::support::{Fixture, add_conversation, api, ids};

const MESSAGES: &str = "/api/live-chat/messages";

#[tokio::test]
async fn the_conversation_is_required() {
    let fixture = Fixture::new().await;
    for query in [
        "",
        "?limit=5",
        "?conversation_id=",
        "?conversation_id",
        "?Conversation_id=1",
    ] {
        fixture
            .api
            .get(&format!("{MESSAGES}{query}"))
            .await
            .refuses_field("conversation_id");
    }
}

#[tokio::test]
async fn a_conversation_that_is_not_the_agents_is_not_found() {
    let fixture = Fixture::new().await;
    fixture.database.add_number("900999", "700999").await;
    let foreign = add_conversation(&fixture.database, "900999", "700999", "+1").await;
    let secret = format!(
        "insert into chat_messages (conversation_id, message_id, wa_message_id, content) values ({foreign}, 'theirs', 'wamid.theirs', 'secret')"
    );
    fixture.database.client.batch_execute(&secret).await.unwrap();
    let theirs = fixture.database.count("select id from chat_messages").await;
    let foreign = foreign.to_string();
    for id in [
        foreign.as_str(),
        "0",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
    ] {
        for rest in [
            "",
            "&limit=0",
            "&offset=1",
            "&around=wamid.theirs",
            "&before=theirs",
            &format!("&after={theirs}"),
        ] {
            let path = format!("{MESSAGES}?conversation_id={id}{rest}");
            assert_eq!(fixture.api.get(&path).await.refused(404)["code"], "not_found", "{path}");
        }
    }
    for id in ["-1", "abc", "1.5", "%00", "%FF"] {
        let path = format!("{MESSAGES}?conversation_id={id}");
        fixture.api.get(&path).await.refuses_field("conversation_id");
    }
    // Nor does somebody else's message lead into one's own conversation.
    for anchor in ["wamid.theirs", "theirs", &theirs.to_string()] {
        fixture.ask(&format!("around={anchor}")).await.refuses_field("around");
    }
}

#[tokio::test]
async fn messages_follow_their_account_to_another_agent() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(2).await;
    let heir = fixture.database.add_number("900999", "700999").await;
    let hand_over = format!("update waba_accounts set user_id = '{heir}'");
    fixture.database.client.batch_execute(&hand_over).await.unwrap();
    fixture.ask("").await.refused(404);
    let path = format!("{MESSAGES}?conversation_id={}", fixture.conversation);
    assert_eq!(
        ids(&fixture.api.as_agent(heir).get(&path).await.ok()),
        [rows[1], rows[0]]
    );
}

#[tokio::test]
async fn numbers_that_are_none_are_named() {
    let fixture = Fixture::new().await;
    for field in ["limit", "offset"] {
        for value in ["-1", "ten", "1.5", "%2B1", "%20", "%00", "NaN"] {
            fixture.ask(&format!("{field}={value}")).await.refuses_field(field);
        }
    }
}

#[tokio::test]
async fn the_forms_of_paging_exclude_each_other() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(1).await;
    let forms = ["offset", "before", "after", "around"];
    for (index, first) in forms.iter().enumerate() {
        for second in &forms[index + 1..] {
            let error = fixture
                .ask(&format!("{first}={}&{second}={}", rows[0], rows[0]))
                .await
                .refuses_field(second);
            assert!(error["message"].as_str().unwrap().contains(first), "{error}");
        }
        // An empty one counts as missing.
        let other = forms[(index + 1) % 4];
        fixture.ask(&format!("{first}={}&{other}=", rows[0])).await.ok();
    }
}

#[tokio::test]
async fn user_id_must_be_the_tokens_own() {
    let fixture = Fixture::new().await;
    let rows = fixture.texts(1).await;
    assert_eq!(ids(&fixture.page(&format!("user_id={}", fixture.agent)).await), rows);
    for user in [&uuid::Uuid::new_v4().to_string(), "me"] {
        assert_eq!(
            fixture.ask(&format!("user_id={user}")).await.refused(403)["code"],
            "forbidden"
        );
    }
}

#[tokio::test]
async fn what_is_no_route_no_method_or_has_no_token_is_refused() {
    let fixture = Fixture::new().await;
    for path in [
        "/",
        "/api/live-chat/messages/",
        "/api/live-chat/messages/1",
        "/api/live-chat/conversations",
    ] {
        fixture.api.get(path).await.refused(404);
    }
    for method in [Method::POST, Method::PATCH, Method::PUT, Method::DELETE] {
        let reply = fixture.api.send(method, MESSAGES, "{}").await;
        assert_eq!(reply.headers[ALLOW], "GET,HEAD");
        assert_eq!(reply.refused(405)["code"], "method_not_allowed");
    }
    for authorization in [None, Some("Bearer nonsense")] {
        let reply = fixture.api.with_authorization(authorization).get(MESSAGES).await;
        assert_eq!(reply.headers[WWW_AUTHENTICATE], "Bearer");
        reply.refused(401);
    }
}

#[tokio::test]
async fn a_database_that_hangs_or_is_gone_is_answered_with_503_in_time() {
    let fixture = Fixture::new().await;
    let (mut proxy, url) = Proxy::before(&fixture.database.url).await;
    let api = api(Database::new(Settings::from_url(&url).unwrap(), 1), fixture.agent).await;
    let path = format!("{MESSAGES}?conversation_id={}", fixture.conversation);
    api.get(&path).await.ok();
    for cut in [false, true] {
        if cut {
            proxy.cut().await;
        } else {
            proxy.freeze();
        }
        let started = Instant::now();
        let reply = api.get(&path).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(reply.headers[RETRY_AFTER], "5");
        assert_eq!(reply.refused(503)["code"], json!("unavailable"));
        proxy.thaw();
    }
}
