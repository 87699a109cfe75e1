//! Spans: what one operation looked like, for a trace.
//!
//! A span is made when an operation has ended, if it is to be sampled, and put into a
//! queue that whoever exports spans empties. Nobody waits for that: what finds no room
//! is dropped and counted. A span holds names of operations, outcomes and objects, and
//! nothing else of a request.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use tokio::sync::mpsc;

use crate::{Caller, RequestId, Tier};

/// What one operation looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The trace it belongs to: the caller's, or one of its own.
    pub trace: [u8; 16],
    /// Its id in it.
    pub id: [u8; 8],
    /// The caller's span, if the caller named one.
    pub parent: Option<[u8; 8]>,
    /// When it began, and how long it took.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// The operation.
    pub operation: &'static str,
    /// How it ended, as in the metrics.
    pub outcome: &'static str,
    /// The reason of its error.
    pub reason: Option<&'static str>,
    /// Where the vault's keys are, if that was looked up.
    pub tier: Option<Tier>,
    /// The vault that was asked for.
    pub vault: Option<Box<str>>,
    /// The object in it that was asked for.
    pub object: Option<Box<str>>,
    /// Which request it was part of.
    pub request: RequestId,
}

/// Where spans go, once somebody wants them.
#[derive(Default)]
pub struct Spans {
    sink: OnceLock<Sink>,
    exported: AtomicU64,
    dropped: AtomicU64,
}

struct Sink {
    queue: mpsc::Sender<Span>,
    /// Requests without a trace are sampled whose number, spread evenly, is below.
    below: u64,
}

impl Spans {
    /// Puts spans into `queue` from now on; of requests that come without a trace, the
    /// part `sample`, 0 to 1. Once; later calls change nothing.
    pub fn send_to(&self, queue: mpsc::Sender<Span>, sample: f64) {
        // A float that is too large becomes the largest number.
        let below = (sample * u64::MAX as f64) as u64;
        let _ = self.sink.set(Sink { queue, below });
    }

    /// Counts spans that were, or were not, taken by whom they were for.
    pub fn count(&self, exported: u64, dropped: u64) {
        self.exported.fetch_add(exported, Relaxed);
        self.dropped.fetch_add(dropped, Relaxed);
    }

    /// How many were exported, and how many dropped.
    pub fn counted(&self) -> (u64, u64) {
        (self.exported.load(Relaxed), self.dropped.load(Relaxed))
    }

    /// Puts the span of a request into the queue, if it is to be sampled.
    pub(super) fn offer(&self, caller: &Caller, span: impl FnOnce(Identifiers) -> Span) {
        let Some(sink) = self.sink.get() else { return };
        let sampled = match caller.trace() {
            Some(trace) => trace.is_sampled(),
            None => spread(caller.request().number()) < sink.below,
        };
        if !sampled {
            return;
        }
        let fresh = RequestId::fresh();
        let identifiers = Identifiers {
            trace: caller.trace().map_or(caller.request().bytes(), |trace| trace.bytes()),
            id: (fresh.prefix() ^ spread(fresh.number())).max(1).to_be_bytes(),
            parent: caller.trace().map(|trace| trace.parent()),
        };
        if sink.queue.try_send(span(identifiers)).is_err() {
            self.count(0, 1);
        }
    }
}

/// What a span is called.
pub(super) struct Identifiers {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
}

/// Numbers that follow each other, far apart: each has one image of its own.
const fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
