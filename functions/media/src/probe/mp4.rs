//! MP4, 3GP, M4A and `QuickTime`: the boxes of ISO/IEC 14496-12 that say how large and how long.
//!
//! Only headers are read, wherever in the file they lie; the sample tables and the media are stepped over. The libraries for this
//! decode the whole `moov` into memory.

use super::source::Source;
use super::{Found, Size};

/// Box headers looked at in one file; one that is not in fragments has some dozens.
const MAX_BOXES: u32 = 20_000;
/// Tracks looked at; a video has two.
const MAX_TRACKS: usize = 32;

/// Whether a file whose bytes 4 to 8 are these is of this family. Old ones have no `ftyp`.
pub(super) fn opens_with(kind: &[u8]) -> bool {
    const KINDS: [&[u8; 4]; 7] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"];
    KINDS.iter().any(|known| kind.starts_with(*known))
}

/// The size of the first video track, and how long the film plays.
pub(super) fn read(source: &mut Source) -> Found {
    let file = Span {
        start: 0,
        end: source.len(),
    };
    let mut boxes = Boxes {
        source,
        left: MAX_BOXES,
    };
    let Some(moov) = boxes.find(file, *b"moov") else {
        return Found::default();
    };
    let tracks = boxes.all(moov, *b"trak");
    Found {
        size: tracks.iter().find_map(|track| boxes.display_size(*track)),
        duration_ms: boxes.duration_ms(moov, &tracks),
        peaks: None,
    }
}

/// From `start` to before `end`, in bytes of the file.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

struct Boxes<'a> {
    source: &'a mut Source,
    left: u32,
}

impl Boxes<'_> {
    /// The box at the begin of `span`: its kind, its body, and what comes after it. A box that claims to be longer than what holds it
    /// ends there.
    fn next(&mut self, span: Span) -> Option<([u8; 4], Span, Span)> {
        self.left = self.left.checked_sub(1)?;
        let kind = self.source.read(span.start.checked_add(4)?)?;
        let (header, size) = match self.source.u32(span.start)? {
            // To the end of what holds it.
            0 => (8, span.end.checked_sub(span.start)?),
            1 => (16, self.source.u64(span.start.checked_add(8)?)?),
            size => (8, u64::from(size)),
        };
        if size < header {
            return None;
        }
        let end = span.start.saturating_add(size).min(span.end);
        let start = span.start.checked_add(header).filter(|start| *start <= end)?;
        Some((
            kind,
            Span { start, end },
            Span {
                start: end,
                end: span.end,
            },
        ))
    }

    fn find(&mut self, mut span: Span, wanted: [u8; 4]) -> Option<Span> {
        loop {
            let (kind, body, rest) = self.next(span)?;
            if kind == wanted {
                return Some(body);
            }
            span = rest;
        }
    }

    fn find_path<const N: usize>(&mut self, span: Span, path: [[u8; 4]; N]) -> Option<Span> {
        path.into_iter().try_fold(span, |span, wanted| self.find(span, wanted))
    }

    fn all(&mut self, mut span: Span, wanted: [u8; 4]) -> Vec<Span> {
        let mut found = Vec::new();
        while let Some((kind, body, rest)) = self.next(span)
            && found.len() < MAX_TRACKS
        {
            if kind == wanted {
                found.push(body);
            }
            span = rest;
        }
        found
    }

    /// The number at this offset of a body, if it lies within.
    fn u32(&mut self, body: Span, offset: u64) -> Option<u32> {
        let at = body.start + offset;
        (at + 4 <= body.end).then(|| self.source.u32(at))?
    }

    /// Whether times are 64 bits wide: the first byte of a "full box".
    fn is_long(&mut self, body: Span) -> Option<bool> {
        Some(self.u32(body, 0)? >> 24 == 1)
    }

    /// A number of 64 or 32 bits; all ones mean "not known".
    fn time(&mut self, body: Span, offset: u64, long: bool) -> Option<u64> {
        let high = self.u32(body, offset)?;
        if long {
            let time = (u64::from(high) << 32) | u64::from(self.u32(body, offset + 4)?);
            Some(time).filter(|time| *time != u64::MAX)
        } else {
            Some(u64::from(high)).filter(|_| high != u32::MAX)
        }
    }

    /// The size of a video track on the screen (8.3.2): the track header's, in which pixels are square, turned by its matrix; the
    /// coded one where the header has none.
    fn display_size(&mut self, track: Span) -> Option<Size> {
        let handler = self.find_path(track, [*b"mdia", *b"hdlr"])?;
        if self.u32(handler, 8)? != u32::from_be_bytes(*b"vide") {
            return None;
        }
        let header = self.find(track, *b"tkhd")?;
        let matrix = if self.is_long(header)? { 52 } else { 40 };
        // 16.16 fixed point.
        let size = Size {
            width: self.u32(header, matrix + 36)? >> 16,
            height: self.u32(header, matrix + 40)? >> 16,
        };
        let size = if size.width == 0 || size.height == 0 {
            self.coded_size(track)?
        } else {
            size
        };
        // [a b u; c d v; x y w]: a quarter turn has nothing in a and d.
        let [a, b, c, d] = [0, 4, 12, 16].map(|offset| self.u32(header, matrix + offset));
        let turned = a? == 0 && d? == 0 && b? != 0 && c? != 0;
        Some(if turned { size.turned() } else { size })
    }

    /// What the first entry of the sample description says (8.5.2, 12.1.3).
    fn coded_size(&mut self, track: Span) -> Option<Size> {
        let description = self.find_path(track, [*b"mdia", *b"minf", *b"stbl", *b"stsd"])?;
        let pair = self.u32(description, 8 + 32)?;
        Some(Size {
            width: pair >> 16,
            height: pair & 0xffff,
        })
    }

    /// The film's own length; that of its fragments where it is written in such; else that of the longest track.
    fn duration_ms(&mut self, moov: Span, tracks: &[Span]) -> Option<u64> {
        let header = self.find(moov, *b"mvhd")?;
        let (scale, film) = self.scaled(header)?;
        let known =
            |time: Option<u64>, scale: u32| time.filter(|time| *time > 0).and_then(|time| milliseconds(time, scale));
        if let Some(duration) = known(film, scale) {
            return Some(duration);
        }
        if let Some(fragments) = self.find_path(moov, [*b"mvex", *b"mehd"]) {
            let long = self.is_long(fragments)?;
            if let Some(duration) = known(self.time(fragments, 4, long), scale) {
                return Some(duration);
            }
        }
        tracks
            .iter()
            .filter_map(|track| {
                let header = self.find_path(*track, [*b"mdia", *b"mdhd"])?;
                let (scale, time) = self.scaled(header)?;
                known(time, scale)
            })
            .max()
    }

    /// Units a second, and the length in them, of `mvhd` (8.2.2) or `mdhd` (8.4.2).
    fn scaled(&mut self, header: Span) -> Option<(u32, Option<u64>)> {
        let long = self.is_long(header)?;
        let scale = self.u32(header, if long { 20 } else { 12 })?;
        let time = self.time(header, if long { 24 } else { 16 }, long);
        Some((scale, time))
    }
}

fn milliseconds(time: u64, scale: u32) -> Option<u64> {
    let rounded = (u128::from(time) * 1000 + u128::from(scale) / 2).checked_div(u128::from(scale))?;
    u64::try_from(rounded).ok()
}
