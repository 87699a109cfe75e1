//! What a store gives back: entries, pages and commits, each with its revision.

use std::fmt;

use bytes::Bytes;

use crate::{Change, Key};

/// An opaque value of at most [`crate::MAX_VALUE_BYTES`] bytes; cheap to clone.
pub type Value = Bytes;

/// The number of a commit, for the whole store.
///
/// Every commit that changes something gets a revision greater than all before
/// it, also across restarts. Gaps are allowed; callers MUST NOT compute with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One stored key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Value,
    /// The commit that last put this key. Give it to
    /// [`crate::Precondition::Revision`] to change the entry only if nobody else has.
    pub revision: Revision,
}

/// Part of a scan, all of it as of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Entries in ascending order of key.
    pub entries: Vec<Entry>,
    /// Whether more keys follow the last of these. The key of the last entry is
    /// the token for the next page.
    pub more: bool,
    /// The store's revision when this page was read.
    pub revision: Revision,
}

/// All entries under a prefix, read page by page, and where to watch from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Entries in ascending order of key. Those of later pages may be newer than
    /// `revision`.
    pub entries: Vec<Entry>,
    /// The revision of the first page. A watch that starts after it delivers every
    /// change that a later page did or did not see.
    pub revision: Revision,
}

/// What one commit changed under a watched prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The revision that the commit was given, and that its entries carry.
    pub revision: Revision,
    /// The changes, at least one; each key once, in no particular order.
    pub changes: Vec<Change>,
}
