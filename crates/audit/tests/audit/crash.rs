//! What is left when a process or a machine stops at the worst moment.

use std::fs;
use std::sync::Arc;

use keyreeve_audit::{Contradiction, DiskFiles, OpenError, Query, Reader, verify};

use crate::support::{append, block_on, closed, copy, files, key, open, open_on, record};

/// Guards against losing an acknowledged record, or keeping half of one: the journal
/// is cut at every byte of its last frame, and once more with garbage behind the cut.
#[test]
fn a_torn_frame_takes_no_acknowledged_record_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    append(&log, 0..300);
    block_on(log.checkpoint()).unwrap();
    append(&log, 300..320);
    let journal = directory.path().join("journal/00000000000000000000");
    let before = fs::read(&journal).unwrap();
    append(&log, 320..321);
    let image = copy(directory.path());
    drop(log);

    let journal = image.path().join("journal/00000000000000000000");
    let after = fs::read(&journal).unwrap();
    let end = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let (from, to) = (end(&before), end(&after));
    assert!(to - from > 300);
    for cut in from..=to {
        // Opening three hundred logs takes its time; every offset is judged by the
        // verifier, every eleventh is opened.
        let mut torn = after.clone();
        torn[cut..].fill(0);
        for (garbage, length) in [(0, after.len()), (0xa5, after.len()), (0, cut)] {
            torn[cut..to].fill(garbage);
            fs::write(&journal, &torn[..length]).unwrap();
            let report = verify(image.path(), &key(), None);
            let whole = u64::from(cut == to);
            assert!(report.is_sound(), "cut at {cut}: {report:?}");
            assert_eq!(report.unsigned, 20 + whole, "cut at {cut}");
            if (cut - from) % 11 == 0 || cut == to {
                let opened = copy(image.path());
                assert_eq!(open(opened.path()).close().signed, 320 + whole, "cut at {cut}");
                assert!(verify(opened.path(), &key(), None).is_clean());
            }
        }
    }
}

/// Guards against a crash between any two files of a checkpoint: a directory in which
/// the journal is ahead of the tiles, and tiles are ahead of the checkpoint.
#[test]
fn an_old_checkpoint_is_caught_up_with() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    append(&log, 0..100);
    block_on(log.checkpoint()).unwrap();
    let old = fs::read(directory.path().join("checkpoint")).unwrap();
    append(&log, 100..600);
    let journal = copy(directory.path());
    block_on(log.checkpoint()).unwrap();
    let image = copy(directory.path());
    drop(log);
    for file in files(journal.path()).iter().filter(|file| file.starts_with("journal")) {
        fs::copy(journal.path().join(file), image.path().join(file)).unwrap();
    }
    for file in files(journal.path()).iter().filter(|file| file.starts_with("tile")) {
        fs::create_dir_all(image.path().join(file).parent().unwrap()).unwrap();
        fs::copy(journal.path().join(file), image.path().join(file)).unwrap();
    }
    fs::write(image.path().join("checkpoint"), old).unwrap();
    let report = verify(image.path(), &key(), None);
    assert!(report.is_sound() && report.unsigned == 500, "{report:?}");
    assert_eq!(open(image.path()).close().signed, 600);
    assert!(verify(image.path(), &key(), None).is_clean());
}

/// Guards against a log that goes on over what was tampered with.
#[test]
fn what_contradicts_the_checkpoint_is_refused() {
    let refuse = |image: &tempfile::TempDir, expected: &str| match open_on(
        Arc::new(DiskFiles),
        image.path(),
    ) {
        Err(OpenError::Contradiction(what)) => assert_eq!(format!("{what:?}"), expected),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("opened over: {expected}"),
    };
    let log = closed(700, &[]);
    for (file, expected) in [
        ("checkpoint", "NoCheckpoint"),
        ("tile/0/002.p/188", "MissingTiles"),
        ("tile/entries/002.p/188", "MissingTiles"),
        ("tile/1/000.p/2", "MissingTiles"),
    ] {
        let image = copy(log.path());
        fs::remove_file(image.path().join(file)).unwrap();
        refuse(&image, expected);
    }
    for (file, expected) in [
        ("checkpoint", "Checkpoint"),
        ("tile/0/002.p/188", "Tree"),
        ("tile/entries/002.p/188", "Tree"),
        ("tile/1/000.p/2", "Tree"),
    ] {
        let image = copy(log.path());
        let mut bytes = fs::read(image.path().join(file)).unwrap();
        bytes[40] ^= 1;
        fs::write(image.path().join(file), bytes).unwrap();
        refuse(&image, expected);
    }
    let gap = copy(log.path());
    let later = tempfile::tempdir().unwrap();
    let other = open(later.path());
    append(&other, 0..900);
    block_on(other.checkpoint()).unwrap();
    drop(other);
    let other = open(later.path());
    append(&other, 900..901);
    let name = "journal/00000000000000000900";
    fs::create_dir_all(gap.path().join("journal")).unwrap();
    fs::copy(later.path().join(name), gap.path().join(name)).unwrap();
    refuse(&gap, &format!("{:?}", Contradiction::Journal(700)));
}

/// Guards against two writers, who would each believe to have the last word.
#[test]
fn a_second_writer_is_turned_away() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    assert!(matches!(open_on(Arc::new(DiskFiles), directory.path()), Err(OpenError::InUse)));
    drop(log);
    open(directory.path());
}

/// Guards against a log that comes back with other records than it was left with,
/// over many openings and more records than one journal segment has room for.
#[test]
fn a_log_goes_on_where_it_was_left() {
    let directory = tempfile::tempdir().unwrap();
    let mut from = 0;
    for more in [1, 255, 1, 0, 300, 2000] {
        let log = open(directory.path());
        append(&log, from..from + more);
        from += more;
    }
    let reader = Reader::open(directory.path(), &key()).unwrap();
    let query = Query::default();
    let read: Vec<_> = reader.records(0, &query).map(|entry| entry.unwrap().record).collect();
    assert_eq!(read, (0..from).map(record).collect::<Vec<_>>());
    assert!(verify(directory.path(), &key(), None).is_clean());
}
