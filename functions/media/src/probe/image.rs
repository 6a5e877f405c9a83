//! Pictures: PNG, WebP (still and animated), GIF and JPEG by their headers, the last turned as its EXIF asks.
//!
//! The pixels are never decoded.

use super::source::Source;
use super::{Size, shielded};

/// Headers and fill bytes looked at on the way to a JPEG's pixels; no camera writes nearly as many.
const MAX_SEGMENTS: usize = 10_000;

/// The size of a PNG, GIF or WebP.
pub(super) fn size(source: Source) -> Option<Size> {
    let reader = source.rewound().ok()?;
    let size = shielded(|| imagesize::reader_size(reader).ok())?;
    Some(Size {
        width: u32::try_from(size.width).ok()?,
        height: u32::try_from(size.height).ok()?,
    })
}

/// The size of a JPEG, as displayed: one with an EXIF orientation from 5 to 8 lies on its side.
///
/// Walks the segments (ITU T.81, B.1.1) up to the pixels. Not by the library of the other formats: its walk has no bound, knows no fill
/// bytes and no EXIF.
pub(super) fn jpeg_size(source: &mut Source) -> Option<Size> {
    let (mut at, mut size, mut turned) = (2, None, false);
    for _ in 0..MAX_SEGMENTS {
        match source.read(at)? {
            // A fill byte.
            [0xff, 0xff] => at += 1,
            // Markers without a body.
            [0xff, 0x01 | 0xd0..=0xd8] => at += 2,
            // The pixels, or the end.
            [0xff, 0xd9 | 0xda] => break,
            [0xff, marker] => {
                let len = u64::from(u16::from_be_bytes(source.read(at + 2)?));
                if len < 2 {
                    return None;
                }
                let end = at + 2 + len;
                match marker {
                    0xe1 if len >= 8 && &source.read::<6>(at + 4)? == b"Exif\0\0" => {
                        turned = exif_orientation(source, at + 10, end).is_some_and(|value| (5..=8).contains(&value));
                    }
                    // A frame header; C4, C8 and CC are none.
                    0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if size.is_none() => {
                        let [high, low, wide, narrow] = source.read(at + 5)?;
                        size = Some(Size {
                            width: u32::from(u16::from_be_bytes([wide, narrow])),
                            height: u32::from(u16::from_be_bytes([high, low])),
                        });
                    }
                    _ => {}
                }
                at = end;
            }
            _ => break,
        }
    }
    size.map(|size| if turned { size.turned() } else { size })
}

/// The tag 0x0112 of the first directory of the TIFF between `start` and `end` (EXIF 2.32, 4.6).
fn exif_orientation(source: &mut Source, start: u64, end: u64) -> Option<u16> {
    let little = match &source.read(start)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let mut u16_at = |at: u64| -> Option<u16> {
        let bytes = source.read(at).filter(|_| at + 2 <= end)?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let (first, second) = (u64::from(u16_at(start + 4)?), u64::from(u16_at(start + 6)?));
    let directory = start
        + if little {
            first | (second << 16)
        } else {
            (first << 16) | second
        };
    let entries = u64::from(u16_at(directory)?);
    for entry in (0..entries).map(|entry| directory + 2 + entry * 12) {
        if u16_at(entry)? == 0x0112 {
            // A short (type 3) stands at the begin of the value field.
            return (u16_at(entry + 2)? == 3).then(|| u16_at(entry + 8))?;
        }
    }
    None
}
