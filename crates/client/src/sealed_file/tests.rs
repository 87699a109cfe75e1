//! The format against everything that can happen to a file.

use std::io::Cursor;

use proptest::prelude::*;

use super::{format::Header, *};
use crate::one_time_key::{COMMITMENT, SALT, TAG};

const DATA_KEY: [u8; 32] = [0x42; 32];
/// 64-byte segments, so that small files have several.
const BITS: u8 = 6;
const SEGMENT: usize = 64 + TAG;
const HEADER: usize = 7 + 7 + SALT + COMMITMENT;

fn seal(plaintext: &[u8]) -> Vec<u8> {
    let (header, key) = Header::make(&DATA_KEY, b"wrapped", [0x17; SALT], BITS).expect("a header");
    let mut out = Vec::new();
    let done = sealing::seal(&header, &key, plaintext, &mut out, |_| Step::Continue);
    assert_eq!(done.expect("it seals"), plaintext.len() as u64);
    out
}

fn open(sealed: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Cursor::new(sealed);
    let header = Header::read(&mut reader).ok()?;
    let key = header.open(&DATA_KEY).ok()?;
    let mut out = Vec::new();
    opening::open(&header, &key, reader, &mut out, |_| Step::Continue).ok()?;
    Some(out)
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

/// Guards against a byte of a sealed file that is not authenticated.
#[test]
fn every_flipped_bit_is_noticed() {
    let good = seal(&sample(150));
    assert_eq!(open(&good), Some(sample(150)));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&bad), None, "bit {bit}");
    }
}

/// Guards against a file that was cut, also exactly between two segments.
#[test]
fn every_truncation_is_noticed() {
    for length in [0, 1, 64, 128, 150] {
        let good = seal(&sample(length));
        for cut in 0..good.len() {
            assert_eq!(open(&good[..cut]), None, "{length} bytes cut to {cut}");
        }
    }
}

/// Guards against appended bytes: junk, a copy of a segment, another sealed file, or
/// an empty last segment.
#[test]
fn every_extension_is_noticed() {
    let good = seal(&sample(128));
    let segment = good[HEADER..HEADER + SEGMENT].to_vec();
    let last = good[HEADER + SEGMENT..].to_vec();
    for tail in [vec![0], vec![0; TAG], segment, last, good.clone(), seal(b"")] {
        assert_eq!(open(&[&good[..], &tail].concat()), None, "{} more", tail.len());
    }
}

/// Guards against segments in another order, left out or taken twice.
#[test]
fn segments_stay_where_they_are() {
    let good = seal(&sample(64 * 4));
    let (header, body) = good.split_at(HEADER);
    let parts: Vec<&[u8]> = body.chunks(SEGMENT).collect();
    assert_eq!(parts.len(), 4);
    for order in [[1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [0, 0, 2, 3], [3, 1, 2, 0]] {
        let moved: Vec<u8> = order.iter().flat_map(|&i| parts[i]).copied().collect();
        assert_eq!(open(&[header, &moved].concat()), None, "{order:?}");
    }
    let left_out = [parts[0], parts[2], parts[3]].concat();
    assert_eq!(open(&[header, &left_out].concat()), None);
}

/// Guards against a segment of another file, sealed under the same data key, being
/// taken for one of this.
#[test]
fn segments_of_another_file_do_not_fit() {
    let one = seal(&sample(100));
    let (header, key) = Header::make(&DATA_KEY, b"wrapped", [0x18; SALT], BITS).expect("a header");
    let mut two = Vec::new();
    sealing::seal(&header, &key, &sample(100)[..], &mut two, |_| Step::Continue).expect("seals");
    assert_eq!(open(&two), Some(sample(100)));
    assert_eq!(open(&[&one[..HEADER], &two[HEADER..]].concat()), None);
}

/// Guards against a header that makes the reader allocate without bound.
#[test]
fn a_header_cannot_ask_for_large_segments() {
    for bits in [0, 5, 25, 40, 63, 64, 255] {
        let mut bad = seal(b"x");
        bad[4] = bits;
        assert!(Header::read(&mut &bad[..]).is_err(), "{bits}");
    }
}

/// Guards against an input longer than a buffer of the reader, and against a length
/// that is exactly one segment, being cut or sealed with an empty last segment.
#[test]
fn lengths_around_a_segment_come_back() {
    for (length, segments) in [(0, 1), (1, 1), (63, 1), (64, 1), (65, 2), (128, 2), (20_000, 313)] {
        let sealed = seal(&sample(length));
        assert_eq!(sealed.len(), HEADER + length + segments * TAG);
        assert_eq!(open(&sealed), Some(sample(length)));
    }
}

/// Guards against a partial file under the final name when the work is stopped or the
/// sealed file turns out to be damaged, and against a file that is overwritten unasked.
#[test]
fn the_output_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("out");
    let left = || std::fs::read_dir(dir.path()).expect("readable").count();

    let mut damaged = seal(&sample(300));
    *damaged.last_mut().expect("not empty") ^= 1;
    let mut reader = Cursor::new(damaged);
    let header = Header::read(&mut reader).expect("the header is good");
    let key = header.open(&DATA_KEY).expect("the header is good");
    let out = Output::create(&path, false).expect("free");
    let result = out.write(|file| opening::open(&header, &key, reader, file, |_| Step::Continue));
    assert!(result.is_err());
    assert_eq!(left(), 0, "nothing is left of a damaged file");

    let out = Output::create(&path, false).expect("free");
    let stopped = out.write(|file| {
        sealing::seal(&header, &key, &sample(300)[..], file, |done| {
            if done > 100 { Step::Stop } else { Step::Continue }
        })
    });
    assert!(stopped.is_err());
    assert_eq!(left(), 0, "nothing is left when stopped");

    let write = |replace| {
        Output::create(&path, replace)?
            .write(|file| sealing::seal(&header, &key, &b"x"[..], file, |_| Step::Continue))
    };
    assert_eq!(write(false).expect("free"), 1);
    assert!(write(false).expect_err("taken").message().contains("exists"));
    assert_eq!(write(true).expect("replaced"), 1);
    assert_eq!(left(), 1);
}

proptest! {
    /// Guards against content that does not come back as it went in.
    #[test]
    fn what_is_sealed_opens(plaintext in prop::collection::vec(any::<u8>(), 0..700)) {
        prop_assert_eq!(open(&seal(&plaintext)), Some(plaintext));
    }

    /// Guards against a reader that panics or opens what was never sealed.
    #[test]
    fn arbitrary_bytes_do_not_open(tail: Vec<u8>, bits in 0_u8..32) {
        prop_assert_eq!(open(&tail), None);
        let with_prefix = [b"KRS\x01", &[bits, 0, 1][..], &tail].concat();
        prop_assert_eq!(open(&with_prefix), None);
    }

    /// Guards against any single damage, wherever it is.
    #[test]
    fn any_changed_byte_is_noticed(
        plaintext in prop::collection::vec(any::<u8>(), 0..300),
        at: prop::sample::Index,
        change in 1_u8..,
    ) {
        let mut sealed = seal(&plaintext);
        let at = at.index(sealed.len());
        sealed[at] ^= change;
        prop_assert_eq!(open(&sealed), None);
    }
}
