//! Opus in Ogg (RFC 7845): how long a voice note plays, and its loudness over time.
//!
//! The length is that of the sound that is there, cut as the pages say; a page that claims more is not believed. The loudness
//! comes from the decoded sound, at 16 kHz, the rate of WhatsApp's own voice notes.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use opus_pure::{OggOpusReader, OggPacket, OpusDecoder, Trim, packet};

use super::source::Source;
use super::{Found, shielded};

/// Samples a second that are looked at.
const RATE: i32 = 16_000;
const SAMPLES_PER_MS: u64 = 16;
/// 120 ms, the longest packet, in samples.
const MAX_PACKET: usize = 1_920;
/// Values that a voice note is shown with.
const PEAKS: usize = 64;
/// At most ten minutes are decoded: of a longer note, the begin of each 64th.
const MAX_DECODED_PER_PEAK: u64 = 10 * 60 * RATE.unsigned_abs() as u64 / PEAKS as u64;
/// -60 dB of full scale, as root of the mean square. Below, there is nothing to hear, and to scale it up would show noise.
const SILENCE: f64 = 0.001;
/// What the two headers may take: a vendor's name, a title, a small picture. The library keeps every comment.
const MAX_HEADERS: u64 = 1024 * 1024;
/// WhatsApp takes audio up to 16 MB; a packet may be as long as its file, and is held in memory.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// How long it plays and, of a voice note, the peaks.
pub(super) fn read(source: Source, voice: bool) -> Found {
    if source.len() > MAX_BYTES {
        return Found::default();
    }
    let opened = shielded(|| {
        let file = Limited {
            file: source.rewound().ok()?,
            left: Cell::new(MAX_HEADERS),
        };
        let mut ogg = OggOpusReader::new(file).ok()?;
        ogg.get_ref().left.set(MAX_BYTES);
        let samples = count(&mut ogg)?;
        Some((ogg, samples))
    });
    let Some((mut ogg, samples)) = opened else {
        return Found::default();
    };
    let peaks = if voice {
        shielded(|| {
            ogg.rewind().ok()?;
            ogg.get_ref().left.set(MAX_BYTES);
            peaks(&mut ogg, samples)
        })
    } else {
        None
    };
    Found {
        size: None,
        duration_ms: Some((samples + SAMPLES_PER_MS / 2) / SAMPLES_PER_MS),
        peaks,
    }
}

/// Samples that are heard. Damage ends the stream.
fn count(ogg: &mut OggOpusReader<Limited>) -> Option<u64> {
    let mut trim = Trim::new(ogg.head(), RATE, 1).ok()?;
    let mut next = OggPacket::default();
    while let Ok(true) = ogg.read_packet_into(&mut next) {
        trim.keep_range(&next, packet::samples(&next.data, RATE).unwrap_or(0));
    }
    Some(trim.samples_emitted())
}

/// The loudness of each 64th of `samples`, the loudest being 100.
fn peaks(ogg: &mut OggOpusReader<Limited>, samples: u64) -> Option<Vec<i16>> {
    // More channels are several streams in a packet; a voice note has one. Two are mixed by the decoder.
    if samples == 0 || ogg.head().channel_count > 2 {
        return None;
    }
    let mut trim = Trim::new(ogg.head(), RATE, 1).ok()?;
    let mut decoder = OpusDecoder::new(RATE, 1).ok()?;
    let mut parts = [Part::default(); PEAKS];
    let mut sound = [0_f32; MAX_PACKET];
    let mut next = OggPacket::default();
    while let Ok(true) = ogg.read_packet_into(&mut next) {
        let len = packet::samples(&next.data, RATE).unwrap_or(0).min(MAX_PACKET);
        let begin = trim.samples_emitted();
        let heard = trim.keep_range(&next, len);
        // What cannot be decoded counts as decoded: a file of nothing else must end too.
        let Some(part) = parts.get_mut(part_of(begin, samples)) else {
            continue;
        };
        if part.decoded >= MAX_DECODED_PER_PEAK {
            continue;
        }
        part.decoded += len as u64;
        let filled = decoder.decode(&next.data, len, &mut sound[..len]).unwrap_or(0).min(len);
        sound[filled..len].fill(0.0);
        for (at, sample) in (begin..).zip(&sound[heard]) {
            if let Some(part) = parts.get_mut(part_of(at, samples)) {
                part.add(*sample);
            }
        }
    }
    Some(scaled(&parts.map(Part::loudness)))
}

/// Which of the parts the sample at `at` belongs to.
fn part_of(at: u64, samples: u64) -> usize {
    (u128::from(at) * PEAKS as u128)
        .checked_div(u128::from(samples))
        .and_then(|part| usize::try_from(part).ok())
        .unwrap_or(usize::MAX)
}

#[derive(Clone, Copy, Default)]
struct Part {
    squares: f64,
    heard: u32,
    decoded: u64,
}

impl Part {
    fn add(&mut self, sample: f32) {
        let sample = f64::from(sample);
        if sample.is_finite() {
            self.squares += sample * sample;
        }
        self.heard += 1;
    }

    /// The root of the mean square, 1 being full scale.
    fn loudness(self) -> f64 {
        if self.heard == 0 {
            0.0
        } else {
            (self.squares / f64::from(self.heard)).sqrt()
        }
    }
}

/// Makes the loudest 100, and silence 0.
fn scaled(loudness: &[f64]) -> Vec<i16> {
    let loudest = loudness.iter().copied().fold(0.0, f64::max);
    if loudest < SILENCE {
        return vec![0; loudness.len()];
    }
    loudness.iter().map(|value| percent(value / loudest)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
fn percent(share: f64) -> i16 {
    (share * 100.0).round().clamp(0.0, 100.0) as i16
}

/// A file that ends after so many bytes.
struct Limited {
    file: BufReader<File>,
    left: Cell<u64>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..len])?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

impl Seek for Limited {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
