//! How long to wait before a process is started anew.

use std::time::Duration;

/// The first wait that is not zero.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait, before jitter.
const LONGEST: Duration = Duration::from_secs(10);
/// The longest wait for a device. A try costs a login with a PIN that was right before.
const LONGEST_OF_SLOT: Duration = Duration::from_millis(1500);
/// A process that served this long is thought healthy: its end begins a new row.
const HEALTHY: Duration = Duration::from_secs(2);

/// Counts failures in a row: at once, then 100 ms, doubling to 10 s.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { failures: 0, longest: LONGEST }
    }
}

impl Backoff {
    /// Of a slot: a device that is back is served from soon after.
    pub(super) const fn of_slot() -> Self {
        Self { failures: 0, longest: LONGEST_OF_SLOT }
    }

    /// Waits after a process that had served for `served` (zero: never) ended.
    pub(super) async fn wait(&mut self, served: Duration) {
        let wait = jittered(self.next(served));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn next(&mut self, served: Duration) -> Duration {
        if served >= HEALTHY {
            self.failures = 0;
        }
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        match failures {
            0 => Duration::ZERO,
            n => FIRST.saturating_mul(1 << (n - 1).min(10)).min(self.longest),
        }
    }
}

/// From three quarters of `wait` to five quarters, so that what fell together does
/// not rise together.
fn jittered(wait: Duration) -> Duration {
    let mut byte = [0];
    // Without a random byte the wait is three quarters, which is as good.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    wait.mul_f64(0.75 + f64::from(byte[0]) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a tight loop of restarts, and against a long outage after one
    /// crash in a month.
    #[test]
    fn waits_grow_from_nothing_to_ten_seconds_and_start_over_after_health() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.next(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(backoff.next(HEALTHY), Duration::ZERO);
        assert_eq!(backoff.next(Duration::ZERO), FIRST);
    }

    /// Guards against jitter that shortens a wait to nothing or doubles it.
    #[test]
    fn jitter_stays_within_a_quarter() {
        for _ in 0..1000 {
            let wait = jittered(LONGEST);
            assert!((LONGEST.mul_f64(0.75)..=LONGEST.mul_f64(1.25)).contains(&wait), "{wait:?}");
        }
        assert!(jittered(Duration::ZERO).is_zero());
    }
}
