//! Rotations against a real PostgreSQL and the emulated Secrets Manager.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use shared::edge::graph::Graph;
use shared::testing::{TestDatabase, create_secret, emulated_aws, put_secret};
use shared::tokens::{KeyRing, add_key};
use uuid::Uuid;

use super::ring::RingSecret;
use super::rotate::{self, Waits};
use super::{BATCH, Installation, check, encrypt};

const NO_WAITS: Waits = Waits {
    spread: Duration::ZERO,
    grace: Duration::ZERO,
};

struct Fixture {
    database: TestDatabase,
    aws: aws_config::SdkConfig,
    arn: String,
    first: KeyRing,
}

impl Fixture {
    async fn new() -> Self {
        let aws = emulated_aws().await;
        let ring = json!({"active": "k1", "k1": "5c".repeat(32)}).to_string();
        Self {
            database: TestDatabase::migrated().await,
            arn: create_secret(&aws, &ring).await,
            aws,
            first: KeyRing::parse(&ring).unwrap(),
        }
    }

    async fn installation(&self) -> Installation {
        Installation {
            database: shared::testing::connect(&self.database.url).await,
            ring: RingSecret::new(&self.aws, self.arn.clone()),
            aws: self.aws.clone(),
            graph: Graph::new("http://127.0.0.1:9", "v26.0").unwrap(),
        }
    }

    async fn store(&self, waba_id: &str, token: &str) {
        let insert = "insert into waba_accounts (waba_id, access_token) values ($1, $2)
                      on conflict (waba_id) do update set access_token = excluded.access_token";
        self.database.client.execute(insert, &[&waba_id, &token]).await.unwrap();
    }

    async fn store_encrypted(&self, waba_id: &str) {
        let stored = self.first.encrypt(waba_id, &format!("EAA{waba_id}")).unwrap();
        self.store(waba_id, &stored).await;
    }

    async fn stored(&self, waba_id: &str) -> String {
        let find = format!("select to_jsonb(access_token) from waba_accounts where waba_id = '{waba_id}'");
        self.database.json(&find).await[0].as_str().unwrap().to_owned()
    }

    async fn rotate(&self) -> Result<()> {
        rotate::run(&self.installation().await, &NO_WAITS).await
    }

    async fn ring(&self) -> (KeyRing, Vec<String>) {
        let ring = self.installation().await.ring.read().await.unwrap().keys().unwrap();
        let old = ring.old_keys().map(str::to_owned).collect();
        (ring, old)
    }

    /// The accounts' tokens are what they were, under this key.
    async fn all_are_under(&self, key: &str, accounts: &[&str]) {
        let (ring, _) = self.ring().await;
        assert_eq!(ring.active(), key);
        for waba_id in accounts {
            let stored = self.stored(waba_id).await;
            assert!(stored.starts_with(&format!("enc:v1:{key}:")), "{waba_id}");
            assert_eq!(ring.decrypt(waba_id, &stored).unwrap(), format!("EAA{waba_id}"));
        }
    }
}

#[tokio::test]
async fn all_tokens_get_the_new_key_and_what_is_no_encrypted_token_is_left() {
    let fixture = Fixture::new().await;
    let many = format!(
        "insert into waba_accounts (waba_id) select 'empty' || i from generate_series(1, {}) i",
        BATCH * 2
    );
    fixture.database.client.batch_execute(&many).await.unwrap();
    for waba_id in ["1", "9", "zzz"] {
        fixture.store_encrypted(waba_id).await;
    }
    fixture.store("plain", "EAAplain").await;
    fixture.store("name", "waba/name").await;
    fixture.rotate().await.unwrap();
    fixture.all_are_under("k2", &["1", "9", "zzz"]).await;
    assert!(fixture.ring().await.1.is_empty(), "the old key is retired");
    assert_eq!(fixture.stored("plain").await, "EAAplain");
    assert_eq!(fixture.stored("name").await, "waba/name");
    encrypt::run(&fixture.installation().await).await.unwrap();
    fixture.rotate().await.unwrap();
    fixture.all_are_under("k3", &["1", "9", "zzz", "plain"]).await;
}

#[tokio::test]
async fn a_rotation_that_was_interrupted_is_ended_by_the_next_with_the_key_it_made() {
    let fixture = Fixture::new().await;
    fixture.store_encrypted("1").await;
    fixture.store_encrypted("2").await;
    let interrupted = add_key(&json!({"active": "k1", "k1": "5c".repeat(32)}).to_string()).unwrap();
    put_secret(&fixture.aws, &fixture.arn, &interrupted).await;
    let one = KeyRing::parse(&interrupted).unwrap().encrypt("1", "EAA1").unwrap();
    fixture.store("1", &one).await;
    fixture.rotate().await.unwrap();
    fixture.all_are_under("k2", &["1", "2"]).await;
    assert!(fixture.ring().await.1.is_empty());
    // Interrupted between the last token and the end.
    let interrupted: Value = serde_json::from_str(&interrupted).unwrap();
    put_secret(&fixture.aws, &fixture.arn, &interrupted.to_string()).await;
    fixture.rotate().await.unwrap();
    fixture.all_are_under("k2", &["1", "2"]).await;
    assert!(fixture.ring().await.1.is_empty());
}

#[tokio::test]
async fn a_token_that_cannot_be_decrypted_is_left_with_its_key_and_stops_no_rotation() {
    let fixture = Fixture::new().await;
    fixture.store_encrypted("good").await;
    let foreign = fixture.first.encrypt("somebody", "EAAforeign").unwrap();
    fixture.store("damaged", &foreign).await;
    fixture.store("lost", &foreign.replace(":k1:", ":k7:")).await;
    for key in ["k2", "k3"] {
        fixture.rotate().await.unwrap();
        fixture.all_are_under(key, &["good"]).await;
        assert_eq!(fixture.ring().await.1, ["k1"], "what the damaged token may yet need");
        assert_eq!(fixture.stored("damaged").await, foreign);
    }
    fixture.store_encrypted("damaged").await;
    fixture.rotate().await.unwrap();
    fixture.all_are_under("k3", &["good", "damaged"]).await;
    assert!(fixture.ring().await.1.is_empty());
}

#[tokio::test]
async fn of_rotations_at_once_none_loses_a_key_that_a_token_needs() {
    let fixture = Fixture::new().await;
    let accounts: Vec<String> = (0..40).map(|_| Uuid::new_v4().to_string()).collect();
    for waba_id in &accounts {
        fixture.store_encrypted(waba_id).await;
    }
    let (a, b, c) = tokio::join!(fixture.rotate(), fixture.rotate(), fixture.rotate());
    for refused in [a, b, c].into_iter().filter_map(Result::err) {
        assert!(refused.to_string().contains("run the command again"), "{refused:#}");
    }
    let (ring, _) = fixture.ring().await;
    for waba_id in &accounts {
        let stored = fixture.stored(waba_id).await;
        assert_eq!(ring.decrypt(waba_id, &stored).unwrap(), format!("EAA{waba_id}"));
    }
    fixture.rotate().await.unwrap();
    assert!(fixture.ring().await.1.is_empty());
}

#[tokio::test]
async fn a_ring_that_changed_since_it_was_read_is_not_overwritten() {
    let fixture = Fixture::new().await;
    let secret = fixture.installation().await.ring;
    let read = secret.read().await.unwrap();
    let newer = secret.change(&read, add_key).await.unwrap();
    let refused = secret.change(&read, add_key).await.err().unwrap();
    assert!(refused.to_string().contains("changed by somebody else"), "{refused:#}");
    assert_eq!(fixture.ring().await.0.active(), newer.keys().unwrap().active());
    secret.change(&newer, add_key).await.unwrap();
    assert_eq!(fixture.ring().await.0.active(), "k3");
}

#[tokio::test]
async fn a_check_lets_go_on_what_waited_for_a_token_that_works_and_nothing_else() {
    let fixture = Fixture::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let graph = format!("http://{}", listener.local_addr().unwrap());
    let number = |waba_id: &str| simulator::Number {
        phone_number_id: format!("{waba_id}0"),
        waba_id: waba_id.to_owned(),
        access_token: format!("EAA{waba_id}"),
        ..simulator::Number::default()
    };
    let config = simulator::Config {
        numbers: vec![number("1"), number("2")],
        ..simulator::Config::default()
    };
    tokio::spawn(simulator::serve(listener, config));
    for waba_id in ["1", "2"] {
        fixture.store_encrypted(waba_id).await;
    }
    let held = "
        insert into chat_holds (scope, scope_id, reason, next_try_at) values
          ('account', '1', 'reconnect_required', now()), ('account', '2', 'restricted', now()), ('account', '3', 'reconnect_required', now());
        insert into chat_conversations (waba_id, phone_number_id, customer_phone)
        values ('1', '10', '+4915112345678'), ('3', '30', '+4915112345678');
        insert into chat_sends (conversation_id, request_hash, next_try_at)
        select id, '', now() + interval '1 hour' from chat_conversations";
    fixture.database.client.batch_execute(held).await.unwrap();
    let check = async || {
        let installation = Installation {
            graph: Graph::new(&graph, "v26.0").unwrap(),
            ..fixture.installation().await
        };
        check::run(&installation).await
    };
    check().await.unwrap();
    let holds = "select to_jsonb(scope_id) from chat_holds order by 1";
    assert_eq!(fixture.database.json(holds).await, ["2", "3"]);
    let due = "select to_jsonb(c.waba_id) from chat_sends s join chat_conversations c on c.id = s.conversation_id where s.next_try_at <= now()";
    assert_eq!(fixture.database.json(due).await, ["1"]);

    // Another account's token.
    let refused = fixture.first.encrypt("3", "EAA1").unwrap();
    fixture.store("3", &refused).await;
    let error = check().await.unwrap_err().to_string();
    assert_eq!(error, "1 of 3 accounts have no token that works");
    assert_eq!(fixture.database.json(holds).await, ["2", "3"]);
}
