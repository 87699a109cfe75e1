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
    CallError, RESTART_HINT,
    connection::Shared,
    line::{Line, LineState},
};
use crate::{
    codec::Body,
    deadline::{Deadline, coarse_us},
};

/// A keyhost that has work and answers none of it for so long is taken for hung: the
/// longest of operations take tens of milliseconds, and a line is no longer than a tenth
/// of a second for long. Where nobody else can be asked, there is time for a second look.
const fn patience(can_move: bool) -> Duration {
    if can_move { Duration::from_secs(1) } else { Duration::from_secs(2) }
}

/// How many bits of an id say which place it is; the others count.
const PLACE: u32 = 16;

/// The calls that wait.
pub(super) struct Waiting {
    calls: Slab<Call>,
    /// Those that have no answer yet.
    lines: Lines,
    count: u64,
    /// No deadline passes before this, and no patience ends; `None` if there is no call.
    earliest: Option<Instant>,
    /// When the workers last gave a sign of life, or had nothing to do.
    heard: Instant,
    /// Whether one of them has answered since that was noted.
    answered: bool,
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
    /// When to look whether the keyhost answers at all.
    patience: Option<Instant>,
    /// Whether to end the call if it does not: it can be made elsewhere.
    can_move: bool,
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
        Self {
            calls: Slab::new(),
            lines,
            count: 0,
            earliest: None,
            heard: Instant::now(),
            answered: false,
        }
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
    pub(super) fn enter(
        &mut self,
        slow: bool,
        deadline: Deadline,
        can_move: bool,
    ) -> Result<u64, Duration> {
        let idle = self.lines.work.state().waiting == 0;
        self.lines.of(slow).join(coarse_us(), deadline.as_monotonic_us())?;
        let deadline = deadline.instant();
        let now = Instant::now();
        if !slow && idle {
            self.heard = now;
        }
        let patience = (!slow).then(|| now + patience(can_move)).filter(|end| *end < deadline);
        let first = patience.unwrap_or(deadline);
        self.count += 1;
        let place = self.calls.vacant_entry();
        let id = self.count << PLACE | place.key() as u64;
        place.insert(Call { id, slow, deadline, patience, can_move, state: State::Asked(None) });
        self.earliest = Some(self.earliest.map_or(first, |earliest| earliest.min(first)));
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
        self.answered |= !call.slow;
        call.end(Ok(body))
    }

    /// To be called after the answers of a packet.
    pub(super) fn learn(&mut self, now_us: u64) {
        if std::mem::take(&mut self.answered) {
            self.heard = Instant::now();
        }
        self.lines.work.learn(now_us);
        self.lines.slow.learn(now_us);
    }

    /// Ends the calls whose deadline has passed, and says whom to wake. An answer that
    /// nobody has come for by then is dropped, as it may be secret.
    ///
    /// Says as well whether the keyhost is mute: calls wait, and none was answered for so
    /// long that it is taken for hung. Those that can be made elsewhere end.
    pub(super) fn expire(&mut self, now: Instant) -> (Vec<Waker>, bool) {
        let mut woken = Vec::new();
        self.earliest = None;
        let silence = now.saturating_duration_since(self.heard);
        let mut is_mute = false;
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
                continue;
            }
            if call.is_asked() && call.patience.is_some_and(|end| end <= now) {
                // While others are answered, it waits for its turn.
                call.patience = Some(now + patience(call.can_move));
                let silent = silence >= patience(call.can_move);
                is_mute |= silent;
                if silent && call.can_move {
                    self.lines.of(call.slow).leave();
                    let mute = CallError::Unavailable { retry_after: RESTART_HINT };
                    woken.extend(call.end(Err(mute)));
                    continue;
                }
            }
            let next = call.patience.filter(|_| call.is_asked()).unwrap_or(call.deadline);
            let next = next.min(call.deadline);
            if self.earliest.is_none_or(|earliest| next < earliest) {
                self.earliest = Some(next);
            }
        }
        (woken, is_mute)
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
