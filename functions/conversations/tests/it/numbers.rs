//! The agent's phone numbers.

use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Fixture, NUMBER, WABA};

const NUMBERS: &str = "/api/live-chat/phone-numbers";

async fn numbers(fixture: &Fixture) -> Vec<Value> {
    let reply = fixture.api.get(NUMBERS).await.ok();
    reply["phone_numbers"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_number_has_every_field_and_the_unread_total_of_its_conversations() {
    let fixture = Fixture::new().await;
    fixture.stranger().await;
    fixture.conversations(4).await;
    let unread = format!(
        "update chat_conversations set unread_count = case customer_phone
           when '+1555000000' then 2 when '+1555000001' then 40 when '+1555000002' then null else 0 end
         where waba_id = '{WABA}'"
    );
    fixture.database.client.batch_execute(&unread).await.unwrap();
    let expected = json!({
        "phone_number_id": NUMBER, "waba_id": WABA, "display_phone_number": "+1 555 000", "verified_name": "Test",
        "is_registered": true, "unread_count": 42, "quality_rating": null, "messaging_limit": null, "account_status": "reconnect_required",
        "last_webhook_at": null, "read_receipts": "on_reply",
    });
    assert_eq!(numbers(&fixture).await, [expected]);
}

#[tokio::test]
async fn what_is_known_of_a_number_beside_its_registration_is_shown() {
    let fixture = Fixture::new().await;
    let known = format!(
        "insert into chat_phone_numbers values ('{NUMBER}', 'GREEN', '2026-07-01 12:00:00+02');
         update waba_accounts set access_token = 'enc:v1:k1:secret' where waba_id = '{WABA}'"
    );
    fixture.database.client.batch_execute(&known).await.unwrap();
    let reply = fixture.api.get(NUMBERS).await.ok();
    let number = &reply["phone_numbers"][0];
    assert_eq!(number["quality_rating"], "GREEN");
    assert_eq!(number["last_webhook_at"], "2026-07-01T10:00:00Z");
    assert_eq!(number["account_status"], "active");
    assert!(!reply.to_string().contains("enc:v1"), "a token never leaves");
}

#[tokio::test]
async fn a_number_that_is_registered_twice_is_shown_and_counted_once() {
    let fixture = Fixture::new().await;
    fixture.conversations(1).await;
    let twice = format!(
        "update chat_conversations set unread_count = 5;
         insert into phone_numbers (waba_id, phone_number_id, verified_name) values
           ('{WABA}', '{NUMBER}', 'Again'), ('{WABA}', null, 'None'), ('{WABA}', '700200', null)"
    );
    fixture.database.client.batch_execute(&twice).await.unwrap();
    let shown: Vec<Value> = numbers(&fixture)
        .await
        .iter()
        .map(|number| {
            json!([
                number["phone_number_id"],
                number["verified_name"],
                number["unread_count"]
            ])
        })
        .collect();
    assert_eq!(shown, [json!([NUMBER, "Test", 5]), json!(["700200", null, 0])]);
}

#[tokio::test]
async fn two_tenants_with_one_number_have_each_their_own_total() {
    let fixture = Fixture::new().await;
    let other = fixture.database.add_number("900200", NUMBER).await;
    fixture.conversations(1).await;
    fixture
        .insert(&format!(
            "(waba_id, phone_number_id, customer_phone, unread_count) values ('900200', '{NUMBER}', '+1', 9)"
        ))
        .await;
    assert_eq!(numbers(&fixture).await[0]["unread_count"], 0);
    let theirs = fixture.api.as_agent(other).get(NUMBERS).await.ok();
    assert_eq!(theirs["phone_numbers"][0]["unread_count"], 9);
    assert_eq!(theirs["phone_numbers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_agent_without_numbers_has_an_empty_list() {
    let fixture = Fixture::new().await;
    let nobody = fixture.api.as_agent(Uuid::new_v4());
    assert_eq!(
        nobody.get(NUMBERS).await.ok(),
        json!({"success": true, "phone_numbers": []})
    );
}
