//! What AWS keeps: secrets, queues, the bucket.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use shared::db::accounts;
use shared::edge::push::{KeysError, Vapid};
use shared::edge::secrets::{SecretError, Secrets};
use shared::tokens::{KeyRing, is_encrypted, is_secret_name, key_of};
use tokio_postgres::Client;
use webhook::Keys;

use super::{Report, name_some};
use crate::installation::Installation;
use crate::template::Template;

/// Accounts that are looked at in one go.
const BATCH: i64 = 500;
/// The dead-letter queues keep what they have for as long (seconds); SQS keeps nothing longer.
const DEAD_RETENTION: u64 = 14 * 86_400;
const RETENTION: u64 = 4 * 86_400;
const LEAST_RECEIVES: u64 = 50;

pub(super) async fn examine_secrets(installation: &Installation, client: Option<&Client>, report: &mut Report) {
    let secrets = installation.secrets();
    let part = "webhook secret";
    if let Some(text) = read(
        installation,
        &secrets,
        part,
        "WEBHOOK_SECRET_ARN",
        "WebhookSecretArn",
        report,
    )
    .await
    {
        match serde_json::from_str::<Keys>(&text) {
            Ok(keys) if keys.app_secrets.iter().all(|secret| secret.trim().is_empty()) => {
                report.bad(
                    part,
                    "it has no app secret, so every webhook is refused",
                    "Put the app secret of your Meta app into app_secrets",
                );
            }
            Ok(keys) if keys.verify_token.is_empty() => {
                report.bad(
                    part,
                    "it has no verify_token, so Meta's handshake fails",
                    "Put one in, and give it to Meta",
                );
            }
            Ok(keys) => report.good(
                part,
                format!("{} app secrets and a verify token", keys.app_secrets.len()),
            ),
            Err(_) => report.bad(
                part,
                "it is malformed",
                r#"It has to be {"app_secrets": ["…"], "verify_token": "…"}"#,
            ),
        }
    }
    let part = "push keys";
    if let Some(text) = read(
        installation,
        &secrets,
        part,
        "PUSH_KEYS_SECRET_ARN",
        "PushKeysSecretArn",
        report,
    )
    .await
    {
        match Vapid::parse(&text) {
            Ok(_) => report.good(part, "filled in"),
            Err(KeysError::Missing) => report.bad(part, "nobody can be notified", "`cargo xtask push-keys create`"),
            Err(error) => report.bad(part, error.to_string(), "`cargo xtask push-keys create --replace`"),
        }
    }
    let part = "token keys";
    if let Some(text) = read(
        installation,
        &secrets,
        part,
        "TOKEN_KEYS_SECRET_ARN",
        "TokenKeysSecretArn",
        report,
    )
    .await
    {
        match KeyRing::parse(&text) {
            Ok(ring) => examine_ring(&ring, client, report).await,
            Err(error) => report.bad(
                part,
                error.to_string(),
                "Its version AWSPREVIOUS is the ring before the last change",
            ),
        }
    }
}

/// The text of a secret. What keeps it from us is reported.
async fn read(
    installation: &Installation,
    secrets: &Secrets,
    part: &str,
    setting: &str,
    output: &str,
    report: &mut Report,
) -> Option<String> {
    let Some(arn) = installation.setting(setting) else {
        report.unset(part, setting, output);
        return None;
    };
    match secrets.get(&arn).await {
        Ok(text) => Some(text.to_string()),
        Err(SecretError { reason, .. }) => {
            let remedy = "Look at the ARN, and at the right secretsmanager:GetSecretValue";
            report.bad(part, format!("it cannot be read: {reason}"), remedy);
            None
        }
    }
}

/// Whether every stored token is encrypted with a key of the ring.
async fn examine_ring(ring: &KeyRing, client: Option<&Client>, report: &mut Report) {
    let part = "token keys";
    let Some(client) = client else {
        report.unchecked(part, "the tokens are in the database");
        return;
    };
    let (mut plain, mut lost, mut after) = (Vec::new(), BTreeSet::new(), String::new());
    loop {
        let Ok(batch) = accounts::list_tokens(client, &after, BATCH).await else {
            report.bad(part, "the accounts cannot be read", "Look at the database");
            return;
        };
        for (waba_id, stored) in &batch {
            let stored = stored.as_deref().map(str::trim).unwrap_or_default();
            match key_of(stored) {
                Some(key) if key != ring.active() && !ring.old_keys().any(|old| old == key) => {
                    lost.insert(key.to_owned());
                }
                None if !stored.is_empty() && !is_encrypted(stored) && !is_secret_name(stored) => {
                    plain.push(waba_id.clone());
                }
                _ => {}
            }
        }
        match batch.last() {
            Some((waba_id, _)) => after.clone_from(waba_id),
            None => break,
        }
    }
    if !plain.is_empty() {
        let what = format!(
            "tokens in plain text, which are not sent with: accounts {}",
            name_some(&plain)
        );
        report.bad(part, what, "`cargo xtask tokens encrypt`");
    }
    if !lost.is_empty() {
        let lost: Vec<String> = lost.into_iter().collect();
        let what = format!("the ring lacks {}, with which tokens are encrypted", name_some(&lost));
        report.bad(
            part,
            what,
            "Take it from the secret's version AWSPREVIOUS, or connect those accounts again",
        );
    } else if plain.is_empty() {
        report.good(part, "the ring has the key of every token");
    }
}

pub(super) async fn examine_queues(installation: &Installation, template: &Template, report: &mut Report) {
    let client = aws_sdk_sqs::Client::new(&installation.aws);
    for (part, function, setting, output) in [
        ("events queue", "consumer", "EVENTS_QUEUE_URL", "EventsQueueUrl"),
        ("media queue", "media", "MEDIA_QUEUE_URL", "MediaQueueUrl"),
        ("outbox queue", "outbox", "OUTBOX_QUEUE_URL", "OutboxQueueUrl"),
    ] {
        match installation.setting(setting) {
            Some(url) => examine_queue(&client, &url, part, template.timeout(function), report).await,
            None => report.unset(part, setting, output),
        }
    }
}

async fn examine_queue(client: &aws_sdk_sqs::Client, url: &str, part: &str, timeout: Option<u64>, report: &mut Report) {
    let wrong = report.wrong;
    let queue = match Attributes::read(client, url).await {
        Ok(queue) => queue,
        Err(code) => {
            report.bad(
                part,
                format!("it cannot be read: {code}"),
                "Look at its URL, and at the right sqs:GetQueueAttributes",
            );
            return;
        }
    };
    let remedy = "Deploy the template again, which sets it";
    let visibility = queue.number(&QueueAttributeName::VisibilityTimeout);
    let needed = timeout.map_or(0, |timeout| 6 * timeout);
    if visibility < needed {
        report.bad(
            part,
            format!("its visibility timeout is {visibility} s and should be {needed} s"),
            remedy,
        );
    }
    let retention = queue.number(&QueueAttributeName::MessageRetentionPeriod);
    if retention < RETENTION {
        report.bad(part, format!("it keeps messages for {retention} s only"), remedy);
    }
    let policy: Value = queue
        .text(&QueueAttributeName::RedrivePolicy)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    // AWS writes a number, some emulators a text.
    let receives = &policy["maxReceiveCount"];
    let receives = receives
        .as_u64()
        .or_else(|| receives.as_str()?.parse().ok())
        .unwrap_or_default();
    let Some(dead) = policy["deadLetterTargetArn"]
        .as_str()
        .and_then(|arn| arn.rsplit(':').next())
    else {
        report.bad(part, "it has no dead-letter queue", remedy);
        return;
    };
    if receives < LEAST_RECEIVES {
        let what = format!("it gives messages up after {receives} receives, which an outage reaches");
        report.bad(part, what, remedy);
    }
    let letters = match client.get_queue_url().queue_name(dead).send().await {
        Ok(found) => Attributes::read(client, found.queue_url().unwrap_or_default()).await,
        Err(_) => Err("it is not there".to_owned()),
    };
    match letters {
        Ok(letters) => {
            let retention = letters.number(&QueueAttributeName::MessageRetentionPeriod);
            if retention < DEAD_RETENTION {
                let what = format!("its dead-letter queue keeps messages for {retention} s only");
                report.bad(part, what, remedy);
            }
            let count = letters.number(&QueueAttributeName::ApproximateNumberOfMessages);
            if count > 0 {
                let what = format!("its dead-letter queue has {count} messages");
                report.bad(part, what, "`cargo xtask dlq list`, then `redrive`");
            }
        }
        Err(code) => report.bad(part, format!("its dead-letter queue cannot be read: {code}"), remedy),
    }
    if report.wrong == wrong {
        let waiting = queue.number(&QueueAttributeName::ApproximateNumberOfMessages);
        report.good(part, format!("set as it should be, {waiting} waiting, no dead letters"));
    }
}

/// What SQS says of a queue.
struct Attributes(std::collections::HashMap<QueueAttributeName, String>);

impl Attributes {
    async fn read(client: &aws_sdk_sqs::Client, url: &str) -> Result<Self, String> {
        let asked = client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::All);
        let answer = asked.send().await.map_err(|error| code(&error))?;
        Ok(Self(answer.attributes.unwrap_or_default()))
    }

    fn text(&self, name: &QueueAttributeName) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &QueueAttributeName) -> u64 {
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}

pub(super) async fn examine_bucket(installation: &Installation, report: &mut Report) {
    let part = "media bucket";
    let Some(bucket) = installation.setting("MEDIA_BUCKET") else {
        report.unset(part, "MEDIA_BUCKET", "MediaBucket");
        return;
    };
    let config = aws_sdk_s3::config::Builder::from(&installation.aws)
        .force_path_style(installation.aws.endpoint_url().is_some())
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    if let Err(error) = client.list_objects_v2().bucket(&bucket).max_keys(1).send().await {
        report.bad(
            part,
            format!("it cannot be read: {}", code(&error)),
            "Look at its name, and at the right s3:ListBucket",
        );
        return;
    }
    let remedy = "Block all public access to it";
    match client.get_public_access_block().bucket(&bucket).send().await {
        Ok(answer) => {
            let block = answer.public_access_block_configuration.as_ref();
            let is_private = block.is_some_and(|block| {
                let all = [
                    block.block_public_acls,
                    block.block_public_policy,
                    block.ignore_public_acls,
                    block.restrict_public_buckets,
                ];
                all.into_iter().all(|blocked| blocked == Some(true))
            });
            if is_private {
                report.good(part, "reachable, and closed to the public");
            } else {
                report.bad(part, "public access to it is not blocked", remedy);
            }
        }
        Err(error) if code(&error) == "NoSuchPublicAccessBlockConfiguration" => {
            report.bad(part, "public access to it is not blocked", remedy);
        }
        Err(error) => report.unchecked(part, format!("whether it is closed to the public: {}", code(&error))),
    }
}

/// AWS's code of an error: its texts may quote what was sent.
fn code<E: aws_sdk_sqs::error::ProvideErrorMetadata, R>(error: &aws_sdk_sqs::error::SdkError<E, R>) -> String {
    let code = error
        .as_service_error()
        .and_then(aws_sdk_sqs::error::ProvideErrorMetadata::code);
    code.unwrap_or("no answer").to_owned()
}
