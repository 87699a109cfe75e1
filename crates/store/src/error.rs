//! What can go wrong in a store, by who can mend it.

use std::fmt;

use crate::{Key, MAX_BATCH_BYTES, MAX_BATCH_OPS, MAX_KEY_BYTES, MAX_VALUE_BYTES};

/// An error of a store. The texts are for the log and name no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A precondition on this key did not hold. Nothing was changed. Read again and
    /// decide anew.
    Conflict {
        /// The first key of the batch whose precondition failed.
        key: Key,
    },
    /// The batch breaks a limit. Nothing was changed. Never retried.
    TooLarge(Limit),
    /// The batch names the empty key. Nothing was changed. Never retried.
    EmptyKey,
    /// The batch changes a key twice. Nothing was changed. Never retried.
    DuplicateKey {
        /// The key.
        key: Key,
    },
    /// The changes after the revision asked for are no longer kept, or the store
    /// never reached it (it was restored from an older copy). Scan, and watch from
    /// the scan's revision.
    Compacted,
    /// The store cannot be reached or is busy. Nothing was changed. May be retried.
    Unavailable(String),
    /// The answer to a commit was lost: it happened entirely or not at all. Read
    /// before trying again.
    Unknown(String),
    /// There is no room left. Nothing was changed. An operator must make room; the
    /// engine then takes commits again by itself.
    Full(String),
    /// Stored data is damaged. An operator must restore it.
    Corrupt(String),
    /// The engine met an I/O error other than a lack of room and refuses all later
    /// work, since it can no longer tell what is on disk. A commit that was under way
    /// counts as unknown. Restart, and look at the disk.
    Stopped(String),
}

/// Which limit a batch breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`MAX_KEY_BYTES`].
    Key,
    /// [`MAX_VALUE_BYTES`].
    Value,
    /// [`MAX_BATCH_OPS`].
    BatchOps,
    /// [`MAX_BATCH_BYTES`].
    BatchBytes,
}

impl Error {
    /// Whether a commit that failed so may have happened all the same, so that it
    /// must be read back before it is repeated or reported as not done.
    pub fn may_have_committed(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Corrupt(_) | Self::Stopped(_) => true,
            Self::Conflict { .. }
            | Self::TooLarge(_)
            | Self::EmptyKey
            | Self::DuplicateKey { .. }
            | Self::Compacted
            | Self::Full(_)
            | Self::Unavailable(_) => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { key } => write!(f, "{key} has changed meanwhile"),
            Self::TooLarge(limit) => limit.fmt(f),
            Self::EmptyKey => f.write_str("the empty key cannot be stored or required"),
            Self::DuplicateKey { key } => write!(f, "{key} is changed twice in one batch"),
            Self::Compacted => f.write_str("the changes asked for are not kept: scan anew"),
            Self::Unavailable(what) => write!(f, "the store is unavailable: {what}"),
            Self::Unknown(what) => write!(f, "the commit's outcome is unknown: {what}"),
            Self::Full(what) => write!(f, "the store has no room left: {what}"),
            Self::Corrupt(what) => write!(f, "the store is damaged: {what}"),
            Self::Stopped(what) => write!(f, "the store has stopped: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => write!(f, "a key has more than {MAX_KEY_BYTES} bytes"),
            Self::Value => write!(f, "a value has more than {MAX_VALUE_BYTES} bytes"),
            Self::BatchOps => {
                write!(f, "a batch has more than {MAX_BATCH_OPS} preconditions or changes")
            }
            Self::BatchBytes => {
                write!(f, "a batch has more than {MAX_BATCH_BYTES} bytes of keys and values")
            }
        }
    }
}
