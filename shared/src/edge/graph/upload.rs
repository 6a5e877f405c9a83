//! Files to Meta, before a message names them. Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#upload-media>.

use std::error::Error;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::Stream;
use reqwest::Body;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};

use super::{ANSWER_TIMEOUT, Graph, GraphError, LARGEST_ANSWER, ask, path_segment};

/// What a file has to come through with at least (bytes a second): the largest takes 50 s then, and the functions that upload live 120 s.
const SLOWEST: u64 = 2 * 1024 * 1024;

/// The longest that a file of this size may take.
#[must_use]
pub fn upload_time(size: u64) -> Duration {
    ANSWER_TIMEOUT + Duration::from_secs(size / SLOWEST)
}

impl Graph {
    /// Uploads a file of `size` bytes for one business phone number, and returns Meta's id of it, which Meta keeps for 30 days. The file is
    /// passed on as it comes.
    ///
    /// Whatever fails may be tried again: a file that is uploaded twice has two ids.
    ///
    /// # Errors
    /// What Graph refused; else that the file, or the answer, did not come through.
    pub async fn upload_media<E>(
        &self,
        token: &str,
        phone_number_id: &str,
        mime_type: &str,
        size: u64,
        bytes: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<String, GraphError>
    where
        E: Error + Send + Sync + 'static,
    {
        let url = format!("{}/{}/media", self.base, path_segment(phone_number_id));
        // As it was announced: browsers write parameters that no parser takes. What is no header is for Graph to refuse.
        let content_type = HeaderValue::from_str(mime_type);
        let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        let file = Part::stream_with_length(Body::wrap_stream(bytes), size)
            // Graph wants some name; a message has its own.
            .file_name("file")
            .headers(HeaderMap::from_iter([(CONTENT_TYPE, content_type)]));
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", mime_type.to_owned())
            .part("file", file);
        let request = self.http.post(url).multipart(form);
        let request = request.timeout(upload_time(size));
        let answer = ask(request, token, LARGEST_ANSWER).await?;
        let id = answer["id"].as_str();
        id.map(str::to_owned).ok_or(GraphError::Unanswered)
    }
}
