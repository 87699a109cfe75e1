//! How many requests there were, how they ended and how long they took.
//!
//! Each runtime counts for itself, so that no cache line is shared on the way of a
//! request; whoever reads adds up. Every label comes from a closed set: operations,
//! outcomes, backends of the configuration. Nothing a caller writes becomes a label.

mod expiry;
mod span;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

pub use expiry::Expiring;
pub(crate) use expiry::LastCount;
use span::Identifiers;
pub use span::{Span, Spans};

use crate::{
    Caller, Error, Kind, Service, Shared, Tier,
    gate::{Ask, Permit, Seen},
    name::VaultName,
    registry,
};

/// Upper bounds of the buckets of a latency histogram, in microseconds; one more bucket
/// has no bound.
pub const LATENCY_US: [u64; 10] =
    [100, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000, 10_000_000];
const BUCKETS: usize = LATENCY_US.len() + 1;

/// Operations that are not one action; the last stands for any other.
const MORE: [&str; 5] = ["ReEncrypt", "GetAssignment", "WhoAmI", "IssueAccessToken", "Other"];
const OPERATIONS: usize = Action::ALL.len() + MORE.len();

/// Outcomes, by the names of gRPC codes.
const OUTCOMES: [&str; 12] = [
    "OK",
    "INVALID_ARGUMENT",
    "PERMISSION_DENIED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "ABORTED",
    "UNAVAILABLE",
    "RESOURCE_EXHAUSTED",
    "DEADLINE_EXCEEDED",
    "DECRYPTION_FAILED",
    "INTERNAL",
];

/// Backends: none, the software keystore, that of the premium tier.
const BACKENDS: usize = 3;

/// How a credential was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// It proved somebody.
    Proven,
    /// It proved nobody.
    Failed,
    /// There was none where one is needed.
    NotPresented,
}

/// The counts of one runtime.
pub(crate) struct Meter {
    requests: Box<[AtomicU64]>,
    latency: Box<[Latency]>,
    authentications: [AtomicU64; Authentication::ALL.len()],
}

#[derive(Default)]
struct Latency {
    buckets: [AtomicU64; BUCKETS],
    total_us: AtomicU64,
}

/// The meters of all runtimes.
#[derive(Default)]
pub(crate) struct Meters(Mutex<Vec<Arc<Meter>>>);

/// What all runtimes counted since the service was opened.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Requests that there were, by operation, outcome and backend.
    pub requests: Vec<Requests>,
    /// How long they took, by operation.
    pub latencies: Vec<Latencies>,
    /// How credentials were found.
    pub authentications: Vec<(Authentication, u64)>,
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// The operation's name.
    pub operation: &'static str,
    /// How they ended: the gRPC code, or `DECRYPTION_FAILED`, which callers see as
    /// `INVALID_ARGUMENT`.
    pub outcome: &'static str,
    /// Where the vault's keys are; `None` if that was not looked up.
    pub tier: Option<Tier>,
    /// How many.
    pub count: u64,
}

/// How long the requests of an operation took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latencies {
    /// The operation's name.
    pub operation: &'static str,
    /// How many took no longer than each of [`LATENCY_US`], and how many longer than the
    /// last: not summed up.
    pub buckets: [u64; BUCKETS],
    /// All of them together, in microseconds.
    pub total_us: u64,
}

impl Authentication {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Proven, Self::Failed, Self::NotPresented];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Failed => "failed",
            Self::NotPresented => "not_presented",
        }
    }
}

impl Service {
    /// Passes an operation through the gate, as [`Service::pass`], and counts it.
    pub(crate) fn run<T, F>(
        &self,
        caller: &Caller,
        ask: Ask<'_>,
        deadline: Deadline,
        work: impl Fn(Permit) -> F,
    ) -> impl Future<Output = Result<T, Error>>
    where
        T: Seen,
        F: Future<Output = Result<T, Error>>,
    {
        let passing = self.pass(caller, ask, deadline, work);
        async move {
            let began = Instant::now();
            let outcome = passing.await;
            self.count(caller, &ask, outcome.as_ref().err(), began.elapsed());
            outcome
        }
    }

    /// Counts what came of a credential.
    pub fn count_authentication(&self, outcome: Authentication) {
        self.meter().authentications[outcome as usize].fetch_add(1, Relaxed);
    }

    fn count(&self, caller: &Caller, ask: &Ask<'_>, error: Option<&Error>, took: Duration) {
        let (operation, outcome) = (operation(ask), outcome(error));
        let tier = self.backend_of(ask, error);
        let backend = match tier {
            None => 0,
            Some(Tier::Standard) => 1,
            Some(Tier::Premium) => 2,
        };
        let meter = self.meter();
        let place = (operation * OUTCOMES.len() + outcome) * BACKENDS + backend;
        meter.requests[place].fetch_add(1, Relaxed);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let latency = &meter.latency[operation];
        let bucket = LATENCY_US.partition_point(|bound| *bound < took_us);
        latency.buckets[bucket].fetch_add(1, Relaxed);
        latency.total_us.fetch_add(took_us, Relaxed);
        self.shared().spans.offer(caller, |Identifiers { trace, id, parent }| {
            let now = SystemTime::now();
            Span {
                trace,
                id,
                parent,
                began: now.checked_sub(took).unwrap_or(now),
                took,
                operation: operation_name(operation),
                outcome: OUTCOMES[outcome],
                reason: error.map(Error::reason),
                tier,
                vault: ask.vault_name().map(Into::into),
                object: ask.object_name().map(Into::into),
                request: caller.request(),
            }
        });
    }

    /// Where the keys of the vault are that was asked for. Not looked up for who may not
    /// know that there is one.
    fn backend_of(&self, ask: &Ask<'_>, error: Option<&Error>) -> Option<Tier> {
        if error.is_some_and(|error| error.kind() == Kind::PermissionDenied) {
            return None;
        }
        let name = VaultName::new(ask.vault_name()?).ok()?;
        let now = self.shared().registry.now();
        registry::entry(&now, name).ok().map(|entry| entry.vault.tier())
    }
}

impl Shared {
    /// What all runtimes counted. Takes some ten thousand reads: for now and then.
    pub fn totals(&self) -> Totals {
        let meters = self.meters.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sum = |read: &dyn Fn(&Meter) -> u64| meters.iter().map(|meter| read(meter)).sum();
        let mut totals = Totals::default();
        for operation in 0..OPERATIONS {
            let name = operation_name(operation);
            let mut any = false;
            for (outcome, outcome_name) in OUTCOMES.into_iter().enumerate() {
                for (backend, tier) in TIERS.into_iter().enumerate() {
                    let place = (operation * OUTCOMES.len() + outcome) * BACKENDS + backend;
                    let count = sum(&|meter| meter.requests[place].load(Relaxed));
                    if count > 0 {
                        any = true;
                        let requests =
                            Requests { operation: name, outcome: outcome_name, tier, count };
                        totals.requests.push(requests);
                    }
                }
            }
            if any {
                let mut buckets = [0; BUCKETS];
                for (index, bucket) in buckets.iter_mut().enumerate() {
                    *bucket = sum(&|meter| meter.latency[operation].buckets[index].load(Relaxed));
                }
                let total_us = sum(&|meter| meter.latency[operation].total_us.load(Relaxed));
                totals.latencies.push(Latencies { operation: name, buckets, total_us });
            }
        }
        totals.authentications = Authentication::ALL
            .into_iter()
            .map(|kind| (kind, sum(&|meter| meter.authentications[kind as usize].load(Relaxed))))
            .collect();
        totals
    }
}

const TIERS: [Option<Tier>; BACKENDS] = [None, Some(Tier::Standard), Some(Tier::Premium)];

impl Meters {
    /// One for one more runtime.
    pub(crate) fn add(&self) -> Arc<Meter> {
        let meter = Arc::new(Meter::new());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&meter));
        meter
    }
}

impl Meter {
    fn new() -> Self {
        let requests = OPERATIONS * OUTCOMES.len() * BACKENDS;
        Self {
            requests: (0..requests).map(|_| AtomicU64::new(0)).collect(),
            latency: (0..OPERATIONS).map(|_| Latency::default()).collect(),
            authentications: Default::default(),
        }
    }
}

fn operation(ask: &Ask<'_>) -> usize {
    match ask {
        Ask::One(action, _)
        | Ask::Set(action, ..)
        | Ask::Key(action, ..)
        | Ask::Public(action, _) => *action as usize,
        Ask::Thing(thing) => thing.action as usize,
        Ask::Assign(_) => Action::CreateAssignment as usize,
        Ask::Unassign(..) => Action::DeleteAssignment as usize,
        Ask::Both(..) | Ask::ReadAssignment(_) | Ask::Proven(_) => {
            let name = ask.operation();
            let place = MORE.iter().position(|more| *more == name).unwrap_or(MORE.len() - 1);
            Action::ALL.len() + place
        }
    }
}

fn operation_name(operation: usize) -> &'static str {
    match Action::ALL.get(operation) {
        Some(action) => action.name(),
        None => MORE.get(operation - Action::ALL.len()).copied().unwrap_or("Other"),
    }
}

fn outcome(error: Option<&Error>) -> usize {
    match error.map(Error::kind) {
        None => 0,
        Some(Kind::InvalidArgument { .. }) => 1,
        Some(Kind::PermissionDenied) => 2,
        Some(Kind::NotFound) => 3,
        Some(Kind::AlreadyExists) => 4,
        Some(Kind::FailedPrecondition) => 5,
        Some(Kind::Aborted) => 6,
        Some(Kind::Unavailable { .. }) => 7,
        Some(Kind::ResourceExhausted { .. }) => 8,
        Some(Kind::DeadlineExceeded) => 9,
        Some(Kind::DecryptionFailed) => 10,
        Some(Kind::Internal) => 11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an action that is counted under the name of another.
    #[test]
    fn every_action_is_counted_under_its_own_name() {
        for (place, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(action as usize, place);
            assert_eq!(operation_name(operation(&Ask::service(action))), action.name());
        }
        assert_eq!(operation_name(operation(&Ask::Proven("WhoAmI"))), "WhoAmI");
        assert_eq!(operation_name(operation(&Ask::Proven("Unheard"))), "Other");
    }

    /// Guards against an outcome that is counted as another.
    #[test]
    fn outcomes_have_the_names_of_their_kinds() {
        let name = |error: &Error| OUTCOMES[outcome(Some(error))];
        assert_eq!(OUTCOMES[outcome(None)], "OK");
        assert_eq!(name(&Error::decryption_failed()), "DECRYPTION_FAILED");
        assert_eq!(name(&Error::deadline_exceeded()), "DEADLINE_EXCEEDED");
        assert_eq!(name(&Error::internal("X", "")), "INTERNAL");
        assert_eq!(name(&Error::not_found("x")), "NOT_FOUND");
        assert_eq!(name(&Error::contended()), "ABORTED");
    }
}
