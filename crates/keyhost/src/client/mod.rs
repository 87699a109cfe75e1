//! The front's way to a keyhost.
//!
//! One [`Client`] per runtime and keyhost. A call writes its frame into the packet
//! that is being filled, the [`Driver`] task sends whatever gathered while the
//! runtime was busy, reads answers and wakes their callers, and ends the calls whose
//! deadline has passed: the busier it is, the more calls share a system call, and a
//! caller alone waits for nobody.
//!
//! A call ends with its answer, its deadline, or the keyhost: when that is started
//! anew, all that were under way end in [`CallError::Unavailable`], because whether
//! they had an effect is unknown. Nothing is retried here but one thing, which has
//! no effect: a key that turns out not to be open is sent along a second time.

mod calls;
mod checkpoints;
mod driver;
mod error;
mod line;
mod queue;
mod sign_each;
mod waiting;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Duration,
};

use keyreeve_types::{KeySpec, KeyType};
use tokio::sync::Notify;

pub use calls::{Ciphertext, DataKey, DataKeyAlgorithm, ImportedKey, NewVersion};
pub use checkpoints::CheckpointRefused;
pub use driver::Driver;
pub use error::CallError;
pub use line::LineState;

use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{Description, KeyRef, MAX_PACKET, Opening, Request, RequestFrame, Response},
    key::SealedKey,
};
use queue::{Lane, Queue};
use waiting::{Answer, Waiting};

/// Most calls that may ever wait in one line of one runtime, and most frames that may
/// wait to leave. Under load a [`Line`](line::Line) is shorter than that.
const MAX_PENDING: usize = 4096;

/// When to try again while a keyhost is being started anew.
const RESTART_HINT: Duration = Duration::from_millis(250);

/// When to try again if too many calls wait.
const OVERLOAD_HINT: Duration = Duration::from_millis(50);

/// Calls a keyhost. Cheap to clone; for one runtime.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    name: String,
    state: Mutex<State>,
    /// Tells the driver that there are packets to send.
    filled: Notify,
    description: Mutex<Option<Arc<Description>>>,
}

/// What callers and the driver share.
#[derive(Default)]
struct State {
    /// The reply socket of the current link; `None` while there is no keyhost.
    shard: Option<u8>,
    queue: Queue,
    waiting: Waiting,
}

impl Client {
    /// A client and the task that does its work. Calls end in
    /// [`CallError::Unavailable`] until the driver is given a link.
    pub fn new(name: impl Into<String>) -> (Self, Driver) {
        let shared = Arc::new(Shared {
            name: name.into(),
            state: Mutex::new(State::default()),
            filled: Notify::new(),
            description: Mutex::new(None),
        });
        (Self(Arc::clone(&shared)), Driver::new(shared))
    }

    /// The keyhost's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What the keyhost is: the last it said, so `None` only before its first start.
    pub fn description(&self) -> Option<Arc<Description>> {
        self.0.description.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there is a keyhost now.
    pub fn is_serving(&self) -> bool {
        self.0.state().shard.is_some()
    }

    /// How the line to the workers is, and that of calls that may take long: making,
    /// taking and destroying keys.
    pub fn lines(&self) -> [LineState; 2] {
        self.0.state().waiting.lines()
    }

    /// Whether more is asked of the workers than they can do, or of the thread for what
    /// takes long.
    pub fn is_overloaded(&self, slow: bool) -> bool {
        self.0.state().waiting.is_standing(slow)
    }

    /// One call that uses a key: without the sealed key first, and with it if the
    /// keyhost asks for it.
    ///
    /// The frame is written here and now, and what is rare is boxed: thousands of
    /// these are under way at a time, and each is as large as its largest moment.
    fn call_with_key<'k, T>(
        &'k self,
        key: &'k SealedKey,
        request: impl Fn(KeyRef) -> Request<'k>,
        deadline: Deadline,
        read: impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
    ) -> impl Future<Output = Result<T, CallError>> {
        let lane = lane_of(key.policy.spec);
        let answer = self.enqueue(lane, None, request(key.key_ref()), deadline);
        async move {
            let body = answer?.await?;
            if let Some(outcome) = unless_not_open(&body, &read) {
                return outcome;
            }
            drop(body);
            let reopening = async {
                let opening = Some(key.opening());
                let request = request(key.key_ref());
                let body = self.enqueue(lane, opening, request, deadline)?.await?;
                parse(&body).and_then(refuse).and_then(|response| read(&body, response))
            };
            Box::pin(reopening).await
        }
    }

    async fn call_without_key<T>(
        &self,
        lane: Lane,
        request: Request<'_>,
        deadline: Deadline,
        read: impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let body = self.enqueue(lane, None, request, deadline)?.await?;
        parse(&body).and_then(refuse).and_then(|response| read(&body, response))
    }

    /// Writes the frame, so that a call that waits holds no more than its place in
    /// the table.
    fn enqueue(
        &self,
        lane: Lane,
        opening: Option<Opening<'_>>,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer<'_>, CallError> {
        let mut state = self.0.state();
        let State { shard, queue, waiting } = &mut *state;
        let shard = shard.ok_or(CallError::Unavailable { retry_after: RESTART_HINT })?;
        if queue.frames() >= MAX_PENDING || waiting.is_full() {
            return Err(CallError::Overloaded { retry_after: OVERLOAD_HINT });
        }
        let deadline_us = deadline.as_monotonic_us();
        let id = waiting
            .enter(lane == Lane::Slow, deadline)
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
}

impl State {
    /// Begins with a new keyhost, or with none: whoever waits for the last one is
    /// told, and is to be woken.
    fn relink(&mut self, shard: Option<u8>) -> Vec<Waker> {
        self.shard = shard;
        self.queue.clear();
        self.waiting.end()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which packets a key's operations travel in: those below 100 µs or so together,
/// the others alone, so that each finds an idle worker.
const fn lane_of(spec: KeySpec) -> Lane {
    match spec.key_type() {
        KeyType::Rsa | KeyType::Akp => Lane::Heavy,
        KeyType::Ec if !matches!(spec, KeySpec::EcP256) => Lane::Heavy,
        KeyType::Ec | KeyType::Okp | KeyType::Oct => Lane::Light,
    }
}

/// Reads an answer, unless it is that the key is not open.
fn unless_not_open<T>(
    body: &Body,
    read: impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
) -> Option<Result<T, CallError>> {
    match parse(body) {
        Ok(Response::NotOpen) => None,
        response => Some(response.and_then(refuse).and_then(|response| read(body, response))),
    }
}

fn parse(body: &Body) -> Result<Response<'_>, CallError> {
    postcard::from_bytes(body.as_slice()).map_err(|_| CallError::Protocol)
}

/// Passes on what is a result.
fn refuse(response: Response<'_>) -> Result<Response<'_>, CallError> {
    Err(match response {
        Response::Failed(error) => CallError::Backend(error),
        Response::NotAllowed(state) => CallError::NotAllowed(state),
        Response::WrongAlgorithm => CallError::WrongAlgorithm,
        Response::PolicyWidens => CallError::PolicyWidens,
        Response::Stale => CallError::StaleRecord,
        Response::WrongRecipient => CallError::WrongRecipient,
        Response::TooLate => CallError::DeadlineExceeded,
        Response::NotOpen | Response::Malformed => CallError::Protocol,
        Response::Done
        | Response::Matches(_)
        | Response::Bytes(_)
        | Response::Encrypted(_)
        | Response::DataKey { .. }
        | Response::Key { .. }
        | Response::Description(_)
        | Response::Inconsistent
        | Response::SignedLater(_) => return Ok(response),
    })
}
