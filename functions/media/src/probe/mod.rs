//! What a file says of itself: how large its picture is, how long it plays, how loud a voice note is over time.
//!
//! Between the download and the bucket: the file lies in the temporary folder, its hash is right, and nobody has looked into it. It comes
//! from a stranger, so nothing in it is believed: no length field sizes an allocation, every loop moves on and has a bound, and what is
//! odd is `None`. The bytes decide the format; the mime type is asked only where they do not.

mod frames;
mod image;
mod mp4;
mod opus;
mod source;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use frames::Coding;
use source::Source;

/// Pixels. JPEG goes no further, and a page would break on a picture that claims to be larger.
const MAX_SIDE: u32 = 65_535;
/// 31 days. 100 MB, the most that WhatsApp carries, play for 24 days at AMR's one byte a pause; what is longer is a claim.
const MAX_DURATION_MS: u64 = 31 * 24 * 60 * 60 * 1000;

/// What a file says of itself; what cannot be read is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Pixels, as displayed: turned as the file asks. Known together with the height, or not at all.
    pub width: Option<i32>,
    /// Pixels, as displayed.
    pub height: Option<i32>,
    /// How long it plays, in milliseconds.
    pub duration_ms: Option<i64>,
    /// 64 values from 0 to 100, the loudness of a voice note from its begin to its end; the loudest is 100, silence is all 0.
    pub peaks: Option<Vec<i16>>,
}

/// What a format's reader found, before it is judged.
#[derive(Default)]
struct Found {
    size: Option<Size>,
    duration_ms: Option<u64>,
    peaks: Option<Vec<i16>>,
}

/// Pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// On its side.
    fn turned(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }
}

/// Reads what the file at `path` says of itself. `mime_type` is what WhatsApp calls it, `voice` whether it is a voice note: only
/// then is it decoded for its peaks, at most ten minutes of it (0.3 s on one core of a desktop).
///
/// Blocking. Never fails, never panics, bounded in time and memory whatever the file claims.
#[must_use]
pub fn probe(path: &Path, mime_type: Option<&str>, voice: bool) -> Probe {
    shielded(|| inspect(path, mime_type, voice)).unwrap_or_default()
}

/// [`probe`] without the last net, so that tests see it fall.
fn inspect(path: &Path, mime_type: Option<&str>, voice: bool) -> Option<Probe> {
    let mut source = Source::open(path).ok()?;
    let found = match recognise(&mut source, mime_type)? {
        Format::Jpeg => Found {
            size: image::jpeg_size(&mut source),
            ..Found::default()
        },
        Format::Picture => Found {
            size: image::size(source),
            ..Found::default()
        },
        Format::Mp4 => mp4::read(&mut source),
        Format::Ogg => opus::read(source, voice),
        Format::Frames(coding, start) => Found {
            duration_ms: frames::duration_ms(&mut source, coding, start),
            ..Found::default()
        },
    };
    let size = found.size.filter(|size| {
        [size.width, size.height]
            .iter()
            .all(|side| (1..=MAX_SIDE).contains(side))
    });
    Some(Probe {
        width: size.and_then(|size| i32::try_from(size.width).ok()),
        height: size.and_then(|size| i32::try_from(size.height).ok()),
        duration_ms: found
            .duration_ms
            .filter(|duration| (1..=MAX_DURATION_MS).contains(duration))
            .and_then(|duration| i64::try_from(duration).ok()),
        peaks: found.peaks,
    })
}

/// A panic in someone else's decoder costs its own answer, not the file.
fn shielded<T>(read: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Jpeg,
    /// PNG, GIF, WebP.
    Picture,
    /// With its relatives: 3GP, M4A, `QuickTime`.
    Mp4,
    Ogg,
    /// Frames one after another from this offset on, without a container.
    Frames(Coding, u64),
}

/// Tells the format by the first bytes. MP3 and AAC are recognised last: their sync words are short, and other formats hold them too.
fn recognise(source: &mut Source, mime_type: Option<&str>) -> Option<Format> {
    let head: [u8; 12] = source.read(0)?;
    match &head {
        [0xff, 0xd8, 0xff, ..] => return Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', ..]
        | [b'G', b'I', b'F', b'8', ..]
        | [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => return Some(Format::Picture),
        [b'O', b'g', b'g', b'S', ..] => return Some(Format::Ogg),
        [_, _, _, _, kind @ ..] if mp4::opens_with(kind) => return Some(Format::Mp4),
        _ => {}
    }
    if head.starts_with(frames::AMR_WIDE) {
        return Some(Format::Frames(Coding::AmrWide, frames::AMR_WIDE.len() as u64));
    }
    if head.starts_with(frames::AMR) {
        return Some(Format::Frames(Coding::Amr, frames::AMR.len() as u64));
    }
    let tags = frames::id3_len(head);
    if let Some(coding) = [Coding::Mp3, Coding::Aac]
        .into_iter()
        .find(|coding| frames::starts(source, *coding, tags))
    {
        return Some(Format::Frames(coding, tags));
    }
    let mime_type = mime_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match mime_type.as_str() {
        "audio/mpeg" | "audio/mp3" => Some(Format::Frames(Coding::Mp3, tags)),
        "audio/aac" | "audio/aacp" | "audio/x-aac" => Some(Format::Frames(Coding::Aac, tags)),
        // Something lies between the tags and the sound.
        _ => (tags > 0).then_some(Format::Frames(Coding::Mp3, tags)),
    }
}

#[cfg(test)]
mod tests;
