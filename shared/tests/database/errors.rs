//! Errors name what failed and show nothing of anybody's data.

use shared::db::settings::Settings;
use shared::db::{Database, DbError};
use shared::http::error::ApiError;
use shared::testing::TestDatabase;
use tokio_postgres::types::Type;

const SECRET: &str = "+4912345678";

async fn error_of(database: &Database, sql: &str) -> DbError {
    database
        .run(async |client| {
            let rows = client.query_typed(sql, &[(&SECRET, Type::TEXT)]).await?;
            rows.iter()
                .map(|row| row.try_get(0).map_err(DbError::from))
                .collect::<Result<Vec<i64>, _>>()
        })
        .await
        .expect_err(sql)
}

#[tokio::test]
async fn a_refused_statement_names_its_constraint_and_no_value() {
    let test = TestDatabase::empty().await;
    test.client
        .batch_execute(&format!(
            "create table t (phone text constraint t_phone_key unique, length int constraint t_length_check check (length < 3));
             insert into t values ('{SECRET}', 1)"
        ))
        .await
        .unwrap();
    let database = test.pool();
    for (sql, constraint) in [
        ("insert into t values ($1, 1)", Some("t_phone_key")),
        ("insert into t values ($1 || 'x', length($1))", Some("t_length_check")),
        ("select $1::int", None),
        ("select ($1::text)::json", None),
        ("select 1 / (length($1) - 11)", None),
        ("select * from nowhere where $1 = $1", None),
        ("select $1::text::timestamptz", None),
        // A value of another type than the code reads.
        ("select $1::text", None),
        ("select null::bigint where $1 = $1", None),
    ] {
        let error = error_of(&database, sql).await;
        assert!(!error.is_transient(), "{sql}: {error}");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("12345678"), "{sql}: {shown}");
            assert!(constraint.is_none_or(|name| shown.contains(name)), "{sql}: {shown}");
        }
        assert!(matches!(ApiError::from(error), ApiError::Internal(_)), "{sql}");
    }
}

#[tokio::test]
async fn what_a_second_try_resolves_is_transient() {
    let test = TestDatabase::empty().await;
    let database = test.pool();
    for state in ["40001", "40P01", "55P03", "53300", "53100", "57P01", "57P03", "08006"] {
        let raise = format!("do $$ begin raise exception '{SECRET}' using errcode = '{state}'; end $$");
        let error = database
            .run(async |client| Ok(client.execute_typed(&raise, &[]).await?))
            .await
            .unwrap_err();
        assert!(error.is_transient(), "{state}: {error}");
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        assert!(matches!(ApiError::from(error), ApiError::Unavailable(_)), "{state}");
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_says_why_without_the_url() {
    let test = TestDatabase::empty().await;
    let config: tokio_postgres::Config = test.url.parse().unwrap();
    let host = test.url.split('@').nth(1).unwrap().split('/').next().unwrap();
    let user = config.get_user().unwrap();
    let url = format!("postgres://{user}:hunter2@{host}/no_such_database_{user}?sslmode=disable");
    let error = Settings::new(&url, None)
        .unwrap()
        .connect()
        .await
        .expect_err("it is refused");
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("SQLSTATE 3D000") || shown.contains("SQLSTATE 28P01"),
        "{shown}"
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("no_such_database"),
        "{shown}"
    );
}
