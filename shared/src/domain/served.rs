//! How a customer's file is handed to an agent's browser: under which name, as which type, shown or downloaded. A customer chooses the
//! bytes, the type and the name, so nothing of them may run, and no name may pretend to be another.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longer names are cut (characters); file systems take 255 bytes.
const LONGEST_NAME: usize = 80;

const BYTES: &str = "application/octet-stream";

/// What a browser shows by itself and without running anything, beside audio and video.
const SHOWN: [&str; 5] = ["image/jpeg", "image/png", "image/webp", "image/gif", "application/pdf"];

/// Downloads that keep their type, with the ending of their name.
const KEPT: [(&str, &str); 9] = [
    ("text/plain", "txt"),
    ("text/csv", "csv"),
    ("application/zip", "zip"),
    ("application/msword", "doc"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pptx",
    ),
];

/// Endings of names of what is shown or played.
const ENDINGS: [(&str, &str); 14] = [
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("application/pdf", "pdf"),
    ("video/mp4", "mp4"),
    ("video/3gp", "3gp"),
    ("video/3gpp", "3gp"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/aac", "aac"),
    ("audio/amr", "amr"),
];

/// The headers that a file is served with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// `Content-Type`.
    pub content_type: String,
    /// `Content-Disposition`.
    pub disposition: String,
}

/// The type without its parameters, in lower case; the type of unknown bytes for what is no type.
#[must_use]
pub fn media_type(mime_type: Option<&str>) -> String {
    let essence = mime_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match essence.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) && essence.len() <= 127 => essence,
        _ => BYTES.to_owned(),
    }
}

/// The ending of a file's name, as a type without parameters asks for it.
#[must_use]
pub fn ending_of(media_type: &str) -> Option<&'static str> {
    let entry = ENDINGS.iter().chain(&KEPT).find(|(name, _)| *name == media_type);
    entry.map(|(_, ending)| *ending)
}

/// How a file is served: its declared type, its own name, the type of its message and when that was written.
#[must_use]
pub fn served(
    mime_type: Option<&str>,
    filename: Option<&str>,
    message_type: Option<&str>,
    written_at: Timestamp,
) -> Served {
    let essence = media_type(mime_type);
    let is_shown = SHOWN.contains(&essence.as_str()) || essence.starts_with("audio/") || essence.starts_with("video/");
    let ending = ending_of(&essence);
    let content_type = if is_shown || ending.is_some() {
        essence.clone()
    } else {
        BYTES.to_owned()
    };
    let name = filename.and_then(clean_name).unwrap_or_else(|| {
        let date = written_at.to_zoned(TimeZone::UTC).date();
        let kind = message_type.and_then(clean_name).unwrap_or_else(|| "file".to_owned());
        format!("{kind}-{date}.{}", ending.unwrap_or("bin"))
    });
    let manner = if is_shown { "inline" } else { "attachment" };
    Served {
        content_type,
        disposition: disposition(manner, &name),
    }
}

/// A name without folders, control characters and those that turn the direction of writing, by which `exe.fdp` reads as `pdf.exe`
/// backwards. `None` where nothing of it is left.
fn clean_name(name: &str) -> Option<String> {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    let name: String = name
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if r#"/\:*?"<>|"#.contains(c) { '_' } else { c })
        .collect();
    let name = name.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    // Of a long one the ending stays.
    let length = name.chars().count();
    if length <= LONGEST_NAME {
        return (!name.is_empty()).then(|| name.to_owned());
    }
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let (stem, ending) = if ending.is_empty() || ending.chars().count() > 10 {
        (name, String::new())
    } else {
        (stem, format!(".{ending}"))
    };
    let room = LONGEST_NAME - ending.chars().count();
    Some(stem.chars().take(room).collect::<String>() + &ending)
}

/// RFC 6266: a name in ASCII for all, and the real one in UTF-8 where they differ.
fn disposition(manner: &str, name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if (c.is_ascii_graphic() || c == ' ') && !r#""\%"#.contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    if plain == name {
        return format!("{manner}; filename=\"{plain}\"");
    }
    // RFC 5987's attr-char stays as it is.
    let encoded: String = name
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    format!("{manner}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(mime_type: &str, filename: Option<&str>, message_type: &str) -> (String, String) {
        let at = "2026-07-01T23:30:00Z".parse().unwrap();
        let served = served(Some(mime_type), filename, Some(message_type), at);
        (served.content_type, served.disposition)
    }

    #[test]
    fn pictures_sound_film_and_pdf_are_shown_and_have_a_name() {
        for (mime_type, message_type, content_type, name) in [
            ("image/jpeg", "image", "image/jpeg", "image-2026-07-01.jpg"),
            ("Audio/OGG; codecs=opus", "audio", "audio/ogg", "audio-2026-07-01.ogg"),
            ("video/3gpp", "video", "video/3gpp", "video-2026-07-01.3gp"),
            ("audio/x-new", "audio", "audio/x-new", "audio-2026-07-01.bin"),
            ("image/webp", "sticker", "image/webp", "sticker-2026-07-01.webp"),
            (
                "application/pdf",
                "document",
                "application/pdf",
                "document-2026-07-01.pdf",
            ),
        ] {
            let expected = (content_type.to_owned(), format!("inline; filename=\"{name}\""));
            assert_eq!(show(mime_type, None, message_type), expected);
        }
    }

    #[test]
    fn whatever_could_run_is_a_download_of_bytes() {
        for mime_type in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/xml",
            "application/javascript",
            "application/x-msdownload",
            "",
            "text",
            "image/",
            "audio/ogg\r\nX: y",
            "audio/<script>",
        ] {
            let expected = (BYTES.to_owned(), "attachment; filename=\"a\"".to_owned());
            assert_eq!(show(mime_type, Some("a"), "document"), expected, "{mime_type}");
        }
    }

    #[test]
    fn harmless_downloads_keep_their_type() {
        let expected = ("text/plain".to_owned(), "attachment; filename=\"notes.txt\"".to_owned());
        assert_eq!(
            show("text/plain; charset=utf-8", Some("notes.txt"), "document"),
            expected
        );
    }

    #[test]
    fn a_document_keeps_its_own_name_in_every_script() {
        for (given, expected) in [
            ("bill 7.pdf", "inline; filename=\"bill 7.pdf\""),
            (
                "facture é.pdf",
                "inline; filename=\"facture _.pdf\"; filename*=UTF-8''facture%20%C3%A9.pdf",
            ),
            ("100%.pdf", "inline; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
            ("../../etc/passwd", "inline; filename=\"_.._etc_passwd\""),
            ("a\"; filename=\"b.exe", "inline; filename=\"a_; filename=_b.exe\""),
            ("a\r\nSet-Cookie: b", "inline; filename=\"aSet-Cookie_ b\""),
            ("\u{202e}fdp.exe", "inline; filename=\"fdp.exe\""),
            ("\u{1}.. ", "inline; filename=\"document-2026-07-01.pdf\""),
        ] {
            assert_eq!(
                show("application/pdf", Some(given), "document").1,
                expected,
                "{given:?}"
            );
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let disposition = show("application/pdf", Some(&format!("{}.pdf", "x".repeat(500))), "document").1;
        assert_eq!(disposition, format!("inline; filename=\"{}.pdf\"", "x".repeat(76)));
        let disposition = show("application/pdf", Some(&"é".repeat(500)), "document").1;
        assert!(disposition.len() < 700, "{disposition}");
    }
}
