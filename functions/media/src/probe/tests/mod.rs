//! Files of bad will: whatever they hold, reading them ends, and without a panic.

use std::io::Write as _;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Probe, inspect};

mod opus;

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

/// The begin of a JPEG.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 2];

fn made(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).unwrap()
}

/// Where the body of the first box of this kind begins.
fn place_of(bytes: &[u8], kind: [u8; 4]) -> usize {
    bytes.windows(4).position(|window| window == kind).unwrap() + 4
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
    let counted = ["jpg", "png", "webp", "mp4"];
    let has_lengths = |name: &str| counted.iter().any(|ending| name.ends_with(ending));
    for (_, bytes) in real_files()
        .into_iter()
        .filter(|(name, bytes)| has_lengths(name) && bytes.len() < 2_500)
    {
        for at in 0..bytes.len().saturating_sub(4) {
            for length in [u32::MAX, 0] {
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
    assert_eq!(duration(0, 90_000, u32::MAX.into()), None, "not known");
    assert_eq!(duration(0, 0, 900), None, "no units");
    assert_eq!(duration(0, 600, 0), None);
}

#[test]
fn a_film_without_a_length_of_its_own_has_that_of_its_fragments_or_tracks() {
    let fragments = boxed(*b"mvex", &boxed(*b"mehd", &[[0; 4], 2_500_u32.to_be_bytes()].concat()));
    let none = [&[0; 12], 1_000_u32.to_be_bytes().as_slice(), &[0; 4]].concat();
    let unknown = [&[1], [0; 19].as_slice(), &1_000_u32.to_be_bytes(), &[0xff; 8]].concat();
    for header in [none, unknown] {
        let moov = boxed(*b"moov", &[boxed(*b"mvhd", &header), fragments.clone()].concat());
        assert_eq!(
            read(&[boxed(*b"ftyp", b"iso5"), moov].concat(), None).duration_ms,
            Some(2_500)
        );
    }

    let mut bytes = made("moov_at_end.mp4");
    let header = place_of(&bytes, *b"mvhd");
    bytes[header + 16..header + 20].fill(0);
    assert_eq!(read(&bytes, None).duration_ms, Some(1_000));
}

#[test]
fn a_track_without_a_size_has_that_of_its_pixels() {
    let mut bytes = made("moov_at_end.mp4");
    let header = place_of(&bytes, *b"tkhd");
    bytes[header + 76..header + 84].fill(0);
    let probe = read(&bytes, None);
    assert_eq!((probe.width, probe.height), (Some(64), Some(48)));
}

#[test]
fn only_a_video_track_has_a_size() {
    let mut bytes = made("moov_at_end.mp4");
    let handler = place_of(&bytes, *b"hdlr");
    bytes[handler + 8..handler + 12].copy_from_slice(b"text");
    let probe = read(&bytes, None);
    assert_eq!((probe.width, probe.duration_ms), (None, Some(1_000)));
}

#[test]
fn a_box_ends_where_what_holds_it_ends() {
    let mut bytes = film(0, 1_000, 2_000);
    assert_eq!(read(&bytes, None).duration_ms, Some(2_000));
    // The `moov` ends before the length; the `mvhd` claims to go on.
    let moov = place_of(&bytes, *b"moov") - 8;
    bytes[moov..moov + 4].copy_from_slice(&32_u32.to_be_bytes());
    assert_eq!(read(&bytes, None), Probe::default());
}

#[test]
fn the_length_of_a_film_in_fragments_is_not_known() {
    let probe = read(&made("fragmented.mp4"), None);
    assert_eq!(
        (probe.width, probe.height, probe.duration_ms),
        (Some(64), Some(48), None)
    );
}

#[test]
fn a_header_behind_too_many_boxes_is_not_looked_for() {
    let film = |count| {
        read(
            &[
                boxed(*b"ftyp", b"isom"),
                boxed(*b"free", &[]).repeat(count),
                film(0, 1, 1),
            ]
            .concat(),
            None,
        )
    };
    assert_eq!(film(15_000).duration_ms, Some(1_000));
    assert_eq!(film(20_000), Probe::default());
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
            read(&[JPEG, &segment.repeat(1_000_000)].concat(), None),
            Probe::default()
        );
    }
}

#[test]
fn fill_bytes_before_a_size_are_legal_but_not_too_many() {
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 7, 0, 9, 1, 1, 0x11, 0, 0xff, 0xda];
    let width = |fill: usize| read(&[JPEG, &vec![0xff; fill], &frame].concat(), None).width;
    assert_eq!(width(3), Some(9));
    assert_eq!(width(9_000), Some(9));
    assert_eq!(width(10_000), None);
}

#[test]
fn an_orientation_outside_of_its_segment_is_not_read() {
    let mut bytes = made("rotated_big_endian.jpg");
    assert_eq!(read(&bytes, None).width, Some(24));
    // EXIF comes first in the file. Its directory is copied into a comment behind it, and the offset led there.
    let end = 4 + usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let directory = bytes[12 + 8..end].to_vec();
    let comment = [
        [0xff, 0xfe].as_slice(),
        &u16::try_from(directory.len() + 2).unwrap().to_be_bytes(),
        &directory,
    ]
    .concat();
    bytes.splice(end..end, comment);
    bytes[12 + 4..12 + 8].copy_from_slice(&u32::try_from(end + 4 - 12).unwrap().to_be_bytes());
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
}
