//! The files that agents send: never fetched, never taken from a message that uses them, and deleted once nothing does.

use serde_json::{Value, json};
use shared::db;
use shared::domain::upload::Upload;
use uuid::Uuid;

use crate::support::{Fixture, NUMBER, WABA, s3};

/// Older than anything that is kept without a use.
const OLD: &str = "25 hours";

/// An upload of this age that was looked at, with its object; its id.
async fn add_upload(fixture: &Fixture, age: &str) -> Uuid {
    let id = Uuid::new_v4();
    fixture
        .execute(&format!(
            "insert into chat_uploads (id, user_id, kind, mime_type, filename, size, object_key, created_at, checked_at)
             select '{id}', user_id, 'image', 'image/png', 'offer.png', 3, 'outbound/{id}', now() - interval '{age}', now() - interval '{age}'
             from waba_accounts"
        ))
        .await;
    let put = s3(&fixture.aws).put_object().bucket(&fixture.bucket);
    let put = put.key(format!("outbound/{id}")).body(b"png".to_vec().into());
    put.send().await.unwrap();
    id
}

async fn load(fixture: &Fixture, id: Uuid) -> Upload {
    db::uploads::list(&fixture.database.client, &[id])
        .await
        .unwrap()
        .remove(0)
}

/// A message that the agent sent with an upload, to the customer of [`Fixture::receive_picture`]; the row's id.
async fn send(fixture: &Fixture, upload: Uuid) -> i64 {
    let message = fixture
        .database
        .count(
            "insert into chat_messages (conversation_id, message_id, wa_message_id, message_type, sender, status, timestamp)
             select max(id), gen_random_uuid(), 'wamid.' || gen_random_uuid(), 'image', 'user', 'sent', now() from chat_conversations
             returning id",
        )
        .await;
    let upload = load(fixture, upload).await;
    assert!(
        db::uploads::attach(&fixture.database.client, message, &upload)
            .await
            .unwrap()
    );
    message
}

async fn uploads(fixture: &Fixture) -> Vec<Value> {
    fixture
        .database
        .json("select to_jsonb(id) from chat_uploads order by id")
        .await
}

#[tokio::test]
async fn an_agents_file_is_stored_from_the_start_and_never_fetched() {
    let mut fixture = Fixture::new().await;
    fixture.receive_picture().await;
    let upload = add_upload(&fixture, "1 minute").await;
    let message = send(&fixture, upload).await;
    let row = fixture.row(message).await;
    assert_eq!(
        (
            &row["state"],
            &row["mime_type"],
            &row["filename"],
            &row["size"],
            &row["object_key"]
        ),
        (
            &json!("stored"),
            &json!("image/png"),
            &json!("offer.png"),
            &json!(3),
            &Value::Null
        )
    );
    // Not even in a state that it never has.
    fixture.execute("update chat_media set state = 'pending', next_try_at = now() - interval '1 day' where upload_id is not null").await;
    let before = fixture.row(message).await;
    fixture.trigger(&[message]).await;
    fixture.strike().await;
    assert_eq!(fixture.row(message).await, before);
    assert_eq!(fixture.downloads().await, 1, "the customer's picture");
}

#[tokio::test]
async fn a_revoked_message_takes_no_file_from_another() {
    let mut fixture = Fixture::new().await;
    fixture.receive_picture().await;
    let upload = add_upload(&fixture, OLD).await;
    let (revoked, other) = (send(&fixture, upload).await, send(&fixture, upload).await);
    let before = fixture.row(revoked).await;
    let wamid = format!("select to_jsonb(wa_message_id) from chat_messages where id = {revoked}");
    let wamid = fixture.database.json(&wamid).await.remove(0);
    let now = jiff::Timestamp::now();
    let echo = json!({"from": "15550300", "to": "15550001", "id": "wamid.revoke", "timestamp": now.as_second().to_string(),
                      "type": "revoke", "revoke": {"original_message_id": wamid}});
    let webhook = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "smb_message_echoes", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550300", "phone_number_id": NUMBER},
        "message_echoes": [echo],
    }}]}]});
    fixture.database.ingest(&webhook, now).await;
    let deleted = format!("select count(*) from chat_messages where id = {revoked} and deleted_at is not null");
    assert_eq!(fixture.database.count(&deleted).await, 1);
    fixture.trigger(&[revoked]).await;
    fixture.strike().await;
    assert_eq!(fixture.row(revoked).await, before);
    assert_eq!(fixture.row(other).await["state"], "stored");
    assert_eq!(
        fixture.object(&format!("outbound/{upload}")).await.0,
        b"png",
        "the other message has it still"
    );
}

#[tokio::test]
async fn what_nothing_uses_for_a_day_goes_with_its_file() {
    let mut fixture = Fixture::new().await;
    fixture.receive_picture().await;
    let young = add_upload(&fixture, "23 hours").await;
    let unused = add_upload(&fixture, OLD).await;
    let never_stored = add_upload(&fixture, OLD).await;
    fixture
        .execute(&format!("update chat_uploads set checked_at = null where id = '{never_stored}'; insert into chat_upload_ids values ('{unused}', '{NUMBER}', 'm1')"))
        .await;
    let sent = add_upload(&fixture, OLD).await;
    let message = send(&fixture, sent).await;
    let quick = add_upload(&fixture, OLD).await;
    let owed = add_upload(&fixture, OLD).await;
    let once_owed = add_upload(&fixture, OLD).await;
    let request = |id: Uuid| json!({"template": {"components": [{"type": "header", "parameters": [{"image": {"media_id": id.to_string().to_uppercase()}}]}]}});
    let text = fixture.receive_picture().await;
    fixture
        .execute(&format!(
            "insert into chat_quick_replies (user_id, shortcut, upload_id) values (gen_random_uuid(), 'offer', '{quick}');
             insert into chat_sends (message_id, request_hash, request, settled_at) values ({message}, '', '{}', null), ({text}, '', '{}', now()),
               (null, '', null, null), (null, '', '[]', null)",
            request(owed),
            request(once_owed)
        ))
        .await;
    fixture.strike().await;
    let mut left = [young, sent, quick, owed];
    left.sort();
    assert_eq!(uploads(&fixture).await, left.map(|id| json!(id)));
    let mut objects = fixture.objects().await;
    objects.retain(|key| key.starts_with("outbound/"));
    objects.sort();
    assert_eq!(objects, left.map(|id| format!("outbound/{id}")));

    // With the conversation goes the last use.
    fixture
        .execute("delete from chat_conversations; delete from chat_quick_replies")
        .await;
    fixture.strike().await;
    assert_eq!(uploads(&fixture).await, [json!(young)]);
}

#[tokio::test]
async fn in_time_every_upload_is_looked_at() {
    let fixture = Fixture::new().await;
    fixture
        .execute(
            "insert into chat_uploads (id, user_id, kind, mime_type, size, object_key, created_at)
             select gen_random_uuid(), gen_random_uuid(), 'image', 'image/png', 1, n::text, now() - interval '2 days' from generate_series(1, 1500) n",
        )
        .await;
    let client = &fixture.database.client;
    let from = |first: u128| Uuid::from_u128(first);
    // From the end on it goes on at the beginning.
    assert_eq!(db::uploads::delete_unused(client, from(u128::MAX)).await.unwrap(), 1000);
    assert_eq!(
        db::uploads::delete_unused(client, from(u128::MAX / 2)).await.unwrap(),
        500
    );
    assert_eq!(db::uploads::delete_unused(client, from(0)).await.unwrap(), 0);
}

#[tokio::test]
async fn an_upload_that_is_gone_is_attached_to_nothing() {
    let mut fixture = Fixture::new().await;
    let message = fixture.receive_picture().await;
    let id = add_upload(&fixture, OLD).await;
    let upload = load(&fixture, id).await;
    fixture
        .execute("delete from chat_uploads; delete from chat_media")
        .await;
    let client = &fixture.database.client;
    assert!(!db::uploads::attach(client, message, &upload).await.unwrap());
    db::uploads::remember_wa_media_id(client, id, NUMBER, "m1")
        .await
        .unwrap();
    assert_eq!(db::uploads::find_wa_media_id(client, id, NUMBER).await.unwrap(), None);
}
