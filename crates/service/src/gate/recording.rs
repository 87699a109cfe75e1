//! The record of what passes the gate.
//!
//! One record for every outcome, refusals included, and one before anything is made,
//! changed or destroyed. Whoever waits for the answer waits for the record; whoever
//! has hung up is recorded all the same.
//!
//! It refuses to look anything up but the version that the caller named.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use keyreeve_audit::{
    Durable, Record, Word,
    record::{self, Decision, Ending, Id, Kind, Object, Phase},
};
use keyreeve_authz::{Action, ObjectKind, Resource};
use keyreeve_types::VersionId;

use super::{
    Ask, By, Refusal, Thing,
    seen::{Seen, Sight},
};
use crate::{Caller, Error, Service, error};

/// One operation, until its outcome is on record.
pub(super) struct Deed<'a> {
    service: &'a Service,
    caller: &'a Caller,
    ask: Ask<'a>,
    began: Instant,
    /// What decided; `None` before.
    pub(super) ruling: Option<Result<By, Refusal>>,
    /// Whether its end is still to be recorded.
    open: bool,
}

impl<'a> Deed<'a> {
    pub(super) fn new(service: &'a Service, caller: &'a Caller, ask: Ask<'a>) -> Self {
        // What is public is nobody's deed.
        let open = !matches!(ask, Ask::Public(..)) && RECORDING;
        Self { service, caller, ask, began: Instant::now(), ruling: None, open }
    }

    /// Says what is about to be done.
    pub(super) async fn announce(&self) -> Result<(), Error> {
        let announced = self.append(Phase::Intent, &Sight::default());
        announced.await.map(drop).map_err(|why| Error::unrecorded(&why, false))
    }

    /// Whether it has to be announced.
    pub(super) fn changes(&self) -> bool {
        self.open && self.ask.changes()
    }

    /// Records how it ended. The answer may be given when this returns, and only if
    /// this gives it.
    pub(super) async fn end<T: Seen>(mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        if !self.open {
            return outcome.map_err(Error::recorded);
        }
        let durable = {
            let sight = outcome.as_ref().map(Seen::sight).unwrap_or_default();
            let ending = match &outcome {
                Ok(_) => Ending::Ok,
                Err(error) => failed(error::code_name(error.kind()), error.reason()),
            };
            self.append(self.outcome(ending), &sight)
        };
        self.open = false;
        if self.ask.is_answered_unrecorded() {
            return outcome.map_err(Error::recorded);
        }
        match durable.await {
            Ok(_) => outcome.map_err(Error::recorded),
            Err(why) => Err(Error::unrecorded(&why, outcome.is_ok() && self.ask.changes())),
        }
    }

    fn append(&self, phase: Phase, sight: &Sight<'_>) -> Durable {
        self.service.scribe().append(&self.record(phase, sight))
    }

    fn outcome(&self, ending: Ending) -> Phase {
        let latency_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Phase::Outcome { ending, latency_us }
    }

    fn record(&self, phase: Phase, sight: &Sight<'_>) -> Record {
        let mut action = self.ask.action();
        // Of what is opened the result says nothing, but the request named the version.
        let named = match (sight.version, &self.ask, self.ruling) {
            (None, Ask::Key(_, key, _), Some(Ok(_))) if key.version().is_some() => {
                self.service.shared().registry.version(*key).ok()
            }
            _ => None,
        };
        if let Some((kind, id)) = sight.object {
            action.object = with_id(kind, id);
        }
        let version = sight.version.or(named.as_deref());
        action.object.version = version.map(|version| version.id()).or(self.ask.version());
        if let Some(version) = version {
            action.object.id = Some(Id(*version.sealed().binding.key.as_bytes()));
        }
        if let Some(algorithm) = sight.algorithm {
            action.algorithm = Some(Word::new(algorithm));
        }
        let backend = sight.backend.or(version.map(|version| version.backend()));
        let decision = match self.ruling {
            None => Decision::NotReached,
            Some(Ok(By::Assignment(id))) => Decision::Allowed(Some(Id(id.as_u128().to_be_bytes()))),
            Some(Ok(_)) => Decision::Allowed(None),
            Some(Err(_)) => Decision::Denied(None),
        };
        Record {
            action,
            backend: backend.and_then(|name| Word::configured(name).ok()),
            number: sight.number,
            change: self.ask.change(),
            ..of(self.caller, phase, decision)
        }
    }
}

impl Drop for Deed<'_> {
    /// Whoever asked has hung up, or was cut off, before there was an outcome. What was
    /// begun may have been done.
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let phase = self.outcome(failed("CANCELLED", "CALLER_GONE"));
        drop(self.append(phase, &Sight::default()));
    }
}

/// Whether anything is recorded at all: a service without is for measuring what
/// recording costs, and cannot be built by accident.
const RECORDING: bool = !cfg!(feature = "bench-unaudited");

#[cfg(feature = "bench-unaudited")]
const _: () = assert!(
    option_env!("KEYREEVE_BENCH").is_some(),
    "a service without an audit log is for benches alone: set KEYREEVE_BENCH=unaudited to build \
     one, and never run it with keys that matter"
);

/// A record of a request, of nothing in particular yet.
pub(crate) fn of(caller: &Caller, phase: Phase, decision: Decision) -> Record {
    let identity = caller.identity();
    Record {
        time_us: now_us(),
        phase,
        request: Id(caller.request().bytes()),
        trace: caller.trace().map(|trace| Id(trace.bytes())),
        caller: record::Caller {
            principal: identity.recorded_name().cloned(),
            method: identity.method(),
            credential: identity.credential(),
        },
        action: record::Action {
            operation: Word::new("Unknown"),
            object: Object::of_kind(Kind::Service),
            from: None,
            algorithm: None,
        },
        source: source(caller.source()),
        decision,
        backend: None,
        number: None,
        change: None,
    }
}

/// Where a request came from, for its record.
pub(crate) fn source(source: &crate::Source) -> record::Source {
    let listener = Word::configured(source.listener.name.as_str()).ok();
    record::Source { peer: source.peer, listener }
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// An ending with an error.
pub(crate) fn failed(code: &'static str, reason: &'static str) -> Ending {
    Ending::Failed { code: Word::new(code), reason: Some(Word::new(reason)) }
}

impl Ask<'_> {
    /// What the log says was asked. Names that are in a request were checked.
    fn action(&self) -> record::Action {
        let (object, from) = match self {
            Self::One(_, resource) | Self::Set(_, resource, _) | Self::Public(_, resource) => {
                (object(*resource), None)
            }
            Self::Key(_, key, _) => (object(key.resource()), None),
            Self::Thing(Thing { kind, id: Some(id), .. }) => (with_id(*kind, *id), None),
            Self::Thing(thing) => (Object::of_kind(thing.kind), None),
            Self::Both(_, [(_, from), (_, to)]) => (object(*to), Some(object(*from))),
            Self::Assign(assignment) => (with_id(Kind::Assignment, assignment.id.as_u128()), None),
            Self::Unassign(id, _) | Self::ReadAssignment(id) => {
                (with_id(Kind::Assignment, id.as_u128()), None)
            }
            Self::Proven(_) => (Object::of_kind(Kind::Principal), None),
        };
        let algorithm = match self {
            Self::Key(_, _, algorithm) => algorithm.map(Word::new),
            _ => None,
        };
        record::Action { operation: Word::new(self.operation()), object, from, algorithm }
    }

    /// The version that the caller named.
    fn version(&self) -> Option<VersionId> {
        match self {
            Self::Key(_, key, _) => key.version(),
            _ => None,
        }
    }

    /// Whether it makes, changes or destroys anything. What is not known to leave
    /// everything as it is does.
    fn changes(&self) -> bool {
        match self {
            Self::One(action, _) | Self::Key(action, ..) | Self::Thing(Thing { action, .. }) => {
                !leaves_all_as_it_is(*action)
            }
            Self::Assign(_) | Self::Unassign(..) | Self::Set(..) => true,
            // One who is known may ask who that is, and for a token of its own.
            Self::Proven(operation) => *operation != "WhoAmI",
            Self::Both(..) | Self::ReadAssignment(_) | Self::Public(..) => false,
        }
    }

    /// How the service is can be read while the log takes no records, or nobody would
    /// learn that it does not.
    pub(super) fn is_answered_unrecorded(&self) -> bool {
        matches!(self, Self::One(Action::GetStatus, _))
    }
}

fn leaves_all_as_it_is(action: Action) -> bool {
    use Action as A;
    let name = action.name();
    name.starts_with("Get")
        || name.starts_with("List")
        || name.starts_with("Read")
        || name.starts_with("Backup")
        || matches!(
            action,
            A::Sign
                | A::Verify
                | A::Encrypt
                | A::Decrypt
                | A::WrapKey
                | A::UnwrapKey
                | A::GenerateDataKey
                | A::ReEncryptFrom
                | A::ReEncryptTo
                | A::Mac
                | A::VerifyMac
                | A::SignJwt
                | A::RandomBytes
        )
}

fn object(resource: Resource<'_>) -> Object {
    let name = |text: &str| text.parse().ok();
    match resource {
        Resource::Service => Object::of_kind(Kind::Service),
        Resource::Vault(vault) => Object { vault: name(vault), ..Object::of_kind(Kind::Vault) },
        Resource::Object { vault, kind, name: of } => {
            let kind = match kind {
                ObjectKind::Key => Kind::Key,
                ObjectKind::Secret => Kind::Secret,
                ObjectKind::Certificate => Kind::Certificate,
            };
            Object { vault: name(vault), name: name(of), ..Object::of_kind(kind) }
        }
    }
}

fn with_id(kind: Kind, id: u128) -> Object {
    Object { id: Some(Id(id.to_be_bytes())), ..Object::of_kind(kind) }
}
