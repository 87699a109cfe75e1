//! The contract between the service and a storage engine.
//!
//! Nothing outlives a call but a watch: no transaction, lock, cursor or iterator.
//! A page token is a key, so that it stays good however the store changes.

use async_trait::async_trait;

use crate::{Batch, Commit, Entry, Error, Key, Page, Revision, Snapshot};

/// The most entries in one page.
pub const MAX_PAGE_ENTRIES: usize = 10_000;
/// The most bytes of keys and values in one page (4 MiB), unless its one entry is
/// larger.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// An ordered key-value store with atomic batches, revisions and a watch.
///
/// The implementer:
/// - MUST make each commit atomic and isolated: no call ever sees part of it, and
///   preconditions are judged on the state to which the changes are applied.
/// - MUST answer a commit only when it is durable, and only then show it to `get`,
///   `scan` and `watch`.
/// - MUST show a commit that was answered to every later call, of every caller
///   (linearizability).
/// - MUST enforce the limits of [`Batch::check`] before touching anything.
/// - MUST NOT answer from a state it is unsure of: after an I/O error other than a
///   lack of room every later call fails with [`Error::Stopped`] until the store is
///   opened again.
/// - MUST mend a lack of room by itself: commits that did not fit fail with
///   [`Error::Full`] (with [`Error::Unknown`] if it cannot tell whether they fitted),
///   commits are taken again once there is room, and reads are answered all the
///   while, but for moments in which they fail with [`Error::Unavailable`].
/// - MUST NOT panic, whatever the keys, values or stored bytes are.
///
/// The caller:
/// - MUST treat an error for which [`Error::may_have_committed`] is true as
///   unknown, and read before it repeats the commit.
/// - MUST treat a commit whose future it dropped as unknown too: it may still happen.
/// - MUST NOT assume anything between two calls but what a precondition checks.
#[async_trait]
pub trait Store: Send + Sync {
    /// The entry of `key`, if it is stored.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` or `Stopped`.
    async fn get(&self, key: &Key) -> Result<Option<Entry>, Error>;

    /// The entries under `prefix` whose keys lie above `after`, ascending, at most
    /// `limit` of them. All are as of one revision, which the page names.
    ///
    /// `limit` is held to 1..=[`MAX_PAGE_ENTRIES`] and a page to
    /// [`MAX_PAGE_BYTES`], so a page may be shorter than asked; `more` alone says
    /// whether it is the last. Over a run of pages, a key that exists throughout
    /// comes exactly once.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` or `Stopped`.
    async fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Page, Error>;

    /// Makes all changes of `batch` if all its preconditions hold, and returns the
    /// revision they were given. If nothing changes (no changes, or deletions of
    /// absent keys only) the store's revision stays as it is and is returned.
    ///
    /// # Errors
    /// `Conflict`, `TooLarge`, `EmptyKey`, `DuplicateKey`, `Unavailable`, `Full`:
    /// nothing was changed. `Unknown`, `Corrupt`, `Stopped`: it may have been.
    async fn commit(&self, batch: Batch) -> Result<Revision, Error>;

    /// Every commit after the revision `after` that changes a key under `prefix`, in
    /// order and without gaps, those of the past first.
    ///
    /// # Errors
    /// `Compacted` if some of them are no longer kept, or `after` lies beyond the
    /// store's revision; `Unavailable`, `Stopped`.
    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Box<dyn Watch>, Error>;

    /// Whether the store would serve, as far as it knows without I/O.
    ///
    /// # Errors
    /// `Full` while commits are refused for want of room; `Unavailable` or `Stopped`.
    fn health(&self) -> Result<(), Error>;
}

/// A stream of commits.
#[async_trait]
pub trait Watch: Send {
    /// Waits for the next commit, which has only the changes under the watched
    /// prefix, and at least one. Cancelling the future MUST lose nothing.
    ///
    /// # Errors
    /// `Compacted` if the caller fell too far behind; `Unavailable` or `Stopped` if
    /// the store ended. The watch is over after each: scan, and watch anew.
    async fn next(&mut self) -> Result<Commit, Error>;
}

/// Reads everything under `prefix`, page by page.
///
/// To hold the store's state in memory: apply the entries, watch after the
/// snapshot's revision, and apply what the watch delivers. Changes that a later
/// page already had come once more; they are the same.
///
/// # Errors
/// As [`Store::scan`].
pub async fn read_all(store: &dyn Store, prefix: &Key) -> Result<Snapshot, Error> {
    let first = store.scan(prefix, None, MAX_PAGE_ENTRIES).await?;
    let revision = first.revision;
    let mut entries = first.entries;
    let mut more = first.more;
    while more {
        let after = entries.last().map(|entry| entry.key.clone());
        let page = store.scan(prefix, after.as_ref(), MAX_PAGE_ENTRIES).await?;
        entries.extend(page.entries);
        more = page.more;
    }
    Ok(Snapshot { entries, revision })
}
