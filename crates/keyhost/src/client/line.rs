//! Whether one more call may join a line.
//!
//! A line that is long for a moment is a burst, and is worked off. One that stays long
//! is overload: whoever joins it waits, and what it delays no longer is of use to
//! anybody. So a line that has not been short for a while takes no more calls than are
//! answered soon, by how fast answers have come lately; and whatever its length, it
//! takes no call whose answer would come after its deadline. Who is refused is told
//! when there will be room, and has cost next to nothing.
//!
//! The idea is that of CoDel (RFC 8289): go by how long a line stands and not by how
//! many stand in it, since what one call takes differs a thousandfold.

use std::time::Duration;

use super::MAX_PENDING;

/// A line that was not short for as long is no burst.
const STANDING_US: u64 = 100_000;

/// When to come back, at least and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(10));

/// How long a line may be: so many calls, or as many as are answered in so many
/// microseconds, whichever is more.
#[derive(Debug, Clone, Copy)]
struct Length {
    calls: usize,
    us: u64,
}

/// What makes a line long.
#[derive(Debug)]
struct Bounds {
    /// With no more calls than these, it is short.
    short: usize,
    /// Only with as many does the time between answers say how fast they can come.
    busy: usize,
    /// In a burst.
    burst: Length,
    /// While it stands.
    standing: Length,
}

/// Calls to the workers. A batch of the largest size finds room in a burst.
const WORK: Bounds = Bounds {
    short: 4,
    busy: 4,
    burst: Length { calls: 1024, us: 100_000 },
    standing: Length { calls: 64, us: 25_000 },
};

/// Calls to the one thread that makes, takes and destroys keys, each of which may take
/// seconds.
const SLOW: Bounds = Bounds {
    short: 0,
    busy: 1,
    burst: Length { calls: 64, us: 10_000_000 },
    standing: Length { calls: 16, us: 10_000_000 },
};

/// The calls of one kind that have no answer yet.
pub(super) struct Line {
    bounds: &'static Bounds,
    waiting: usize,
    /// From one answer to the next, in nanoseconds, lately; 0 until it is known.
    spacing_ns: u64,
    /// Answers since `since_us`, on the machine's monotonic clock.
    answered: u64,
    since_us: u64,
    /// When it was last seen short.
    short_us: u64,
    refused: u64,
}

/// How a line is at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineState {
    /// Calls that have no answer yet.
    pub waiting: usize,
    /// How long one more would wait, as far as is known.
    pub expected_wait: Duration,
    /// Calls that were refused, since the client was made.
    pub refused: u64,
}

impl Line {
    /// To the workers.
    pub(super) const fn work() -> Self {
        Self::new(&WORK)
    }

    /// To the thread for what takes long.
    pub(super) const fn slow() -> Self {
        Self::new(&SLOW)
    }

    const fn new(bounds: &'static Bounds) -> Self {
        Self {
            bounds,
            waiting: 0,
            spacing_ns: 0,
            answered: 0,
            since_us: 0,
            short_us: 0,
            refused: 0,
        }
    }

    #[cfg(test)]
    const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Lets a call join, or says when to try again. `now_us` may be some milliseconds
    /// late.
    pub(super) fn join(&mut self, now_us: u64, deadline_us: u64) -> Result<(), Duration> {
        if self.waiting <= self.bounds.short {
            self.short_us = now_us;
            if self.waiting == 0 {
                self.since_us = now_us;
                self.answered = 0;
            }
        } else {
            let wait_us = self.wait_us();
            let late = now_us.saturating_add(wait_us) > deadline_us;
            if late || self.waiting >= self.most(now_us) {
                self.refused += 1;
                let (soonest, latest) = RETRY;
                return Err(Duration::from_micros(wait_us).clamp(soonest, latest));
            }
        }
        self.waiting += 1;
        Ok(())
    }

    /// A call left, with or without an answer.
    pub(super) fn leave(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// A call left with its answer.
    pub(super) fn answer(&mut self) {
        self.leave();
        self.answered += 1;
    }

    /// Learns from the answers that have come since the last time.
    pub(super) fn learn(&mut self, now_us: u64) {
        if self.waiting <= self.bounds.short {
            self.short_us = now_us;
        }
        if self.answered == 0 {
            return;
        }
        let count = std::mem::take(&mut self.answered);
        let took_us = now_us.saturating_sub(std::mem::replace(&mut self.since_us, now_us));
        if self.waiting as u64 + count < self.bounds.busy as u64 {
            return;
        }
        let seen = took_us.saturating_mul(1_000) / count;
        // The more answers, the more they say.
        let weight = count.min(MOST_WEIGHT);
        self.spacing_ns = match self.spacing_ns {
            0 => seen,
            known => (known * (WHOLE - weight) + seen.saturating_mul(weight)) / WHOLE,
        };
    }

    /// Whether it was not short for a while: more is asked than can be done.
    pub(super) fn is_standing(&self, now_us: u64) -> bool {
        self.waiting > self.bounds.short && now_us.saturating_sub(self.short_us) > STANDING_US
    }

    pub(super) fn state(&self) -> LineState {
        LineState {
            waiting: self.waiting,
            expected_wait: Duration::from_micros(self.wait_us()),
            refused: self.refused,
        }
    }

    /// The keyhost behind it is another one now: nobody waits, and nothing is known.
    pub(super) fn reset(&mut self) {
        *self = Self { refused: self.refused, ..Self::new(self.bounds) };
    }

    /// How long one more would wait; 0 while that is not known.
    fn wait_us(&self) -> u64 {
        self.spacing_ns.saturating_mul(self.waiting as u64) / 1_000
    }

    /// How many calls may wait.
    fn most(&self, now_us: u64) -> usize {
        let standing = self.is_standing(now_us);
        let Length { calls, us } = if standing { self.bounds.standing } else { self.bounds.burst };
        let in_time = (us * 1_000).checked_div(self.spacing_ns).unwrap_or_default();
        usize::try_from(in_time).unwrap_or(MAX_PENDING).clamp(calls, MAX_PENDING)
    }
}

/// What the answers of one time weigh at most, of a whole.
const MOST_WEIGHT: u64 = 32;
const WHOLE: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: u64 = u64::MAX;
    const SECOND: u64 = 1_000_000;

    /// A keyhost that takes `service_us` for each call, `factor` times as many of which
    /// arrive, for `seconds`. Returns how many were answered, and the longest wait of
    /// those that came in the last half.
    fn run(line: &mut Line, service_us: u64, factor: f64, seconds: u64) -> (u64, u64) {
        let (mut arrivals, mut served, mut longest) = (0.0, 0, 0);
        let mut queue = std::collections::VecDeque::new();
        let mut free_at = SECOND;
        let mut now = SECOND;
        let end = SECOND + seconds * SECOND;
        while now < end {
            arrivals += 100.0 * factor / service_us as f64;
            while arrivals >= 1.0 {
                arrivals -= 1.0;
                if line.join(now, FAR).is_ok() {
                    queue.push_back(now);
                }
            }
            now += 100;
            free_at = if queue.is_empty() { now } else { free_at };
            while free_at + service_us <= now {
                free_at += service_us;
                let Some(since) = queue.pop_front() else { break };
                line.answer();
                served += 1;
                if since > (SECOND + end) / 2 {
                    longest = longest.max(now - since);
                }
            }
            line.learn(now);
        }
        (served, longest)
    }

    /// Guards against a line that keeps everybody waiting when ten times more is asked
    /// than can be done, and against one that then leaves the keyhost idle.
    #[test]
    fn under_ten_times_the_load_answers_still_come_soon_and_none_is_lost() {
        for (service_us, most_us) in [(25, 30_000), (350, 35_000), (2_500, 180_000)] {
            let mut line = Line::work();
            let (served, longest) = run(&mut line, service_us, 10.0, 10);
            let capacity = 10 * SECOND / service_us;
            assert!(served * 10 > capacity * 9, "{served} of {capacity} at {service_us} µs");
            assert!(longest < most_us, "{longest} µs at {service_us} µs each");
            assert!(line.state().refused > 8 * capacity);
        }
    }

    /// Guards against refusals where nothing is short.
    #[test]
    fn below_capacity_nobody_is_refused() {
        for service_us in [25, 350, 2_500] {
            let mut line = Line::work();
            run(&mut line, service_us, 0.9, 10);
            assert_eq!(line.state().refused, 0, "{service_us} µs");
        }
    }

    /// Guards against a batch that is refused because it comes all at once.
    #[test]
    fn a_burst_finds_room() {
        let mut line = Line::work();
        run(&mut line, 2_500, 5.0, 2);
        let mut now = 100 * SECOND;
        while line.waiting() > 0 {
            line.answer();
            now += 2_500;
            line.learn(now);
        }
        let taken = (0..1024).filter(|_| line.join(now, FAR).is_ok()).count();
        assert_eq!(taken, 1024);
        assert!(line.join(now, FAR).is_err());
    }

    /// Guards against a call that is taken although its answer would come too late, and
    /// against a refusal that does not say when to come back.
    #[test]
    fn what_would_be_too_late_is_refused_at_once() {
        let mut line = Line::slow();
        let mut now = SECOND;
        for _ in 0..6 {
            line.join(now, FAR).expect("room");
        }
        for _ in 0..3 {
            line.answer();
            now += 2 * SECOND;
            line.learn(now);
        }
        let wait = line.state().expected_wait;
        assert!((5..=7).contains(&wait.as_secs()), "{wait:?}");
        let retry = line.join(now, now + SECOND).expect_err("it would take six seconds");
        assert_eq!(retry, wait);
        line.join(now, now + 10 * SECOND).expect("there is time");
    }
}
