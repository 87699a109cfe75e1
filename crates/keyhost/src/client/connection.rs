//! One runtime's connection to one keyhost.
//!
//! It outlives the keyhost: a fresh one is linked in the place of one that ended. While
//! there is none, or the one there is gives no answer, calls end at once: its breaker is
//! open until a signature of the keyhost's canary closes it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    CallError, LineState, MAX_PENDING, OVERLOAD_HINT, RESTART_HINT, parse,
    queue::{Lane, Queue},
    refuse,
    waiting::{Answer, Waiting},
};
use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{Description, MAX_PACKET, Opening, Request, RequestFrame, Response},
};

/// How long the canary may take to sign, once calls reach the keyhost again.
const PROBE_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait after a canary that did not sign.
const PROBE_EVERY: Duration = Duration::from_millis(250);

/// Reaches a keyhost. Cheap to clone; for one runtime.
#[derive(Clone)]
pub(super) struct Connection(pub(super) Arc<Shared>);

/// What a connection and its driver share.
pub(super) struct Shared {
    pub(super) name: String,
    state: Mutex<State>,
    /// Tells the driver that there are packets to send.
    pub(super) filled: Notify,
    pub(super) description: Mutex<Option<Arc<Description>>>,
}

/// What callers and the driver share.
#[derive(Default)]
pub(super) struct State {
    /// The reply socket of the current link; `None` while there is no keyhost.
    shard: Option<u8>,
    pub(super) queue: Queue,
    pub(super) waiting: Waiting,
    /// The keyhost gives no answers: only the probe is let through.
    breaker_open: bool,
}

/// How one call is made.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) lane: Lane,
    pub(super) deadline: Deadline,
    /// Whether another keyhost can be asked, should this one not answer.
    pub(super) can_move: bool,
}

impl Connection {
    pub(super) fn new(name: String) -> Self {
        Self(Arc::new(Shared {
            name,
            state: Mutex::new(State::default()),
            filled: Notify::new(),
            description: Mutex::new(None),
        }))
    }

    pub(super) fn description(&self) -> Option<Arc<Description>> {
        self.0.description.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls wait for it; `None` while it cannot be called.
    pub(super) fn load(&self) -> Option<usize> {
        let state = self.0.state();
        let serves = state.shard.is_some() && !state.breaker_open;
        serves.then(|| state.waiting.lines()[0].waiting)
    }

    /// Whether calls are refused because it gives no answers.
    pub(super) fn is_mute(&self) -> bool {
        self.0.state().breaker_open
    }

    pub(super) fn lines(&self) -> [LineState; 2] {
        self.0.state().waiting.lines()
    }

    pub(super) fn is_standing(&self, slow: bool) -> bool {
        self.0.state().waiting.is_standing(slow)
    }

    /// Calls, and reads the answer.
    pub(super) async fn call<T>(
        &self,
        way: Way,
        opening: Option<Opening<'_>>,
        request: Request<'_>,
        read: impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let body = self.enqueue(way, opening, request)?.await?;
        parse(&body).and_then(refuse).and_then(|response| read(&body, response))
    }

    /// Writes the frame, so that a call that waits holds no more than its place in
    /// the table.
    pub(super) fn enqueue(
        &self,
        way: Way,
        opening: Option<Opening<'_>>,
        request: Request<'_>,
    ) -> Result<Answer<'_>, CallError> {
        let Way { lane, deadline, can_move } = way;
        let mut state = self.0.state();
        let State { shard, queue, waiting, breaker_open } = &mut *state;
        let shard = shard.ok_or(CallError::Unavailable { retry_after: RESTART_HINT })?;
        if *breaker_open && !matches!(request, Request::Check) {
            return Err(CallError::Unavailable { retry_after: RESTART_HINT });
        }
        if queue.frames() >= MAX_PENDING || waiting.is_full() {
            return Err(CallError::Overloaded { retry_after: OVERLOAD_HINT });
        }
        let deadline_us = deadline.as_monotonic_us();
        let id = waiting
            .enter(lane == Lane::Slow, deadline, can_move)
            .map_err(|retry_after| CallError::Overloaded { retry_after })?;
        let frame = RequestFrame { id, shard, deadline_us, opening, request };
        let fits = queue.append(lane, &frame, MAX_PACKET);
        drop(state);
        let answer = Answer::new(&self.0, id);
        if !fits {
            return Err(CallError::TooLarge);
        }
        self.0.filled.notify_one();
        Ok(answer)
    }

    /// Has the keyhost's canary sign; goes on asking for as long as there is no answer.
    pub(super) async fn probe(self) -> Result<(), CallError> {
        loop {
            let way =
                Way { lane: Lane::Heavy, deadline: Deadline::after(PROBE_WITHIN), can_move: false };
            let signed = self
                .call(way, None, Request::Check, |_, response| match response {
                    Response::Done => Ok(()),
                    _ => Err(CallError::Protocol),
                })
                .await;
            match signed {
                // It is well, or gone.
                Ok(()) | Err(CallError::Unavailable { .. } | CallError::Protocol) => return signed,
                Err(_) => tokio::time::sleep(PROBE_EVERY).await,
            }
        }
    }
}

impl State {
    /// Begins with a new keyhost, or with none: whoever waits for the last one is
    /// told, and is to be woken.
    pub(super) fn relink(&mut self, shard: Option<u8>) -> Vec<Waker> {
        self.shard = shard;
        self.breaker_open = false;
        self.queue.clear();
        self.waiting.end()
    }

    /// Opens the breaker, or closes it.
    pub(super) const fn set_breaker(&mut self, open: bool) {
        self.breaker_open = open;
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
