//! Connections that die, hang, or rest.

use std::time::{Duration, Instant};

use shared::db::settings::Settings;
use shared::db::{Database, DbError};
use shared::testing::TestDatabase;
use shared::testing::proxy::Proxy;
use tokio_postgres::types::Type;

/// The server process that serves the pool's connection.
async fn backend(database: &Database) -> Result<i32, DbError> {
    database
        .run(async |client| Ok(client.query_typed("select pg_backend_pid()", &[]).await?[0].try_get(0)?))
        .await
}

/// The database behind a proxy, by a pool of one.
async fn through_proxy(test: &TestDatabase) -> (Proxy, Database) {
    let (proxy, url) = Proxy::before(&test.url).await;
    (proxy, Database::new(Settings::from_url(&url).unwrap(), 1))
}

async fn is_unavailable(database: &Database) {
    let started = Instant::now();
    let error = backend(database).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced_before_it_is_used() {
    let test = TestDatabase::empty().await;
    let database = Database::new(Settings::from_url(&test.url).unwrap(), 1);
    let mut last = backend(&database).await.unwrap();
    assert_eq!(backend(&database).await.unwrap(), last, "a good one is kept");
    for _ in 0..10 {
        let end = "select pg_terminate_backend($1, 5000)";
        assert!(test.client.query_typed(end, &[(&last, Type::INT4)]).await.unwrap()[0].get::<_, bool>(0));
        let next = backend(&database).await.unwrap();
        assert_ne!(next, last);
        last = next;
    }
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle_is_unavailable_once() {
    let test = TestDatabase::empty().await;
    let database = Database::new(Settings::from_url(&test.url).unwrap(), 1);
    let sleep = database.run(async |client| Ok(client.query_typed("select pg_sleep(60)", &[]).await?.len()));
    let end = async {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()";
        while test.client.query_typed(end, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let (slept, ()) = tokio::join!(sleep, end);
    assert!(slept.unwrap_err().is_transient());
    backend(&database).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_hangs_is_given_up_in_time_and_replaced() {
    let test = TestDatabase::empty().await;
    let (proxy, database) = through_proxy(&test).await;
    let first = backend(&database).await.unwrap();
    proxy.freeze();
    is_unavailable(&database).await;
    proxy.thaw();
    assert_ne!(backend(&database).await.unwrap(), first);
    assert_eq!(proxy.accepted(), 2);
}

/// Lambda freezes an environment between two requests, and what is between it and the database forgets the connection. Ten seconds of
/// the wall clock have to go by: that is what is tested.
#[tokio::test]
async fn a_connection_that_died_while_it_rested_costs_no_request() {
    let test = TestDatabase::empty().await;
    let (proxy, database) = through_proxy(&test).await;
    let first = backend(&database).await.unwrap();
    proxy.freeze();
    tokio::time::sleep(Duration::from_millis(10_100)).await;
    proxy.thaw();
    let second = backend(&database).await.expect("it is asked before it is used");
    assert_ne!(second, first);
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_unavailable_until_it_takes_them() {
    let test = TestDatabase::empty().await;
    let (mut proxy, database) = through_proxy(&test).await;
    backend(&database).await.unwrap();
    proxy.cut().await;
    is_unavailable(&database).await;
    is_unavailable(&database).await;
    // A cold start: there never was a connection.
    let url = format!("postgres://postgres@{}/none", proxy.address);
    let cold = Database::new(Settings::from_url(&url).unwrap(), 1);
    cold.warm_up().await;
    is_unavailable(&cold).await;
}

#[tokio::test]
async fn a_pool_that_is_in_use_makes_others_wait_and_not_longer_than_a_request_may_take() {
    let test = TestDatabase::empty().await;
    let database = Database::new(Settings::from_url(&test.url).unwrap(), 1);
    let (first, second) = tokio::join!(backend(&database), backend(&database));
    assert_eq!(first.unwrap(), second.unwrap(), "one connection serves both");
    let occupied = database.run_within(Duration::from_secs(20), async |client| {
        Ok(client.query_typed("select pg_sleep(4.8)", &[]).await?.len())
    });
    let (held, ()) = tokio::join!(occupied, is_unavailable(&database));
    assert_eq!(held.unwrap(), 1);
    backend(&database).await.unwrap();
}

#[tokio::test]
async fn what_a_request_left_behind_is_not_the_next_ones() {
    let test = TestDatabase::empty().await;
    test.client.batch_execute("create table t (id int)").await.unwrap();
    let database = Database::new(Settings::from_url(&test.url).unwrap(), 1);
    let given_up = database
        .run_within(Duration::from_millis(200), async |client| {
            let transaction = client.transaction().await?;
            transaction.execute_typed("insert into t values (1)", &[]).await?;
            transaction.query_typed("select pg_sleep(60)", &[]).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await;
    assert!(given_up.unwrap_err().is_transient());
    let refused = database
        .run(async |client| {
            let transaction = client.transaction().await?;
            transaction.execute_typed("insert into t values (2)", &[]).await?;
            transaction.execute_typed("insert into t values ('x')", &[]).await?;
            Ok(())
        })
        .await;
    assert!(!refused.unwrap_err().is_transient());
    let count = database
        .run(async |client| {
            client.execute_typed("insert into t values (3)", &[]).await?;
            Ok(client.query_typed("select count(*) from t", &[]).await?[0].try_get::<_, i64>(0)?)
        })
        .await;
    assert_eq!(count.unwrap(), 1);
}
