//! Small genuine files, so that a customer can send media at once and a reader can play them.

use axum::body::Bytes;

/// What a customer sends when asked for a message of this kind without a file.
pub(crate) fn find(kind: &str) -> Option<(&'static str, Bytes)> {
    let (mime_type, bytes): (_, &'static [u8]) = match kind {
        "image" => ("image/jpeg", include_bytes!("../assets/image.jpg")),
        "video" => ("video/mp4", include_bytes!("../assets/video.mp4")),
        "audio" => ("audio/mpeg", include_bytes!("../assets/audio.mp3")),
        "voice" => ("audio/ogg; codecs=opus", include_bytes!("../assets/voice.ogg")),
        "document" => ("application/pdf", include_bytes!("../assets/document.pdf")),
        "sticker" => ("image/webp", include_bytes!("../assets/sticker.webp")),
        _ => return None,
    };
    Some((mime_type, Bytes::from_static(bytes)))
}
