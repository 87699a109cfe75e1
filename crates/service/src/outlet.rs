//! How far the audit log has come outside: what a collector has taken of it.
//!
//! Whoever sends the log writes here; metrics and the gate read. If the configuration
//! says that records must be outside within a time, nothing more is done while they are
//! not: as with a full disk, what cannot be kept is not done.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What was sent of the audit log.
#[derive(Default)]
pub struct Outlet {
    sent: AtomicU64,
    dropped: AtomicU64,
    waiting: AtomicU64,
    holds: AtomicBool,
}

impl Outlet {
    /// Counts records that the collector took, and those that it never will.
    pub fn count(&self, sent: u64, dropped: u64) {
        self.sent.fetch_add(sent, Relaxed);
        self.dropped.fetch_add(dropped, Relaxed);
    }

    /// How many records under a checkpoint wait to be sent.
    pub fn set_waiting(&self, waiting: u64) {
        self.waiting.store(waiting, Relaxed);
    }

    /// Whether records have waited for so long that nothing more is to be done. True if
    /// that changed.
    pub fn hold(&self, holds: bool) -> bool {
        self.holds.swap(holds, Relaxed) != holds
    }

    /// Records that were taken, that were dropped, and that wait.
    pub fn counted(&self) -> (u64, u64, u64) {
        (self.sent.load(Relaxed), self.dropped.load(Relaxed), self.waiting.load(Relaxed))
    }

    /// Whether nothing is to be done.
    pub fn holds(&self) -> bool {
        self.holds.load(Relaxed)
    }
}
