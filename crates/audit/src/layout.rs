//! What is where in a log's directory.
//!
//! ```text
//! checkpoint            the last signed checkpoint
//! tile/…                the tree and its records (C2SP tlog-tiles)
//! minimum-index         how far records were pruned; absent if they never were
//! journal/…             records that are durable and not yet under a checkpoint
//! new/…                 files that are being written
//! lock                  held by the one writer; always empty
//! ```

use std::path::{Path, PathBuf};

/// The checkpoint's file name.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The minimum index's file name.
pub(crate) const MINIMUM_INDEX: &str = "minimum-index";
/// The lock's file name.
pub(crate) const LOCK: &str = "lock";
/// The directory of files that are being written.
pub(crate) const NEW: &str = "new";
/// The directory of the journal.
pub(crate) const JOURNAL: &str = "journal";
/// How names of segments begin that are kept ready and hold nothing.
pub(crate) const SPARE: &str = "next-";

pub(crate) fn journal(directory: &Path) -> PathBuf {
    directory.join(JOURNAL)
}

/// The segment whose first record has the index `start`.
pub(crate) fn segment(directory: &Path, start: u64) -> PathBuf {
    journal(directory).join(format!("{start:020}"))
}

pub(crate) fn spare(directory: &Path, number: u64) -> PathBuf {
    journal(directory).join(format!("{SPARE}{number}"))
}

/// Where a segment of this name starts; `None` if it is no segment's name.
pub(crate) fn segment_start(name: &str) -> Option<u64> {
    let digits = name.len() == 20 && name.bytes().all(|b| b.is_ascii_digit());
    name.parse().ok().filter(|_| digits)
}
