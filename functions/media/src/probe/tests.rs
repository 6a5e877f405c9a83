//! Files of bad will: whatever they hold, reading them ends, and without a panic.

use std::io::Write as _;
use std::path::PathBuf;

use opus_pure::{OggOpusReader, OggOpusWriter};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Probe, inspect};

const MIME_TYPES: [Option<&str>; 4] = [None, Some("audio/mpeg"), Some("audio/aac"), Some("image/jpeg")];

/// Every real file there is: those made for these tests, and the simulator's.
fn real_files() -> Vec<(String, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("tests/files"), root.join("../../simulator/assets")];
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| folder.read_dir().unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() > 20, "the files are there");
    paths
        .into_iter()
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()))
        .collect()
}

/// Without the net under [`super::probe`].
fn read(bytes: &[u8], mime_type: Option<&str>) -> Probe {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let probe = inspect(file.path(), mime_type, true).unwrap_or_default();
    assert_eq!(probe.width.is_some(), probe.height.is_some());
    for side in [probe.width, probe.height].into_iter().flatten() {
        assert!((1..=65_535).contains(&side));
    }
    if let Some(duration) = probe.duration_ms {
        assert!((1..=31 * 24 * 3_600_000).contains(&duration));
    }
    if let Some(peaks) = &probe.peaks {
        assert!(peaks.len() == 64 && peaks.iter().all(|peak| (0..=100).contains(peak)));
    }
    probe
}

#[test]
fn a_file_cut_off_anywhere_is_no_more_than_the_whole() {
    for (name, bytes) in real_files().into_iter().filter(|(_, bytes)| bytes.len() < 2_500) {
        let whole = read(&bytes, None);
        for len in 0..bytes.len() {
            let cut = read(&bytes[..len], None);
            assert!(
                cut.width.is_none() || cut.width == whole.width,
                "{name} cut to {len}: {cut:?}"
            );
            assert!(cut.duration_ms <= whole.duration_ms, "{name} cut to {len}: {cut:?}");
        }
    }
}

#[test]
fn files_of_one_byte_only_say_nothing() {
    for byte in [0x00, 0x7f, 0xff] {
        for len in [0, 1, 11, 12, 13, 100_000] {
            for mime_type in MIME_TYPES {
                assert_eq!(read(&vec![byte; len], mime_type), Probe::default());
            }
        }
    }
}

#[test]
fn a_length_of_all_ones_anywhere_is_survived() {
    for (_, bytes) in real_files().into_iter().filter(|(_, bytes)| bytes.len() < 2_500) {
        for at in 0..bytes.len().saturating_sub(4) {
            for length in [u32::MAX, u32::MAX - 1, 1 << 31, 1, 0] {
                let mut bytes = bytes.clone();
                bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
                read(&bytes, None);
            }
        }
    }
}

/// An MP4 box.
fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 8).unwrap();
    [len.to_be_bytes().as_slice(), &kind, body].concat()
}

#[test]
fn boxes_in_boxes_and_boxes_without_end_are_survived() {
    for kind in [*b"moov", *b"trak", *b"mdia", *b"mvhd"] {
        let nested = (0..5_000).fold(Vec::new(), |inner, _| boxed(kind, &inner));
        assert_eq!(
            read(&[boxed(*b"ftyp", b"isom"), nested].concat(), None),
            Probe::default()
        );
        let many = boxed(kind, &[]).repeat(500_000);
        assert_eq!(
            read(&[boxed(*b"ftyp", b"isom"), boxed(*b"moov", &many)].concat(), None),
            Probe::default()
        );
    }
    let endless = [
        1_u32.to_be_bytes().as_slice(),
        b"moov",
        &u64::MAX.to_be_bytes(),
        &[0xff; 200],
    ]
    .concat();
    assert_eq!(
        read(&[boxed(*b"ftyp", b"isom"), endless].concat(), None),
        Probe::default()
    );
}

/// A `moov` with a film header only.
fn film(version: u8, scale: u32, duration: u64) -> Vec<u8> {
    let header = if version == 1 {
        [
            &[1, 0, 0, 0],
            [0; 16].as_slice(),
            &scale.to_be_bytes(),
            &duration.to_be_bytes(),
        ]
        .concat()
    } else {
        let duration = u32::try_from(duration).unwrap();
        [&[0; 12], scale.to_be_bytes().as_slice(), &duration.to_be_bytes()].concat()
    };
    [boxed(*b"ftyp", b"isom"), boxed(*b"moov", &boxed(*b"mvhd", &header))].concat()
}

#[test]
fn a_film_s_length_is_believed_within_reason() {
    let duration = |version, scale, duration| read(&film(version, scale, duration), None).duration_ms;
    assert_eq!(duration(0, 600, 900), Some(1_500));
    assert_eq!(duration(1, 90_000, 30_000), Some(333));
    assert_eq!(duration(1, 1_000, 31 * 24 * 3_600_000), Some(31 * 24 * 3_600_000));
    assert_eq!(duration(1, 1_000, 31 * 24 * 3_600_000 + 1), None, "longer than a month");
    assert_eq!(duration(1, 1, u64::MAX - 1), None);
    assert_eq!(duration(1, 1, u64::MAX), None, "not known");
    assert_eq!(duration(0, 1, u32::MAX.into()), None, "not known");
    assert_eq!(duration(0, 0, 900), None, "no units");
    assert_eq!(duration(0, 600, 0), None);
}

#[test]
fn segments_and_fill_bytes_without_end_say_nothing() {
    for segment in [
        [0xff, 0xe0, 0, 2].as_slice(),
        &[0xff],
        &[0xff, 0xd0],
        &[0xff, 0xe1, 0, 0],
        &[0xff, 0xe1, 0, 1],
    ] {
        assert_eq!(
            read(
                &[&[0xff, 0xd8, 0xff, 0xe0, 0, 2], segment.repeat(1_000_000).as_slice()].concat(),
                None
            ),
            Probe::default()
        );
    }
}

#[test]
fn an_orientation_outside_of_its_segment_is_not_read() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/rotated_big_endian.jpg");
    let mut bytes = std::fs::read(root).unwrap();
    assert_eq!(read(&bytes, None).width, Some(24));
    // The directory's offset.
    bytes[2 + 10 + 4..2 + 10 + 8].copy_from_slice(&0x0fff_ffff_u32.to_be_bytes());
    assert_eq!(read(&bytes, None).width, Some(40));
}

#[test]
fn a_picture_of_impossible_size_has_none() {
    let png = |width: u32, height: u32| {
        [
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            width.to_be_bytes().as_slice(),
            &height.to_be_bytes(),
        ]
        .concat()
    };
    assert_eq!(read(&png(65_535, 1), None).width, Some(65_535));
    for (width, height) in [(0, 5), (5, 0), (65_536, 5), (5, u32::MAX)] {
        assert_eq!(read(&png(width, height), None), Probe::default());
    }
}

#[test]
fn more_frames_than_a_day_holds_are_not_counted() {
    let frames = |count| read(&[b"#!AMR\n".as_slice(), &vec![0x7c; count]].concat(), None).duration_ms;
    assert_eq!(frames(24 * 3_600 * 50), Some(24 * 3_600_000));
    assert_eq!(frames(24 * 3_600 * 50 + 1), None);
}

/// The packets of a voice note, changed, in pages whose checksums are right.
fn remuxed(voice: &[u8], change: impl Fn(usize, &mut Vec<u8>)) -> Vec<u8> {
    let mut reader = OggOpusReader::new(voice).unwrap();
    let mut writer = OggOpusWriter::new(Vec::new(), reader.head().clone()).unwrap();
    let mut count = 0;
    while let Some(mut packet) = reader.read_packet().unwrap() {
        change(count, &mut packet.data);
        writer.write_packet_with_duration(&packet.data, 960).unwrap();
        count += 1;
    }
    writer.finish().unwrap()
}

fn one_of(files: &[(String, Vec<u8>)]) -> impl Strategy<Value = Vec<u8>> + use<> {
    select(files.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>())
}

/// Bytes that mean something somewhere, or any.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0x00), Just(0xff), Just(0x7f), Just(0x80), Just(0x01), any::<u8>()]
}

proptest! {
    #[test]
    fn no_change_to_a_real_file_makes_reading_it_fail(
        mut bytes in one_of(&real_files()),
        changes in vec((any::<Index>(), byte()), 0..20),
        near in vec((0_usize..200, byte()), 0..8),
        cut in proptest::option::of(any::<Index>()),
        doubled in proptest::option::of((any::<Index>(), any::<Index>())),
        mime_type in select(&MIME_TYPES),
    ) {
        if let Some((one, other)) = doubled {
            let (one, other) = (one.index(bytes.len()), other.index(bytes.len()));
            let piece = bytes[one.min(other)..one.max(other)].to_vec();
            bytes.splice(one..one, piece);
        }
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for (at, byte) in near {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read(&bytes, mime_type);
    }

    #[test]
    fn no_packet_makes_decoding_a_voice_note_fail(
        changes in vec((0_usize..120, vec(byte(), 1..80), any::<bool>()), 1..40),
    ) {
        let voice = include_bytes!("../../../../simulator/assets/voice.ogg");
        let bytes = remuxed(voice, |at, packet| {
            for (_, bytes, whole) in changes.iter().filter(|(place, ..)| *place == at) {
                if *whole {
                    packet.clone_from(bytes);
                } else {
                    for (place, byte) in packet.iter_mut().zip(bytes) {
                        *place ^= byte;
                    }
                }
            }
        });
        let probe = read(&bytes, None);
        prop_assert!(probe.peaks.is_some(), "the decoder did not panic");
    }
}
