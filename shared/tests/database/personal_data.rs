//! All that is kept of one customer is found, whatever it came as, and nothing of it is left once it is erased.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::db::personal_data::{self, DERIVED, Erased, Person, TABLES};
use shared::domain::customer::CustomerId;
use shared::testing::TestDatabase;
use shared::whatsapp::split::Unit;
use shared::whatsapp::unit;

const PHONE: &str = "4915112345678";
const OTHER: &str = "4915199999999";
const USER_ID: &str = "DE.13491208655302741918";
const NOON: i64 = 1_782_907_200;

/// Tables in which nobody's data are: what is the business's, and what only says that something changed.
const OF_NOBODY: [&str; 16] = [
    "chat_account_settings",
    "chat_backfills",
    "chat_change_log",
    "chat_changes",
    "chat_connections",
    "chat_discarded_files",
    "chat_holds",
    "chat_migrations",
    "chat_phone_numbers",
    "chat_push_subscriptions",
    "chat_quick_replies",
    "chat_retention",
    "chat_template_lists",
    "chat_templates",
    "chat_tickets",
    "chat_unpublished",
];

fn phone() -> CustomerId {
    CustomerId::Phone(format!("+{PHONE}"))
}

fn change(waba: &str, number: &str, field: &str, value: Value) -> Value {
    let mut value = value;
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550100", "phone_number_id": number});
    json!({"object": "whatsapp_business_account", "entry": [{"id": waba, "time": NOON, "changes": [{"field": field, "value": value}]}]})
}

/// Everything that WhatsApp says about a customer, to one number: with and without a message that it is about, applied and not.
async fn fill(test: &mut TestDatabase, waba: &str, number: &str, phone: &str) {
    let at = |seconds: i64| (NOON + seconds).to_string();
    let wamid = |name: &str| format!("wamid.{phone}.{number}.{name}");
    let contacts = json!([{"wa_id": phone, "profile": {"name": format!("Ana {phone}")}}]);
    let item = |name: &str, seconds: i64, kind: &str, body: Value| json!({"from": phone, "id": wamid(name), "timestamp": at(seconds), "type": kind, kind: body});
    let own = |name: &str, seconds: i64, body: &str| json!({"from": "15550100", "to": phone, "id": wamid(name), "timestamp": at(seconds), "type": "text", "text": {"body": body}});
    let status = |name: &str, status: &str| json!({"id": wamid(name), "status": status, "timestamp": at(30), "recipient_id": phone});
    let image = json!({"id": "M1", "mime_type": "image/png", "sha256": "aGFzaA==", "caption": "Look"});
    let edit = json!({"original_message_id": wamid("text"), "message": {"type": "text", "text": {"body": format!("I am {phone}!")}}});
    let messages = json!([
        item("text", 0, "text", json!({"body": format!("I am +{phone}")})),
        item("image", 1, "image", image),
        item("gone", 2, "text", json!({"body": "A slip"})),
        item("heart", 3, "reaction", json!({"message_id": wamid("text"), "emoji": "❤️"})),
        item("edit", 4, "edit", edit),
        item("revoke", 5, "revoke", json!({"original_message_id": wamid("gone")})),
        // Its message never comes.
        item("parked", 6, "revoke", json!({"original_message_id": wamid("never")})),
        // Of no known kind, and of no form.
        {"from": phone, "timestamp": at(7), "type": "text", "text": {"body": "no id"}},
    ]);
    for (field, value) in [
        ("messages", json!({"contacts": contacts, "messages": messages})),
        (
            "smb_message_echoes",
            json!({"message_echoes": [own("echo", 8, "From the phone")]}),
        ),
        (
            "messages",
            json!({"statuses": [status("echo", "read"), status("unknown", "delivered")]}),
        ),
        (
            "smb_app_state_sync",
            json!({"state_sync": [{"type": "contact", "action": "add", "contact": {"phone_number": phone, "full_name": "Ana Lima"},
                                   "metadata": {"timestamp": at(9)}}]}),
        ),
        (
            "user_preferences",
            json!({"user_preferences": [{"wa_id": phone, "category": "marketing_messages", "value": "stop", "timestamp": NOON + 8}]}),
        ),
        ("flows", json!({"contact": phone})),
    ] {
        test.ingest(
            &change(waba, number, field, value),
            Timestamp::from_second(NOON + 60).unwrap(),
        )
        .await;
    }
    let packed = unit::encode(&Unit {
        group: None,
        body: format!("{{\"from\": \"{phone}\", \"text\": \"\u{fffe}\"}}").into_bytes(),
    });
    let insert = "insert into chat_quarantine (digest, reason, source, waba_id, phone_number_id, body) values ($1, 'refused: 22P05', 'consumer', $2, $3, $4)";
    let digest = format!("{phone}{number}").into_bytes();
    test.client
        .execute(insert, &[&digest, &waba, &number, &packed[0].body.as_bytes()])
        .await
        .unwrap();
    let sent = format!(
        "with conversation as (
           select id from chat_conversations where customer_phone = '+{phone}' and phone_number_id = '{number}'
         ), upload as (
           insert into chat_uploads (id, user_id, kind, mime_type, filename, size, object_key)
           select gen_random_uuid(), a.user_id, 'image', 'image/png', 'for {phone}.png', 5, 'outbound/' || gen_random_uuid()
           from waba_accounts a where a.waba_id = '{waba}' returning id
         ), message as (
           insert into chat_messages (conversation_id, message_id, content, sender, status, timestamp)
           select id, gen_random_uuid()::text, 'To {phone}', 'user', 'failed', now() from conversation returning id, conversation_id
         ), file as (
           insert into chat_media (message_id, upload_id, state) select message.id, upload.id, 'stored' from message, upload
         ), signals as (
           insert into chat_conversation_signals (conversation_id) select id from conversation on conflict do nothing
         ), subscription as (
           insert into chat_push_subscriptions (user_id, endpoint, p256dh, auth)
           select a.user_id, 'https://' || gen_random_uuid(), '', '' from waba_accounts a where a.waba_id = '{waba}' returning id
         ), owed as (
           insert into chat_push_owed (subscription_id, conversation_id) select subscription.id, conversation.id from subscription, conversation
         )
         insert into chat_sends (message_id, conversation_id, request, request_hash, settled_at, former_wamids)
         select id, conversation_id, '{{\"kind\": \"text\", \"object\": {{\"body\": \"To {phone}\"}}}}', '', now(), array['{former}'] from message",
        former = wamid("former")
    );
    test.client.batch_execute(&sent).await.unwrap();
    let former = json!({"statuses": [status("former", "failed")]});
    test.ingest(
        &change(waba, number, "messages", former),
        Timestamp::from_second(NOON + 90).unwrap(),
    )
    .await;
}

/// Every column of every table whose text holds one of these.
async fn mentions(test: &TestDatabase, words: &[&str]) -> BTreeSet<String> {
    let columns = "select jsonb_build_array(table_name, column_name, data_type) from information_schema.columns where table_schema = current_schema()";
    let mut found = BTreeSet::new();
    for column in test.json(columns).await {
        let [table, column, kind] = [0, 1, 2].map(|at| column[at].as_str().unwrap().to_owned());
        let readable = match kind.as_str() {
            "bytea" => format!("encode(\"{column}\", 'escape')"),
            _ => format!("\"{column}\"::text"),
        };
        for word in words {
            let sql = format!("select count(*) from {table} where position('{word}' in {readable}) > 0");
            if test.count(&sql).await > 0 {
                found.insert(format!("{table}.{column}"));
            }
        }
    }
    let packed =
        "select count(*) from chat_quarantine where starts_with(encode(body, 'escape'), 'H4sI') and digest::text like ";
    for word in words {
        let digest = hex::encode(word);
        if test.count(&format!("{packed} '%{digest}%'")).await > 0 {
            found.insert("what was packed".to_owned());
        }
    }
    found
}

/// Erases what is found; the files that are still to be taken out of the bucket.
async fn erase(test: &TestDatabase, person: &Person) -> Vec<String> {
    let mut client = shared::testing::connect(&test.url).await;
    let mut files = Vec::new();
    for conversation in &person.conversations {
        match personal_data::erase_conversation(&mut client, *conversation)
            .await
            .unwrap()
        {
            Erased::Gone(gone) => files.extend(gone),
            Erased::Busy => panic!("nobody sends"),
        }
    }
    personal_data::erase_rest(&mut client, person).await.unwrap();
    files
}

#[tokio::test]
async fn every_table_is_known_to_hold_something_of_customers_or_nothing() {
    let test = TestDatabase::migrated().await;
    let all = "select to_jsonb(table_name) from information_schema.tables where table_schema = current_schema() and table_name like 'chat\\_%'";
    let all: BTreeSet<String> = test
        .json(all)
        .await
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    let holding = TABLES.iter().map(|(table, _)| *table);
    let known: BTreeSet<String> = holding.chain(DERIVED).chain(OF_NOBODY).map(str::to_owned).collect();
    assert_eq!(known, all);
}

#[tokio::test]
async fn whatever_came_of_a_customer_is_read_and_erased_and_nothing_of_others() {
    let mut test = TestDatabase::migrated().await;
    test.add_number("W1", "P1").await;
    test.add_number("W2", "P2").await;
    for (waba, number) in [("W1", "P1"), ("W2", "P2")] {
        fill(&mut test, waba, number, PHONE).await;
    }
    let before_other = mentions(&test, &[OTHER]).await;
    assert_eq!(before_other, BTreeSet::new());
    fill(&mut test, "W1", "P1", OTHER).await;
    let (kept, all) = (mentions(&test, &[OTHER]).await, mentions(&test, &[PHONE]).await);
    assert_eq!(kept, all);
    for place in [
        "chat_conversations.customer_phone",
        "chat_customer_ids.value",
        "chat_facts.subject_id",
        "chat_message_events.body",
        "chat_message_events.item",
        "chat_message_sources.body",
        "chat_messages.original",
        "chat_quarantine.body",
        "chat_sends.request",
        "chat_sends.former_wamids",
        "chat_uploads.filename",
        "chat_quarantine.digest",
    ] {
        assert!(all.contains(place), "{place} is not among {all:?}");
    }

    let person = personal_data::find(&test.client, &phone(), None).await.unwrap();
    assert_eq!(person.ids, [phone()]);
    let counts = personal_data::count(&test.client, &person).await.unwrap();
    for (table, rows) in &counts {
        assert!(*rows > 0, "{table} has nothing of the customer");
    }
    // What is read is what is counted, and all of it is the customer's.
    let mut read = Vec::new();
    for (place, (_, count)) in TABLES.iter().zip(&counts) {
        let rows: Vec<Value> = personal_data::read(&test.client, &person, *place)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(rows.len(), usize::try_from(*count).unwrap(), "{place:?}");
        read.extend(rows);
    }
    let read = json!(read).to_string();
    assert!(!read.contains(OTHER), "{read}");
    assert!(
        read.contains(&format!("\\\"from\\\":\\\"{PHONE}\\\"")),
        "raw items are texts: {read}"
    );
    assert_eq!(personal_data::list_files(&test.client, &person).await.unwrap().len(), 2);

    let files = erase(&test, &person).await;
    assert_eq!(files.len(), 2, "the uploads of both conversations");
    assert_eq!(mentions(&test, &[PHONE]).await, BTreeSet::new());
    assert_eq!(
        mentions(&test, &[OTHER]).await,
        kept,
        "another customer's are untouched"
    );
    assert!(
        personal_data::find(&test.client, &phone(), None)
            .await
            .unwrap()
            .is_unknown()
    );
    // Pages are told, and the clock knows the files.
    let gone = "select count(*) from chat_changes where entity = 'conversation' and action = 'deleted'";
    assert_eq!(
        (
            test.count(gone).await,
            test.count("select count(*) from chat_discarded_files").await
        ),
        (2, 2)
    );
    // What comes later begins anew.
    fill(&mut test, "W1", "P1", PHONE).await;
    let again = personal_data::find(&test.client, &phone(), None).await.unwrap();
    assert_eq!(again.conversations.len(), 1);
}

#[tokio::test]
async fn a_customer_is_found_by_any_of_their_ids_and_erased_for_one_account_alone() {
    let mut test = TestDatabase::migrated().await;
    let user = test.add_number("W1", "P1").await;
    let second = format!(
        "insert into waba_accounts (waba_id, user_id, owner_business_id) values ('W2', '{user}', 'B');
         insert into phone_numbers (waba_id, phone_number_id, is_registered) values ('W2', 'P2', true);
         update waba_accounts set owner_business_id = 'B' where waba_id = 'W1'"
    );
    test.client.batch_execute(&second).await.unwrap();
    for (waba, number) in [("W1", "P1"), ("W2", "P2")] {
        fill(&mut test, waba, number, PHONE).await;
    }
    let named = json!({"contacts": [{"wa_id": PHONE, "user_id": USER_ID, "profile": {"name": "Ana"}}],
                       "messages": [{"from": PHONE, "from_user_id": USER_ID, "id": "wamid.named", "timestamp": NOON.to_string(), "type": "text", "text": {"body": "Me"}}]});
    test.ingest(
        &change("W1", "P1", "messages", named),
        Timestamp::from_second(NOON + 99).unwrap(),
    )
    .await;
    let user_id = CustomerId::UserId(USER_ID.to_owned());
    let person = personal_data::find(&test.client, &user_id, None).await.unwrap();
    assert_eq!(person.ids, [phone(), user_id.clone()]);
    assert_eq!(person.conversations.len(), 2);

    let in_first = personal_data::find(&test.client, &user_id, Some("W1")).await.unwrap();
    assert_eq!(in_first.conversations.len(), 1);
    erase(&test, &in_first).await;
    assert!(
        personal_data::find(&test.client, &user_id, Some("W1"))
            .await
            .unwrap()
            .is_unknown()
    );
    let first = "select count(*) from chat_message_events where phone_number_id = 'P1'";
    let quarantined = "select count(*) from chat_quarantine where phone_number_id = 'P1' and reason <> 'applied:flows'";
    assert_eq!((test.count(first).await, test.count(quarantined).await), (0, 0));
    let left = personal_data::find(&test.client, &user_id, None).await.unwrap();
    assert_eq!(left.conversations.len(), 1, "the other account still has them");
    assert_eq!(left.ids, [phone(), user_id], "and knows who they are");
    erase(&test, &left).await;
    assert_eq!(mentions(&test, &[PHONE, USER_ID]).await, BTreeSet::new());
}

#[tokio::test]
async fn a_conversation_in_which_a_message_is_on_its_way_stays_and_a_file_that_others_got_too() {
    let mut test = TestDatabase::migrated().await;
    test.add_number("W1", "P1").await;
    for phone in [PHONE, OTHER] {
        fill(&mut test, "W1", "P1", phone).await;
    }
    let shared = format!(
        "update chat_media set upload_id = (select id from chat_uploads where filename = 'for {PHONE}.png') where upload_id is not null;
         update chat_sends set settled_at = null, next_try_at = now(), busy_until = now() + interval '1 minute'"
    );
    test.client.batch_execute(&shared).await.unwrap();
    let person = personal_data::find(&test.client, &phone(), None).await.unwrap();
    let mut client = shared::testing::connect(&test.url).await;
    let conversation = person.conversations[0];
    let erased = personal_data::erase_conversation(&mut client, conversation)
        .await
        .unwrap();
    assert_eq!(erased, Erased::Busy);
    assert_eq!(test.count("select count(*) from chat_conversations").await, 2);
    let over = "update chat_sends set busy_until = now()";
    test.client.batch_execute(over).await.unwrap();
    assert_eq!(erase(&test, &person).await, Vec::<String>::new());
    assert_eq!(test.count("select count(*) from chat_conversations").await, 1);
    assert_eq!(
        test.count("select count(*) from chat_media where upload_id is not null")
            .await,
        1
    );
}
