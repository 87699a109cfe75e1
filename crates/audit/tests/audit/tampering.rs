//! Whatever is changed in a log's directory is found.

use std::fs;

use keyreeve_audit::{Problem, verify};

use crate::support::{append, block_on, closed, copy, files, key, on_request, open};

/// A small generator, so that a failure names its seed and comes back.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// Guards against any file, or any bit of one, that vouches for nothing: 200 random
/// bits flipped, one at a time, in a log with partial tiles of earlier checkpoints.
#[test]
fn two_hundred_bit_flips_are_found() {
    let log = closed(1100, &[3, 200, 300, 512, 1030]);
    assert!(verify(log.path(), &key(), None).is_clean());
    let files: Vec<_> = files(log.path())
        .into_iter()
        .filter(|file| fs::metadata(log.path().join(file)).unwrap().len() > 0)
        .collect();
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for _ in 0..200 {
        let path = log.path().join(&files[draw.below(files.len())]);
        let good = fs::read(&path).unwrap();
        let (at, bit) = (draw.below(good.len()), draw.below(8));
        let mut bad = good.clone();
        bad[at] ^= 1 << bit;
        fs::write(&path, bad).unwrap();
        let report = verify(log.path(), &key(), None);
        assert!(!report.is_sound(), "bit {bit} of byte {at} of {}", path.display());
        fs::write(&path, good).unwrap();
    }
    assert!(verify(log.path(), &key(), None).is_clean());
}

/// Guards against records cut off the end of a file: 50 truncations, to nothing too.
#[test]
fn fifty_truncations_are_found() {
    let log = closed(700, &[100, 300]);
    let files: Vec<_> = files(log.path())
        .into_iter()
        .filter(|file| fs::metadata(log.path().join(file)).unwrap().len() > 0)
        .collect();
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    for round in 0..50 {
        let path = log.path().join(&files[draw.below(files.len())]);
        let good = fs::read(&path).unwrap();
        let keep = if round % 10 == 0 { 0 } else { draw.below(good.len()) };
        fs::write(&path, &good[..keep]).unwrap();
        let report = verify(log.path(), &key(), None);
        assert!(!report.is_sound(), "{} cut to {keep}", path.display());
        fs::write(&path, good).unwrap();
    }
}

/// Guards against a file that can be taken away, or put there, unnoticed.
#[test]
fn missing_and_strange_files_are_found() {
    let log = closed(700, &[]);
    for file in files(log.path()) {
        // The lock means nothing, and is made again.
        if file.to_str() == Some("lock") {
            continue;
        }
        let path = log.path().join(&file);
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!verify(log.path(), &key(), None).is_sound(), "{}", path.display());
        fs::write(&path, good).unwrap();
    }
    for strange in ["tile/0/009", "tile/entries/002.p/9", "tile/9/000.p/1", "note", "journal/x"] {
        let path = log.path().join(strange);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"x").unwrap();
        assert!(!verify(log.path(), &key(), None).is_sound(), "{strange}");
        fs::remove_file(&path).unwrap();
    }
    assert!(verify(log.path(), &key(), None).is_clean());
}

/// Guards against a log that was cut, or written anew with its own key, and passes as
/// the one that an auditor saw.
#[test]
fn a_kept_checkpoint_shows_a_rewritten_log() {
    let log = closed(300, &[]);
    let kept = fs::read(log.path().join("checkpoint")).unwrap();
    let longer = open(log.path());
    append(&longer, 300..800);
    drop(longer);
    assert!(verify(log.path(), &key(), Some(&kept)).is_clean());

    let shorter = closed(200, &[]);
    let report = verify(shorter.path(), &key(), Some(&kept));
    assert_eq!(report.faults[0].problem, Problem::Shorter);

    let other = tempfile::tempdir().unwrap();
    let rewritten = open(other.path());
    block_on(async {
        for number in 0..400 {
            rewritten.append(&crate::support::record(number + 1)).await.unwrap();
        }
    });
    drop(rewritten);
    assert!(verify(other.path(), &key(), None).is_clean());
    let report = verify(other.path(), &key(), Some(&kept));
    assert_eq!(report.faults[0].problem, Problem::Rewritten);
}

/// Guards against a journal that can be changed before its records are signed: each
/// flip is damage, or shows that the log was not closed, and never loses silently what
/// is followed by more.
#[test]
fn flips_in_the_journal_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let log = keyreeve_audit::Log::open(directory.path(), crate::support::signer(), on_request())
        .unwrap();
    append(&log, 0..40);
    let image = copy(directory.path());
    let sound = verify(image.path(), &key(), None);
    assert!(sound.is_sound() && !sound.unfinished && sound.unsigned == 40, "{sound:?}");
    let path = image.path().join("journal/00000000000000000000");
    let good = fs::read(&path).unwrap();
    let end = good.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut draw = Draw(77);
    for _ in 0..100 {
        let (at, bit) = (draw.below(end), draw.below(8));
        let mut bad = good.clone();
        bad[at] ^= 1 << bit;
        fs::write(&path, &bad).unwrap();
        let report = verify(image.path(), &key(), None);
        assert!(!report.is_sound() || report.unfinished, "bit {bit} of byte {at}");
        if at < end - 600 {
            assert!(!report.is_sound(), "bit {bit} of byte {at}");
            assert!(
                crate::support::open_on(
                    std::sync::Arc::new(keyreeve_audit::DiskFiles),
                    image.path()
                )
                .is_err()
            );
        }
    }
}
