//! Everything the functions do, through a pooler in transaction mode: a connection to the server is somebody else's after each
//! transaction.

use futures_util::future::join_all;
use serde_json::json;
use shared::db::conversations::Filter;
use shared::db::settings::Settings;
use shared::db::{Database, accounts, conversations, health, ingest, messages, migrations};
use shared::domain::ingest::{Plan, plan};
use shared::domain::page::Seek;
use shared::testing::TestDatabase;
use shared::whatsapp::webhook;

use super::pgbouncer::PgBouncer;

#[tokio::test]
async fn migrations_and_many_clients_work_through_a_pooler_in_transaction_mode() {
    let test = TestDatabase::empty().await;
    let pooler = PgBouncer::before(&test).await;
    let settings = Settings::new(&pooler.url(&test, "127.0.0.1", "pgbouncer=true"), None).unwrap();
    let (one, other) = tokio::join!(migrations::run(&settings), async {
        migrations::run(&Settings::from_url(&test.url).unwrap()).await
    });
    let applied = one.unwrap().applied.len() + other.unwrap().applied.len();
    assert!(applied >= 2);
    assert_eq!(migrations::run(&settings).await.unwrap().applied.len(), 0);

    // Operators are told of it: the connection that rests serves whoever asks.
    let look = async |settings: &Settings| {
        let (one, other) = (settings.connect().await.unwrap(), settings.connect().await.unwrap());
        health::find_server(&one, &other).await.unwrap().is_pooled
    };
    assert!(look(&settings).await);
    assert!(!look(&Settings::from_url(&test.url).unwrap()).await);

    let agent = test.add_number("900100", "700100").await;
    let now = "2026-07-01T12:00:01Z".parse().unwrap();
    let database = Database::new(settings, 12);
    join_all((0..24).map(|n| {
        let database = &database;
        async move {
            let phone = format!("1555{n:07}");
            let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "900100", "changes": [{"field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550100", "phone_number_id": "700100"},
                "contacts": [{"wa_id": phone, "profile": {"name": "Ana"}}],
                "messages": [{"from": phone, "id": format!("wamid.{n}"), "timestamp": "1782907200", "type": "text", "text": {"body": "hi"}}]
            }}]}]});
            let mut batch = Plan::default();
            plan(webhook::parse(&body.to_string()), now, &mut batch);
            let work = database.run(async |client| {
                ingest::apply(client, &batch, now).await?;
                let filter = Filter::default();
                let page = conversations::list(client, agent, &filter, Seek::Newest, 100).await?;
                let key = format!("+{phone}");
                let id = page.rows.iter().find(|row| row.customer_phone.as_ref() == Some(&key)).expect("it is listed").id;
                let read = conversations::mark_read(client, agent, id).await?.expect("it is the agent's");
                assert_eq!(read.0.unread_count, 0);
                let named = conversations::update(client, agent, id, Some("archived"), Some(&key)).await?;
                assert_eq!(named.expect("it is the agent's").customer_name, Some(key));
                assert_eq!(messages::list(client, agent, id, Seek::Newest, 5).await?.rows.len(), 1);
                assert!(messages::find_position(client, agent, id, &format!("wamid.{n}")).await?.is_some());
                accounts::list_numbers(client, agent, jiff::Timestamp::now()).await
            });
            assert_eq!(work.await.unwrap().len(), 1);
        }
    }))
    .await;
    let pids = join_all((0..12).map(|_| {
        database
            .run(async |client| Ok(client.query_typed("select pg_backend_pid()", &[]).await?[0].try_get::<_, i32>(0)?))
    }))
    .await;
    let mut pids: Vec<i32> = pids.into_iter().map(Result::unwrap).collect();
    pids.sort_unstable();
    pids.dedup();
    assert!(
        pids.len() <= 2,
        "the clients share the pooler's two connections: {pids:?}"
    );
    assert_eq!(
        test.count("select count(*) from chat_messages where status = 'read'")
            .await,
        24
    );
}
