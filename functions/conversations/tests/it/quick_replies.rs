//! Quick replies: made, listed as a conversation fills them, changed, deleted.

use axum::http::Method;
use serde_json::{Value, json};
use shared::testing::api::{Api, Reply};
use uuid::Uuid;

use super::support::{Fixture, WABA, fields, text_webhook};

const PATH: &str = "/api/live-chat/quick-replies";

async fn post(api: &Api, body: &Value) -> Reply {
    api.send(Method::POST, PATH, body.to_string()).await
}

/// Makes one; its id.
async fn make(fixture: &Fixture, body: Value) -> i64 {
    let reply = post(&fixture.api, &body).await.ok();
    reply["quick_reply"]["id"].as_i64().unwrap()
}

async fn patch(fixture: &Fixture, id: i64, body: Value) -> Reply {
    fixture
        .api
        .send(Method::PATCH, &format!("{PATH}/{id}"), body.to_string())
        .await
}

async fn list(api: &Api, query: &str) -> Vec<Value> {
    let reply = api.get(&format!("{PATH}{query}")).await.ok();
    reply["quick_replies"].as_array().unwrap().clone()
}

fn shortcuts(replies: &[Value]) -> Vec<&str> {
    replies.iter().map(|it| it["shortcut"].as_str().unwrap()).collect()
}

/// A file that a user uploaded.
async fn upload(fixture: &Fixture, user: Uuid) -> Uuid {
    let id = Uuid::new_v4();
    let insert = format!(
        "insert into chat_uploads (id, user_id, kind, mime_type, filename, size, object_key)
         values ('{id}', '{user}', 'document', 'application/pdf', 'menu.pdf', 1234, 'outbound/{id}')"
    );
    fixture.database.client.batch_execute(&insert).await.unwrap();
    id
}

#[tokio::test]
async fn a_quick_reply_has_every_field_and_the_list_goes_by_shortcut() {
    let fixture = Fixture::new().await;
    let media_id = upload(&fixture, fixture.agent).await;
    assert_eq!(list(&fixture.api, "").await, [json!(null); 0]);
    let new = json!({"shortcut": "menu", "content": "{{customer_name}}, our menu. {{ customer_name }} {{x}}", "media_id": media_id});
    let made = post(&fixture.api, &new).await.ok()["quick_reply"].clone();
    assert_eq!(
        fields(&made),
        [
            "content",
            "created_at",
            "id",
            "media",
            "missing",
            "rendered",
            "shortcut",
            "updated_at",
            "variables"
        ]
    );
    assert_eq!(
        made["media"],
        json!({"media_id": media_id, "kind": "document", "mime_type": "application/pdf", "filename": "menu.pdf", "size": 1234})
    );
    assert_eq!(
        (&made["content"], &made["variables"]),
        (&new["content"], &json!(["customer_name", "x"]))
    );
    assert_eq!((&made["rendered"], &made["missing"]), (&Value::Null, &Value::Null));
    make(&fixture, json!({"shortcut": "Bye", "content": "Bye!"})).await;
    make(
        &fixture,
        json!({"shortcut": "zoo", "media_id": media_id, "content": null}),
    )
    .await;
    let all = list(&fixture.api, "").await;
    assert_eq!(shortcuts(&all), ["Bye", "menu", "zoo"]);
    assert_eq!(all[1], made);
    assert_eq!((&all[2]["content"], &all[2]["variables"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_conversation_fills_the_variables_and_what_it_lacks_is_listed() {
    let mut fixture = Fixture::new().await;
    let content = "{{customer_name}} {{customer_phone}} {{customer_username}} {{business_name}} {{order}}";
    make(&fixture, json!({"shortcut": "all", "content": content})).await;
    let noon: jiff::Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
    let webhook = text_webhook("15550123", "Ana", "wamid.A", 1_782_907_000, "hi");
    fixture.database.ingest(&webhook, noon).await;
    let id = fixture.list("").await["conversations"][0]["id"].clone();
    let filled = list(&fixture.api, &format!("?conversation_id={id}")).await;
    assert_eq!(
        filled[0]["rendered"],
        "Ana +15550123 {{customer_username}} Test {{order}}"
    );
    assert_eq!(filled[0]["missing"], json!(["customer_username", "order"]));
    assert_eq!(filled[0]["content"], content);

    let key = format!(
        "update chat_conversations set customer_phone = 'bsuid:0123', customer_username = 'ana', customer_name = ' ';
         insert into chat_facts values ('phone_number', '{WABA}:1555000', 'verified_name', '\"Leaf & Co\"', now(), '\\x01')"
    );
    fixture.database.client.batch_execute(&key).await.unwrap();
    let filled = list(&fixture.api, &format!("?conversation_id={id}")).await;
    assert_eq!(
        filled[0]["rendered"],
        "{{customer_name}} {{customer_phone}} ana Leaf & Co {{order}}"
    );
}

#[tokio::test]
async fn values_that_are_not_accepted_are_named() {
    let fixture = Fixture::new().await;
    let stranger = fixture.database.add_number("900999", "700999").await;
    let foreign = upload(&fixture, stranger).await;
    let id = make(&fixture, json!({"shortcut": "kept", "content": "x"})).await;
    let before = list(&fixture.api, "").await;
    for (body, field) in [
        (json!({"shortcut": ""}), "shortcut"),
        (json!({"shortcut": "a b"}), "shortcut"),
        (json!({"shortcut": "a\t"}), "shortcut"),
        (json!({"shortcut": "a\0"}), "shortcut"),
        (json!({"shortcut": "é".repeat(41)}), "shortcut"),
        (json!({"shortcut": 1}), "shortcut"),
        (json!({"content": " \n"}), "content"),
        (json!({"content": "a\0"}), "content"),
        (json!({"content": "é".repeat(4097)}), "content"),
        (json!({"content": ["x"]}), "content"),
        (json!({"media_id": "x"}), "media_id"),
        (json!({"media_id": 5}), "media_id"),
        (json!({"media_id": foreign}), "media_id"),
        (json!({"media_id": Uuid::new_v4()}), "media_id"),
    ] {
        let mut new = json!({"shortcut": "new", "content": "x"});
        new.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        post(&fixture.api, &new).await.refuses_field(field);
        patch(&fixture, id, body).await.refuses_field(field);
    }
    post(&fixture.api, &json!({"content": "x"}))
        .await
        .refuses_field("shortcut");
    for new in [
        json!({"shortcut": "new"}),
        json!({"shortcut": "new", "content": null, "media_id": null}),
    ] {
        post(&fixture.api, &new).await.refuses_field("content");
    }
    fixture
        .api
        .get(&format!("{PATH}?conversation_id=x"))
        .await
        .refuses_field("conversation_id");
    assert_eq!(list(&fixture.api, "").await, before);
    let longest = json!({"shortcut": "é".repeat(40), "content": "😀".repeat(4096)});
    post(&fixture.api, &longest).await.ok();
}

#[tokio::test]
async fn a_shortcut_is_an_agents_once_whatever_its_case() {
    let fixture = Fixture::new().await;
    let id = make(&fixture, json!({"shortcut": "Hello", "content": "x"})).await;
    let other = make(&fixture, json!({"shortcut": "Größe", "content": "x"})).await;
    let again = post(&fixture.api, &json!({"shortcut": "hELLO", "content": "y"})).await;
    assert_eq!(again.refused(409)["code"], "shortcut_in_use");
    let renamed = patch(&fixture, other, json!({"shortcut": "HELLO"})).await;
    assert_eq!(renamed.refused(409)["code"], "shortcut_in_use");
    patch(&fixture, id, json!({"shortcut": "HELLO"})).await.ok();
    assert_eq!(shortcuts(&list(&fixture.api, "").await), ["Größe", "HELLO"]);
    let stranger = fixture.database.add_number("900999", "700999").await;
    let api = fixture.api.as_agent(stranger);
    post(&api, &json!({"shortcut": "hello", "content": "x"})).await.ok();
}

#[tokio::test]
async fn what_is_missing_in_a_change_stays_and_null_takes_away() {
    let fixture = Fixture::new().await;
    let media_id = upload(&fixture, fixture.agent).await;
    let id = make(&fixture, json!({"shortcut": "a", "content": "{{x}}"})).await;
    let changed = async |body: Value| {
        let reply = patch(&fixture, id, body).await.ok()["quick_reply"].clone();
        assert_eq!(list(&fixture.api, "").await[0], reply);
        reply
    };
    let with_file = changed(json!({"media_id": media_id})).await;
    assert_eq!(
        (&with_file["shortcut"], &with_file["content"]),
        (&json!("a"), &json!("{{x}}"))
    );
    assert_eq!(with_file["media"]["media_id"], json!(media_id));
    assert!(with_file["updated_at"].as_str() > with_file["created_at"].as_str());
    let file = changed(json!({"content": null, "shortcut": null})).await;
    assert_eq!((&file["content"], &file["variables"]), (&Value::Null, &json!([])));
    patch(&fixture, id, json!({"media_id": null}))
        .await
        .refuses_field("content");
    let text = changed(json!({"media_id": null, "content": "Bye", "shortcut": "b"})).await;
    assert_eq!((&text["media"], &text["shortcut"]), (&Value::Null, &json!("b")));
    patch(&fixture, id, json!({"content": null}))
        .await
        .refuses_field("content");
    assert_eq!(changed(json!({})).await["content"], "Bye");
}

#[tokio::test]
async fn a_quick_reply_is_deleted_once() {
    let fixture = Fixture::new().await;
    let id = make(&fixture, json!({"shortcut": "a", "content": "x"})).await;
    let kept = make(&fixture, json!({"shortcut": "b", "content": "x"})).await;
    let path = format!("{PATH}/{id}");
    let deleted = fixture.api.send(Method::DELETE, &path, "").await.ok();
    assert_eq!(deleted, json!({"success": true}));
    fixture.api.send(Method::DELETE, &path, "").await.refused(404);
    patch(&fixture, id, json!({"content": "y"})).await.refused(404);
    assert_eq!(list(&fixture.api, "").await[0]["id"], kept);
}

#[tokio::test]
async fn an_agent_has_500_at_the_most() {
    let fixture = Fixture::new().await;
    let fill = format!(
        "insert into chat_quick_replies (user_id, shortcut, content) select '{}', 's' || n, 'x' from generate_series(1, 499) n",
        fixture.agent
    );
    fixture.database.client.batch_execute(&fill).await.unwrap();
    let stranger = fixture.database.add_number("900999", "700999").await;
    let id = make(&fixture, json!({"shortcut": "last", "content": "x"})).await;
    let error = post(&fixture.api, &json!({"shortcut": "more", "content": "x"}))
        .await
        .refuses_field("shortcut");
    assert!(error["message"].as_str().unwrap().contains("500"), "{error}");
    let api = fixture.api.as_agent(stranger);
    post(&api, &json!({"shortcut": "first", "content": "x"})).await.ok();
    fixture.api.send(Method::DELETE, &format!("{PATH}/{id}"), "").await.ok();
    make(&fixture, json!({"shortcut": "more", "content": "x"})).await;
}

#[tokio::test]
async fn another_agents_quick_replies_and_conversations_are_not_found() {
    let fixture = Fixture::new().await;
    let (stranger, _, theirs) = fixture.stranger().await;
    let id = make(&fixture, json!({"shortcut": "a", "content": "x"})).await;
    let before = list(&fixture.api, "").await;
    let api = fixture.api.as_agent(stranger);
    assert_eq!(list(&api, "").await.len(), 0);
    for id in [
        id.to_string(),
        "0".to_owned(),
        "abc".to_owned(),
        "99999999999999999999".to_owned(),
    ] {
        let path = format!("{PATH}/{id}");
        api.send(Method::PATCH, &path, r#"{"content":"y"}"#).await.refused(404);
        api.send(Method::DELETE, &path, "").await.refused(404);
    }
    for id in [theirs, 0, i64::MAX] {
        fixture
            .api
            .get(&format!("{PATH}?conversation_id={id}"))
            .await
            .refused(404);
    }
    assert_eq!(list(&fixture.api, "").await, before);
    for authorization in [None, Some("Bearer not.a.token")] {
        let api = fixture.api.with_authorization(authorization);
        for (method, path) in [
            (Method::GET, PATH.to_owned()),
            (Method::POST, PATH.to_owned()),
            (Method::PATCH, format!("{PATH}/{id}")),
            (Method::DELETE, format!("{PATH}/{id}")),
        ] {
            api.send(method, &path, "not JSON").await.refused(401);
        }
    }
}
