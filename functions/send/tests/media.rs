//! Files to send: announced, stored as a browser stores them, looked at, and passed on to Meta. Against a real PostgreSQL, the emulated S3 and
//! the simulator of Meta.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use send::media::check;
use send::{App, service};
use serde_json::{Value, json};
use shared::db;
use shared::domain::send::FileUse;
use shared::domain::upload::Upload;
use shared::edge::graph::{Graph, GraphError};
use shared::edge::storage::Storage;
use shared::http::auth::Agent;
use shared::http::error::ApiError;
use shared::outbound::files::{FileError, Files, forget, wa_media_id};
use shared::testing::api::{Api, Reply, authenticator};
use shared::testing::outbound::outbound;
use shared::testing::sockets::no_sockets;
use shared::testing::sqs::SqsStub;
use shared::testing::{TestDatabase, emulated_aws};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

const WABA: &str = "900210";
const NUMBER: &str = "700210";
const SIBLING: &str = "700211";
const TOKEN: &str = "EAAtesttoken";
const PATH: &str = "/api/live-chat/media";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

struct Fixture {
    database: TestDatabase,
    app: App,
    api: Api,
    agent: Agent,
    files: Files,
    s3: aws_sdk_s3::Client,
    bucket: String,
    simulator: String,
    http: reqwest::Client,
}

impl Fixture {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = format!("http://{}", listener.local_addr().unwrap());
        let number = |id: &str| simulator::Number {
            phone_number_id: id.to_owned(),
            waba_id: WABA.to_owned(),
            display_phone_number: "+1 555 0210".to_owned(),
            verified_name: "Test".to_owned(),
            access_token: TOKEN.to_owned(),
        };
        let config = simulator::Config {
            // Nobody listens: webhooks are other tests' affair.
            webhook_url: "http://127.0.0.1:9/".to_owned(),
            numbers: vec![number(NUMBER), number(SIBLING)],
            ..simulator::Config::default()
        };
        tokio::spawn(simulator::serve(listener, config));
        let database = TestDatabase::migrated().await;
        let user_id = database.add_number(WABA, NUMBER).await;
        let aws = emulated_aws().await;
        let config = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        let bucket = format!("media-{}", Uuid::new_v4());
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        let storage = Storage::new(&aws, bucket.clone());
        let graph = Graph::new(&simulator, "v26.0").unwrap();
        let http = shared::http::App {
            database: database.pool(),
            authenticator: authenticator(),
        };
        let (_, queue) = SqsStub::start().await;
        let outbound = outbound(
            http.database.clone(),
            &aws,
            "unused".to_owned(),
            &simulator,
            &bucket,
            queue,
        );
        let app = App {
            realtime: no_sockets(http.database.clone()),
            http,
            outbound,
        };
        Self {
            api: Api::new(service(app.clone()), user_id),
            files: Files {
                database: database.pool(),
                storage,
                graph,
            },
            agent: Agent { user_id },
            app,
            database,
            s3,
            bucket,
            simulator,
            http: reqwest::Client::new(),
        }
    }

    async fn announce(&self, request: &Value) -> Reply {
        self.api.send(Method::POST, PATH, request.to_string()).await
    }

    /// Puts bytes where they were announced, with these headers beside the announced ones.
    async fn put(&self, announced: &Value, bytes: &[u8], headers: &[(&str, &str)]) -> u16 {
        let target = &announced["upload"];
        assert_eq!(target["method"], "PUT");
        let mut all = target["headers"].as_object().unwrap().clone();
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        let mut request = self.http.put(target["url"].as_str().unwrap()).body(bytes.to_vec());
        for (name, value) in &all {
            request = request.header(name, value.as_str().unwrap());
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// A file that was announced as what it is, and lies in the bucket.
    async fn upload(&self, mime_type: &str, bytes: &[u8]) -> Uuid {
        let request = json!({"mime_type": mime_type, "size": bytes.len(), "filename": "offer é.bin"});
        let announced = self.announce(&request).await.ok();
        assert_eq!(self.put(&announced, bytes, &[]).await, 200);
        id(&announced)
    }

    /// The same, looked at.
    async fn checked(&self, mime_type: &str, bytes: &[u8]) -> Upload {
        let id = self.upload(mime_type, bytes).await;
        let list = self
            .app
            .http
            .database
            .run(async |client| db::uploads::list(client, &[id]).await);
        let kind = list.await.unwrap()[0].kind.clone();
        let kind = ["image", "audio", "video", "document", "sticker"]
            .into_iter()
            .find(|name| *name == kind);
        self.check(&[(id, kind.unwrap())]).await.unwrap().remove(0)
    }

    async fn check(&self, files: &[(Uuid, &'static str)]) -> Result<Vec<Upload>, ApiError> {
        self.check_as(self.agent, files).await
    }

    async fn check_as(&self, agent: Agent, files: &[(Uuid, &'static str)]) -> Result<Vec<Upload>, ApiError> {
        let files: Vec<FileUse> = files
            .iter()
            .enumerate()
            .map(|(index, (media_id, kind))| FileUse {
                media_id: *media_id,
                kind,
                field: format!("files[{index}].media_id"),
            })
            .collect();
        check(&self.app, agent, &files).await
    }

    /// Puts an object directly, as S3 would never take it by the link.
    async fn forge(&self, id: Uuid, mime_type: &str, bytes: &[u8]) {
        let key = format!("outbound/{}/{id}", self.agent.user_id);
        let put = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(mime_type);
        put.body(bytes.to_vec().into()).send().await.unwrap();
    }

    async fn wa_media_id(&self, number: &str, upload: &Upload) -> Result<String, FileError> {
        wa_media_id(&self.files, TOKEN, number, upload).await
    }

    async fn simulate(&self, method: Method, path: &str, body: &Value) -> reqwest::Response {
        let url = format!("{}/_simulator/{path}", self.simulator);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        answer
    }

    async fn fault(&self, fault: Value) {
        self.simulate(Method::POST, "faults", &fault).await;
    }

    /// How often Graph was asked to take a file.
    async fn uploads(&self) -> usize {
        let log = self.simulate(Method::GET, "requests", &Value::Null).await;
        let log: Vec<Value> = log.json().await.unwrap();
        let paths = log.iter().map(|entry| entry["path"].as_str().unwrap());
        paths.filter(|path| path.ends_with("/media")).count()
    }

    async fn execute(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }
}

fn id(announced: &Value) -> Uuid {
    announced["media_id"].as_str().unwrap().parse().unwrap()
}

/// The field and the reason of a 422.
#[track_caller]
fn refusal(result: Result<Vec<Upload>, ApiError>) -> (String, String) {
    match result {
        Err(ApiError::Invalid { field, message }) => (field, message),
        other => panic!("{other:?}"),
    }
}

fn no_upload_yet() -> (String, String) {
    ("files[0].media_id".to_owned(), "has not been uploaded yet".to_owned())
}

fn not_announced() -> (String, String) {
    ("files[0].media_id".to_owned(), "is not what was announced".to_owned())
}

#[tokio::test]
async fn an_announced_file_is_stored_checked_once_and_given_to_meta_once_a_number() {
    let fixture = Fixture::new().await;
    let picture = fixture.upload("image/png", PNG).await;
    let first = fixture.check(&[(picture, "image")]).await.unwrap().remove(0);
    assert_eq!(
        (first.kind.as_str(), first.size, first.filename.as_deref()),
        ("image", PNG.len() as u64, Some("offer é.bin"))
    );
    // Not looked at again: nothing is there any more.
    let delete = fixture
        .s3
        .delete_object()
        .bucket(&fixture.bucket)
        .key(&first.object_key);
    delete.send().await.unwrap();
    assert!(fixture.check(&[(picture, "image")]).await.unwrap()[0].is_checked);
    fixture.forge(picture, "image/png", PNG).await;

    let known = fixture.wa_media_id(NUMBER, &first).await.unwrap();
    assert_eq!(fixture.wa_media_id(NUMBER, &first).await.unwrap(), known);
    assert_eq!(fixture.uploads().await, 1);
    let stored = fixture
        .simulate(Method::GET, &format!("media/{known}"), &Value::Null)
        .await;
    assert_eq!(stored.headers()[CONTENT_TYPE], "image/png");
    assert_eq!(stored.bytes().await.unwrap(), PNG);

    let others = fixture.wa_media_id(SIBLING, &first).await.unwrap();
    assert_ne!(others, known);
    assert_eq!(fixture.wa_media_id(SIBLING, &first).await.unwrap(), others);
    assert_eq!(fixture.uploads().await, 2);
}

#[tokio::test]
async fn metas_id_is_renewed_before_it_ends_and_when_graph_does_not_know_it() {
    let fixture = Fixture::new().await;
    let upload = fixture.checked("image/png", PNG).await;
    let first = fixture.wa_media_id(NUMBER, &upload).await.unwrap();
    let age = "update chat_upload_ids set uploaded_at = now() - interval '29 days' + interval '1 minute'";
    fixture.execute(age).await;
    assert_eq!(fixture.wa_media_id(NUMBER, &upload).await.unwrap(), first);
    fixture
        .execute("update chat_upload_ids set uploaded_at = now() - interval '29 days'")
        .await;
    let second = fixture.wa_media_id(NUMBER, &upload).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(fixture.wa_media_id(NUMBER, &upload).await.unwrap(), second);

    fixture
        .simulate(Method::POST, &format!("media/{second}/expire"), &Value::Null)
        .await;
    let body = json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": "4915112345678", "type": "image", "image": {"id": second}});
    let refused = fixture
        .app
        .outbound
        .graph
        .send_message(TOKEN, NUMBER, &body)
        .await
        .unwrap_err();
    assert!(matches!(refused, GraphError::Refused { error, .. } if error.code == Some(100)));
    forget(&fixture.files, upload.id, NUMBER).await.unwrap();
    let third = fixture.wa_media_id(NUMBER, &upload).await.unwrap();
    assert_ne!(third, second);
    assert_eq!(fixture.uploads().await, 3);
}

#[tokio::test]
async fn the_link_signs_the_type_the_length_and_that_nothing_is_there() {
    let fixture = Fixture::new().await;
    let request = json!({"mime_type": "audio/ogg; codecs=opus", "size": 4});
    let announced = fixture.announce(&request).await.ok();
    assert_eq!(announced["kind"], "audio");
    let target = &announced["upload"];
    assert_eq!(
        target["headers"],
        json!({"content-type": "audio/ogg; codecs=opus", "if-none-match": "*"})
    );
    let url = target["url"].as_str().unwrap();
    assert!(
        url.contains("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match"),
        "{url}"
    );
    assert!(url.contains("X-Amz-Expires=900"), "{url}");
    let key = format!("/outbound/{}/{}?", fixture.agent.user_id, id(&announced));
    assert!(url.contains(&key), "{url}");
    let expires_at: Timestamp = target["expires_at"].as_str().unwrap().parse().unwrap();
    let left = expires_at.duration_since(Timestamp::now());
    assert!(left > SignedDuration::from_mins(14) && left <= SignedDuration::from_mins(15));

    assert_eq!(fixture.put(&announced, b"five!", &[]).await, 403);
    assert_eq!(fixture.put(&announced, b"", &[]).await, 403);
    let other_type = [("content-type", "text/html")];
    assert_eq!(fixture.put(&announced, b"four", &other_type).await, 403);
    assert_eq!(fixture.put(&announced, b"four", &[]).await, 200);
    assert_eq!(fixture.put(&announced, b"FOUR", &[]).await, 412);
}

#[tokio::test]
async fn a_limit_holds_at_its_value_and_not_one_above() {
    let fixture = Fixture::new().await;
    for (mime_type, kind, most) in [
        ("image/jpeg", "image", 5 << 20),
        ("audio/mpeg", "audio", 16 << 20),
        ("video/mp4", "video", 16 << 20),
        ("image/webp", "sticker", 500 << 10),
        ("application/zip", "document", 100 << 20),
    ] {
        let announced = fixture
            .announce(&json!({"mime_type": mime_type, "size": most}))
            .await
            .ok();
        assert_eq!(announced["kind"], kind);
        let above = fixture
            .announce(&json!({"mime_type": mime_type, "size": most + 1}))
            .await;
        above.refuses_field("size");
        let document = json!({"mime_type": mime_type, "size": 100 << 20, "kind": "document"});
        assert_eq!(fixture.announce(&document).await.ok()["kind"], "document");
    }
    for (request, field) in [
        (json!({"size": 1}), "mime_type"),
        (json!({"mime_type": "image/png"}), "size"),
        (json!({"mime_type": "image/png", "size": "1"}), "size"),
        (json!({"mime_type": "image/png", "size": 1.5}), "size"),
        (
            json!({"mime_type": "image/png", "size": 18_446_744_073_709_551_615_u64}),
            "size",
        ),
        (json!({"mime_type": "picture", "size": 1}), "mime_type"),
        (json!({"mime_type": "image/png", "size": 1, "kind": "audio"}), "kind"),
        (json!({"mime_type": "image/png", "size": 1, "filename": ""}), "filename"),
    ] {
        fixture.announce(&request).await.refuses_field(field);
    }
    assert_eq!(fixture.database.count("select count(*) from chat_uploads").await, 10);
}

#[tokio::test]
async fn two_hundred_files_may_be_announced_within_an_hour_without_being_sent() {
    let fixture = Fixture::new().await;
    let user = fixture.agent.user_id;
    let others = Uuid::new_v4();
    fixture
        .execute(&format!(
            "insert into chat_uploads (id, user_id, kind, mime_type, size, object_key)
             select gen_random_uuid(), u, 'image', 'image/png', 1, gen_random_uuid()::text
             from generate_series(1, 199) n, unnest(array['{user}', '{others}']::uuid[]) u"
        ))
        .await;
    let request = json!({"mime_type": "image/png", "size": 1});
    fixture.announce(&request).await.ok();
    let refused = fixture.announce(&request).await.refused(429);
    assert_eq!(refused["code"], "too_many_uploads");
    assert_eq!(fixture.database.count("select count(*) from chat_uploads").await, 399);
    fixture
        .execute(&format!(
            "update chat_uploads set checked_at = now() where id = (select id from chat_uploads where user_id = '{user}' limit 1)"
        ))
        .await;
    fixture.announce(&request).await.ok();
    fixture.announce(&request).await.refused(429);
    fixture
        .execute("update chat_uploads set created_at = now() - interval '1 hour'")
        .await;
    fixture.announce(&request).await.ok();
}

#[tokio::test]
async fn only_an_agent_with_an_account_may_announce() {
    let fixture = Fixture::new().await;
    let request = json!({"mime_type": "image/png", "size": 1}).to_string();
    let stranger = fixture.api.as_agent(Uuid::new_v4());
    stranger.send(Method::POST, PATH, request.clone()).await.refused(403);
    let nobody = fixture.api.with_authorization(None);
    nobody.send(Method::POST, PATH, request).await.refused(401);
    assert_eq!(fixture.database.count("select count(*) from chat_uploads").await, 0);
}

#[tokio::test]
async fn a_file_is_used_only_when_it_is_there_and_what_was_announced() {
    let fixture = Fixture::new().await;
    let announced = |mime_type: &str, size: usize| json!({"mime_type": mime_type, "size": size});
    let png = id(&fixture.announce(&announced("image/png", PNG.len())).await.ok());
    assert_eq!(refusal(fixture.check(&[(png, "image")]).await), no_upload_yet());
    for (mime_type, bytes) in [
        ("image/png", &PNG[1..]),
        ("image/png", b"".as_slice()),
        ("image/jpeg", PNG),
        ("image/png", b"MZ\x90\0 and so on...".as_slice()),
    ] {
        fixture.forge(png, mime_type, bytes).await;
        assert_eq!(refusal(fixture.check(&[(png, "image")]).await), not_announced());
    }
    let not_yet = "select count(*) from chat_uploads where checked_at is null";
    assert_eq!(fixture.database.count(not_yet).await, 1);
    fixture.forge(png, "image/png", PNG).await;
    fixture.check(&[(png, "image")]).await.unwrap();
    assert_eq!(fixture.database.count(not_yet).await, 0);
}

#[tokio::test]
async fn a_file_is_its_agents_and_of_the_kind_that_is_wanted() {
    let fixture = Fixture::new().await;
    let png = fixture.upload("image/png", PNG).await;
    let text = fixture.upload("text/x-unknown", b"any bytes").await;
    let unknown = ("files[1].media_id".to_owned(), "is not known".to_owned());
    let both = [(png, "image"), (Uuid::new_v4(), "image")];
    assert_eq!(refusal(fixture.check(&both).await), unknown);
    let stranger = Agent {
        user_id: fixture.database.add_number("900999", "700999").await,
    };
    let foreign = refusal(fixture.check_as(stranger, &[(png, "image")]).await);
    assert_eq!(foreign, ("files[0].media_id".to_owned(), "is not known".to_owned()));
    let wrong = refusal(fixture.check(&[(text, "image")]).await);
    assert_eq!(wrong.1, "is of kind document, not image");
    let wrong = refusal(fixture.check(&[(png, "video")]).await);
    assert_eq!(wrong.1, "is of kind image, not video");
    let order = [
        (text, "document"),
        (png, "image"),
        (png, "document"),
        (text, "document"),
    ];
    let uploads = fixture.check(&order).await.unwrap();
    let ids: Vec<Uuid> = uploads.iter().map(|upload| upload.id).collect();
    assert_eq!(ids, [text, png, png, text]);
    assert!(fixture.check(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sticker_that_does_not_move_has_at_most_100_kb() {
    let fixture = Fixture::new().await;
    let webp = |flags: u8, size: usize| {
        let mut bytes = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        bytes.push(flags);
        bytes.resize(size, 0);
        bytes
    };
    for (flags, size, is_taken) in [
        (0, 100 << 10, true),
        (0, (100 << 10) + 1, false),
        (2, (100 << 10) + 1, true),
        (2, 500 << 10, true),
    ] {
        let sticker = fixture.upload("image/webp", &webp(flags, size)).await;
        let checked = fixture.check(&[(sticker, "sticker")]).await;
        assert_eq!(checked.is_ok(), is_taken, "{flags} {size}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_away_is_no_fault_of_the_file() {
    let fixture = Fixture::new().await;
    let png = fixture.upload("image/png", PNG).await;
    let upload = fixture.check(&[(png, "image")]).await.unwrap().remove(0);
    fixture.execute("update chat_uploads set checked_at = null").await;
    let storage = Storage::new(&emulated_aws().await, "no-such-bucket".to_owned());
    let mut away = fixture.app.clone();
    away.outbound.storage = storage.clone();
    let file = FileUse {
        media_id: png,
        kind: "image",
        field: "image.media_id".to_owned(),
    };
    let refused = check(&away, fixture.agent, &[file]).await;
    assert!(matches!(refused, Err(ApiError::Unavailable(_))), "{refused:?}");
    let files = Files {
        storage,
        ..fixture.files.clone()
    };
    let error = wa_media_id(&files, TOKEN, NUMBER, &upload).await.unwrap_err();
    assert!(
        matches!(error, FileError::Storage(_)) && error.is_retryable(),
        "{error}"
    );
    assert_eq!(fixture.uploads().await, 0);
}

#[tokio::test]
async fn what_graph_does_with_a_file_tells_whether_another_try_helps() {
    let fixture = Fixture::new().await;
    let upload = fixture.checked("image/png", PNG).await;
    for (fault, is_retryable) in [
        (json!({"kind": "http_error", "status": 400, "code": 131_053}), false),
        (json!({"kind": "http_error", "status": 401, "code": 190}), false),
        (json!({"kind": "http_error", "status": 400, "code": 130_429}), true),
        (json!({"kind": "http_error", "status": 500, "code": 2}), true),
        (json!({"kind": "no_answer_before_accept"}), true),
    ] {
        let mut once = fault.clone();
        once["times"] = json!(1);
        once["match"] = json!({"operation": "upload"});
        fixture.fault(once).await;
        let error = fixture.wa_media_id(NUMBER, &upload).await.unwrap_err();
        assert_eq!(error.is_retryable(), is_retryable, "{fault} {error}");
        assert!(matches!(error, FileError::Graph(_)), "{error}");
    }
    let wrong_token = wa_media_id(&fixture.files, "EAAother", NUMBER, &upload).await;
    assert!(matches!(
        wrong_token,
        Err(FileError::Graph(GraphError::Refused { status: 401, .. }))
    ));
    let ids = "select count(*) from chat_upload_ids";
    assert_eq!(fixture.database.count(ids).await, 0);
    fixture.wa_media_id(NUMBER, &upload).await.unwrap();
    assert_eq!(fixture.database.count(ids).await, 1);

    let delete = fixture
        .s3
        .delete_object()
        .bucket(&fixture.bucket)
        .key(&upload.object_key);
    delete.send().await.unwrap();
    let gone = fixture.wa_media_id(SIBLING, &upload).await.unwrap_err();
    assert!(matches!(gone, FileError::Missing) && !gone.is_retryable());
    let unreachable = Files {
        graph: Graph::new("http://127.0.0.1:9", "v26.0").unwrap(),
        ..fixture.files.clone()
    };
    fixture.forge(upload.id, "image/png", PNG).await;
    let error = wa_media_id(&unreachable, TOKEN, SIBLING, &upload).await.unwrap_err();
    assert!(
        matches!(error, FileError::Graph(GraphError::Unreachable)) && error.is_retryable(),
        "{error}"
    );
}

#[tokio::test]
async fn a_document_of_20_mb_comes_whole() {
    let fixture = Fixture::new().await;
    let mut bytes: Vec<u8> = (0..20_u32 << 20).map(|index| (index % 251) as u8).collect();
    bytes[..8].copy_from_slice(b"%PDF-1.7");
    let upload = fixture.checked("application/pdf", &bytes).await;
    let id = fixture.wa_media_id(NUMBER, &upload).await.unwrap();
    let stored = fixture
        .simulate(Method::GET, &format!("media/{id}"), &Value::Null)
        .await;
    assert_eq!(stored.headers()[CONTENT_LENGTH], bytes.len().to_string());
    assert!(stored.bytes().await.unwrap() == bytes);
}

/// What is in flight between two sockets of this machine at the most, with room to spare (bytes): the kernel's buffers of two connections.
const IN_FLIGHT: usize = 40 << 20;

/// An S3 of one object of `size` bytes that ends the connection after `most` of them, and counts what it got rid of.
async fn bucket_of_one(size: usize, most: usize) -> (Storage, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\ncontent-type: application/pdf\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let piece = vec![b'x'; 64 << 10];
        while count.load(Ordering::SeqCst) < most {
            let length = piece.len().min(most - count.load(Ordering::SeqCst));
            if stream.write_all(&piece[..length]).await.is_err() {
                return;
            }
            count.fetch_add(length, Ordering::SeqCst);
        }
    });
    let aws = emulated_aws().await.into_builder().endpoint_url(endpoint).build();
    (Storage::new(&aws, "bucket".to_owned()), written)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        assert!(stream.read_buf(&mut head).await.unwrap() > 0);
    }
}

/// An upload whose object lies in no real bucket.
fn document(size: u64) -> Upload {
    Upload {
        id: Uuid::new_v4(),
        kind: "document".to_owned(),
        mime_type: "application/pdf".to_owned(),
        filename: None,
        size,
        object_key: "outbound/x".to_owned(),
        created_at: Timestamp::now(),
        is_checked: true,
    }
}

#[tokio::test]
async fn no_more_of_a_file_is_read_than_graph_takes() {
    let fixture = Fixture::new().await;
    let (storage, written) = bucket_of_one(100 << 20, 100 << 20).await;
    // A Graph that reads the head of the request and then nothing more. Whoever held the file in memory would read all of it from S3.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = format!("http://{}", listener.local_addr().unwrap());
    let stalled = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream
    });
    let files = Files {
        storage,
        graph: Graph::new(&graph, "v26.0").unwrap(),
        ..fixture.files.clone()
    };
    let asking = tokio::spawn(async move { wa_media_id(&files, TOKEN, NUMBER, &document(100 << 20)).await });
    let stream = stalled.await.unwrap();
    // Until S3 gets rid of nothing more.
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = written.load(Ordering::SeqCst);
        if now == before && now > 0 {
            break;
        }
        before = now;
    }
    assert!(before < IN_FLIGHT, "{before} bytes were read");
    drop(stream);
    let error = asking.await.unwrap().unwrap_err();
    assert!(matches!(error, FileError::Graph(GraphError::Unanswered)) && error.is_retryable());
}

#[tokio::test]
async fn an_s3_that_ends_in_the_middle_of_a_file_leaves_no_id() {
    let fixture = Fixture::new().await;
    let (storage, _) = bucket_of_one(1 << 20, 1 << 19).await;
    let files = Files {
        storage,
        ..fixture.files.clone()
    };
    let error = wa_media_id(&files, TOKEN, NUMBER, &document(1 << 20))
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(matches!(error, FileError::Graph(GraphError::Unanswered)), "{error}");
    let ids = "select count(*) from chat_upload_ids";
    assert_eq!(fixture.database.count(ids).await, 0);
}
