//! Conversations belong to their account's user, whoever that is now.

use axum::http::Method;

use super::support::{Fixture, LIST, NUMBER, WABA, ids};

#[tokio::test]
async fn conversations_follow_their_account_to_another_agent_at_once() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(2).await;
    let stamp = format!(
        "update chat_conversations set user_id = '{}', unread_count = 2",
        fixture.agent
    );
    fixture.database.client.batch_execute(&stamp).await.unwrap();
    let (heir, _, theirs) = fixture.stranger().await;
    assert_eq!(ids(&fixture.list("").await), [rows[1], rows[0]]);

    let hand_over = format!("update waba_accounts set user_id = '{heir}' where waba_id = '{WABA}'");
    fixture.database.client.batch_execute(&hand_over).await.unwrap();

    assert_eq!(ids(&fixture.list("").await), [0i64; 0]);
    fixture
        .api
        .get(&format!("{LIST}?phone_number_id={NUMBER}"))
        .await
        .refused(404);
    for (method, path) in [
        (Method::GET, format!("{LIST}/{}", rows[0])),
        (Method::PATCH, format!("{LIST}/{}", rows[0])),
        (Method::POST, format!("{LIST}/{}/read", rows[0])),
        (Method::POST, format!("{LIST}/{}/unread", rows[0])),
    ] {
        fixture.api.send(method, &path, "{}").await.refused(404);
    }
    let api = fixture.api.as_agent(heir);
    let mut all = ids(&api.get(LIST).await.ok());
    all.sort_unstable();
    assert_eq!(all, [rows[0], rows[1], theirs]);
    let read = api
        .send(Method::POST, &format!("{LIST}/{}/read", rows[0]), "")
        .await
        .ok();
    assert_eq!(read["conversation"]["unread_count"], 0);
}

#[tokio::test]
async fn an_account_without_a_user_is_nobodys() {
    let fixture = Fixture::new().await;
    let rows = fixture.conversations(1).await;
    let orphan = "update waba_accounts set user_id = null";
    fixture.database.client.batch_execute(orphan).await.unwrap();
    assert_eq!(ids(&fixture.list("").await), [0i64; 0]);
    fixture.api.get(&format!("{LIST}/{}", rows[0])).await.refused(404);
}

#[tokio::test]
async fn a_conversation_without_an_account_is_nobodys() {
    let fixture = Fixture::new().await;
    let columns = "(user_id, waba_id, phone_number_id, customer_phone) values";
    for waba in ["null", "'900404'"] {
        let id = fixture
            .insert(&format!(
                "{columns} ('{}', {waba}, '{NUMBER}', '+15550001')",
                fixture.agent
            ))
            .await;
        fixture.api.get(&format!("{LIST}/{id}")).await.refused(404);
    }
    assert_eq!(ids(&fixture.list("").await), [0i64; 0]);
}
