//! Voice notes of bad will, and of unusual size.

use opus_pure::{OggOpusReader, OggOpusWriter};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{byte, made, read};
use crate::probe::Probe;

/// The packets of a voice note, changed, each claimed to last so many samples, in pages whose checksums are right.
fn remuxed(voice: &[u8], claimed: u32, change: impl Fn(usize, &mut Vec<u8>)) -> Vec<u8> {
    let mut reader = OggOpusReader::new(voice).unwrap();
    let mut writer = OggOpusWriter::new(Vec::new(), reader.head().clone()).unwrap();
    let mut count = 0;
    while let Some(mut packet) = reader.read_packet().unwrap() {
        change(count, &mut packet.data);
        writer.write_packet_with_duration(&packet.data, claimed).unwrap();
        count += 1;
    }
    writer.finish().unwrap()
}

/// A voice note of these packets, 20 ms each.
fn note<'a>(head: &[u8], packets: impl Iterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let head = OggOpusReader::new(head).unwrap().head().clone();
    let mut writer = OggOpusWriter::new(Vec::new(), head).unwrap();
    for packet in packets {
        writer.write_packet(packet).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn of_a_long_note_the_begin_of_each_64th_is_heard() {
    let shape = made("shape.ogg");
    let packets: Vec<Vec<u8>> = OggOpusReader::new(shape.as_slice())
        .unwrap()
        .packets()
        .map(|packet| packet.unwrap().data)
        .collect();
    // From 1 s on it is silent, from 2.4 s on loud. Twenty minutes: 19 s a 64th.
    let (silent, loud) = (&packets[50..70], &packets[120..140]);
    let (part, parts) = (20 * 60 * 50 / 64, 64);
    let half = |first: &[Vec<u8>], second: &[Vec<u8>]| {
        let (first, second) = (
            first.iter().cycle().take(part * 3 / 5),
            second.iter().cycle().take(part - part * 3 / 5),
        );
        let all: Vec<&Vec<u8>> = first.chain(second).collect();
        read(&note(&shape, all.iter().copied().cycle().take(part * parts)), None)
    };
    let begins_loud = half(loud, silent).peaks.unwrap();
    assert!(begins_loud.iter().all(|peak| *peak > 80), "{begins_loud:?}");
    let begins_silent = half(silent, loud);
    assert!(begins_silent.duration_ms > Some(1_190_000));
    let peaks = begins_silent.peaks.unwrap();
    assert!(peaks[1..].iter().all(|peak| *peak == 0), "{peaks:?}");
}

#[test]
fn headers_of_unusual_size_are_not_kept() {
    let voice = made("silence.ogg");
    let noted = |len: usize| {
        let mut reader = OggOpusReader::new(voice.as_slice()).unwrap();
        let mut tags = reader.tags().clone();
        tags.push("note", &"x".repeat(len)).unwrap();
        let mut writer = OggOpusWriter::with_tags(Vec::new(), reader.head().clone(), tags).unwrap();
        while let Some(packet) = reader.read_packet().unwrap() {
            writer.write_packet(&packet.data).unwrap();
        }
        read(&writer.finish().unwrap(), None).duration_ms
    };
    assert!(noted(1_000_000).is_some());
    assert_eq!(noted(1_100_000), None);
}

#[test]
fn a_voice_note_larger_than_whatsapp_takes_is_not_read() {
    let mut voice = made("silence.ogg");
    voice.resize(32 * 1024 * 1024, 0);
    assert_eq!(read(&voice, None).duration_ms, Some(2_000));
    voice.push(0);
    assert_eq!(read(&voice, None), Probe::default());
}

#[test]
fn a_page_that_claims_more_sound_than_there_is_is_not_believed() {
    let voice = made("silence.ogg");
    let longer = remuxed(&voice, 5_760, |_, _| {});
    let exact = remuxed(&voice, 960, |_, _| {});
    assert_eq!(read(&longer, None).duration_ms, read(&exact, None).duration_ms);
}

proptest! {
    #[test]
    fn no_packet_makes_decoding_a_voice_note_fail(
        changes in vec((0_usize..120, vec(byte(), 1..80), any::<bool>()), 1..40),
    ) {
        let voice = include_bytes!("../../../../../simulator/assets/voice.ogg");
        let bytes = remuxed(voice, 960, |at, packet| {
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
