//! MP3, raw AAC (ADTS) and AMR: frames one after another without a container. How long it plays is the sum of their headers.
//!
//! Counting is exact for a variable bit rate too and believes no index at the begin. The libraries for MP3 and AAC bring decoders,
//! which nobody needs here, and leave AMR out.

use super::source::Source;

/// What an AMR file begins with (RFC 4867, 5.1).
pub(super) const AMR: &[u8] = b"#!AMR\n";
/// What an AMR-WB file begins with.
pub(super) const AMR_WIDE: &[u8] = b"#!AMR-WB\n";

/// A day of the shortest frames (20 ms); more is not counted.
const MAX_FRAMES: u32 = 24 * 60 * 60 * 50;
/// Bytes skipped in search of the next frame, in the whole file: pictures at the begin, tags at the end, damage in between.
const MAX_SKIPPED: u32 = 256 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Mp3,
    /// In ADTS.
    Aac,
    Amr,
    AmrWide,
}

struct Frame {
    bytes: u64,
    nanoseconds: u64,
    /// What all frames of a stream have in common. Two in a row make a sync word credible.
    kind: u16,
}

/// Bytes that an `ID3v2` tag takes at the begin of the file, which has this head (<https://id3.org/id3v2.4.0-structure>).
pub(super) fn id3_len(head: [u8; 12]) -> u64 {
    let [b'I', b'D', b'3', _, _, flags, size @ .., _, _] = head else {
        return 0;
    };
    let size = size.iter().fold(0, |size, byte| (size << 7) | u64::from(byte & 0x7f));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    10 + size + footer
}

/// Whether two frames, or the only one, begin at `at`.
pub(super) fn starts(source: &mut Source, coding: Coding, at: u64) -> bool {
    frame(source, coding, at).is_some_and(|first| is_followed(source, coding, at, &first))
}

/// How long the frames from `start` on play.
pub(super) fn duration_ms(source: &mut Source, coding: Coding, start: u64) -> Option<u64> {
    let has_sync_word = matches!(coding, Coding::Mp3 | Coding::Aac);
    let (mut at, mut nanoseconds, mut frames, mut skipped) = (start, 0_u64, 0, 0);
    let mut synced = !has_sync_word;
    while at < source.len() {
        match frame(source, coding, at) {
            Some(next) if at + next.bytes <= source.len() && (synced || is_followed(source, coding, at, &next)) => {
                if frames > 0 || !is_index(source, coding, at) {
                    nanoseconds += next.nanoseconds;
                }
                synced = true;
                frames += 1;
                at += next.bytes;
            }
            _ if has_sync_word => {
                synced = false;
                skipped += 1;
                at += 1;
            }
            _ => break,
        }
        if frames > MAX_FRAMES || skipped > MAX_SKIPPED {
            break;
        }
    }
    (frames <= MAX_FRAMES && nanoseconds > 0).then(|| (nanoseconds + 500_000) / 1_000_000)
}

/// Whether what comes after the frame at `at` is its like, or the end.
fn is_followed(source: &mut Source, coding: Coding, at: u64, first: &Frame) -> bool {
    let next = at + first.bytes;
    next == source.len() || frame(source, coding, next).is_some_and(|second| second.kind == first.kind)
}

/// Reads the header of the frame at `at`.
fn frame(source: &mut Source, coding: Coding, at: u64) -> Option<Frame> {
    match coding {
        Coding::Mp3 => mp3(source.read(at)?),
        Coding::Aac => aac(source.read(at)?),
        Coding::Amr => amr(
            [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1],
            source.read(at)?,
        ),
        Coding::AmrWide => amr(
            [18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1],
            source.read(at)?,
        ),
    }
}

/// MPEG audio, layer III (ISO/IEC 11172-3, 2.4.1.3, and 13818-3 for the lower rates). A "free" bit rate is not read.
fn mp3(header: [u8; 4]) -> Option<Frame> {
    const KBITS: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const LOWER_KBITS: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];
    let [0xff, version, rates, _] = header else {
        return None;
    };
    // Eleven ones, then the version, then the layer (01 is III).
    let (divisor, kbits, samples) = match version & 0b1111_1110 {
        0b1111_1010 => (1, KBITS, 1152),
        0b1111_0010 => (2, LOWER_KBITS, 576),
        0b1110_0010 => (4, LOWER_KBITS, 576),
        _ => return None,
    };
    let kbits = *kbits.get(usize::from(rates >> 4)).filter(|kbits| **kbits > 0)?;
    let rate = RATES.get(usize::from(rates >> 2 & 3))? / divisor;
    let padding = u32::from(rates >> 1 & 1);
    Some(Frame {
        bytes: u64::from(samples / 8 * kbits * 1000 / rate + padding),
        nanoseconds: nanoseconds(samples, rate),
        kind: u16::from_be_bytes([version & 0b1111_1110, rates & 0b1100]),
    })
}

/// ADTS (ISO/IEC 13818-7, 6.2).
fn aac(header: [u8; 7]) -> Option<Frame> {
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ];
    let [0xff, version, profile, high, middle, low, blocks] = header else {
        return None;
    };
    // Twelve ones, then the version, then the layer (00).
    if version & 0b1111_0110 != 0b1111_0000 {
        return None;
    }
    let rate = *RATES.get(usize::from(profile >> 2 & 0b1111))?;
    let bytes = (u64::from(high & 0b11) << 11) | (u64::from(middle) << 3) | u64::from(low >> 5);
    let header = if version & 1 == 0 { 9 } else { 7 };
    (bytes >= header).then(|| Frame {
        bytes,
        nanoseconds: nanoseconds(1024 * (u32::from(blocks & 0b11) + 1), rate),
        kind: u16::from_be_bytes([version, profile & 0b1111_1100]),
    })
}

/// 20 ms each, in as many bytes as its type takes, the header among them (RFC 4867, 5.3); 0 for types without a meaning.
fn amr(bytes: [u64; 16], header: [u8; 1]) -> Option<Frame> {
    // Padding bits are zero.
    let kind = header[0] >> 3 & 0b1111;
    let bytes = bytes[usize::from(kind)];
    (bytes > 0 && header[0] & 0b1000_0011 == 0).then_some(Frame {
        bytes,
        nanoseconds: 20_000_000,
        kind: 0,
    })
}

fn nanoseconds(samples: u32, rate: u32) -> u64 {
    u64::from(samples) * 1_000_000_000 / u64::from(rate)
}

/// Whether the MP3 frame at `at` holds an index in place of sound; where it stands depends on version and channels.
fn is_index(source: &mut Source, coding: Coding, at: u64) -> bool {
    const NAMES: [&[u8; 4]; 3] = [b"Xing", b"Info", b"VBRI"];
    coding == Coding::Mp3
        && [13, 21, 36]
            .into_iter()
            .any(|offset| source.read(at + offset).is_some_and(|name| NAMES.contains(&&name)))
}
