//! Pruning: contents go, the tree stays.

use std::fs;

use keyreeve_audit::{Problem, Query, ReadError, Reader, prove, verify};

use crate::support::{append, block_on, closed, copy, key, open, record};

/// Guards against a prune that breaks the tree, takes more than it was asked to, or
/// leaves what it was to take.
#[test]
fn what_is_left_after_a_prune_verifies() {
    let log = closed(1000, &[]);
    let kept = fs::read(log.path().join("checkpoint")).unwrap();
    let writer = open(log.path());
    assert_eq!(block_on(writer.prune(700, record(1000))).unwrap(), 512);
    append(&writer, 1001..1100);
    assert_eq!(block_on(writer.prune(300, record(0))).unwrap(), 256);
    drop(writer);
    let report = verify(log.path(), &key(), Some(&kept));
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.minimum_index, report.records), (512, 1101 - 512));
    assert!(!log.path().join("tile/entries/001").exists());
    assert!(log.path().join("tile/entries/002").exists());

    let reader = Reader::open(log.path(), &key()).unwrap();
    assert_eq!(reader.start().unwrap(), 512);
    assert!(matches!(reader.record(511), Err(ReadError::NotThere(511))));
    let query = Query::default();
    assert_eq!(reader.records(512, &query).filter(Result::is_ok).count(), 1101 - 512);
    // Whoever has the record of a pruned entry can still prove it.
    let proof = prove(log.path(), &key(), 5).unwrap();
    assert!(proof.check(&record(5).encode(), &key()).is_ok());
}

/// Guards against records removed by hand and passed off as pruned.
#[test]
fn a_prune_that_no_record_announces_is_found() {
    let log = closed(600, &[]);
    fs::remove_file(log.path().join("tile/entries/000")).unwrap();
    fs::write(log.path().join("minimum-index"), "256\n").unwrap();
    let report = verify(log.path(), &key(), None);
    assert_eq!(report.faults[0].problem, Problem::Unannounced);

    // More than was announced is as bad as unannounced.
    let log = closed(1000, &[]);
    let writer = open(log.path());
    block_on(writer.prune(256, record(1000))).unwrap();
    drop(writer);
    let image = copy(log.path());
    fs::remove_file(image.path().join("tile/entries/001")).unwrap();
    assert!(!verify(image.path(), &key(), None).is_sound());
    fs::write(image.path().join("minimum-index"), "512\n").unwrap();
    assert!(!verify(image.path(), &key(), None).is_sound());
}
