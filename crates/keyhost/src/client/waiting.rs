//! Calls that wait for their answers.
//!
//! A call is a place in a table. Its id names the place and which use of it this
//! is, so that a late answer finds nobody. Deadlines are one timer for all calls,
//! the driver's: a timer for each would cost more than the rest of the call.
//!
//! What is done here is done under the client's lock, so it wakes nobody and drops
//! nobody's waker: it hands them out.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use slab::Slab;

use super::{
    CallError, RESTART_HINT, Shared,
    line::{Line, LineState},
};
use crate::{
    codec::Body,
    deadline::{Deadline, coarse_us},
};

/// How many bits of an id say which place it is; the others count.
const PLACE: u32 = 16;

/// The calls that wait.
pub(super) struct Waiting {
    calls: Slab<Call>,
    /// Those that have no answer yet.
    lines: Lines,
    count: u64,
    /// No deadline passes before this; `None` if there is no call.
    earliest: Option<Instant>,
}

/// One for the workers and one for what takes long.
struct Lines {
    work: Line,
    slow: Line,
}

/// A place in the table.
pub(super) struct Call {
    id: u64,
    slow: bool,
    deadline: Instant,
    state: State,
}

enum State {
    /// Whoever waits is woken by this.
    Asked(Option<Waker>),
    /// Until it is taken.
    Ended(Option<Result<Body, CallError>>),
}

/// The answer to a call, to wait for. Who drops it gives the call up.
pub(super) struct Answer<'c> {
    shared: &'c Shared,
    id: u64,
}

impl<'c> Answer<'c> {
    /// Of the call that [`Waiting::enter`] gave this id.
    pub(super) const fn new(shared: &'c Shared, id: u64) -> Self {
        Self { shared, id }
    }
}

impl Default for Waiting {
    fn default() -> Self {
        let lines = Lines { work: Line::work(), slow: Line::slow() };
        Self { calls: Slab::new(), lines, count: 0, earliest: None }
    }
}

impl Waiting {
    /// How the lines are: to the workers, and to the thread for what takes long.
    pub(super) fn lines(&self) -> [LineState; 2] {
        [self.lines.work.state(), self.lines.slow.state()]
    }

    /// Whether more is asked than can be done.
    pub(super) fn is_standing(&self, slow: bool) -> bool {
        let line = if slow { &self.lines.slow } else { &self.lines.work };
        line.is_standing(coarse_us())
    }

    /// Whether every place is taken, by calls or by answers nobody has come for.
    pub(super) fn is_full(&self) -> bool {
        self.calls.len() >= 1 << PLACE
    }

    /// Enters a call and returns its id, which is never used twice; or says when there
    /// will be room in its line.
    pub(super) fn enter(&mut self, slow: bool, deadline: Deadline) -> Result<u64, Duration> {
        self.lines.of(slow).join(coarse_us(), deadline.as_monotonic_us())?;
        let deadline = deadline.instant();
        self.count += 1;
        let place = self.calls.vacant_entry();
        let id = self.count << PLACE | place.key() as u64;
        place.insert(Call { id, slow, deadline, state: State::Asked(None) });
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        Ok(id)
    }

    /// Takes a call out: nobody waits for it any more.
    pub(super) fn take(&mut self, id: u64) -> Option<Call> {
        self.find(id)?;
        let call = self.calls.remove(place(id));
        if call.is_asked() {
            self.lines.of(call.slow).leave();
        }
        Some(call)
    }

    /// Keeps an answer for its caller, if that still waits, and says whom to wake.
    pub(super) fn answer(&mut self, id: u64, body: Body) -> Option<Waker> {
        let call = self.calls.get_mut(place(id)).filter(|call| call.id == id)?;
        if call.is_asked() {
            self.lines.of(call.slow).answer();
        }
        call.end(Ok(body))
    }

    /// To be called after the answers of a packet.
    pub(super) fn learn(&mut self, now_us: u64) {
        self.lines.work.learn(now_us);
        self.lines.slow.learn(now_us);
    }

    /// Ends the calls whose deadline has passed, and says whom to wake. An answer that
    /// nobody has come for by then is dropped, as it may be secret.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Waker> {
        let mut woken = Vec::new();
        self.earliest = None;
        for (_, call) in &mut self.calls {
            if call.deadline <= now {
                let late = || Err(CallError::DeadlineExceeded);
                match &mut call.state {
                    State::Asked(_) => {
                        self.lines.of(call.slow).leave();
                        woken.extend(call.end(late()));
                    }
                    State::Ended(answer) => *answer = Some(late()),
                }
            } else if self.earliest.is_none_or(|earliest| call.deadline < earliest) {
                self.earliest = Some(call.deadline);
            }
        }
        woken
    }

    /// When [`Waiting::expire`] is due.
    pub(super) const fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    /// Ends all calls, as the keyhost is gone, and says whom to wake.
    pub(super) fn end(&mut self) -> Vec<Waker> {
        let Self { calls, lines, .. } = self;
        lines.work.reset();
        lines.slow.reset();
        let gone = || Err(CallError::Unavailable { retry_after: RESTART_HINT });
        calls.iter_mut().filter_map(|(_, call)| call.end(gone())).collect()
    }

    fn find(&mut self, id: u64) -> Option<&mut Call> {
        self.calls.get_mut(place(id)).filter(|call| call.id == id)
    }

    /// The end of a call, or else a note of whom to wake at it, in exchange for the
    /// one who was noted before.
    fn poll(&mut self, id: u64, waker: &mut Option<Waker>) -> Poll<Result<Body, CallError>> {
        let Some(call) = self.find(id) else { return Poll::Ready(Err(CallError::Protocol)) };
        match &mut call.state {
            State::Asked(known) => {
                std::mem::swap(known, waker);
                Poll::Pending
            }
            State::Ended(outcome) => {
                Poll::Ready(outcome.take().unwrap_or(Err(CallError::Protocol)))
            }
        }
    }
}

impl Lines {
    const fn of(&mut self, slow: bool) -> &mut Line {
        if slow { &mut self.slow } else { &mut self.work }
    }
}

impl Call {
    const fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    /// The first end is the one that counts.
    fn end(&mut self, outcome: Result<Body, CallError>) -> Option<Waker> {
        let State::Asked(waker) = &mut self.state else { return None };
        let waker = waker.take();
        self.state = State::Ended(Some(outcome));
        waker
    }
}

impl Future for Answer<'_> {
    type Output = Result<Body, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Whoever comes back in it is dropped when the lock has gone.
        let mut waker = Some(cx.waker().clone());
        self.shared.state().waiting.poll(self.id, &mut waker)
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        // Dropped when the lock has gone.
        let _call = self.shared.state().waiting.take(self.id);
    }
}

const fn place(id: u64) -> usize {
    (id & ((1 << PLACE) - 1)) as usize
}
