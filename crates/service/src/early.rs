//! Requests that end before the gate: nobody was proven, or what was asked has no name
//! that could be decided on.
//!
//! They are recorded too, but anybody can make as many of them as the network carries,
//! and a log that could be filled that way would stop the service. So some are
//! recorded one by one, and the rest are counted: at most [`BURST`] at once and one a
//! second in the long run, and every ten seconds one record that says how many more
//! there were. That is some 50 MB a day at the worst.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use keyreeve_audit::{
    Record, Word,
    record::{self, Action, Caller as Who, Decision, Id, Kind, Method, Object, Phase},
};

use crate::{
    Caller, RequestId, Service, Source,
    gate::recording::{failed, now_us, of, source},
};

/// Most records at once.
const BURST: u32 = 60;
/// One more for each of these.
const EACH: Duration = Duration::from_secs(1);
/// How often the rest are summed up.
const SUM_UP: Duration = Duration::from_secs(10);

/// What the record of several requests calls them; its number says how many.
const SUMMARY: Word = Word::new("RequestsRefusedEarly");
/// What a request without a method of ours is called.
const UNKNOWN: Word = Word::new("Unknown");

/// How many were recorded and how many were not.
#[derive(Default)]
pub(crate) struct Early(Mutex<State>);

#[derive(Default)]
struct State {
    /// How many may be recorded by themselves, and as of when.
    left: Option<(u32, Instant)>,
    /// How many were only counted, and since when.
    counted: Option<(u64, Instant)>,
}

impl Early {
    /// Whether one more may have a record of its own.
    fn admit(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = state.left.unwrap_or((BURST, now));
        let earned = now.saturating_duration_since(since).as_secs() / EACH.as_secs();
        let earned = u32::try_from(earned).unwrap_or(BURST).min(BURST);
        let left = left.saturating_add(earned).min(BURST);
        let since = if left == BURST { now } else { since + EACH * earned };
        state.left = Some((left.saturating_sub(1), since));
        if left == 0 {
            let (count, since) = state.counted.unwrap_or((0, now));
            state.counted = Some((count + 1, since));
        }
        left > 0
    }

    /// How many were only counted, if that is to be said now.
    fn sum_up(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since) = state.counted?;
        if now.saturating_duration_since(since) < SUM_UP {
            return None;
        }
        state.counted = None;
        Some(count)
    }

    /// Gives a count back that could not be recorded.
    fn give_back(&self, count: u64, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let more = state.counted.map_or(0, |(count, _)| count);
        state.counted = Some((count.saturating_add(more), now));
    }
}

/// A request that ended before anybody was proven.
pub struct Unproven<'a> {
    /// The operation that its path names, if it is one of the service's.
    pub operation: Option<&'static str>,
    /// How somebody tried to prove who they are.
    pub method: Method,
    /// Where it came from.
    pub source: &'a Source,
    /// Why it ended, for programs.
    pub reason: &'static str,
}

impl Service {
    /// Records, or counts, a request of nobody. Does not wait: nothing was done.
    pub fn refused_unproven(&self, request: &Unproven<'_>) {
        if !self.shared().early.admit(Instant::now()) {
            return;
        }
        let who = Who { principal: None, method: request.method, credential: None };
        let operation = request.operation.map_or(UNKNOWN, Word::new);
        let ending = failed("UNAUTHENTICATED", request.reason);
        let record = Record {
            phase: Phase::Outcome { ending, latency_us: 0 },
            request: Id(RequestId::fresh().bytes()),
            source: source(request.source),
            ..bare(who, operation)
        };
        drop(self.scribe().append(&record));
    }

    /// Records, or counts, a request of somebody that a door turned away. Does not
    /// wait: nothing was done.
    pub fn refused_early(
        &self,
        caller: &Caller,
        reason: &'static str,
        operation: Option<&'static str>,
    ) {
        if !self.shared().early.admit(Instant::now()) {
            return;
        }
        let ending = failed("INVALID_ARGUMENT", reason);
        let phase = Phase::Outcome { ending, latency_us: 0 };
        let mut record = of(caller, phase, Decision::NotReached);
        record.action.operation = operation.map_or(UNKNOWN, Word::new);
        drop(self.scribe().append(&record));
    }
}

impl crate::Shared {
    /// Records how many requests that ended early were only counted, if that is due: to
    /// be called some times a minute.
    pub fn sum_up_refusals(&self) {
        let Some(count) = self.early.sum_up(Instant::now()) else { return };
        let who = Who { principal: None, method: Method::Internal, credential: None };
        let ending = failed("UNAUTHENTICATED", "SUMMARY");
        let record = Record {
            phase: Phase::Outcome { ending, latency_us: 0 },
            request: Id(RequestId::fresh().bytes()),
            number: Some(count),
            ..bare(who, SUMMARY)
        };
        if !self.audit.try_append(&record) {
            self.early.give_back(count, Instant::now());
        }
    }
}

fn bare(caller: Who, operation: Word) -> Record {
    Record {
        time_us: now_us(),
        phase: Phase::Intent,
        request: Id([0; 16]),
        trace: None,
        caller,
        action: Action {
            operation,
            object: Object::of_kind(Kind::Service),
            from: None,
            algorithm: None,
        },
        source: record::Source { peer: None, listener: None },
        decision: Decision::NotReached,
        backend: None,
        number: None,
        change: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a flood of strangers that fills the disk, and against one that is
    /// not on record at all.
    #[test]
    fn a_flood_is_counted_and_not_listed() {
        let early = Early::default();
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let listed = (0..100_000).filter(|i| early.admit(at(i / 10))).count();
        // A burst, and one for each of ten seconds.
        assert!((60..=71).contains(&listed), "{listed}");
        assert_eq!(early.sum_up(at(9_000)), None);
        assert_eq!(early.sum_up(at(20_000)), Some(100_000 - listed as u64));
        assert_eq!(early.sum_up(at(40_000)), None, "said once");
        early.give_back(7, at(40_000));
        assert_eq!(early.sum_up(at(50_001)), Some(7));
        assert!(early.admit(at(60_000)), "a while later they are listed again");
    }
}
