//! Files of inbound messages: Graph says where one lies, and gives it away by a link that lives five minutes and wants the access token too.
//! The token goes to Meta's hosts alone. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media>.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::{CONNECT_TIMEOUT, LARGEST_ANSWER, base, path_segment, settings};
use crate::config::ConfigError;
use crate::domain::media::{Trouble, decode_sha256};
use crate::whatsapp::errors::{ErrorClass, class_of};

/// Domains that a link may lead to, with all their subdomains.
const META_DOMAINS: [&str; 5] = ["facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net", "whatsapp.com"];

/// What Graph announces of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaLink {
    /// Where it lies. Whoever has it and the token has the file: never logged.
    pub url: String,
    /// Its type.
    pub mime_type: Option<String>,
    /// Its hash.
    pub sha256: Option<[u8; 32]>,
    /// Its size in bytes.
    pub file_size: Option<u64>,
}

/// A client for files, apart from the one for messages: a file may take long, as long as something comes.
#[derive(Debug, Clone)]
pub struct GraphMedia {
    http: reqwest::Client,
    base: String,
    graph: Url,
}

/// A file on its way.
pub struct Download(reqwest::Response);

impl GraphMedia {
    /// Reads `GRAPH_URL` and `GRAPH_VERSION`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn from_env(patience: Duration) -> Result<Self, ConfigError> {
        let (url, version) = settings();
        Self::new(&url, &version, patience)
    }

    /// A client of the API at `url`, which gives up when nothing comes for as long as `patience`. Follows no redirect.
    ///
    /// # Errors
    /// When the URL or the version is malformed.
    pub fn new(url: &str, version: &str, patience: Duration) -> Result<Self, ConfigError> {
        let base = base(url, version)?;
        let malformed = |error: String| ConfigError::new("GRAPH_URL", error);
        let graph = Url::parse(&base).map_err(|error| malformed(error.to_string()))?;
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT.min(patience))
            .read_timeout(patience)
            // Meta's file servers turn nameless clients away.
            .user_agent(concat!("waba-live-chat/", env!("CARGO_PKG_VERSION")))
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Self { http, base, graph })
    }

    /// Asks where a file lies.
    ///
    /// # Errors
    /// [`Trouble::NotFound`] where Graph knows none, and other trouble that may pass.
    pub async fn describe_media(
        &self,
        token: &str,
        media_id: &str,
        phone_number_id: &str,
    ) -> Result<MediaLink, Trouble> {
        let url = format!("{}/{}", self.base, path_segment(media_id));
        let request = self.http.get(url).query(&[("phone_number_id", phone_number_id)]);
        let answer = request.bearer_auth(token).send().await;
        let mut answer = answer.map_err(|_| Trouble::GraphUnavailable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| Trouble::GraphUnavailable)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(Trouble::GraphUnavailable);
            }
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if !status.is_success() {
            return Err(refusal(status, body["error"]["code"].as_i64()));
        }
        MediaLink::from_answer(&body).ok_or(Trouble::GraphUnavailable)
    }

    /// Begins to fetch a file. No request is made where the link leads to a foreign host.
    ///
    /// # Errors
    /// [`Trouble::LinkExpired`] where there is nothing (any more), [`Trouble::ForeignHost`], and other trouble that may pass.
    pub async fn download(&self, token: &str, link: &MediaLink) -> Result<Download, Trouble> {
        let url = Url::parse(&link.url).map_err(|_| Trouble::ForeignHost)?;
        if !self.may_see_token(&url) {
            return Err(Trouble::ForeignHost);
        }
        let answer = self.http.get(url).bearer_auth(token).send().await;
        let answer = answer.map_err(|_| Trouble::GraphUnavailable)?;
        match answer.status() {
            StatusCode::OK => Ok(Download(answer)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Trouble::LinkExpired),
            status if status.is_redirection() => Err(Trouble::ForeignHost),
            status => Err(refusal(status, None)),
        }
    }

    /// Graph's own host, which in tests is another, and Meta's by HTTPS.
    fn may_see_token(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let is_metas = url.host_str().is_some_and(|host| {
            META_DOMAINS.iter().any(|domain| {
                host.strip_suffix(domain)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        });
        url.origin() == self.graph.origin() || (url.scheme() == "https" && url.port().is_none() && is_metas)
    }
}

impl MediaLink {
    /// Reads Graph's answer; `file_size` is a text in it.
    fn from_answer(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer[name].as_str();
        let size = &answer["file_size"];
        Some(Self {
            url: text("url")?.to_owned(),
            mime_type: text("mime_type").map(str::to_owned),
            sha256: text("sha256").and_then(decode_sha256),
            file_size: size
                .as_u64()
                .or_else(|| size.as_str().and_then(|digits| digits.parse().ok())),
        })
    }
}

impl Download {
    /// How much is going to come, where the server says so (bytes).
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.0.content_length()
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection ends before the file does, or nothing comes for too long.
    pub async fn chunk(&mut self) -> Result<Option<axum::body::Bytes>, Trouble> {
        self.0.chunk().await.map_err(|_| Trouble::Cut)
    }
}

/// 100 is Graph's code for a file that it does not know, or that this token may not see.
fn refusal(status: StatusCode, code: Option<i64>) -> Trouble {
    match (status.as_u16(), code) {
        (429 | 500.., _) => Trouble::GraphUnavailable,
        (404, _) | (400, Some(100)) => Trouble::NotFound,
        (401 | 403, _) => Trouble::TokenRefused,
        (_, Some(code)) => match class_of(code) {
            ErrorClass::Token => Trouble::TokenRefused,
            class if class.is_retryable() => Trouble::GraphUnavailable,
            _ => Trouble::GraphRefused,
        },
        _ => Trouble::GraphRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_token_goes_to_meta_and_to_graph_alone() {
        let client = |url| GraphMedia::new(url, "v26.0", Duration::from_secs(1)).unwrap();
        let is_trusted = |client: &GraphMedia, url: &str| client.may_see_token(&Url::parse(url).unwrap());
        let real = client(super::super::DEFAULT_URL);
        for url in [
            "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
            "https://graph.facebook.com/x",
            "https://whatsapp.net/",
            "https://MMG.WHATSAPP.NET/v/1",
            "https://scontent.xx.fbcdn.net:443/1",
        ] {
            assert!(is_trusted(&real, url), "{url}");
        }
        for url in [
            "http://lookaside.fbsbx.com/",
            "https://evilfbsbx.com/",
            "https://fbsbx.com.evil.example/",
            "https://fbsbx.com./",
            "https://evil.example/?fbsbx.com",
            "https://lookaside.fbsbx.com@evil.example/",
            "https://user:word@lookaside.fbsbx.com/",
            "https://lookaside.fbsbx.com:8443/",
            "https://127.0.0.1/",
            "ftp://fbsbx.com/",
            "file:///etc/passwd",
            "data:text/plain,fbsbx.com",
        ] {
            assert!(!is_trusted(&real, url), "{url}");
        }
        let local = client("http://127.0.0.1:4580");
        assert!(is_trusted(&local, "http://127.0.0.1:4580/file"));
        for url in [
            "http://127.0.0.1:4581/",
            "https://127.0.0.1:4580/",
            "http://localhost:4580/",
        ] {
            assert!(!is_trusted(&local, url), "{url}");
        }
    }

    #[test]
    fn an_announcement_is_read_whatever_form_its_size_and_hash_have() {
        let hash = "0a".repeat(32);
        let link = MediaLink::from_answer(
            &json!({"url": "https://x", "mime_type": "image/jpeg", "sha256": hash, "file_size": "303833"}),
        )
        .unwrap();
        assert_eq!((link.file_size, link.sha256), (Some(303_833), Some([10; 32])));
        let bare = MediaLink::from_answer(&json!({"url": "https://x", "file_size": 5})).unwrap();
        assert_eq!((bare.file_size, bare.sha256), (Some(5), None));
        assert!(MediaLink::from_answer(&json!({"file_size": 5})).is_none());
    }

    #[test]
    fn only_a_file_that_graph_does_not_know_is_given_up() {
        for (status, code, expected) in [
            (404, None, Trouble::NotFound),
            (400, Some(100), Trouble::NotFound),
            (404, Some(100), Trouble::NotFound),
            (500, Some(100), Trouble::GraphUnavailable),
            (429, None, Trouble::GraphUnavailable),
            (400, Some(130_429), Trouble::GraphUnavailable),
            (401, Some(190), Trouble::TokenRefused),
            (400, Some(190), Trouble::TokenRefused),
            (403, Some(10), Trouble::TokenRefused),
            (400, Some(368), Trouble::GraphRefused),
            (302, None, Trouble::GraphRefused),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(refusal(status, code), expected, "{status} {code:?}");
        }
    }
}
