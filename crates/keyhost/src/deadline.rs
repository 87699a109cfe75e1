//! Deadlines, on the clock that every process of a machine shares.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A point in time after which nobody waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at: Instant,
    monotonic_us: u64,
}

impl Deadline {
    /// The deadline `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        let us = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX / 2);
        let monotonic_us = monotonic_us().saturating_add(us);
        let now = Instant::now();
        let at = now.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400 * 365));
        Self { at, monotonic_us }
    }

    /// The same for beginning the work, while whoever waits for its end waits
    /// `longer`: for work whose outcome must not get lost once it has begun.
    pub fn waiting(self, longer: Duration) -> Self {
        Self { at: self.at.checked_add(longer).unwrap_or(self.at), ..self }
    }

    /// The earlier of two.
    pub fn min(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }

    /// The same point as an [`Instant`].
    pub const fn instant(self) -> Instant {
        self.at
    }

    /// Whether it has passed, by a clock that is a few milliseconds late and costs
    /// next to nothing: for a look before the work. Whoever waits, waits exactly.
    pub fn has_passed(self) -> bool {
        coarse_us() > self.monotonic_us
    }

    /// How long until then; zero if it has passed.
    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The same point as it travels in a frame.
    pub(crate) const fn as_monotonic_us(self) -> u64 {
        self.monotonic_us
    }
}

/// Microseconds of `CLOCK_MONOTONIC`, which is the same in every process.
pub(crate) fn monotonic_us() -> u64 {
    micros(clock_gettime(ClockId::Monotonic))
}

/// The same, a few milliseconds late, for next to nothing.
pub(crate) fn coarse_us() -> u64 {
    micros(clock_gettime(ClockId::MonotonicCoarse))
}

const fn micros(time: Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}
