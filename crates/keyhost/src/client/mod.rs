//! The front's way to its keyhosts.
//!
//! One [`Client`] per runtime and backend. Behind it is one keyhost, or those of a slot
//! group, each with a connection. A call writes its frame into the packet that is being
//! filled, the [`Driver`] task sends whatever gathered while the runtime was busy, reads
//! answers and wakes their callers, and ends the calls whose deadline has passed: the
//! busier it is, the more calls share a system call, and a caller alone waits for nobody.
//!
//! A call ends with its answer, its deadline, or the keyhost: when that is started
//! anew, all that were under way end in [`CallError::Unavailable`], because whether
//! they had an effect is unknown. What is tried a second time has no effect the first:
//! a key that turns out not to be open is sent along, and an operation that a keyhost of
//! a group did not answer, or its device did not do, goes to another one.

mod calls;
mod checkpoints;
mod connection;
mod driver;
mod error;
mod group;
mod line;
mod making;
mod queue;
mod sign_each;
mod waiting;

use std::{sync::Arc, time::Duration};

use keyreeve_types::{KeySpec, KeyType};

pub use calls::{Ciphertext, DataKey, DataKeyAlgorithm};
pub use checkpoints::CheckpointRefused;
pub use driver::Driver;
pub use error::CallError;
pub use line::LineState;
pub use making::{ImportedKey, NewVersion};

use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{Description, KeyRef, Request, Response},
    key::SealedKey,
};
use connection::{Connection, Way};
use group::{Group, Place, Tried};
use queue::Lane;

/// Most calls that may ever wait in one line of one runtime, and most frames that may
/// wait to leave. Under load a [`Line`](line::Line) is shorter than that.
const MAX_PENDING: usize = 4096;

/// When to try again while a keyhost is being started anew.
const RESTART_HINT: Duration = Duration::from_millis(250);

/// When to try again if too many calls wait.
const OVERLOAD_HINT: Duration = Duration::from_millis(50);

/// Calls a keyhost, or whichever of a group can serve. Cheap to clone; for one runtime.
#[derive(Clone)]
pub struct Client(Arc<Group>);

/// A keyhost of a group.
pub struct Member {
    /// The slot it serves; several may serve one.
    pub slot: String,
    /// The client of this one alone.
    pub client: Client,
}

impl Client {
    /// A client of one keyhost and the task that does its work. Calls end in
    /// [`CallError::Unavailable`] until the driver is given a link.
    pub fn new(name: impl Into<String>) -> (Self, Driver) {
        let name = name.into();
        let connection = Connection::new(name.clone());
        let driver = Driver::new(connection.clone());
        let place = Place { slot: name.clone(), connection };
        (Self(Arc::new(Group::new(name, vec![place], 1))), driver)
    }

    /// A client of a slot group, through the connections of its members' clients. A new
    /// wrapped key is handed out once `min_replicas` slots have opened it.
    pub fn group(name: impl Into<String>, members: &[Member], min_replicas: usize) -> Self {
        let places = members.iter().flat_map(|member| {
            member.client.0.members.iter().map(|place| Place {
                slot: member.slot.clone(),
                connection: place.connection.clone(),
            })
        });
        Self(Arc::new(Group::new(name.into(), places.collect(), min_replicas)))
    }

    /// The keyhost's name, or the group's.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What the keyhost is: the last it said, so `None` only before its first start. Of a
    /// group, one that serves.
    pub fn description(&self) -> Option<Arc<Description>> {
        let members = &self.0.members;
        if let [only] = members.as_slice() {
            return only.connection.description();
        }
        let serving = members.iter().filter(|place| place.connection.load().is_some());
        serving.chain(members).find_map(|place| place.connection.description())
    }

    /// Whether there is a keyhost now.
    pub fn is_serving(&self) -> bool {
        self.0.members.iter().any(|place| place.connection.load().is_some())
    }

    /// How the line to the workers is, and that of calls that may take long: making,
    /// taking and destroying keys. Of a group, the shortest.
    pub fn lines(&self) -> [LineState; 2] {
        let lines = self.0.members.iter().map(|place| place.connection.lines());
        lines.min_by_key(|lines| lines[0].waiting).unwrap_or_default()
    }

    /// Whether a keyhost gives no answers, so that calls to it are refused at once.
    pub fn is_mute(&self) -> bool {
        self.0.members.iter().any(|place| place.connection.is_mute())
    }

    /// Whether more is asked of the workers than they can do, or of the thread for what
    /// takes long.
    pub fn is_overloaded(&self, slow: bool) -> bool {
        self.0.members.iter().all(|place| place.connection.is_standing(slow))
    }

    /// One call that uses a key: without the sealed key first, and with it if the
    /// keyhost asks for it; and of another keyhost, if there is one and this one cannot.
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
        let can_move = self.0.members.len() > 1;
        let way = Way { lane: lane_of(key.policy.spec), deadline, can_move };
        let place = self.0.choose(key.slot(), Tried::default());
        let answer = place.ok_or(UNAVAILABLE).and_then(|place| {
            self.0.members[place].connection.enqueue(way, None, request(key.key_ref()))
        });
        async move {
            let failed = match answer {
                Ok(answer) => match answer.await {
                    Ok(body) => match unless_not_open(&body, &read) {
                        Some(Err(error)) => Some(error),
                        Some(done) => return done,
                        None => None,
                    },
                    Err(error) => Some(error),
                },
                Err(error) => Some(error),
            };
            if let Some(error) = &failed
                && !(can_move && error.moves_on())
            {
                return Err(error.clone());
            }
            let place = place.unwrap_or_default();
            Box::pin(self.go_on(key, way, place, failed, &request, &read)).await
        }
    }

    /// What is left of a call that had no result at `place`: with `failed`, or because
    /// the key was not open there.
    async fn go_on<'k, T>(
        &'k self,
        key: &'k SealedKey,
        way: Way,
        mut place: usize,
        mut failed: Option<CallError>,
        request: &impl Fn(KeyRef) -> Request<'k>,
        read: &impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let mut tried = Tried::default();
        loop {
            let connection = &self.0.members[place].connection;
            let error = match failed {
                Some(error) => error,
                None => {
                    let opening = Some(key.opening());
                    match connection.call(way, opening, request(key.key_ref()), read).await {
                        Err(error) => error,
                        done => return done,
                    }
                }
            };
            tried = tried.and(place);
            let next = if error.moves_on() { self.0.choose(key.slot(), tried) } else { None };
            let Some(next) = next else { return Err(error) };
            tracing::debug!(%error, to = self.0.members[next].connection.0.name, "moved on");
            place = next;
            failed = match self.ask(place, key, way, request, read).await {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => None,
                Err(error) => Some(error),
            };
        }
    }

    /// Asks one keyhost; `None` if the key is not open there.
    async fn ask<'k, T>(
        &'k self,
        place: usize,
        key: &'k SealedKey,
        way: Way,
        request: &impl Fn(KeyRef) -> Request<'k>,
        read: &impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
    ) -> Result<Option<T>, CallError> {
        let connection = &self.0.members[place].connection;
        let body = connection.enqueue(way, None, request(key.key_ref()))?.await?;
        unless_not_open(&body, read).transpose()
    }

    /// A call that uses no key, at whichever keyhost can serve it; one that may be
    /// repeated goes on to others. Returns where it was served as well.
    async fn call_without_key<'r, T>(
        &self,
        slot: Option<&str>,
        way: Way,
        request: impl Fn() -> Request<'r>,
        read: impl Fn(&Body, Response<'_>) -> Result<T, CallError>,
    ) -> Result<(T, usize), CallError> {
        let mut tried = Tried::default();
        let mut error = UNAVAILABLE;
        while let Some(place) = self.0.choose(slot, tried) {
            let connection = &self.0.members[place].connection;
            error = match connection.call(way, None, request(), &read).await {
                Ok(done) => return Ok((done, place)),
                Err(error) => error,
            };
            // Whether it was done is unknown only if there was no answer.
            let certain = matches!(error, CallError::Backend(_) | CallError::Overloaded { .. });
            if !error.moves_on() || !(way.can_move || certain) {
                break;
            }
            tried = tried.and(place);
        }
        Err(error)
    }
}

/// There is no keyhost that could be called.
const UNAVAILABLE: CallError = CallError::Unavailable { retry_after: RESTART_HINT };

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
