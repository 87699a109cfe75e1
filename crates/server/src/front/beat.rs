//! Whether the front's threads make progress.
//!
//! Each thread sets its beat a few times a second, as a task among those that serve:
//! a thread that hangs, whatever it hangs in, no longer does. The supervisor asks
//! for the oldest.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How often a thread sets its beat.
const EVERY: Duration = Duration::from_millis(500);

/// The beats of all threads of a process.
#[derive(Debug)]
pub(crate) struct Beats {
    start: Instant,
    /// Milliseconds from `start` to the last beat, one for each thread.
    last: Mutex<Vec<Arc<AtomicU64>>>,
}

impl Default for Beats {
    fn default() -> Self {
        Self { start: Instant::now(), last: Mutex::default() }
    }
}

impl Beats {
    /// Beats for as long as it is polled: to be spawned once on each thread.
    pub(crate) async fn beat(&self) {
        let mine = Arc::new(AtomicU64::new(self.now()));
        self.last().push(Arc::clone(&mine));
        let _gone = Gone { beats: self, mine: &mine };
        loop {
            tokio::time::sleep(EVERY).await;
            mine.store(self.now(), Ordering::Relaxed);
        }
    }

    /// How long ago the thread that is furthest behind set its beat; zero without
    /// threads.
    pub(crate) fn stalest(&self) -> Duration {
        let oldest = self.last().iter().map(|last| last.load(Ordering::Relaxed)).min();
        oldest.map_or(Duration::ZERO, |last| Duration::from_millis(self.now().saturating_sub(last)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn last(&self) -> MutexGuard<'_, Vec<Arc<AtomicU64>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that ends in order is not one that hangs.
struct Gone<'b> {
    beats: &'b Beats,
    mine: &'b Arc<AtomicU64>,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.beats.last().retain(|beat| !Arc::ptr_eq(beat, self.mine));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a thread that hangs beside one that does not, and against one
    /// that has drained being taken for hung.
    #[test]
    fn the_slowest_thread_counts_until_it_ends() {
        let beats = Beats::default();
        assert_eq!(beats.stalest(), Duration::ZERO);
        let runtime = || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
        };
        let hung = runtime();
        hung.block_on(async {
            let mut beat = Box::pin(beats.beat());
            let first = tokio::time::timeout(Duration::from_millis(1), &mut beat).await;
            assert!(first.is_err(), "it never ends");
            // This task is not polled while the thread does something else.
            std::thread::sleep(Duration::from_millis(700));
            assert!(beats.stalest() >= Duration::from_millis(690));
            let again = tokio::time::timeout(Duration::from_millis(20), &mut beat).await;
            assert!(again.is_err());
            assert!(beats.stalest() < Duration::from_millis(400), "{:?}", beats.stalest());
        });
        assert_eq!(beats.stalest(), Duration::ZERO, "it is gone");
    }
}
