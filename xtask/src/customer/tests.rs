//! Export and erasure with a real database and the emulated S3.

use std::path::PathBuf;

use serde_json::Value;
use shared::testing::{TestDatabase, emulated_aws};
use uuid::Uuid;

use super::*;

struct Fixture {
    database: TestDatabase,
    storage: Storage,
    s3: aws_sdk_s3::Client,
    bucket: String,
}

const KEYS: [&str; 3] = ["inbound/P/one", "outbound/agent/two", "inbound/P/lost"];

impl Fixture {
    /// A conversation with three files, of which the bucket has two, and somebody else's.
    async fn new() -> Self {
        let aws = emulated_aws().await;
        let config = aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        let bucket = format!("customer-{}", Uuid::new_v4());
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        for key in &KEYS[..2] {
            let body = format!("the bytes of {key}").into_bytes();
            let put = s3.put_object().bucket(&bucket).key(*key).body(body.into());
            put.send().await.unwrap();
        }
        let database = TestDatabase::migrated().await;
        database.add_number("W", "P").await;
        let rows = "
            insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('W', 'P', '+4915112345678'), ('W', 'P', '+4915199999999');
            insert into chat_uploads (id, user_id, kind, mime_type, size, object_key)
            values ('6f9619ff-8b86-4011-b42d-00c04fc964ff', gen_random_uuid(), 'document', 'application/pdf', 5, 'outbound/agent/two');
            insert into chat_messages (conversation_id, message_id, content, sender, timestamp)
            select c.id, gen_random_uuid()::text, 'text ' || n, 'customer', now() from generate_series(1, 3) n, chat_conversations c order by n, c.id;
            insert into chat_media (message_id, upload_id, object_key, mime_type, state)
            values (1, null, 'inbound/P/one', 'image/png', 'stored'), (3, '6f9619ff-8b86-4011-b42d-00c04fc964ff', null, 'application/pdf', 'stored'),
                   (5, null, 'inbound/P/lost', null, 'stored')";
        database.client.batch_execute(rows).await.unwrap();
        Self {
            database,
            storage: Storage::new(&aws, bucket.clone()),
            s3,
            bucket,
        }
    }

    async fn objects(&self) -> Vec<String> {
        let listed = self.s3.list_objects_v2().bucket(&self.bucket).send().await.unwrap();
        let objects = listed.contents().iter();
        objects.map(|object| object.key().unwrap().to_owned()).collect()
    }
}

fn whose(phone: &str) -> Whose {
    Whose {
        id: Id {
            phone: Some(phone.to_owned()),
            user_id: None,
        },
        waba_id: None,
    }
}

fn lines(folder: &Path, table: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(format!("{table}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_export_has_every_row_and_every_file_and_names_what_is_missing() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new().await;
    let folder: PathBuf = std::env::temp_dir().join(format!("export-{}", Uuid::new_v4()));
    let client = &fixture.database.client;
    let missing = export(client, &fixture.storage, &whose("+49 151 12345678"), &folder).await;
    assert_eq!(
        missing.unwrap_err().to_string(),
        "1 files are not in the bucket; everything else is written"
    );
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let index: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("export.json")).unwrap()).unwrap();
    assert_eq!(index["ids"], json!([{"kind": "phone", "value": "+4915112345678"}]));
    assert_eq!(
        index["files"],
        json!([{"message_id": 1, "path": "media/1.png"}, {"message_id": 3, "path": "media/3.pdf"}, {"message_id": 5, "path": null}])
    );
    for (table, _) in TABLES {
        assert_eq!(lines(&folder, table).len(), index["rows"][table], "{table}");
    }
    let messages = lines(&folder, "chat_messages");
    let contents: Vec<&Value> = messages.iter().map(|message| &message["content"]).collect();
    assert_eq!(contents, ["text 1", "text 2", "text 3"]);
    let file = std::fs::read_to_string(folder.join("media/3.pdf")).unwrap();
    assert_eq!(file, "the bytes of outbound/agent/two");
    // Nothing is written over.
    let again = export(client, &fixture.storage, &whose("+4915112345678"), &folder).await;
    assert!(again.unwrap_err().to_string().starts_with("cannot make the folder"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn an_erasure_takes_the_files_out_of_the_bucket_or_leaves_them_to_the_clock() {
    let fixture = Fixture::new().await;
    let mut client = shared::testing::connect(&fixture.database.url).await;
    let noted = "select count(*) from chat_discarded_files";
    assert_eq!(fixture.objects().await.len(), 2);
    erase(&mut client, Some(&fixture.storage), &whose("+4915112345678"))
        .await
        .unwrap();
    assert_eq!(fixture.objects().await, Vec::<String>::new());
    assert_eq!(fixture.database.count(noted).await, 0);
    assert_eq!(
        fixture.database.count("select count(*) from chat_conversations").await,
        1
    );
    let unknown = erase(&mut client, Some(&fixture.storage), &whose("+4915112345678")).await;
    assert_eq!(unknown.unwrap_err().to_string(), "nothing is kept of this customer");

    let fixture = Fixture::new().await;
    let mut client = shared::testing::connect(&fixture.database.url).await;
    erase(&mut client, None, &whose("+4915112345678")).await.unwrap();
    assert_eq!(
        (fixture.objects().await.len(), fixture.database.count(noted).await),
        (2, 3)
    );
}

#[tokio::test]
async fn a_message_on_its_way_is_waited_for_and_what_is_no_number_is_refused() {
    let fixture = Fixture::new().await;
    let mut client = shared::testing::connect(&fixture.database.url).await;
    let sending = "insert into chat_sends (conversation_id, request_hash, busy_until) values (1, '', now() + interval '1 minute')";
    client.batch_execute(sending).await.unwrap();
    let busy = erase(&mut client, Some(&fixture.storage), &whose("+4915112345678")).await;
    assert!(busy.unwrap_err().to_string().contains("on its way in 1 conversations"));
    assert_eq!(
        fixture.database.count("select count(*) from chat_conversations").await,
        2
    );
    assert!(whose("Ana").id().is_err());
}
