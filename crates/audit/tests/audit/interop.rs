//! The log as read by somebody else's code: `tlog_tiles` and `signed_note`, which
//! were written for Certificate Transparency logs and share nothing with ours.

use std::fs;
use std::path::Path;

use keyreeve_audit::{InclusionProof, Reader, prove};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Tile, TileHashReader, TileReader};

use crate::support::{append, block_on, closed, key, open, record};

/// Serves tiles from a log's directory, where that crate's own paths say they are.
struct Directory<'a>(&'a Path);

impl TileReader for Directory<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &Tile| {
            // Its paths begin with `tile/<height>/`; C2SP fixes the height and has
            // `tile/` alone.
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(path)).unwrap()
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// The checkpoint, opened by `signed_note` with the key in its text form.
fn checkpoint(directory: &Path) -> Checkpoint {
    let verifier = StandardVerifier::new(&key().to_string()).unwrap();
    let note = Note::from_bytes(&fs::read(directory.join("checkpoint")).unwrap()).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let (verified, _) = note.verify(&known).unwrap();
    assert_eq!(verified.len(), 1);
    Checkpoint::from_bytes(note.text()).unwrap()
}

/// The entries of all bundles, split by nothing but the specification.
fn entries(directory: &Path, size: u64) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    for n in 0..size.div_ceil(256) {
        let width = (size - n * 256).min(256);
        let suffix = if width < 256 { format!(".p/{width}") } else { String::new() };
        let bytes = fs::read(directory.join(format!("tile/entries/{n:03}{suffix}"))).unwrap();
        let mut rest = &bytes[..];
        for _ in 0..width {
            let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
            entries.push(rest[2..2 + length].to_vec());
            rest = &rest[2 + length..];
        }
        assert!(rest.is_empty());
    }
    entries
}

/// Guards against a log that only we can verify: signature, every entry, every tile,
/// root, and that each checkpoint goes on from the one before.
#[test]
fn another_implementation_verifies_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let mut heads = Vec::new();
    let mut from = 0;
    for size in [1, 100, 256, 300, 1024, 1500] {
        append(&log, from..size);
        from = size;
        block_on(log.checkpoint()).unwrap();
        heads.push(checkpoint(directory.path()));
    }
    drop(log);
    let last = checkpoint(directory.path());
    assert_eq!(last.size(), 1500);
    let tiles = Directory(directory.path());
    let reader = TileHashReader::new(last.size(), *last.hash(), &tiles);
    assert_eq!(tlog_tiles::tree_hash(last.size(), &reader).unwrap(), *last.hash());
    for (index, entry) in (0..).zip(entries(directory.path(), last.size())) {
        assert_eq!(entry, record(index).encode());
        let proof = tlog_tiles::prove_record(last.size(), index, &reader).unwrap();
        let leaf = tlog_tiles::record_hash(&entry);
        tlog_tiles::check_record(&proof, last.size(), *last.hash(), index, leaf).unwrap();
    }
    for head in &heads {
        let proof = tlog_tiles::prove_tree(last.size(), head.size(), &reader).unwrap();
        tlog_tiles::check_tree(&proof, last.size(), *last.hash(), head.size(), *head.hash())
            .unwrap();
    }
}

/// Guards against that crate accepting anything we hand it: with one bit changed in a
/// tile it must refuse.
///
/// Where it refuses depends on the size of the tree, and that is a fault of the crate
/// (0.2.0), not of the adapter above. `TileHashReader::read_hashes` checks tiles against
/// their parents from the `stx.len()`-th on, `stx` being the subtrees that make up the
/// tree; but several of these share a tile, which is in the list once. A tree of 1024 is
/// one subtree in one tile, and every other tile is checked. A tree of 1500 is seven
/// subtrees in two tiles, and the next five tiles are not: `prove_record` gives a proof
/// made of the changed hash, which leads nowhere, and `check_record` refuses it.
#[test]
fn another_implementation_refuses_a_changed_log() {
    for (size, proves) in [(1024, false), (1500, true)] {
        let log = closed(size, &[]);
        let last = checkpoint(log.path());
        let path = log.path().join("tile/0/003");
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(&path, bytes).unwrap();
        let tiles = Directory(log.path());
        let reader = TileHashReader::new(last.size(), *last.hash(), &tiles);
        // The changed hash is that of record 771, the sibling of 770.
        let leaf = tlog_tiles::record_hash(&record(770).encode());
        let proof = tlog_tiles::prove_record(last.size(), 770, &reader);
        assert_eq!(proof.is_ok(), proves, "of {size}: the crate changed; read the comment");
        if let Ok(proof) = proof {
            let checked = tlog_tiles::check_record(&proof, last.size(), *last.hash(), 770, leaf);
            assert!(checked.is_err(), "of {size}");
        }
    }
}

/// Guards against inclusion proofs that only we can check.
#[test]
fn another_implementation_checks_our_proofs() {
    let log = closed(777, &[]);
    let last = checkpoint(log.path());
    let reader = Reader::open(log.path(), &key()).unwrap();
    for index in [0, 255, 256, 511, 768, 776] {
        let text = prove(log.path(), &key(), index).unwrap().to_string();
        let path = InclusionProof::parse(&text).unwrap().path;
        let path = path.into_iter().map(|hash| tlog_tiles::Hash(hash.0)).collect();
        let leaf = tlog_tiles::record_hash(&reader.record(index).unwrap().bytes);
        tlog_tiles::check_record(&path, last.size(), *last.hash(), index, leaf).unwrap();
    }
}
