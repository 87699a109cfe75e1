//! A batch: what must be true, and what shall change if it is.
//!
//! The limits are those of etcd's defaults (128 operations and 1.5 MiB in a
//! transaction, with room for framing), so that a batch which one engine takes is
//! taken by all. Every engine calls [`Batch::check`] before anything else.

use std::collections::BTreeSet;

use crate::{Error, Key, Limit, Revision, Value};

/// The longest key, in bytes. The shortest has one.
pub const MAX_KEY_BYTES: usize = 512;
/// The longest value: 1 MiB.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024;
/// The most preconditions, and the most changes, in one batch.
pub const MAX_BATCH_OPS: usize = 128;
/// The most bytes of keys and values, preconditions included, in one batch: 1.25 MiB.
pub const MAX_BATCH_BYTES: usize = 1280 * 1024;

/// What must hold when the batch is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// The key is not stored.
    Absent,
    /// The key is stored and was last put by this commit.
    Revision(Revision),
}

/// One key and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// The value that was put, or `None` if the key was deleted.
    pub value: Option<Value>,
}

/// Changes that are made together or not at all.
///
/// A key may be required more than once but changed only once. Deleting a key
/// that is absent is no error and no change; require its revision if it matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    requirements: Vec<(Key, Precondition)>,
    changes: Vec<Change>,
    bytes: usize,
}

impl Batch {
    /// A batch that requires and changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires that `key` is not stored.
    #[must_use]
    pub fn require_absent(self, key: Key) -> Self {
        self.require(key, Precondition::Absent)
    }

    /// Requires that `key` was last put by the commit `revision`.
    #[must_use]
    pub fn require_revision(self, key: Key, revision: Revision) -> Self {
        self.require(key, Precondition::Revision(revision))
    }

    /// Adds a precondition.
    #[must_use]
    pub fn require(mut self, key: Key, precondition: Precondition) -> Self {
        self.bytes += key.as_bytes().len();
        self.requirements.push((key, precondition));
        self
    }

    /// Puts a value, whether or not the key exists.
    #[must_use]
    pub fn put(self, key: Key, value: impl Into<Value>) -> Self {
        self.change(Change { key, value: Some(value.into()) })
    }

    /// Deletes a key, whether or not it exists.
    #[must_use]
    pub fn delete(self, key: Key) -> Self {
        self.change(Change { key, value: None })
    }

    /// Adds a change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.bytes += change.key.as_bytes().len() + change.value.as_ref().map_or(0, Value::len);
        self.changes.push(change);
        self
    }

    /// The preconditions.
    pub fn requirements(&self) -> &[(Key, Precondition)] {
        &self.requirements
    }

    /// The changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes, taken out.
    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// The bytes of all keys and values, for [`MAX_BATCH_BYTES`].
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Checks every limit, and that no key is changed twice.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::EmptyKey`] or [`Error::DuplicateKey`]: the
    /// caller's fault, each.
    pub fn check(&self) -> Result<(), Error> {
        if self.requirements.len().max(self.changes.len()) > MAX_BATCH_OPS {
            return Err(Error::TooLarge(Limit::BatchOps));
        }
        let required = self.requirements.iter().map(|(key, _)| key);
        for key in required.chain(self.changes.iter().map(|change| &change.key)) {
            match key.as_bytes().len() {
                0 => return Err(Error::EmptyKey),
                1..=MAX_KEY_BYTES => {}
                _ => return Err(Error::TooLarge(Limit::Key)),
            }
        }
        let mut values = self.changes.iter().filter_map(|change| change.value.as_ref());
        if values.any(|value| value.len() > MAX_VALUE_BYTES) {
            return Err(Error::TooLarge(Limit::Value));
        }
        if self.bytes > MAX_BATCH_BYTES {
            return Err(Error::TooLarge(Limit::BatchBytes));
        }
        let mut seen = BTreeSet::new();
        match self.changes.iter().find(|change| !seen.insert(&change.key)) {
            Some(twice) => Err(Error::DuplicateKey { key: twice.key.clone() }),
            None => Ok(()),
        }
    }
}
