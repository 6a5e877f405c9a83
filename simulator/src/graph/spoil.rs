//! Spoils answers about files: wrong descriptions, wrong bytes, and bytes that come slowly or not all.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::response::Parts;
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::faults::Kind;

/// How the bytes of an answer are sent, where that is not at once. Travels in the extensions of the response.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    chunk: Option<(usize, Duration)>,
    cut_after: Option<usize>,
}

/// Changes a good answer as faults say.
pub(super) async fn answer(response: Response, faults: &[Kind]) -> Response {
    let (mut parts, body) = response.into_parts();
    let mut bytes = to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
    let mut pace = Pace::default();
    for fault in faults {
        match fault {
            Kind::WrongDescription { url, file_size, sha256 } => {
                let mut described: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                if let Some(url) = url {
                    described["url"] = json!(url);
                }
                if let Some(size) = file_size {
                    described["file_size"] = json!(size.to_string());
                }
                if let Some(sha256) = sha256 {
                    described["sha256"] = json!(sha256);
                }
                bytes = described.to_string().into_bytes();
            }
            Kind::WrongBytes {} => bytes.iter_mut().for_each(|byte| *byte = !*byte),
            Kind::ExtraBytes { bytes: count } => bytes.resize(bytes.len() + count, 0),
            Kind::SlowBody { chunk_bytes, pause_ms } => {
                pace.chunk = Some((*chunk_bytes, Duration::from_millis(*pause_ms)));
            }
            Kind::CutBody { after_bytes } => pace.cut_after = Some(*after_bytes),
            _ => {}
        }
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts.extensions.insert(pace);
    Response::from_parts(parts, Body::from(bytes))
}

/// Sends an answer at its pace; its whole length is announced all the same.
pub(super) fn send(mut parts: Parts, bytes: Bytes) -> Response {
    let Some(&pace) = parts
        .extensions
        .get::<Pace>()
        .filter(|pace| pace.chunk.is_some() || pace.cut_after.is_some())
    else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
    let (size, pause) = pace.chunk.unwrap_or((bytes.len().max(1), Duration::ZERO));
    let end = pace.cut_after.map_or(bytes.len(), |after| after.min(bytes.len()));
    let is_cut = pace.cut_after.is_some();
    let pieces = stream::unfold(Some(0), move |from| {
        let bytes = bytes.clone();
        async move {
            let from = from?;
            if from < end {
                sleep(pause).await;
                let to = end.min(from + size);
                return Some((Ok(bytes.slice(from..to)), Some(to)));
            }
            // What came before goes out first.
            tokio::task::yield_now().await;
            is_cut.then(|| (Err(io::Error::other("cut")), None))
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}
