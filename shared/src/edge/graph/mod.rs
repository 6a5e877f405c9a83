//! Meta's Graph API over HTTPS. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>.

pub mod media;
mod templates;
pub mod upload;

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use serde_json::Value;

use crate::config::{self, ConfigError};
use crate::metrics::{Metric, tell};
use crate::whatsapp::bodies::Accepted;
use crate::whatsapp::errors::MessageError;
use crate::whatsapp::json::parse_clean;

/// Meta's own host.
pub const DEFAULT_URL: &str = "https://graph.facebook.com";
/// The version in force in November 2026.
pub const DEFAULT_VERSION: &str = "v26.0";

/// HTTP functions live 29 s at the most, and what follows an answer needs some of them.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer has a kilobyte; what is longer is none (bytes).
const LARGEST_ANSWER: usize = 64 * 1024;

/// A client of one version of the Graph API.
#[derive(Debug, Clone)]
pub struct Graph {
    http: reqwest::Client,
    base: String,
}

/// Why Graph did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// Graph answered with an error.
    #[error("Graph refused with HTTP {status}, code {:?}", .error.code)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        error: MessageError,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// No connection: nothing was written.
    #[error("Graph could not be reached")]
    Unreachable,
    /// The request was written and no readable answer came.
    #[error("Graph did not answer")]
    Unanswered,
}

impl Graph {
    /// Reads `GRAPH_URL` and `GRAPH_VERSION`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        let (url, version) = settings();
        Self::new(&url, &version)
    }

    /// A client of the API at `url`. Redirects are not followed: a token must reach no other host.
    ///
    /// # Errors
    /// When the URL or the version is malformed.
    pub fn new(url: &str, version: &str) -> Result<Self, ConfigError> {
        let base = base(url, version)?;
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // A connection that rested while the environment was frozen may be dead. A request that is written to it gets no answer, and a
            // message without an answer is never sent again: a handshake for each message is cheaper.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| ConfigError::new("GRAPH_URL", error.to_string()))?;
        Ok(Self { http, base })
    }

    /// Sends a message body of [`crate::whatsapp::bodies`].
    ///
    /// # Errors
    /// Tells what was refused from what nobody knows.
    pub async fn send_message(&self, token: &str, phone_number_id: &str, body: &Value) -> Result<Accepted, GraphError> {
        let answer = self.post(token, phone_number_id, body).await?;
        Accepted::from_answer(&answer).ok_or(GraphError::Unanswered)
    }

    /// Sends a read receipt, with or without a typing indicator. Twice is as good as once.
    ///
    /// # Errors
    /// Tells what was refused from what nobody knows.
    pub async fn send_signal(&self, token: &str, phone_number_id: &str, body: &Value) -> Result<(), GraphError> {
        self.post(token, phone_number_id, body).await.map(drop)
    }

    /// Asks for a phone number of the account, which every token that may act for it can see.
    /// Source: <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/phone_numbers>.
    ///
    /// # Errors
    /// Tells a token that was refused from an answer that did not come or is none of Graph's.
    pub async fn check_token(&self, token: &str, waba_id: &str) -> Result<(), GraphError> {
        let url = format!("{}/{}/phone_numbers", self.base, path_segment(waba_id));
        let request = self.http.get(url).query(&[("fields", "id"), ("limit", "1")]);
        let answer = ask(request, token, LARGEST_ANSWER).await?;
        answer["data"].is_array().then_some(()).ok_or(GraphError::Unanswered)
    }

    /// The apps that get the account's webhooks, by name and id.
    /// Source: <https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/subscribed_apps>.
    ///
    /// # Errors
    /// Tells a refusal from an answer that did not come or is none of Graph's.
    pub async fn list_subscribed_apps(&self, token: &str, waba_id: &str) -> Result<Vec<String>, GraphError> {
        let url = format!("{}/{}/subscribed_apps", self.base, path_segment(waba_id));
        let answer = ask(self.http.get(url), token, LARGEST_ANSWER).await?;
        let apps = answer["data"].as_array().ok_or(GraphError::Unanswered)?.iter();
        let text = |app: &Value, field: &str| {
            let text = app["whatsapp_business_api_data"][field].as_str();
            text.unwrap_or("?").to_owned()
        };
        Ok(apps
            .map(|app| format!("{} ({})", text(app, "name"), text(app, "id")))
            .collect())
    }

    async fn post(&self, token: &str, phone_number_id: &str, body: &Value) -> Result<Value, GraphError> {
        let url = format!("{}/{}/messages", self.base, path_segment(phone_number_id));
        ask(self.http.post(url).json(body), token, LARGEST_ANSWER).await
    }
}

/// Asks Graph with this token, and reads what it says: at most `largest` bytes, cleaned of what PostgreSQL cannot hold. Graph's errors may
/// quote the token ("Malformed access token …"), and are shown to agents: it is taken out.
async fn ask(request: reqwest::RequestBuilder, token: &str, largest: usize) -> Result<Value, GraphError> {
    let begun = Instant::now();
    let answer = ask_untimed(request, token, largest).await;
    tell(Metric::GraphLatency, begun.elapsed().as_millis());
    answer
}

async fn ask_untimed(request: reqwest::RequestBuilder, token: &str, largest: usize) -> Result<Value, GraphError> {
    let mut response = request.bearer_auth(token).send().await.map_err(|error| {
        // Whatever happens after the connection stands may happen after the body was read.
        if error.is_connect() || error.is_builder() {
            GraphError::Unreachable
        } else {
            GraphError::Unanswered
        }
    })?;
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    // What was cut off is no JSON.
    while let Ok(Some(chunk)) = response.chunk().await
        && body.len() <= largest
    {
        body.extend_from_slice(&chunk);
    }
    let answer = Some(body)
        .filter(|body| body.len() <= largest)
        .and_then(|body| parse_clean(&without(token, &String::from_utf8_lossy(&body))));
    if status.is_success() {
        return answer.ok_or(GraphError::Unanswered);
    }
    let said = answer.as_ref().and_then(|answer| answer.get("error"));
    // A gateway that gave up waiting for Graph does not know what Graph did.
    if said.is_none() && matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
        return Err(GraphError::Unanswered);
    }
    let mut error = said.map_or_else(
        || MessageError::own(&format!("HTTP {}", status.as_u16()), None, false),
        MessageError::from_meta,
    );
    error.retryable |= status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    Err(GraphError::Refused {
        status: status.as_u16(),
        error,
        retry_after: retry_after.map(Duration::from_secs),
    })
}

fn without(token: &str, text: &str) -> String {
    // Between any two letters stands an empty token.
    if token.is_empty() {
        return text.to_owned();
    }
    text.replace(token, "…")
}

/// `GRAPH_URL` and `GRAPH_VERSION`.
fn settings() -> (String, String) {
    let url = config::optional("GRAPH_URL").unwrap_or_else(|| DEFAULT_URL.to_owned());
    let version = config::optional("GRAPH_VERSION").unwrap_or_else(|| DEFAULT_VERSION.to_owned());
    (url, version)
}

/// What every path begins with.
fn base(url: &str, version: &str) -> Result<String, ConfigError> {
    let parsed = reqwest::Url::parse(url).ok().filter(reqwest::Url::has_host);
    if parsed.is_none_or(|url| !matches!(url.scheme(), "http" | "https")) {
        return Err(ConfigError::new("GRAPH_URL", "must be an http or https URL"));
    }
    let numbers = version.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    if numbers.is_none_or(|(major, minor)| major.parse::<u16>().is_err() || minor.parse::<u16>().is_err()) {
        return Err(ConfigError::new("GRAPH_VERSION", "must look like v26.0"));
    }
    Ok(format!("{}/{version}", url.trim_end_matches('/')))
}

/// An id from the database as one segment of a path.
fn path_segment(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_named() {
        let problem = |url, version| Graph::new(url, version).unwrap_err().to_string();
        assert_eq!(
            problem("graph.facebook.com", "v26.0"),
            "GRAPH_URL: must be an http or https URL"
        );
        assert_eq!(problem("ftp://x", "v26.0"), "GRAPH_URL: must be an http or https URL");
        assert_eq!(problem(DEFAULT_URL, "26"), "GRAPH_VERSION: must look like v26.0");
        assert!(Graph::new(DEFAULT_URL, DEFAULT_VERSION).is_ok());
    }

    #[test]
    fn a_token_that_is_quoted_is_taken_out() {
        assert_eq!(
            without("EAAx", r#"{"a":"bad token EAAx, EAAx"}"#),
            r#"{"a":"bad token …, …"}"#
        );
        assert_eq!(without("", "as it is"), "as it is");
    }

    #[test]
    fn an_id_stays_one_segment() {
        assert_eq!(path_segment("12/../34?x"), "12%2F%2E%2E%2F34%3Fx");
    }
}
