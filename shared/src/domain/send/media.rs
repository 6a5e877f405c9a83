//! A file, uploaded before or fetched by WhatsApp from a link: as a message, or within an interactive message or a template.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#media-object>

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::check::{self, Checked, given, is_absent, only, refuse};
use super::{Content, FileUse};

const LINK_LIMIT: usize = 2048;
const CAPTION_LIMIT: usize = 1024;
const FILENAME_LIMIT: usize = 240;

/// Graph's object of an image, video, audio, document or sticker. It has exactly one of `media_id` and `link`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"link": "https://example.com/parcel.jpg", "caption": "Your parcel"}))]
pub struct MediaObject {
    /// An uploaded file.
    // Under the name that Graph has for one, too.
    #[serde(default, alias = "id", skip_serializing_if = "Option::is_none")]
    pub media_id: Option<Uuid>,
    /// Where WhatsApp fetches the file: an https URL of at most 2048 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub link: Option<String>,
    /// Of an image, video or document: the text below it; at most 1024 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub caption: Option<String>,
    /// Of a document: the name that the customer sees; at most 240 characters.
    #[serde(default, skip_serializing_if = "is_absent")]
    pub filename: Option<String>,
    /// Of an audio: whether it is shown as a voice note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<bool>,
}

/// What to send as a message of `kind`. `media_id` is the request's own, which stands for the object's.
pub(super) fn content(kind: &'static str, object: Option<&MediaObject>, media_id: Option<Uuid>) -> Checked<Content> {
    let mut media = match media_id {
        Some(_) => object.cloned().unwrap_or_default(),
        None => given(kind, object)?.clone(),
    };
    let mut field = format!("{kind}.media_id");
    if media_id.is_some() {
        if media.media_id.is_some() {
            return refuse("media_id", format!("give either media_id or {field}, not both"));
        }
        media.media_id = media_id;
        "media_id".clone_into(&mut field);
    }
    check(kind, kind, &media)?;
    let metadata = media.link.as_ref().map(|link| json!({kind: {"link": link}}));
    Ok(Content {
        kind,
        object: json!(media),
        words: None,
        media_caption: media.caption.filter(|caption| !caption.is_empty()),
        metadata: metadata.filter(|_| media.media_id.is_none()),
        files: media
            .media_id
            .map(|media_id| FileUse { media_id, kind, field })
            .into_iter()
            .collect(),
    })
}

/// Checks the file of `kind` within an object, and notes it where it is an uploaded one.
pub(super) fn check_part(
    path: &str,
    kind: &'static str,
    media: Option<&MediaObject>,
    files: &mut Vec<FileUse>,
) -> Checked {
    let media = given(path, media)?;
    check(path, kind, media)?;
    files.extend(media.media_id.map(|media_id| FileUse {
        media_id,
        kind,
        field: format!("{path}.media_id"),
    }));
    Ok(())
}

fn check(path: &str, kind: &str, media: &MediaObject) -> Checked {
    let known: &[&str] = match kind {
        "audio" => &["media_id", "link", "voice"],
        "sticker" => &["media_id", "link"],
        "document" => &["media_id", "link", "caption", "filename"],
        _ => &["media_id", "link", "caption"],
    };
    only(path, media, known, kind)?;
    check::at_most(&format!("{path}.caption"), media.caption.as_deref(), CAPTION_LIMIT)?;
    check::at_most(&format!("{path}.filename"), media.filename.as_deref(), FILENAME_LIMIT)?;
    match (media.media_id, media.link.as_deref()) {
        (Some(_), None | Some("")) => Ok(()),
        (None, Some(link)) => check::link(&format!("{path}.link"), link, LINK_LIMIT),
        (None, None) => refuse(path, "needs media_id or link"),
        (Some(_), Some(_)) => refuse(&format!("{path}.link"), "give either media_id or link, not both"),
    }
}
