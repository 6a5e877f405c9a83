//! For tests: a database of their own on a real PostgreSQL, demo rows, and access tokens.

pub mod api;
pub mod outbound;
pub mod proxy;
pub mod sockets;
pub mod sqs;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::db::settings::Settings;
use crate::db::{Database, migrations};
use crate::domain::ingest::{self, Plan};
use crate::whatsapp::webhook::parse;

/// The issuer of the tokens that [`agent_token`] makes.
pub const ISSUER: &str = "https://tests.example/auth/v1";
/// Their legacy secret.
pub const JWT_SECRET: &str = "a legacy secret of the tests, 32 bytes and more";

/// A database that one test has for itself.
pub struct TestDatabase {
    /// Its URL.
    pub url: String,
    /// A connection of the test's own.
    pub client: Client,
}

impl TestDatabase {
    /// A migrated database.
    pub async fn migrated() -> Self {
        let database = Self::empty().await;
        let settings = Settings::from_url(&database.url).expect("the URL is well-formed");
        migrations::run(&settings).await.expect("the migrations apply");
        database
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        let server = std::env::var("TEST_DATABASE_URL")
            .expect("TEST_DATABASE_URL is not set: `cargo xtask test` starts a PostgreSQL and sets it");
        let name = format!("test_{}", Uuid::new_v4().simple());
        connect(&server)
            .await
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("TEST_DATABASE_URL may create databases");
        let (base, query) = server.split_once('?').unwrap_or((&server, ""));
        let host = base.rsplit_once('/').map_or(base, |(host, _)| host);
        let url = format!("{host}/{name}?{query}");
        Self {
            client: connect(&url).await,
            url,
        }
    }

    /// The pool that a function would have.
    #[must_use]
    pub fn pool(&self) -> Database {
        Database::new(Settings::from_url(&self.url).expect("the URL is well-formed"), 4)
    }

    /// An account of a new user with a phone number of this id. Returns the user.
    pub async fn add_number(&self, waba_id: &str, phone_number_id: &str) -> Uuid {
        let user = Uuid::new_v4();
        self.client
            .batch_execute(&format!(
                "insert into users (id) values ('{user}');
                 insert into waba_accounts (waba_id, user_id) values ('{waba_id}', '{user}');
                 insert into phone_numbers (waba_id, phone_number_id, display_phone_number, verified_name, is_registered)
                 values ('{waba_id}', '{phone_number_id}', '+1 555 000', 'Test', true)"
            ))
            .await
            .expect("the tables are there");
        user
    }

    /// Consumes a webhook of Meta, received at `now`.
    pub async fn ingest(&mut self, webhook: &Value, now: Timestamp) {
        let mut plan = Plan::default();
        ingest::plan(parse(&webhook.to_string()), now, &mut plan);
        crate::db::ingest::apply(&mut self.client, &plan, now)
            .await
            .expect("the database takes it");
    }

    /// The rows of a query that selects one JSON value.
    pub async fn json(&self, sql: &str) -> Vec<Value> {
        let rows = self.client.query(sql, &[]).await.expect("the query is right");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// A query's single number.
    pub async fn count(&self, sql: &str) -> i64 {
        let row = self.client.query_one(sql, &[]).await.expect("the query is right");
        row.get(0)
    }
}

/// A connection to a server that is known to be there.
pub async fn connect(url: &str) -> Client {
    Settings::from_url(url)
        .expect("the URL is well-formed")
        .connect()
        .await
        .expect("the server answers")
}

/// A valid HS256 token of this agent.
#[must_use]
pub fn agent_token(user_id: Uuid) -> String {
    sign_hs256(&claims(user_id), JWT_SECRET)
}

/// The claims that a valid token has.
#[must_use]
pub fn claims(user_id: Uuid) -> Value {
    let now = Timestamp::now().as_second();
    json!({"sub": user_id, "role": "authenticated", "aud": "authenticated", "iss": ISSUER, "iat": now, "exp": now + 3600})
}

/// Signs claims as Supabase did before it had asymmetric keys.
#[must_use]
pub fn sign_hs256(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).expect("the claims are JSON")
}

/// The SDK's settings for the emulated AWS that the tests run against.
pub async fn emulated_aws() -> aws_config::SdkConfig {
    let endpoint = std::env::var("TEST_AWS_ENDPOINT_URL")
        .expect("TEST_AWS_ENDPOINT_URL is not set: `cargo xtask test` starts an emulated AWS and sets it");
    // The emulator's own: it checks the signatures of links.
    let credentials = aws_sdk_s3::config::Credentials::builder()
        .access_key_id("test")
        .secret_access_key("test")
        .provider_name("tests")
        .build();
    aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region("us-east-1")
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .load()
        .await
}

/// A new secret of the emulated AWS; its ARN.
pub async fn create_secret(aws: &aws_config::SdkConfig, text: &str) -> String {
    let client = aws_sdk_secretsmanager::Client::new(aws);
    let name = format!("test/{}", Uuid::new_v4());
    let answer = client.create_secret().name(name).secret_string(text).send().await;
    answer.expect("the emulator answers").arn.expect("a secret has an ARN")
}

/// Gives a secret another text.
pub async fn put_secret(aws: &aws_config::SdkConfig, arn: &str, text: &str) {
    let client = aws_sdk_secretsmanager::Client::new(aws);
    let answer = client
        .put_secret_value()
        .secret_id(arn)
        .secret_string(text)
        .send()
        .await;
    answer.expect("the emulator answers");
}
