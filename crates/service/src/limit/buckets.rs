//! Token buckets, many of them, in a fixed amount of memory and without a lock.
//!
//! A bucket is one number: when it will be full again (the generic cell rate algorithm,
//! ITU-T I.371). Full buckets are all alike, so one that is full need not be kept: its
//! place is for whoever comes next. Where every place of a set is taken by somebody who
//! is busy, the newcomer shares the fullest. Nothing is allocated, nothing grows, and
//! nobody cleans up.
//!
//! Two threads that meet in a bucket for the first time may take two places for it, of
//! which one is soon full and forgotten: for a moment, somebody has twice their burst.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Sets of places, a power of two: an id has one, which is a cache line.
const SETS: usize = 2048;
const PLACES: usize = 4;

/// How fast buckets fill, and how much is in a full one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Processor time for each second, in microseconds. Not 0.
    pub us_per_second: u64,
    /// Processor time that can be used at once after a rest, in microseconds.
    pub burst_us: u64,
}

/// The buckets of all principals, or of all vaults.
pub(super) struct Buckets {
    sets: Box<[Set]>,
    rate: Rate,
}

#[repr(align(64))]
#[derive(Default)]
struct Set([Place; PLACES]);

#[derive(Default)]
struct Place {
    /// Whose bucket it is; 0 for nobody's.
    id: AtomicU64,
    /// When it is full, in nanoseconds of the caller's clock.
    full_at: AtomicU64,
}

impl Buckets {
    pub(super) fn new(rate: Rate) -> Self {
        let rate = Rate { us_per_second: rate.us_per_second.max(1), ..rate };
        Self { sets: (0..SETS).map(|_| Set::default()).collect(), rate }
    }

    /// Takes `cost_us` out of the bucket of `id` unless it is empty, in which case it
    /// says when it no longer will be. Where something is left, it may be less than the
    /// cost: the rest is owed. Who may pass `anyway` owes more, within bounds.
    ///
    /// `id` is to be spread evenly, and in a way that nobody can foresee.
    pub(super) fn take(
        &self,
        id: u64,
        now: u64,
        cost_us: u64,
        anyway: impl FnOnce() -> bool,
    ) -> Result<(), Duration> {
        let place = self.place(id, now);
        let burst = self.time(self.rate.burst_us);
        let mut full_at = place.full_at.load(Relaxed);
        let empty_for = full_at.saturating_sub(now.saturating_add(burst));
        if empty_for > 0 && !anyway() {
            return Err(Duration::from_nanos(empty_for));
        }
        let cost = self.time(cost_us);
        loop {
            // What was lent is paid back, but nobody is shut out for long for it.
            let most = now.saturating_add(burst.saturating_mul(2)).saturating_add(cost);
            let next = full_at.max(now).saturating_add(cost).min(most).max(full_at);
            match place.full_at.compare_exchange_weak(full_at, next, Relaxed, Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => full_at = changed,
            }
        }
    }

    /// Where the bucket of `id` is. What is forgotten for it was full.
    fn place(&self, id: u64, now: u64) -> &Place {
        let id = id.max(1);
        let Set(places) = &self.sets[id as usize % SETS];
        if let Some(known) = places.iter().find(|place| place.id.load(Relaxed) == id) {
            return known;
        }
        for place in places {
            let whose = place.id.load(Relaxed);
            let is_full = place.full_at.load(Relaxed) <= now;
            if is_full && place.id.compare_exchange(whose, id, Relaxed, Relaxed).is_ok() {
                return place;
            }
        }
        let [first, others @ ..] = places;
        others.iter().fold(first, |fullest, place| {
            let fuller = place.full_at.load(Relaxed) < fullest.full_at.load(Relaxed);
            if fuller { place } else { fullest }
        })
    }

    /// How long it takes to fill in so much, in nanoseconds.
    pub(super) fn time(&self, us: u64) -> u64 {
        us.saturating_mul(1_000_000_000) / self.rate.us_per_second
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    /// Half of a core, and two seconds of that at once.
    const HALF: Rate = Rate { us_per_second: 500_000, burst_us: 1_000_000 };

    fn never() -> bool {
        false
    }

    /// Guards against a rate that is not kept, and against a refusal that does not say
    /// when to come back.
    #[test]
    fn what_is_used_comes_back_at_the_rate() {
        let buckets = Buckets::new(HALF);
        let mut now = SECOND;
        for _ in 0..100 {
            buckets.take(7, now, 10_001, never).expect("a full bucket");
        }
        let wait = buckets.take(7, now, 1, never).expect_err("it is empty");
        now += u64::try_from(wait.as_nanos()).expect("soon");
        buckets.take(7, now, 10_000, never).expect("as it said");
        buckets.take(7, now, 1, never).expect_err("that was it");
        buckets.take(8, now, 1, never).expect("nobody else's");
        buckets.take(7, now + SECOND, 500_000, never).expect("half a core");
    }

    /// Guards against an operation that costs more than a bucket holds and so could
    /// never be done, and against a debt that somebody pays off for hours.
    #[test]
    fn what_is_dear_is_owed_within_bounds() {
        let buckets = Buckets::new(HALF);
        buckets.take(7, SECOND, 3_000_000, never).expect("a full bucket");
        let wait = buckets.take(7, SECOND, 1, never).expect_err("it owes");
        assert_eq!(wait, Duration::from_secs(4));
        for _ in 0..1000 {
            buckets.take(7, SECOND, 3_000_000, || true).expect("nobody else wants it");
        }
        let wait = buckets.take(7, SECOND, 1, never).expect_err("it owes");
        assert!(wait <= Duration::from_secs(8), "{wait:?}");
    }

    /// Guards against memory that grows with those who call, and against newcomers that
    /// are refused because others came before them.
    #[test]
    fn there_is_a_place_for_everybody_who_comes() {
        let buckets = Buckets::new(HALF);
        for id in 1..100_000_u64 {
            buckets.take(id.wrapping_mul(0x9e37_79b9_7f4a_7c15), SECOND, 20, never).expect("room");
        }
    }

    /// Guards against costs that are lost when threads charge at the same time.
    #[test]
    fn nothing_is_lost_between_threads() {
        let buckets = Arc::new(Buckets::new(HALF));
        buckets.take(7, SECOND, 0, never).expect("full");
        buckets.take(7, SECOND, 1, never).expect("full");
        let take = |buckets: &Buckets| {
            (0..10_000).filter(|_| buckets.take(7, SECOND, 100, never).is_ok()).count()
        };
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let buckets = Arc::clone(&buckets);
                std::thread::spawn(move || take(&buckets))
            })
            .collect();
        let taken: usize = threads.into_iter().map(|thread| thread.join().expect("taken")).sum();
        assert!((9_999..=10_004).contains(&taken), "{taken} times 100 µs of a second");
    }

    proptest! {
        /// Guards against more than the burst and the rate allow, whatever comes when.
        #[test]
        fn no_sequence_gets_more_than_the_rate(steps in prop::collection::vec((0..400_000_000_u64, 1..200_000_u64), 1..200)) {
            let buckets = Buckets::new(HALF);
            let (mut now, mut used) = (SECOND, 0);
            for (pause, cost) in steps {
                now += pause;
                if buckets.take(7, now, cost, never).is_ok() {
                    used += cost;
                }
                let earned = HALF.burst_us + (now - SECOND) / 2_000;
                prop_assert!(used <= earned + 200_000, "{used} of {earned}");
            }
        }
    }
}
