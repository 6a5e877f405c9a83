//! A number whose customers send files, and the function that fetches them.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use media::{App, FETCH_TIME, handle};
use serde_json::{Value, json};
use shared::edge::graph::media::GraphMedia;
use shared::edge::secrets::Secrets;
use shared::edge::storage::Storage;
use shared::testing::sockets::no_sockets;
use shared::testing::{TestDatabase, create_secret, emulated_aws};
use shared::tokens::{KeyRing, Tokens};
use tokio::net::TcpListener;
use uuid::Uuid;

pub(crate) const WABA: &str = "900300";
pub(crate) const NUMBER: &str = "700300";
const TOKEN: &str = "EAAtesttoken";
/// A picture, as far as anybody looks.
pub(crate) const BYTES: &[u8] = b"\x89PNG\r\n\x1a\n and some twenty bytes more";
/// How long the tests' function waits for Meta.
const PATIENCE: Duration = Duration::from_millis(700);

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) app: App,
    pub(crate) aws: aws_config::SdkConfig,
    pub(crate) bucket: String,
    pub(crate) simulator: String,
    pub(crate) http: reqwest::Client,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = format!("http://{}", listener.local_addr().unwrap());
        let config = simulator::Config {
            // Nobody listens: webhooks are other tests' affair.
            webhook_url: "http://127.0.0.1:9/".to_owned(),
            numbers: vec![simulator::Number {
                phone_number_id: NUMBER.to_owned(),
                waba_id: WABA.to_owned(),
                display_phone_number: "+1 555 0300".to_owned(),
                verified_name: "Test".to_owned(),
                access_token: TOKEN.to_owned(),
            }],
            ..simulator::Config::default()
        };
        tokio::spawn(simulator::serve(listener, config));
        let database = TestDatabase::migrated().await;
        database.add_number(WABA, NUMBER).await;
        let aws = emulated_aws().await;
        let ring = format!(r#"{{"active":"k1","k1":"{}"}}"#, "5a".repeat(32));
        let stored = KeyRing::parse(&ring).unwrap().encrypt(WABA, TOKEN).unwrap();
        let update = "update waba_accounts set access_token = $1";
        database.client.execute(update, &[&stored]).await.unwrap();
        let bucket = format!("media-{}", Uuid::new_v4());
        let s3 = s3(&aws);
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        let app = App {
            realtime: no_sockets(database.pool()),
            database: database.pool(),
            storage: Storage::new(&aws, bucket.clone()),
            tokens: Tokens::new(
                Secrets::new(&aws, Duration::from_mins(5)),
                create_secret(&aws, &ring).await,
            ),
            graph: GraphMedia::new(&simulator, "v26.0", PATIENCE).unwrap(),
        };
        Self {
            database,
            app,
            aws,
            bucket,
            simulator,
            http: reqwest::Client::new(),
        }
    }

    /// A customer's message with a file that Meta has; the row's id.
    pub(crate) async fn receive(&mut self, kind: &str, mime_type: &str, bytes: &[u8], rest: Value) -> i64 {
        let url = format!("{}/_simulator/media?phone_number_id={NUMBER}", self.simulator);
        let request = self
            .http
            .post(url)
            .header("content-type", mime_type)
            .body(bytes.to_vec());
        let stored: Value = request.send().await.unwrap().json().await.unwrap();
        let mut file = json!({"id": stored["id"], "mime_type": mime_type, "sha256": stored["sha256"]});
        file.as_object_mut()
            .unwrap()
            .extend(rest.as_object().cloned().unwrap_or_default());
        self.receive_file(kind, file).await
    }

    /// A customer's message with a file as its webhook describes it; the row's id.
    pub(crate) async fn receive_file(&mut self, kind: &str, file: Value) -> i64 {
        self.ingest(json!({"type": kind, (kind): file})).await;
        self.database.count("select max(message_id) from chat_media").await
    }

    /// The customer deletes a message.
    pub(crate) async fn revoke(&mut self, id: i64) {
        let wamid = format!("select to_jsonb(wa_message_id) from chat_messages where id = {id}");
        let wamid = self.database.json(&wamid).await.remove(0);
        self.ingest(json!({"type": "revoke", "revoke": {"original_message_id": wamid}}))
            .await;
    }

    async fn ingest(&mut self, message: Value) {
        let now = Timestamp::now();
        let mut full = json!({"from": "15550001", "id": format!("wamid.{}", Uuid::new_v4()), "timestamp": now.as_second().to_string()});
        full.as_object_mut()
            .unwrap()
            .extend(message.as_object().cloned().unwrap_or_default());
        let webhook = json!({"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550300", "phone_number_id": NUMBER},
            "contacts": [{"wa_id": "15550001", "profile": {"name": "Ana"}}],
            "messages": [full],
        }}]}]});
        self.database.ingest(&webhook, now).await;
    }

    /// The usual picture.
    pub(crate) async fn receive_picture(&mut self) -> i64 {
        self.receive("image", "image/png", BYTES, json!({})).await
    }

    /// Gives the function a batch of triggers; the records that have to come again.
    pub(crate) async fn trigger(&self, ids: &[i64]) -> Vec<String> {
        let response = handle(&self.app, triggers(ids), in_time()).await;
        let failures = response.batch_item_failures.into_iter();
        failures.map(|failure| failure.item_identifier).collect()
    }

    /// The function as it is while its bucket is away.
    pub(crate) fn without_s3(&self) -> App {
        App {
            storage: Storage::new(&self.aws, "no-such-bucket".to_owned()),
            ..self.app.clone()
        }
    }

    /// Lets the clock strike.
    pub(crate) async fn strike(&self) {
        handle(&self.app, json!({"source": "clock"}), in_time()).await;
    }

    pub(crate) async fn fault(&self, fault: Value) {
        let url = format!("{}/_simulator/faults", self.simulator);
        let answer = self.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// What Graph was asked: paths, oldest first.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let url = format!("{}/_simulator/requests", self.simulator);
        let log: Vec<Value> = self.http.get(url).send().await.unwrap().json().await.unwrap();
        log.iter()
            .map(|entry| entry["path"].as_str().unwrap().to_owned())
            .collect()
    }

    /// How often the bytes of a file were asked for.
    pub(crate) async fn downloads(&self) -> usize {
        let asked = self.asked().await;
        asked.iter().filter(|path| path.contains("/attachments/")).count()
    }

    /// The row of a file.
    pub(crate) async fn row(&self, id: i64) -> Value {
        let sql = format!("select to_jsonb(f) from chat_media f where message_id = {id}");
        self.database.json(&sql).await.remove(0)
    }

    /// `(state, last_error, attempts)` of a file.
    pub(crate) async fn state(&self, id: i64) -> (String, Option<String>, i64) {
        let row = self.row(id).await;
        (
            row["state"].as_str().unwrap().to_owned(),
            row["last_error"].as_str().map(str::to_owned),
            row["attempts"].as_i64().unwrap(),
        )
    }

    /// Seconds until a file is due again.
    pub(crate) async fn wait(&self, id: i64) -> i64 {
        let sql =
            format!("select extract(epoch from next_try_at - now())::bigint from chat_media where message_id = {id}");
        self.database.count(&sql).await
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }

    /// As if all waits, leases too, were over.
    pub(crate) async fn skip_waits(&self) {
        self.execute("update chat_media set next_try_at = least(next_try_at, now())")
            .await;
    }

    /// What lies in the bucket.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let answer = s3(&self.aws)
            .list_objects_v2()
            .bucket(&self.bucket)
            .send()
            .await
            .unwrap();
        answer
            .contents()
            .iter()
            .map(|object| object.key().unwrap().to_owned())
            .collect()
    }

    /// The bytes and the type of an object.
    pub(crate) async fn object(&self, key: &str) -> (Vec<u8>, String) {
        let s3 = s3(&self.aws);
        let answer = s3.get_object().bucket(&self.bucket).key(key).send().await.unwrap();
        let content_type = answer.content_type().unwrap().to_owned();
        (answer.body.collect().await.unwrap().to_vec(), content_type)
    }
}

pub(crate) fn s3(aws: &aws_config::SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(aws).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

/// An SQS event with a trigger for each message.
pub(crate) fn triggers(ids: &[i64]) -> Value {
    let record = |(index, id): (usize, &i64)| {
        json!({"messageId": format!("record-{index}"), "receiptHandle": format!("receipt-{index}"),
               "body": json!({"message_id": id}).to_string(), "attributes": {}, "messageAttributes": {}})
    };
    json!({"Records": ids.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// A deadline that leaves time for everything.
pub(crate) fn in_time() -> SystemTime {
    SystemTime::now() + FETCH_TIME * 2
}

pub(crate) fn sha256_base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(digest(&SHA256, bytes))
}
