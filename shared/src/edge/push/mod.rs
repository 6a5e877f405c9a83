//! Push services of browsers. Sources: <https://www.rfc-editor.org/rfc/rfc8030> (the protocol), RFC 8291 (encryption), RFC 8292 (who we are).

mod encryption;
mod vapid;

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;

pub use vapid::{KeysError, PushKeys, Vapid, make_keys};

use crate::config::{self, ConfigError};
use crate::domain::push::{BrowserKeys, Endpoint, Origin, Verdict, judge, parse_origin, parse_retry_after};

/// What one post may take, all in all.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// What is read of an answer (bytes): it says why in a line.
const LARGEST_ANSWER: usize = 4 * 1024;

/// A client of push services.
#[derive(Debug, Clone)]
pub struct PushClient {
    http: reqwest::Client,
    extra: Option<Origin>,
}

/// One message to one browser.
pub struct PushMessage<'a> {
    /// Where to.
    pub endpoint: &'a Endpoint,
    /// The browser's keys.
    pub keys: &'a BrowserKeys,
    /// What it says.
    pub payload: &'a [u8],
    /// By which it replaces another one.
    pub topic: &'a str,
    /// How long the push service keeps it for a browser that is away.
    pub lifetime: Duration,
}

/// What came of a post.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// What follows.
    pub verdict: Verdict,
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
}

/// Reads `PUSH_HOST_OVERRIDE`: an origin that is allowed beside the browsers' push services.
///
/// # Errors
/// When that is no origin.
pub fn extra_origin() -> Result<Option<Origin>, ConfigError> {
    let Some(text) = config::optional("PUSH_HOST_OVERRIDE") else {
        return Ok(None);
    };
    let problem = "must be an origin such as http://127.0.0.1:4400";
    parse_origin(&text)
        .map(Some)
        .ok_or_else(|| ConfigError::new("PUSH_HOST_OVERRIDE", problem))
}

impl PushClient {
    /// A client that takes endpoints on `extra` too. Follows no redirect: an endpoint was looked at, what it leads to was not.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(extra: Option<Origin>) -> Result<Self, ConfigError> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // One that rested while the environment was frozen may be dead.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| ConfigError::new("the HTTP client for push services", error.to_string()))?;
        Ok(Self { http, extra })
    }

    /// The origin that is allowed beside the browsers' push services.
    #[must_use]
    pub fn extra(&self) -> Option<&Origin> {
        self.extra.as_ref()
    }

    /// Posts a message.
    pub async fn post(&self, vapid: &Vapid, message: &PushMessage<'_>, now: Timestamp) -> Answer {
        let unsendable = Answer {
            verdict: Verdict::Dropped,
            status: None,
        };
        let Some(body) = encryption::encrypt(message.payload, message.keys) else {
            return unsendable;
        };
        let Some(authorization) = vapid.authorization(&message.endpoint.audience(), now) else {
            return unsendable;
        };
        let request = self
            .http
            .post(message.endpoint.url().clone())
            .header("TTL", message.lifetime.as_secs())
            .header("Urgency", "high")
            .header("Topic", message.topic)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(AUTHORIZATION, authorization)
            .body(body);
        let Ok(mut answer) = request.send().await else {
            return Answer {
                verdict: Verdict::Later { retry_after: None },
                status: None,
            };
        };
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|text| parse_retry_after(text.to_str().ok()?, now));
        let mut said = Vec::new();
        while status >= 400
            && said.len() < LARGEST_ANSWER
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            said.extend_from_slice(&chunk);
        }
        said.truncate(LARGEST_ANSWER);
        Answer {
            verdict: judge(status, retry_after, &String::from_utf8_lossy(&said)),
            status: Some(status),
        }
    }
}
