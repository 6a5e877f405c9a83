//! Webhooks on their way out: Meta's envelope, the signature over the exact bytes, and delivery
//! at least once. Every webhook travels alone, so one that is refused holds up no other.
//!
//! <https://developers.facebook.com/docs/graph-api/webhooks/getting-started>

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::config::Number;

/// The header with the signature.
pub(crate) const SIGNATURE_HEADER: &str = "x-hub-signature-256";
/// Meta gives up after a week.
const GIVE_UP_AFTER: Duration = Duration::from_hours(7 * 24);
/// Meta waits for minutes; on a desk nobody does.
const FIRST_RETRY: Duration = Duration::from_millis(200);
const SLOWEST_RETRY: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How many webhooks stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Planned or being tried.
    pub(crate) pending: u64,
    /// Answered with 200.
    pub(crate) delivered: u64,
    /// Given up.
    pub(crate) failed: u64,
}

/// How one message's webhooks are treated; what faults change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    /// How often each is posted; 0 withholds them.
    pub(crate) copies: u8,
    pub(crate) reversed: bool,
    pub(crate) escaped: bool,
}

impl Default for Traits {
    fn default() -> Self {
        Self {
            copies: 1,
            reversed: false,
            escaped: false,
        }
    }
}

/// The post office.
pub(crate) struct Deliveries {
    client: reqwest::Client,
    url: String,
    key: hmac::Key,
    counts: watch::Sender<Counts>,
    tasks: Mutex<JoinSet<()>>,
}

impl Deliveries {
    pub(crate) fn new(url: &str, app_secret: &str) -> reqwest::Result<Self> {
        Ok(Self {
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(ANSWER_WITHIN)
                .no_proxy()
                .user_agent("facebookexternalua")
                .build()?,
            url: url.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, app_secret.as_bytes()),
            counts: watch::channel(Counts::default()).0,
            tasks: Mutex::default(),
        })
    }

    /// Runs `task` until it ends or the simulator stops. Webhooks that `task` will post are
    /// pending from now on: it has to end with [`Deliveries::settle`] or [`Deliveries::post`].
    pub(crate) fn plan(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.counts.send_modify(|counts| counts.pending += 1);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// A planned webhook that has nothing to say after all.
    pub(crate) fn settle(&self) {
        self.counts.send_modify(|counts| counts.pending -= 1);
    }

    /// Posts a planned webhook until it is answered with 200.
    pub(crate) async fn post(&self, payload: &Value, traits: Traits) {
        let mut body = payload.to_string();
        if traits.escaped {
            body = escape(&body);
        }
        let mut arrived = true;
        for _ in 0..traits.copies {
            arrived &= self.post_until_accepted(&body).await;
        }
        self.counts.send_modify(|counts| {
            counts.pending -= 1;
            if arrived {
                counts.delivered += u64::from(traits.copies);
            } else {
                counts.failed += 1;
            }
        });
    }

    async fn post_until_accepted(&self, body: &str) -> bool {
        let started = Instant::now();
        let mut pause = FIRST_RETRY;
        loop {
            let outcome = self.post_once(body.to_owned().into()).await;
            if outcome.as_ref().is_ok_and(|response| response.status() == 200) {
                return true;
            }
            let status = outcome.ok().map(|response| response.status().as_u16());
            if started.elapsed() + pause > GIVE_UP_AFTER {
                tracing::error!(?status, "a webhook was given up after seven days");
                return false;
            }
            tracing::warn!(
                ?status,
                retry_ms = pause.as_millis(),
                "a webhook was not answered with 200 and is tried again"
            );
            sleep(pause).await;
            pause = (pause * 2).min(SLOWEST_RETRY);
        }
    }

    /// Signs and posts these very bytes, once.
    pub(crate) async fn post_once(&self, body: axum::body::Bytes) -> reqwest::Result<reqwest::Response> {
        let signature = format!("sha256={}", hex::encode(hmac::sign(&self.key, &body)));
        self.client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE_HEADER, signature)
            .body(body)
            .send()
            .await
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until nothing is pending; `false` when that takes longer than `limit`.
    pub(crate) async fn flush(&self, limit: Duration) -> bool {
        let mut counts = self.counts.subscribe();
        tokio::time::timeout(limit, counts.wait_for(|counts| counts.pending == 0))
            .await
            .is_ok()
    }

    /// Ends everything that is planned.
    pub(crate) fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

/// The whole body of a webhook of one change: `field` and what it has besides the metadata.
pub(crate) fn envelope(number: &Number, field: &str, rest: Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": digits_of(&number.display_phone_number),
            "phone_number_id": number.phone_number_id,
        },
    });
    if let (Some(value), Value::Object(rest)) = (value.as_object_mut(), rest) {
        value.extend(rest);
    }
    json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": number.waba_id, "changes": [{"value": value, "field": field}]}],
    })
}

/// A number as `metadata` and `from` give it.
pub(crate) fn digits_of(written: &str) -> String {
    written.chars().filter(char::is_ascii_digit).collect()
}

/// The same JSON in ASCII: Meta sends bodies either way, and only the bytes as sent verify.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            ascii if ascii.is_ascii() => escaped.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a string does not fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_body_is_ascii_and_says_the_same() {
        let value = json!({"body": "Grüße 👋 a/b \"quoted\""});
        let escaped = escape(&value.to_string());
        assert!(escaped.is_ascii());
        assert!(escaped.contains("\\ud83d\\udc4b"));
        assert_eq!(serde_json::from_str::<Value>(&escaped).ok(), Some(value));
    }
}
