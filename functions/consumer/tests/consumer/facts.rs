//! What webhooks say of contacts, accounts and phone numbers, as the API then shows it.

use crate::shown::{self, pick, time};
use crate::support::{Fixture, NOON, NUMBER, WABA, change, message};
use jiff::Timestamp;
use serde_json::{Value, json};

const ANA: &str = "15550111";

/// A message of Ana's whose profile has this name.
fn profile(name: &str, wamid: &str, seconds: i64) -> String {
    message(
        ANA,
        name,
        json!({"id": wamid, "timestamp": (NOON + seconds).to_string(), "type": "text", "text": {"body": "x"}}),
    )
}

fn in_book(action: &str, contact: Value, seconds: i64) -> String {
    let sync = json!({"type": "contact", "action": action, "contact": contact, "metadata": {"timestamp": (NOON + seconds).to_string()}});
    change(WABA, NUMBER, "smb_app_state_sync", NOON, &json!({"state_sync": [sync]}))
}

fn added(name: &str, seconds: i64) -> String {
    in_book(
        "add",
        json!({"full_name": name, "first_name": "A.", "phone_number": ANA}),
        seconds,
    )
}

fn removed(seconds: i64) -> String {
    in_book("remove", json!({"full_name": "Gone", "phone_number": ANA}), seconds)
}

fn preference(who: &Value, value: &str, seconds: i64) -> String {
    let mut preference = json!({"category": "marketing_messages", "value": value, "timestamp": NOON + seconds});
    preference
        .as_object_mut()
        .unwrap()
        .extend(who.as_object().cloned().unwrap());
    change(
        WABA,
        NUMBER,
        "user_preferences",
        NOON,
        &json!({"user_preferences": [preference]}),
    )
}

/// A change about the account, made `seconds` after noon.
fn about(field: &str, seconds: i64, value: Value) -> String {
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": WABA, "time": NOON + seconds, "changes": [{"field": field, "value": value}]}]})
    .to_string()
}

/// A database with a number whose account is connected.
async fn connected() -> Fixture {
    let fixture = Fixture::new().await;
    let sql = "update waba_accounts set access_token = 'a token'; update phone_numbers set display_phone_number = '+1 (555) 010-0'";
    fixture.database.client.batch_execute(sql).await.unwrap();
    fixture
}

async fn number(fixture: &Fixture, seconds: i64) -> Value {
    let now = Timestamp::from_second(NOON + seconds).unwrap();
    shown::numbers(fixture, WABA, now).await.remove(0)
}

#[tokio::test]
async fn the_newest_of_profile_and_address_book_names_the_customer_in_any_order() {
    let cases = [
        (
            vec![profile("Ana", "wamid.1", 0), added("Ana Prado", 5)],
            json!("Ana Prado"),
        ),
        (vec![added("Ana Prado", 5), profile("Ana", "wamid.1", 9)], json!("Ana")),
        (
            vec![profile("Ana", "wamid.1", 0), added("Ana Prado", 5), removed(7)],
            json!("Ana"),
        ),
        (
            vec![profile("Ana", "wamid.1", 0), added("Ana Prado", 5), added("Ana P.", 6)],
            json!("Ana P."),
        ),
        (
            vec![profile("Ana", "wamid.1", 0), removed(5), added("Ana Prado", 7)],
            json!("Ana Prado"),
        ),
    ];
    for (items, expected) in cases {
        let mut orders = vec![items.clone(), items.iter().rev().cloned().collect()];
        orders.push([&items[1..], &items[..1]].concat());
        for order in orders {
            let fixture = Fixture::new().await;
            for item in &order {
                fixture.consume(std::slice::from_ref(item)).await;
            }
            assert_eq!(
                shown::conversation(&fixture).await["customer_name"],
                expected,
                "{order:#?}"
            );
            let reasons = fixture.quarantine().await;
            assert!(
                reasons.iter().all(|reason| reason == "applied:smb_app_state_sync"),
                "{reasons:?}"
            );
            assert_eq!(reasons.len(), items.len() - 1);
        }
    }
}

#[tokio::test]
async fn an_agents_name_stands_and_a_contact_alone_makes_no_conversation() {
    let fixture = Fixture::new().await;
    fixture
        .consume(&[
            added("Ana Prado", 5),
            in_book("add", json!({"first_name": "Bea", "user_id": "US.2"}), 5),
        ])
        .await;
    assert!(shown::conversations(&fixture).await.is_empty());
    fixture.consume(&[profile("Ana", "wamid.1", 0)]).await;
    let conversation = shown::conversation(&fixture).await;
    assert_eq!(conversation["customer_name"], "Ana Prado");
    let (owner, id) = (shown::owner(&fixture, WABA).await, conversation["id"].as_i64().unwrap());
    let named = shared::db::conversations::update(&fixture.database.client, owner, id, None, Some("Ana (VIP)")).await;
    assert_eq!(named.unwrap().unwrap().customer_name.as_deref(), Some("Ana (VIP)"));
    fixture
        .consume(&[added("Another", 50), profile("Third", "wamid.2", 60), removed(70)])
        .await;
    assert_eq!(shown::conversation(&fixture).await["customer_name"], "Ana (VIP)");
}

#[tokio::test]
async fn the_newest_wish_about_marketing_counts_in_any_order() {
    let who = [
        json!({"wa_id": ANA}),
        json!({"user_id": "US.1"}),
        json!({"wa_id": ANA, "user_id": "US.1"}),
    ];
    let person = change(
        WABA,
        NUMBER,
        "messages",
        NOON,
        &json!({"messages": [{"from": ANA, "from_user_id": "US.1", "id": "wamid.1",
        "timestamp": NOON.to_string(), "type": "text", "text": {"body": "x"}}]}),
    );
    for who in who {
        let (stop, resume, again) = (
            preference(&who, "stop", 1),
            preference(&who, "resume", 5),
            preference(&who, "stop", 9),
        );
        let cases = [
            (vec![&person, &stop], time(NOON + 1)),
            (vec![&stop, &person], time(NOON + 1)),
            (vec![&person, &stop, &resume], Value::Null),
            (vec![&resume, &person, &stop], Value::Null),
            (vec![&again, &resume, &stop, &person], time(NOON + 9)),
        ];
        for (items, expected) in cases {
            let fixture = Fixture::new().await;
            for item in &items {
                fixture.consume(&[(*item).clone()]).await;
            }
            assert_eq!(
                shown::conversation(&fixture).await["marketing_opted_out_at"],
                expected,
                "{items:#?}"
            );
            let reasons = fixture.quarantine().await;
            assert_eq!(reasons, vec![json!("applied:user_preferences"); items.len() - 1]);
        }
    }
}

#[tokio::test]
async fn a_preference_or_contact_that_says_something_else_is_kept() {
    let fixture = Fixture::new().await;
    let sync = json!({"state_sync": [{"type": "label", "label": {}}, {"type": "contact", "contact": {"full_name": "Nobody"}, "metadata": {"timestamp": "1"}},
        {"type": "contact", "action": "add", "contact": {"full_name": "Ana", "phone_number": ANA}}]});
    let wishes = json!({"user_preferences": [{"wa_id": ANA, "category": "news", "value": "stop", "timestamp": NOON},
        {"wa_id": ANA, "category": "marketing_messages", "timestamp": NOON}]});
    fixture
        .consume(&[
            change(WABA, NUMBER, "smb_app_state_sync", NOON, &sync),
            change(WABA, NUMBER, "user_preferences", NOON, &wishes),
        ])
        .await;
    let reasons = [
        "invalid_timestamp",
        "missing_contact",
        "missing_value",
        "preference:news",
        "state_sync:label",
    ];
    assert_eq!(fixture.quarantine().await, reasons.map(|reason| json!(reason)));
}

#[tokio::test]
async fn an_accounts_state_is_what_its_newest_event_made_it() {
    let restriction = |until: i64| {
        json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
            {"restriction_type": "A", "expiration": NOON + until - 50}, {"restriction_type": "B", "expiration": (NOON + until).to_string()}]})
    };
    let disabled = |state: &str| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state, "waba_ban_date": "July 1, 2026"}});
    let cases = [
        (
            "account_update",
            json!({"event": "PARTNER_REMOVED"}),
            "reconnect_required",
        ),
        ("account_update", json!({"event": "ACCOUNT_RECONNECTED"}), "active"),
        ("account_update", restriction(1000), "restricted"),
        ("account_update", restriction(90), "active"),
        ("account_update", disabled("SCHEDULE_FOR_DISABLE"), "disable_scheduled"),
        ("account_update", disabled("DISABLE"), "disabled"),
        ("account_update", disabled("REINSTATE"), "active"),
        ("account_review_update", json!({"decision": "REJECTED"}), "rejected"),
        ("account_review_update", json!({"decision": "APPROVED"}), "active"),
        ("account_update", json!({"event": "ACCOUNT_DELETED"}), "deleted"),
    ];
    let fixture = connected().await;
    assert_eq!(number(&fixture, 0).await["account_status"], "active");
    for (index, (field, value, expected)) in (1..).zip(&cases) {
        fixture.consume(&[about(field, index, value.clone())]).await;
        // What is older and comes later changes nothing.
        fixture
            .consume(&[about("account_update", 0, json!({"event": "PARTNER_APP_UNINSTALLED"}))])
            .await;
        assert_eq!(number(&fixture, 100).await["account_status"], *expected, "{value}");
    }
    let kept = "select to_jsonb(count(*)) from chat_quarantine where reason in ('applied:account_update', 'applied:account_review_update')";
    assert_eq!(fixture.database.json(kept).await, [json!(cases.len() + 1)]);
    fixture
        .database
        .client
        .batch_execute("update waba_accounts set access_token = null")
        .await
        .unwrap();
    fixture
        .consume(&[about("account_update", 90, json!({"event": "PARTNER_ADDED"}))])
        .await;
    assert_eq!(number(&fixture, 100).await["account_status"], "reconnect_required");
}

#[tokio::test]
async fn a_partners_webhook_names_the_account_within() {
    let fixture = connected().await;
    let value = json!({"event": "PARTNER_REMOVED", "waba_info": {"waba_id": WABA, "owner_business_id": "B"}});
    let body = about("account_update", 1, value).replacen(&format!("\"id\":\"{WABA}\""), "\"id\":\"PARTNER\"", 1);
    assert!(body.contains("PARTNER\""));
    fixture.consume(&[body]).await;
    assert_eq!(number(&fixture, 9).await["account_status"], "reconnect_required");
}

#[tokio::test]
async fn a_number_shows_its_quality_limit_and_name() {
    let fixture = connected().await;
    let fields = ["quality_rating", "messaging_limit", "verified_name"];
    assert_eq!(
        pick(&number(&fixture, 0).await, &fields),
        json!({"quality_rating": null, "messaging_limit": null, "verified_name": "Test"})
    );
    let quality =
        |event: &str, limit: &str| json!({"display_phone_number": "15550100", "event": event, "current_limit": limit});
    let name = |decision: &str, name: &str| json!({"display_phone_number": "+1 555 0100", "decision": decision, "requested_verified_name": name});
    fixture
        .consume(&[
            about("phone_number_quality_update", 5, quality("FLAGGED", "TIER_1K")),
            about("phone_number_quality_update", 3, quality("UNFLAGGED", "TIER_1K")),
            about("phone_number_quality_update", 4, quality("UPGRADE", "TIER_10K")),
            about("phone_number_name_update", 4, name("APPROVED", "Leaf & Co")),
            about("phone_number_name_update", 6, name("REJECTED", "Leaf")),
            about("phone_number_name_update", 3, name("APPROVED", "Leaves")),
            // Of a number that is none of ours.
            about(
                "phone_number_quality_update",
                9,
                json!({"display_phone_number": "15550199", "event": "UNFLAGGED"}),
            ),
        ])
        .await;
    assert_eq!(
        pick(&number(&fixture, 9).await, &fields),
        json!({"quality_rating": "RED", "messaging_limit": "TIER_10K", "verified_name": "Leaf & Co"})
    );
    fixture
        .consume(&[about("phone_number_quality_update", 7, quality("UNFLAGGED", "TIER_1K"))])
        .await;
    assert_eq!(number(&fixture, 9).await["quality_rating"], "UNKNOWN");
}

#[tokio::test]
async fn of_a_template_the_newest_of_each_kind_is_known() {
    let fixture = Fixture::new().await;
    let template = |rest: Value| {
        let mut value = json!({"message_template_id": 5001, "message_template_name": "reminder", "message_template_language": "en"});
        value
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().cloned().unwrap());
        value
    };
    fixture
        .consume(&[
            about(
                "message_template_status_update",
                2,
                template(json!({"event": "PAUSED", "reason": "NONE"})),
            ),
            about(
                "message_template_status_update",
                1,
                template(json!({"event": "APPROVED", "reason": "NONE"})),
            ),
            about(
                "message_template_category_update",
                1,
                template(json!({"previous_category": "UTILITY", "new_category": "MARKETING"})),
            ),
            about(
                "message_template_quality_update",
                1,
                template(json!({"new_quality_score": "RED"})),
            ),
            about(
                "message_template_components_update",
                1,
                template(json!({"message_template_element": "Hi"})),
            ),
            about("message_template_status_update", 1, json!({"event": "APPROVED"})),
        ])
        .await;
    let facts = "select jsonb_build_array(subject_id, name, coalesce(value ->> 'event', value ->> 'new_category', value ->> 'new_quality_score',
                   value ->> 'message_template_element')) from chat_facts where subject = 'template' order by name";
    let id = format!("{WABA}:5001");
    assert_eq!(
        fixture.database.json(facts).await,
        [
            json!([id, "category", "MARKETING"]),
            json!([id, "components", "Hi"]),
            json!([id, "quality", "RED"]),
            json!([id, "status", "PAUSED"])
        ]
    );
    let reasons = fixture.quarantine().await;
    assert_eq!(
        reasons
            .iter()
            .filter(|reason| *reason == "field:message_template_status_update")
            .count(),
        1
    );
    assert_eq!(reasons.len(), 6);
}
