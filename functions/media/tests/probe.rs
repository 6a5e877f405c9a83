//! What real files of every kind that WhatsApp carries say of themselves. The expected numbers are those of ffprobe and of the commands
//! that made the files.

use std::path::{Path, PathBuf};

use media::probe::{Probe, probe};

fn made(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn simulated(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../simulator/assets")
        .join(name)
}

fn sized(width: i32, height: i32) -> Probe {
    Probe {
        width: Some(width),
        height: Some(height),
        ..Probe::default()
    }
}

fn lasting(duration_ms: i64) -> Probe {
    Probe {
        duration_ms: Some(duration_ms),
        ..Probe::default()
    }
}

#[test]
fn pictures_say_how_large_they_are() {
    assert_eq!(
        probe(&simulated("image.jpg"), Some("image/jpeg"), false),
        sized(480, 360)
    );
    assert_eq!(
        probe(&simulated("sticker.webp"), Some("image/webp"), false),
        sized(512, 512)
    );
    assert_eq!(probe(&made("picture.png"), Some("image/png"), false), sized(48, 32));
    for sticker in ["animated.webp", "lossless.webp", "lossy.webp"] {
        assert_eq!(
            probe(&made(sticker), Some("image/webp"), false),
            sized(48, 32),
            "{sticker}"
        );
    }
}

#[test]
fn a_picture_is_as_large_as_it_is_shown() {
    // All three hold 40 x 24 pixels.
    assert_eq!(probe(&made("rotated.jpg"), None, false), sized(24, 40), "orientation 6");
    assert_eq!(
        probe(&made("rotated_big_endian.jpg"), None, false),
        sized(24, 40),
        "orientation 8"
    );
    assert_eq!(
        probe(&made("upside_down.jpg"), None, false),
        sized(40, 24),
        "orientation 3"
    );
}

#[test]
fn films_say_how_large_they_are_and_how_long() {
    let film = |width, height, duration_ms| Probe {
        duration_ms: Some(duration_ms),
        ..sized(width, height)
    };
    assert_eq!(
        probe(&simulated("video.mp4"), Some("video/mp4"), false),
        film(240, 180, 2_000)
    );
    assert_eq!(
        probe(&made("moov_at_end.mp4"), Some("video/mp4"), false),
        film(64, 48, 1_000)
    );
    assert_eq!(
        probe(&made("rotated.mp4"), Some("video/mp4"), false),
        film(48, 64, 1_000),
        "by a quarter"
    );
    assert_eq!(
        probe(&made("old.3gp"), Some("video/3gpp"), false),
        film(176, 144, 1_300),
        "H.263"
    );
}

#[test]
fn sound_says_how_long_it_plays() {
    assert_eq!(
        probe(&simulated("audio.mp3"), Some("audio/mpeg"), false),
        lasting(2_038)
    );
    assert_eq!(
        probe(&made("vbr.mp3"), Some("audio/mpeg"), false),
        lasting(1_567),
        "the index is no sound"
    );
    assert_eq!(
        probe(&made("cbr.mp3"), Some("audio/mpeg"), false),
        lasting(1_541),
        "no index"
    );
    assert_eq!(probe(&made("tone.m4a"), Some("audio/mp4"), false), lasting(1_500));
    assert_eq!(probe(&made("tone.aac"), Some("audio/aac"), false), lasting(1_600));
    assert_eq!(
        probe(&made("tone.amr"), Some("audio/amr"), false),
        lasting(2_600),
        "every rate, and pauses"
    );
    assert_eq!(
        probe(&made("wide.awb"), Some("audio/amr-wb"), false),
        lasting(2_500),
        "every rate, and pauses"
    );
    assert_eq!(
        probe(&made("shape.ogg"), Some("audio/ogg; codecs=opus"), false),
        lasting(6_000),
        "no peaks: not a voice note"
    );
}

#[test]
fn the_peaks_of_a_voice_note_are_its_loudness_over_time() {
    // Two seconds of silence, one at -3 dB, one at half of that, two of silence.
    let note = probe(&made("shape.ogg"), Some("audio/ogg; codecs=opus"), true);
    assert_eq!(note.duration_ms, Some(6_000));
    let peaks = note.peaks.unwrap();
    assert_eq!(peaks.len(), 64);
    let (silent, loud, half) = (0..21, 22..31, 33..42);
    assert!(peaks[silent].iter().all(|peak| *peak <= 1), "{peaks:?}");
    assert!(peaks[loud].iter().all(|peak| (90..=100).contains(peak)), "{peaks:?}");
    assert!(peaks[half].iter().all(|peak| (44..=56).contains(peak)), "{peaks:?}");
    assert!(peaks[44..].iter().all(|peak| *peak <= 1), "{peaks:?}");
    assert_eq!(peaks.iter().max(), Some(&100));
}

#[test]
fn the_peaks_of_silence_are_zeros() {
    let silence = probe(&made("silence.ogg"), None, true);
    assert_eq!(
        silence,
        Probe {
            peaks: Some(vec![0; 64]),
            ..lasting(2_000)
        }
    );
}

#[test]
fn only_a_voice_note_in_opus_has_peaks() {
    assert!(probe(&simulated("voice.ogg"), None, true).peaks.is_some());
    for other in ["tone.amr", "tone.m4a", "cbr.mp3", "rotated.mp4", "picture.png"] {
        assert_eq!(probe(&made(other), None, true).peaks, None, "{other}");
    }
}

#[test]
fn the_bytes_tell_the_format_and_not_the_mime_type() {
    for mime_type in [
        None,
        Some("text/plain"),
        Some("audio/mpeg"),
        Some("image/jpeg"),
        Some("application/octet-stream"),
    ] {
        assert_eq!(probe(&made("picture.png"), mime_type, false), sized(48, 32));
        assert_eq!(probe(&made("tone.aac"), mime_type, false), lasting(1_600));
        assert_eq!(probe(&made("cbr.mp3"), mime_type, false), lasting(1_541));
        assert_eq!(probe(&made("tone.amr"), mime_type, false), lasting(2_600));
        assert_eq!(
            probe(&made("moov_at_end.mp4"), mime_type, false).duration_ms,
            Some(1_000)
        );
    }
}

/// A file of these bytes.
fn written(parts: &[&[u8]]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary folder");
    std::fs::write(file.path(), parts.concat()).expect("room in it");
    file
}

#[test]
fn the_mime_type_helps_where_the_bytes_do_not_say() {
    let sound = std::fs::read(made("cbr.mp3")).unwrap();
    let file = written(&[&[0; 500], &sound]);
    assert_eq!(probe(file.path(), Some("audio/mpeg"), false), lasting(1_541));
    assert_eq!(probe(file.path(), Some("Audio/MPEG; x=y"), false), lasting(1_541));
    assert_eq!(probe(file.path(), None, false), Probe::default());
    // Tags say so as well.
    let file = written(&[b"ID3\x04\0\0\0\0\0\x05tags!", &[0; 500], &sound]);
    assert_eq!(probe(file.path(), None, false), lasting(1_541));
}

#[test]
fn sound_is_looked_for_behind_what_is_none() {
    let sound = std::fs::read(made("cbr.mp3")).unwrap();
    let look = |file: tempfile::NamedTempFile| probe(file.path(), Some("audio/mpeg"), false);
    let header = [0xff, 0xfb, 0x90, 0x64];
    assert_eq!(
        look(written(&[&[0; 100], &header, &[0; 100], &sound])),
        lasting(1_541),
        "one header is no sound"
    );
    assert_eq!(look(written(&[&vec![0; 250_000], &sound])), lasting(1_541));
    assert_eq!(
        look(written(&[&vec![0; 270_000], &sound])),
        Probe::default(),
        "not for ever"
    );
}

#[test]
fn damage_costs_only_the_sound_that_it_hit() {
    // 26 ms a frame.
    let mut sound = std::fs::read(made("cbr.mp3")).unwrap();
    let short = written(&[&sound[..sound.len() - 1]]);
    assert_eq!(probe(short.path(), None, false), lasting(1_515), "the last frame");
    let middle = sound.len() / 2;
    sound[middle..middle + 200].fill(0);
    let duration = probe(written(&[&sound]).path(), None, false).duration_ms.unwrap();
    assert!((1_400..1_541).contains(&duration), "{duration}");
}

#[test]
fn what_is_no_media_says_nothing() {
    assert_eq!(
        probe(&simulated("document.pdf"), Some("application/pdf"), false),
        Probe::default()
    );
    assert_eq!(
        probe(&made("there is no such file"), Some("image/jpeg"), false),
        Probe::default()
    );
    assert_eq!(
        probe(&made(""), Some("image/jpeg"), false),
        Probe::default(),
        "a folder"
    );
}
