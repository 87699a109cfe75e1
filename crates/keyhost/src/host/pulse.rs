//! Whether the threads of a keyhost make progress.
//!
//! PKCS#11 has no time-out and no cancel: a hung call is seen only from outside the
//! thread that hangs. Each thread notes when it began a packet; the process'
//! control thread reports the oldest to the supervisor, which kills.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::deadline::monotonic_us;

/// When each thread began what it is doing; 0 while it waits.
pub struct Pulse {
    /// Workers, then the thread for slow requests, then the one with the canary.
    began: Vec<AtomicU64>,
}

impl Pulse {
    /// For `threads` workers, the thread for slow requests and the one with the canary.
    pub fn new(threads: usize) -> Self {
        Self { began: (0..threads + 2).map(|_| AtomicU64::new(0)).collect() }
    }

    /// How long the thread that is longest at what must be quick has been at it.
    pub fn busiest(&self) -> Duration {
        let slow = self.slow();
        let quick = self.began.iter().enumerate().filter(|(thread, _)| *thread != slow);
        quick.map(|(_, began)| age(began)).max().unwrap_or_default()
    }

    /// How long the thread for slow requests has been at its packet.
    pub fn slow_busy(&self) -> Duration {
        age(&self.began[self.slow()])
    }

    fn slow(&self) -> usize {
        self.began.len() - 2
    }

    pub(super) fn canary(&self) -> usize {
        self.began.len() - 1
    }

    pub(super) fn begin(&self, thread: usize, now_us: u64) {
        self.began[thread].store(now_us, Ordering::Relaxed);
    }

    pub(super) fn end(&self, thread: usize) {
        self.began[thread].store(0, Ordering::Relaxed);
    }
}

/// One thread's pulse, for work in several steps: what must not take long is a step.
#[derive(Clone, Copy)]
pub(super) struct Progress<'a> {
    pulse: &'a Pulse,
    thread: usize,
}

impl<'a> Progress<'a> {
    pub(super) const fn new(pulse: &'a Pulse, thread: usize) -> Self {
        Self { pulse, thread }
    }

    /// A step begins.
    pub(super) fn step(&self) {
        self.pulse.begin(self.thread, monotonic_us());
    }
}

fn age(began: &AtomicU64) -> Duration {
    match began.load(Ordering::Relaxed) {
        0 => Duration::ZERO,
        at => Duration::from_micros(monotonic_us().saturating_sub(at)),
    }
}
