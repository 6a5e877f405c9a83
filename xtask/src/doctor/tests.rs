//! A healthy installation of real parts, and each of them broken.

use std::collections::HashMap;
use std::path::Path;

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;
use shared::edge::push::make_keys;
use shared::testing::{TestDatabase, create_secret, emulated_aws, put_secret};
use shared::tokens::KeyRing;
use uuid::Uuid;

use super::*;
use crate::stack::StackFile;

const TOKEN: &str = "EAAhunter2";

struct Fixture {
    database: TestDatabase,
    installation: Installation,
    file: StackFile,
    simulator: String,
    queues: aws_sdk_sqs::Client,
    s3: aws_sdk_s3::Client,
}

impl Fixture {
    async fn healthy() -> Self {
        let aws = emulated_aws().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = format!("http://{}", listener.local_addr().unwrap());
        let number = simulator::Number {
            phone_number_id: "P".to_owned(),
            waba_id: "W".to_owned(),
            access_token: TOKEN.to_owned(),
            ..simulator::Number::default()
        };
        let config = simulator::Config {
            numbers: vec![number],
            ..simulator::Config::default()
        };
        tokio::spawn(simulator::serve(listener, config));
        let ring = json!({"active": "k1", "k1": "5a".repeat(32)}).to_string();
        let stored = KeyRing::parse(&ring).unwrap().encrypt("W", TOKEN).unwrap();
        let database = TestDatabase::migrated().await;
        database.add_number("W", "P").await;
        let filled = format!(
            "update waba_accounts set access_token = '{stored}';
             insert into chat_phone_numbers (phone_number_id, last_webhook_at) values ('P', now())"
        );
        database.client.batch_execute(&filled).await.unwrap();
        let queues = aws_sdk_sqs::Client::new(&aws);
        let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&aws).force_path_style(true).build());
        let bucket = format!("doctor-{}", Uuid::new_v4());
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        let mut urls = Vec::new();
        for _ in 0..3 {
            urls.push(make_queue(&queues).await);
        }
        let push_keys = make_keys("mailto:a@example.com").unwrap().0;
        let webhook = json!({"app_secrets": ["hunter2"], "verify_token": "hunter2"}).to_string();
        let mut file = json!({
            "database_url": database.url, "graph_url": simulator, "aws_endpoint_url": aws.endpoint_url().unwrap(), "media_bucket": bucket,
            "events_queue_url": urls[0].0, "dead_letter_queue_url": urls[0].1, "media_queue_url": urls[1].0, "media_dead_letter_queue_url": urls[1].1,
            "outbox_queue_url": urls[2].0, "outbox_dead_letter_queue_url": urls[2].1, "token_keys": {},
            "token_keys_secret_arn": create_secret(&aws, &ring).await, "push_keys_secret_arn": create_secret(&aws, &push_keys).await,
            "webhook_secret_arn": create_secret(&aws, &webhook).await,
        });
        for unused in [
            "api_url",
            "websocket_url",
            "webhook_url",
            "simulator_url",
            "simulator_log_url",
            "verify_token",
            "app_secret",
            "jwt_secret",
            "jwt_issuer",
            "user_id",
            "waba_id",
            "phone_number_id",
            "agent_token",
            "logs",
            "functions",
        ] {
            file[unused] = json!("");
        }
        let file: StackFile = serde_json::from_value(file).unwrap();
        let fixture = Self {
            database,
            installation: Installation::of(file.clone()).await,
            file,
            simulator,
            queues,
            s3,
        };
        fixture.block_the_public(true).await;
        fixture
    }

    async fn block_the_public(&self, all: bool) {
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(all)
            .restrict_public_buckets(true);
        let put = self.s3.put_public_access_block().bucket(&self.file.media_bucket);
        put.public_access_block_configuration(block.build())
            .send()
            .await
            .unwrap();
    }

    async fn run(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }

    /// What is wrong, once it was seen that no secret is told.
    async fn wrong(&self) -> Vec<String> {
        let report = examine(&self.installation, &template(), 7).await;
        let all = report.lines.join("\n");
        assert!(!all.contains("hunter2") && !all.contains("5a5a"), "{all}");
        assert!(!all.contains('–'), "{all}");
        let wrong: Vec<String> = report.lines.into_iter().filter(|line| line.starts_with('✗')).collect();
        assert_eq!(wrong.len(), report.wrong);
        wrong
    }

    /// Expects these beginnings of what is wrong, and no more.
    async fn expect(&self, expected: &[&str]) {
        let wrong = self.wrong().await;
        assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
        for (line, expected) in wrong.iter().zip(expected) {
            assert!(line.starts_with(&format!("✗ {expected}")), "{line} is not {expected}");
        }
    }
}

fn template() -> Template {
    Template::read(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()).unwrap()
}

/// A queue as the template has it, and its dead-letter queue.
async fn make_queue(client: &aws_sdk_sqs::Client) -> (String, String) {
    let name = format!("doctor-{}", Uuid::new_v4());
    let dead = client.create_queue().queue_name(format!("{name}-dead"));
    let dead = dead
        .attributes(QueueAttributeName::MessageRetentionPeriod, "1209600")
        .send()
        .await
        .unwrap();
    let dead = dead.queue_url.unwrap();
    let policy = json!({"deadLetterTargetArn": format!("arn:aws:sqs:us-east-1:000000000000:{name}-dead"), "maxReceiveCount": 1000});
    let attributes = HashMap::from([
        (QueueAttributeName::VisibilityTimeout, "720".to_owned()),
        (QueueAttributeName::MessageRetentionPeriod, "345600".to_owned()),
        (QueueAttributeName::RedrivePolicy, policy.to_string()),
    ]);
    let made = client
        .create_queue()
        .queue_name(name)
        .set_attributes(Some(attributes))
        .send()
        .await;
    (made.unwrap().queue_url.unwrap(), dead)
}

#[tokio::test]
async fn nothing_is_wrong_with_a_healthy_installation() {
    let fixture = Fixture::healthy().await;
    fixture.expect(&[]).await;
    // It is looked at and left as it is.
    fixture.run("insert into chat_holds (scope, scope_id, reason, next_try_at) values ('account', 'W', 'reconnect_required', now())").await;
    fixture.expect(&["accounts: reconnect_required: account W."]).await;
    assert_eq!(fixture.database.count("select count(*) from chat_holds").await, 1);
}

#[tokio::test]
async fn a_database_that_is_away_old_or_open_to_browsers_is_named() {
    let fixture = Fixture::healthy().await;
    let mut file = fixture.file.clone();
    file.database_url = "postgres://agent:hunter2@127.0.0.1:9/x".to_owned();
    let away = Fixture {
        installation: Installation::of(file.clone()).await,
        ..Fixture::healthy().await
    };
    let report = examine(&away.installation, &template(), 7).await;
    assert_eq!(report.wrong, 1);
    assert!(
        report.lines[0].starts_with("✗ database: no connection: "),
        "{}",
        report.lines[0]
    );
    assert!(!report.lines.join("").contains("hunter2"));

    let roles = "
        do $$ begin create role anon; exception when duplicate_object or unique_violation then null; end $$;
        do $$ begin create role authenticated; exception when duplicate_object or unique_violation then null; end $$;
        grant usage on schema public to anon, authenticated;
        delete from chat_migrations where version = 8;
        alter table phone_numbers disable row level security;
        grant select on phone_numbers to anon;
        grant select on waba_accounts to authenticated;
        create policy own on waba_accounts for select to authenticated using (true)";
    fixture.run(roles).await;
    fixture
        .expect(&[
            "schema: it lacks V8__retention.",
            "exposed tables: browsers can reach phone_numbers through Supabase's roles.",
            "exposed tables: waba_accounts.access_token can be read by authenticated.",
        ])
        .await;
    fixture.run("revoke select on waba_accounts from authenticated; grant select (waba_id) on waba_accounts to authenticated").await;
    assert_eq!(fixture.wrong().await.len(), 2);
}

#[tokio::test]
async fn work_that_nobody_did_and_numbers_of_which_nothing_is_heard_are_named() {
    let fixture = Fixture::healthy().await;
    let owed = "
        insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('W', 'P', '+4915112345678');
        insert into chat_messages (conversation_id, message_id) select id, 'hunter2' from chat_conversations;
        insert into chat_sends (conversation_id, request_hash, next_try_at) select id, '', now() - interval '20 minutes' from chat_conversations;
        insert into chat_sends (conversation_id, request_hash, next_try_at) select id, '', now() - interval '20 minutes' from chat_conversations;
        insert into chat_media (message_id, wa_media_id, next_try_at) select id, 'm', now() - interval '3 hours' from chat_messages;
        update chat_unpublished set committed_after = now() - interval '10 minutes';
        insert into chat_discarded_files (object_key, discarded_at) values ('k', now() - interval '2 days')";
    fixture.run(owed).await;
    fixture
        .expect(&[
            "owed work: 1 files to take out of the bucket are due, the oldest for 48h",
            "owed work: 1 messages to send are due, the oldest for 20m",
            "owed work: 1 files to fetch are due, the oldest for 3h",
        ])
        .await;

    let fixture = Fixture::healthy().await;
    let numbers = "
        update chat_phone_numbers set last_webhook_at = now() - interval '8 days';
        insert into phone_numbers (waba_id, phone_number_id, is_registered) values ('W', 'Q', false)";
    fixture.run(numbers).await;
    fixture
        .expect(&[
            "numbers: not registered: Q.",
            "numbers: nothing was heard for 7 days of P.",
        ])
        .await;
}

#[tokio::test]
async fn secrets_that_are_missing_empty_or_lost_are_named() {
    let fixture = Fixture::healthy().await;
    let aws = &fixture.installation.aws;
    put_secret(aws, &fixture.file.webhook_secret_arn, r#"{"app_secrets": []}"#).await;
    put_secret(aws, &fixture.file.push_keys_secret_arn, "{}").await;
    let other = json!({"active": "k2", "k2": "5a".repeat(32)}).to_string();
    put_secret(aws, &fixture.file.token_keys_secret_arn, &other).await;
    fixture
        .expect(&[
            "webhook secret: it has no app secret, so every webhook is refused.",
            "push keys: nobody can be notified.",
            "token keys: the ring lacks k1, with which tokens are encrypted.",
            "tokens: cannot be decrypted: accounts W.",
        ])
        .await;
    let mut file = fixture.file.clone();
    file.webhook_secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:none".to_owned();
    fixture
        .run(&format!("update waba_accounts set access_token = '{TOKEN}'"))
        .await;
    let fixture = Fixture {
        installation: Installation::of(file).await,
        ..fixture
    };
    fixture
        .expect(&[
            "webhook secret: it cannot be read: ResourceNotFoundException.",
            "push keys: nobody can be notified.",
            "token keys: tokens in plain text, which are not sent with: accounts W.",
            "tokens: plain text, which is not sent with",
        ])
        .await;
}

#[tokio::test]
async fn accounts_without_a_token_that_works_or_without_webhooks_are_named() {
    let fixture = Fixture::healthy().await;
    let http = reqwest::Client::new();
    let apps = format!("{}/v26.0/W/subscribed_apps", fixture.simulator);
    http.delete(apps)
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    fixture.run("insert into waba_accounts (waba_id) values ('V')").await;
    fixture
        .expect(&[
            "tokens: no token: accounts V.",
            "webhook subscriptions: no app gets their webhooks: accounts W.",
        ])
        .await;
}

#[tokio::test]
async fn queues_and_buckets_that_are_not_as_the_template_has_them_are_named() {
    let fixture = Fixture::healthy().await;
    let set = async |url: &str, name: QueueAttributeName, value: &str| {
        let request = fixture
            .queues
            .set_queue_attributes()
            .queue_url(url)
            .attributes(name, value);
        request.send().await.unwrap();
    };
    let file = &fixture.file;
    set(&file.events_queue_url, QueueAttributeName::VisibilityTimeout, "30").await;
    set(
        &file.media_queue_url,
        QueueAttributeName::MessageRetentionPeriod,
        "3600",
    )
    .await;
    set(&file.outbox_queue_url, QueueAttributeName::RedrivePolicy, "").await;
    let letter = fixture.queues.send_message().queue_url(&file.dead_letter_queue_url);
    letter.message_body("hunter2").send().await.unwrap();
    fixture.block_the_public(false).await;
    fixture
        .expect(&[
            "events queue: its visibility timeout is 30 s and should be 180 s.",
            "events queue: its dead-letter queue has 1 messages.",
            "media queue: it keeps messages for 3600 s only.",
            "outbox queue: it has no dead-letter queue.",
            "media bucket: public access to it is not blocked.",
        ])
        .await;
    let file = StackFile {
        media_bucket: "nobodys-bucket".to_owned(),
        ..fixture.file.clone()
    };
    let report = examine(&Installation::of(file).await, &template(), 7).await;
    assert!(
        report
            .lines
            .last()
            .unwrap()
            .starts_with("✗ media bucket: it cannot be read: NoSuchBucket"),
        "{:?}",
        report.lines.last()
    );
}
