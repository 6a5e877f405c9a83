//! Media: uploading, asking for a link, fetching the bytes, deleting.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media>

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Caller;
use super::errors::{Checked, GraphError};
use crate::ids;
use crate::state::{Media, Simulator};

/// Where the bytes are.
pub(crate) const DOWNLOAD_PATH: &str = "/whatsapp_business/attachments/";
/// How long Meta keeps what a business uploaded.
const UPLOADED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long Meta keeps what a customer sent.
pub(crate) const RECEIVED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

const KB: usize = 1024;
const MB: usize = 1024 * KB;

/// What can be uploaded: kind of message, most bytes, types.
const KINDS: [(&str, usize, &[&str]); 5] = [
    (
        "audio",
        16 * MB,
        &[
            "audio/aac",
            "audio/amr",
            "audio/mpeg",
            "audio/mp4",
            "audio/ogg",
            "audio/opus",
        ],
    ),
    ("image", 5 * MB, &["image/jpeg", "image/png"]),
    ("video", 16 * MB, &["video/mp4", "video/3gp", "video/3gpp"]),
    ("sticker", 500 * KB, &["image/webp"]),
    (
        "document",
        100 * MB,
        &[
            "text/plain",
            "application/pdf",
            "application/msword",
            "application/vnd.ms-excel",
            "application/vnd.ms-powerpoint",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ],
    ),
];

/// The kind of message that a file of this type is sent as.
pub(crate) fn kind_of(mime_type: &str) -> Option<&'static str> {
    find_kind(mime_type).map(|(kind, _)| kind)
}

fn find_kind(mime_type: &str) -> Option<(&'static str, usize)> {
    let essence = mime_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    KINDS
        .iter()
        .find(|(_, _, types)| types.contains(&essence.as_str()))
        .map(|(kind, most, _)| (*kind, *most))
}

/// `POST /{phone_number_id}/media`
pub(super) async fn upload(
    State(simulator): State<Arc<Simulator>>,
    Path((_, id)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Checked<Json<Value>> {
    let number = simulator.number_of(&caller, "post", &id)?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| GraphError::required("messaging_product"))?;
    let (mut product, mut stated_type, mut file) = (None, None, None);
    let broken = |_| GraphError::malformed("The multipart body cannot be read.");
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "messaging_product" => product = Some(field.text().await.map_err(broken)?),
            "type" => stated_type = Some(field.text().await.map_err(broken)?),
            "file" => {
                let of_part = field.content_type().map(str::to_owned);
                file = Some((of_part, field.bytes().await.map_err(broken)?));
            }
            other => return Err(GraphError::unexpected_key(other, "")),
        }
    }
    match product.as_deref() {
        None => return Err(GraphError::required("messaging_product")),
        Some("whatsapp") => {}
        Some(other) => {
            return Err(GraphError::malformed(format_args!(
                "Param messaging_product must be one of {{WHATSAPP}} - got \"{other}\"."
            )));
        }
    }
    let (of_part, bytes) = file.ok_or_else(|| GraphError::required("file"))?;
    let stated_type = stated_type.ok_or_else(|| GraphError::required("type"))?;
    let mime_type = of_part
        .filter(|of_part| of_part != "application/octet-stream")
        .unwrap_or_else(|| stated_type.clone());
    if kind_of(&stated_type) != kind_of(&mime_type) {
        return Err(GraphError::malformed(format_args!(
            "Param file is of type '{mime_type}', but type says '{stated_type}'."
        )));
    }
    check_file(&mime_type, &bytes)?;
    let media_id = simulator.store_media(&number.phone_number_id, mime_type, bytes, UPLOADED_FOR);
    Ok(Json(json!({"id": media_id})))
}

fn check_file(mime_type: &str, bytes: &Bytes) -> Checked<()> {
    let Some((kind, most)) = find_kind(mime_type) else {
        let all: Vec<&str> = KINDS.iter().flat_map(|(_, _, types)| types.iter().copied()).collect();
        return Err(GraphError::malformed(format_args!(
            "Param file must be a file with one of the following types: {}. Received file of \
             type '{mime_type}'.",
            all.join(", ")
        )));
    };
    let is_animated = bytes.windows(4).take(64).any(|window| window == b"ANIM");
    let most = if kind == "sticker" && !is_animated {
        100 * KB
    } else {
        most
    };
    if bytes.is_empty() || bytes.len() > most {
        return Err(GraphError::refused(
            400,
            131_053,
            format!(
                "A file of kind {kind} has from 1 to {most} bytes; this one has {}.",
                bytes.len()
            ),
        ));
    }
    Ok(())
}

/// `GET /{media_id}?phone_number_id=`
pub(super) fn describe(
    simulator: &Simulator,
    id: &str,
    caller: &Caller,
    query: &HashMap<String, String>,
) -> Checked<Json<Value>> {
    let media = simulator.media_of(caller, "get", id, query.get("phone_number_id"))?;
    let seconds = i64::try_from(simulator.config.media_url_seconds).unwrap_or(i64::MAX);
    let expires = Timestamp::now().as_second().saturating_add(seconds);
    let url = format!(
        "{}{DOWNLOAD_PATH}?mid={id}&ext={expires}&hash={}",
        simulator.base_url,
        simulator.sign_link(id, expires)
    );
    Ok(Json(json!({
        "messaging_product": "whatsapp",
        "url": url,
        "mime_type": media.mime_type,
        "sha256": ids::sha256_hex(&media.bytes),
        "file_size": media.bytes.len().to_string(),
        "id": id,
    })))
}

/// The bytes behind a link; without the token, or too late, there are none.
pub(super) async fn download(
    State(simulator): State<Arc<Simulator>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let asked = |name: &str| query.get(name).map_or("", String::as_str);
    let id = asked("mid");
    let expires: i64 = asked("ext").parse().unwrap_or_default();
    let is_valid = expires > Timestamp::now().as_second() && asked("hash") == simulator.sign_link(id, expires);
    let media = is_valid
        .then(|| simulator.media_of(&caller, "get", id, None).ok())
        .flatten();
    let Some(media) = media else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mime_type =
        HeaderValue::from_str(&media.mime_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [
        (CONTENT_TYPE, mime_type),
        (CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
    ];
    (headers, media.bytes).into_response()
}

/// `DELETE /{media_id}?phone_number_id=`
pub(super) async fn delete(
    State(simulator): State<Arc<Simulator>>,
    Path((_, id)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<HashMap<String, String>>,
) -> Checked<Json<Value>> {
    simulator.media_of(&caller, "delete", &id, query.get("phone_number_id"))?;
    simulator.world().media.remove(&id);
    Ok(Json(json!({"success": true})))
}

impl Simulator {
    /// Keeps a file and names it.
    pub(crate) fn store_media(
        &self,
        phone_number_id: &str,
        mime_type: String,
        bytes: Bytes,
        kept_for: SignedDuration,
    ) -> String {
        let id = ids::make_object_id();
        let media = Media {
            phone_number_id: phone_number_id.to_owned(),
            mime_type,
            bytes,
            expires_at: Timestamp::now() + kept_for,
        };
        self.world().media.insert(id.clone(), media);
        id
    }

    fn media_of(&self, caller: &Caller, method: &str, id: &str, phone_number_id: Option<&String>) -> Checked<Media> {
        self.world()
            .media
            .get(id)
            .filter(|media| {
                phone_number_id.is_none_or(|wanted| *wanted == media.phone_number_id)
                    && media.expires_at > Timestamp::now()
                    && self.number_of(caller, method, &media.phone_number_id).is_ok()
            })
            .cloned()
            .ok_or_else(|| GraphError::no_such_object(method, id))
    }

    fn sign_link(&self, id: &str, expires: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.config.app_secret.as_bytes());
        hex::encode(&hmac::sign(&key, format!("{id}/{expires}").as_bytes()).as_ref()[..16])
    }
}
