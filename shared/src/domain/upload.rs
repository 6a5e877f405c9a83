//! Files that agents send: announced, put into the bucket by the browser, looked at before their first use. What may be announced, and what
//! a file's first bytes have to be.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types>.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::media::LARGEST;
use super::send::InvalidField;
use super::served::media_type;

const KB: u64 = 1024;
const MB: u64 = 1024 * KB;

/// Any file can be one.
const DOCUMENT: &str = "document";

/// The other kinds: the most bytes of a file, and its types.
const KINDS: [(&str, u64, &[&str]); 4] = [
    ("image", 5 * MB, &["image/jpeg", "image/png"]),
    (
        "audio",
        16 * MB,
        &["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"],
    ),
    ("video", 16 * MB, &["video/mp4", "video/3gpp"]),
    ("sticker", 500 * KB, &["image/webp"]),
];

/// The most bytes of a sticker that does not move; whether one does is seen when the file is there.
const STILL_STICKER: u64 = 100 * KB;

/// WhatsApp's limit of a document's name (characters).
const LONGEST_NAME: usize = 240;
/// Longer ones are none (bytes).
const LONGEST_TYPE: usize = 255;

/// How much of a file [`Upload::examine`] looks at (bytes): a PDF may begin with as much of something else.
pub const EXAMINED: u64 = KB;

/// What `POST /api/live-chat/media` takes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"mime_type": "image/jpeg", "size": 48213, "filename": "offer.jpg"}))]
pub struct UploadRequest {
    /// The file's type, with its parameters if there are any: `audio/ogg; codecs=opus`.
    pub mime_type: String,
    /// Bytes: at most 5 MB of an image, 16 MB of an audio or a video, 100 MB of a document, 500 KB of a sticker (100 KB where it is not
    /// animated). A MB is 1,048,576.
    pub size: i64,
    /// Its name, which the customer sees of a document.
    #[serde(default)]
    pub filename: Option<String>,
    /// `document` sends a file of any type as it is. Otherwise the type decides: JPEG and PNG are an `image`, AAC, AMR, MP3, MP4 and Ogg
    /// with Opus an `audio`, MP4 and 3GPP a `video`, WebP a `sticker`, all others a `document`.
    #[serde(default)]
    pub kind: Option<String>,
}

/// A file that an agent announced: a row of `chat_uploads`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The `media_id` of the API.
    pub id: Uuid,
    /// image, video, audio, document or sticker.
    pub kind: String,
    /// With its parameters.
    pub mime_type: String,
    /// As the agent's computer named it.
    pub filename: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Where it lies in the bucket, once it does.
    pub object_key: String,
    /// When it was announced.
    pub created_at: Timestamp,
    /// Whether it was found to be what was announced.
    pub is_checked: bool,
}

/// Accepts an announcement of this agent under a new id.
///
/// # Errors
/// Names the field that WhatsApp would refuse.
pub fn announce(request: &UploadRequest, user_id: Uuid, id: Uuid, now: Timestamp) -> Result<Upload, InvalidField> {
    let mime_type = clean_type(&request.mime_type)
        .ok_or_else(|| InvalidField::new("mime_type", "must be a media type such as image/png"))?;
    let own = kind_of(&mime_type);
    let kind = match request.kind.as_deref() {
        None => own,
        Some(DOCUMENT) => DOCUMENT,
        Some(kind) if kind == own => own,
        Some(_) if own == DOCUMENT => return Err(InvalidField::new("kind", "must be document for this type")),
        Some(_) => {
            let message = format!("must be {own} or document for this type");
            return Err(InvalidField::new("kind", message));
        }
    };
    let most = KINDS
        .iter()
        .find(|(name, ..)| *name == kind)
        .map_or(LARGEST, |(_, most, _)| *most);
    let size = u64::try_from(request.size).unwrap_or_default();
    if !(1..=most).contains(&size) {
        let message = format!("must be from 1 to {most} bytes for a file of kind {kind}");
        return Err(InvalidField::new("size", message));
    }
    if let Some(name) = &request.filename {
        let is_name = !name.trim().is_empty() && !name.chars().any(char::is_control);
        if !is_name || name.chars().count() > LONGEST_NAME {
            let message = format!("must have from 1 to {LONGEST_NAME} characters, none of them a control character");
            return Err(InvalidField::new("filename", message));
        }
    }
    Ok(Upload {
        id,
        kind: kind.to_owned(),
        mime_type,
        filename: request.filename.clone(),
        size,
        object_key: format!("outbound/{user_id}/{id}"),
        created_at: now,
        is_checked: false,
    })
}

/// The type in lower case with its parameters as they are; `None` for what cannot be a `Content-Type`.
fn clean_type(mime_type: &str) -> Option<String> {
    let (essence, parameters) = match mime_type.trim().split_once(';') {
        Some((essence, parameters)) => (essence, parameters.trim()),
        None => (mime_type.trim(), ""),
    };
    let clean = media_type(Some(essence));
    let is_header = parameters.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !essence.trim().eq_ignore_ascii_case(&clean) || !is_header || mime_type.len() > LONGEST_TYPE {
        return None;
    }
    Some(match parameters {
        "" => clean,
        _ => format!("{clean}; {parameters}"),
    })
}

fn kind_of(mime_type: &str) -> &'static str {
    let essence = media_type(Some(mime_type));
    let kind = KINDS.iter().find(|(.., types)| types.contains(&essence.as_str()));
    kind.map_or(DOCUMENT, |(kind, ..)| kind)
}

impl Upload {
    /// Whether it can be sent as this kind.
    #[must_use]
    pub fn fits(&self, kind: &str) -> bool {
        kind == DOCUMENT || kind == self.kind
    }

    /// Looks at what lies in the bucket: its size (bytes), its type, and its first [`EXAMINED`] bytes.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn examine(&self, size: u64, content_type: Option<&str>, start: &[u8]) -> Result<(), &'static str> {
        let is_announced = size == self.size
            && content_type == Some(self.mime_type.as_str())
            && begins_as(&media_type(Some(&self.mime_type)), start);
        if !is_announced {
            return Err("is not what was announced");
        }
        if self.kind == "sticker" && size > STILL_STICKER && !is_animated(start) {
            return Err("must have at most 102400 bytes where it is not animated");
        }
        Ok(())
    }
}

/// Whether a file of this type can begin so. Types that are not known here begin as they like.
fn begins_as(essence: &str, start: &[u8]) -> bool {
    let holds = |at: usize, part: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(part));
    // MP3 and AAC are frames with a sync word, and tags may come before them.
    let syncs = |mask: u8, bits: u8| holds(0, b"ID3") || matches!(start, [0xff, second, ..] if second & mask == bits);
    match essence {
        "image/jpeg" => holds(0, b"\xff\xd8\xff"),
        "image/png" => holds(0, b"\x89PNG\r\n\x1a\n"),
        "image/webp" => holds(0, b"RIFF") && holds(8, b"WEBP"),
        "audio/aac" => syncs(0xf6, 0xf0),
        // Any layer but the reserved one, which is AAC's.
        "audio/mpeg" => syncs(0xe0, 0xe0) && !matches!(start, [0xff, second, ..] if second & 0x06 == 0),
        "audio/amr" => holds(0, b"#!AMR"),
        // WhatsApp takes no other codec; its header fills the first page.
        "audio/ogg" => holds(0, b"OggS") && holds(28, b"OpusHead"),
        "audio/mp4" | "video/mp4" | "video/3gpp" => holds(4, b"ftyp"),
        "application/pdf" => start.windows(5).any(|window| window == b"%PDF-"),
        // With a password they lie in a compound file.
        office if office.starts_with("application/vnd.openxmlformats-officedocument.") => {
            holds(0, b"PK") || holds(0, b"\xd0\xcf\x11\xe0")
        }
        _ => true,
    }
}

/// A flag of WebP's extended header. Source: <https://developers.google.com/speed/webp/docs/riff_container#extended_file_format>.
fn is_animated(webp: &[u8]) -> bool {
    webp.get(12..16) == Some(b"VP8X") && webp.get(20).is_some_and(|flags| flags & 0x02 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn announced(request: Value) -> Result<Upload, InvalidField> {
        let request = serde_json::from_value(request).unwrap();
        announce(&request, Uuid::nil(), Uuid::max(), Timestamp::UNIX_EPOCH)
    }

    fn upload(mime_type: &str, size: u64) -> Upload {
        announced(json!({"mime_type": mime_type, "size": size})).unwrap()
    }

    #[test]
    fn the_type_decides_the_kind_unless_it_is_to_be_a_document() {
        for (mime_type, kind) in [
            ("image/jpeg", "image"),
            ("IMAGE/PNG", "image"),
            ("audio/ogg; codecs=opus", "audio"),
            ("audio/mp4", "audio"),
            ("video/mp4;codecs=\"avc1\"", "video"),
            ("video/3gpp", "video"),
            ("image/webp", "sticker"),
            ("image/gif", "document"),
            ("audio/wav", "document"),
            ("application/zip", "document"),
            ("application/octet-stream", "document"),
        ] {
            assert_eq!(upload(mime_type, 1).kind, kind, "{mime_type}");
            let request = json!({"mime_type": mime_type, "size": 1, "kind": "document"});
            assert_eq!(announced(request).unwrap().kind, "document", "{mime_type}");
            let request = json!({"mime_type": mime_type, "size": 1, "kind": kind});
            assert_eq!(announced(request).unwrap().kind, kind, "{mime_type}");
        }
        assert_eq!(upload(" Audio/OGG;codecs=opus ", 1).mime_type, "audio/ogg; codecs=opus");
    }

    #[test]
    fn each_kind_has_its_limit() {
        for (mime_type, most) in [
            ("image/jpeg", 5_242_880),
            ("image/png", 5_242_880),
            ("audio/aac", 16_777_216),
            ("audio/amr", 16_777_216),
            ("audio/mpeg", 16_777_216),
            ("audio/mp4", 16_777_216),
            ("audio/ogg", 16_777_216),
            ("video/mp4", 16_777_216),
            ("video/3gpp", 16_777_216),
            ("image/webp", 512_000),
            ("application/pdf", 104_857_600),
            ("x/y", 104_857_600),
        ] {
            assert_eq!(upload(mime_type, most).size, most);
            let refused = announced(json!({"mime_type": mime_type, "size": most + 1})).unwrap_err();
            assert_eq!(refused.field, "size", "{mime_type}");
            assert!(refused.message.contains(&most.to_string()), "{}", refused.message);
        }
        let request = json!({"mime_type": "image/jpeg", "size": 104_857_600, "kind": "document"});
        assert!(announced(request).is_ok());
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (request, field) in [
            (json!({"mime_type": "", "size": 1}), "mime_type"),
            (json!({"mime_type": "picture", "size": 1}), "mime_type"),
            (json!({"mime_type": "image/", "size": 1}), "mime_type"),
            (json!({"mime_type": "image/png; a=\nb", "size": 1}), "mime_type"),
            (json!({"mime_type": "image/png; a=é", "size": 1}), "mime_type"),
            (
                json!({"mime_type": format!("image/png; a={}", "x".repeat(250)), "size": 1}),
                "mime_type",
            ),
            (json!({"mime_type": "image/png", "size": 0}), "size"),
            (json!({"mime_type": "image/png", "size": -1}), "size"),
            (json!({"mime_type": "image/png", "size": 1, "kind": "video"}), "kind"),
            (json!({"mime_type": "image/gif", "size": 1, "kind": "image"}), "kind"),
            (json!({"mime_type": "image/png", "size": 1, "kind": "pigeon"}), "kind"),
            (json!({"mime_type": "a/b", "size": 1, "filename": " "}), "filename"),
            (
                json!({"mime_type": "a/b", "size": 1, "filename": "a\u{0}b"}),
                "filename",
            ),
            (
                json!({"mime_type": "a/b", "size": 1, "filename": "é".repeat(241)}),
                "filename",
            ),
        ] {
            assert_eq!(announced(request.clone()).unwrap_err().field, field, "{request}");
        }
        let longest = json!({"mime_type": "a/b", "size": 1, "filename": "é".repeat(240)});
        assert!(announced(longest).is_ok());
    }

    #[test]
    fn a_file_has_to_be_what_was_announced() {
        let png = b"\x89PNG\r\n\x1a\n";
        let picture = upload("image/png", 8);
        assert!(picture.examine(8, Some("image/png"), png).is_ok());
        for (size, content_type, start) in [
            (7, Some("image/png"), &png[..]),
            (8, Some("image/jpeg"), png),
            (8, None, png),
            (8, Some("image/png"), b"\xff\xd8\xff\xe0    "),
            (8, Some("image/png"), b""),
        ] {
            assert!(
                picture.examine(size, content_type, start).is_err(),
                "{size} {content_type:?}"
            );
        }
    }

    #[test]
    fn the_first_bytes_tell_the_types_apart() {
        let ogg = |codec: &str| [b"OggS".as_slice(), &[0; 24], codec.as_bytes()].concat();
        let samples: [(&[&str], Vec<u8>); 11] = [
            (&["image/jpeg"], b"\xff\xd8\xff\xe0".to_vec()),
            (&["image/png"], b"\x89PNG\r\n\x1a\n".to_vec()),
            (&["image/webp"], b"RIFF\x10\0\0\0WEBPVP8 ".to_vec()),
            (&["audio/aac"], b"\xff\xf1\x50\x80".to_vec()),
            (&["audio/mpeg"], b"\xff\xfb\x90\x00".to_vec()),
            (&["audio/mpeg", "audio/aac"], b"ID3\x04".to_vec()),
            (&["audio/amr"], b"#!AMR\n".to_vec()),
            (&["audio/ogg"], ogg("OpusHead")),
            (&[], ogg("\x01vorbis")),
            (
                &["audio/mp4", "video/mp4", "video/3gpp"],
                b"\0\0\0\x18ftypisom".to_vec(),
            ),
            (&["application/pdf"], b"\n%PDF-1.7".to_vec()),
        ];
        let known: Vec<&str> = samples.iter().flat_map(|(types, _)| types.iter().copied()).collect();
        for (types, start) in &samples {
            for essence in &known {
                assert_eq!(
                    begins_as(essence, start),
                    types.contains(essence),
                    "{essence} {start:x?}"
                );
            }
            assert!(begins_as("application/zip", start));
        }
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        assert!(begins_as(docx, b"PK\x03\x04"));
        assert!(begins_as(docx, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"));
        assert!(!begins_as(docx, b"MZ"));
    }

    #[test]
    fn a_sticker_above_100_kb_has_to_move() {
        let still = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0";
        let animated = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x12\0\0\0";
        let examined = |size, start: &[u8]| upload("image/webp", size).examine(size, Some("image/webp"), start);
        assert!(examined(102_400, still).is_ok());
        assert!(examined(102_401, still).is_err());
        assert!(examined(512_000, animated).is_ok());
    }

    #[test]
    fn any_file_can_be_sent_as_a_document_and_no_document_as_anything_else() {
        assert!(upload("image/png", 1).fits("image") && upload("image/png", 1).fits("document"));
        assert!(!upload("image/png", 1).fits("video") && !upload("a/b", 1).fits("image"));
    }
}
