//! How the processes of the service are, as the supervisor last said.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use keyreeve_audit::{Recorder, Standing};
use keyreeve_backend::{Capabilities, Custody};
use keyreeve_grpc::{StatusSource, v1};
use keyreeve_keyhost::{Client, Protection};
use keyreeve_service::Shared;
use keyreeve_store::Error as StoreError;

use super::beat::Beats;
use crate::control::{Phase, ProcessState};

/// The front's name among the processes.
const FRONT: &str = "front";
/// The audit log takes records.
pub(super) const RECORDING: &str = "recording";
/// What the configuration can turn off.
const RSA1_5: &str = "RSA1_5";

/// Written when the supervisor reports, read for status and health.
#[derive(Default)]
pub(crate) struct Processes {
    states: RwLock<Arc<[ProcessState]>>,
    /// What protects this process.
    own: OnceLock<Vec<Protection>>,
    /// Where records are kept, and what is turned off.
    service: OnceLock<Arc<Shared>>,
    /// Those of every thread, and the names of the keyhosts that hold the tiers.
    clients: Mutex<Vec<Client>>,
    backends: OnceLock<[String; 2]>,
    beats: Beats,
}

impl Processes {
    /// What the supervisor says: the front first.
    pub(crate) fn update(&self, states: Vec<ProcessState>) {
        *self.states.write().unwrap_or_else(PoisonError::into_inner) = states.into();
    }

    /// What the supervisor last said.
    pub(crate) fn now(&self) -> Arc<[ProcessState]> {
        Arc::clone(&self.states.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what protects the front. Once.
    pub(crate) fn protected_by(&self, protections: Vec<Protection>) {
        let _ = self.own.set(protections);
    }

    /// What protects the front.
    pub(crate) fn own_protections(&self) -> &[Protection] {
        self.own.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes what the processes serve. Once.
    pub(crate) fn serve(&self, service: Arc<Shared>) {
        let _ = self.service.set(service);
    }

    /// Notes a thread's clients, and which keyhosts hold the standard and the premium
    /// tier.
    pub(super) fn watch(&self, clients: &[Client], backends: [String; 2]) {
        let mut watched = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        watched.extend_from_slice(clients);
        let _ = self.backends.set(backends);
    }

    /// The clients of all threads.
    pub(super) fn clients(&self) -> Vec<Client> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which keyhosts hold the standard and the premium tier; empty if there is none.
    pub(super) fn backends(&self) -> [String; 2] {
        self.backends.get().cloned().unwrap_or_default()
    }

    /// What is served, once it is.
    pub(super) fn service(&self) -> Option<&Arc<Shared>> {
        self.service.get()
    }

    /// Shows that the calling thread makes progress: to be spawned once on each.
    pub(crate) async fn beat(self: Arc<Self>) {
        self.beats.beat().await;
    }

    /// How long ago the thread that is furthest behind made progress.
    pub(crate) fn stalest(&self) -> Duration {
        self.beats.stalest()
    }

    fn store(&self) -> Option<v1::Store> {
        self.service.get().map(|service| store(service.store_health()))
    }

    fn audit_log(&self) -> Option<v1::AuditLog> {
        self.service.get().map(|service| audit_log(service.audit()))
    }

    /// Whether the audit log takes records, in a word for everybody.
    pub(crate) fn audit(&self) -> &'static str {
        match self.service.get().map(|service| service.audit().standing()) {
            Some(Standing::Recording) => RECORDING,
            Some(Standing::Stopped(_) | Standing::Closed) => "stopped",
            Some(Standing::Opening) | None => "opening",
        }
    }

    fn offers(&self, algorithm: &str) -> bool {
        let allowed = self.service.get().is_some_and(|shared| shared.settings().allow_rsa1_5);
        allowed || algorithm != RSA1_5
    }

    /// Which keyhosts serve, by name.
    pub(crate) fn serving(&self) -> Vec<(String, bool)> {
        let now = self.now();
        let keyhosts = now.iter().skip(1);
        keyhosts.map(|state| (state.name.clone(), state.phase == Phase::Serving)).collect()
    }
}

/// What `GetStatus` reports: the processes as the supervisor knows them, what
/// protects and what can each as it said itself.
pub(super) fn source(processes: Arc<Processes>, clients: Vec<Client>) -> StatusSource {
    let started = SystemTime::now();
    StatusSource::new(move || v1::Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        processes: processes
            .now()
            .iter()
            .map(|state| process(state, &processes, &clients))
            .collect(),
        start_time: Some(started.into()),
        store: processes.store(),
        audit_log: processes.audit_log(),
    })
}

fn audit_log(recorder: &Recorder) -> v1::AuditLog {
    use v1::audit_log::State;
    let log = recorder.log();
    let unsigned = log.as_ref().and_then(|(_, health)| health.signing);
    let (state, detail) = match recorder.standing() {
        Standing::Opening => (State::Opening, String::new()),
        Standing::Recording => {
            let waiting = |error| format!("{error}; records are on disk and are signed later");
            (State::Recording, unsigned.map(waiting).unwrap_or_default())
        }
        Standing::Stopped(why) => {
            let next = "it is opened again by itself once there is room and its disk works";
            (State::Stopped, format!("{why}; {next}"))
        }
        Standing::Closed => (State::Stopped, "the service is ending".to_owned()),
    };
    let count = |of: u64| i64::try_from(of).unwrap_or(i64::MAX);
    v1::AuditLog {
        state: state.into(),
        detail,
        verifier_key: log.as_ref().map(|(key, _)| key.to_string()).unwrap_or_default(),
        record_count: log.as_ref().map_or(0, |(_, health)| count(health.durable)),
        signed_count: log.as_ref().map_or(0, |(_, health)| count(health.signed)),
    }
}

fn store(health: Result<(), StoreError>) -> v1::Store {
    use v1::store::State;
    let Err(error) = health else {
        return v1::Store { state: State::Serving.into(), detail: String::new() };
    };
    let (state, next) = match error {
        StoreError::Full(_) => (State::Full, "; make room on its file system, it then goes on"),
        StoreError::Unavailable(_) => (State::Unavailable, ""),
        _ => (State::Stopped, "; look at its disk, then restart the service"),
    };
    v1::Store { state: state.into(), detail: format!("{error}{next}") }
}

fn process(state: &ProcessState, processes: &Processes, clients: &[Client]) -> v1::Process {
    let ProcessState { name, pid, phase, restarts, detail } = state;
    let description =
        clients.iter().find(|client| client.name() == name).and_then(Client::description);
    let protections = match &description {
        Some(description) => &description.protections,
        None if name == FRONT => processes.own_protections(),
        None => &[][..],
    };
    v1::Process {
        name: name.clone(),
        pid: i32::try_from(*pid).unwrap_or_default(),
        state: match phase {
            Phase::Serving => v1::process::State::Serving,
            Phase::Starting | Phase::Restarting => v1::process::State::Restarting,
            Phase::NeedsOperator => v1::process::State::NeedsOperator,
        }
        .into(),
        restarts: i32::try_from(*restarts).unwrap_or(i32::MAX),
        // What protected a process that is gone protects nothing.
        protections: if *phase == Phase::Serving {
            protections.iter().map(protection).collect()
        } else {
            Vec::new()
        },
        backend: description.map(|description| backend(&description.capabilities, processes)),
        detail: if *phase == Phase::Serving { String::new() } else { detail.clone() },
    }
}

fn protection(protection: &Protection) -> v1::Protection {
    let Protection { name, in_force, detail } = protection.clone();
    v1::Protection { name, in_force, detail }
}

fn backend(capabilities: &Capabilities, processes: &Processes) -> v1::Backend {
    let Capabilities { backend, custody, generate, import, sign, mac, decrypt, unwrap, .. } =
        capabilities;
    let mut key_specs: Vec<_> = generate.iter().chain(import).map(ToString::to_string).collect();
    key_specs.sort();
    key_specs.dedup();
    let mut algorithms: Vec<_> = sign.iter().map(ToString::to_string).collect();
    algorithms.extend(mac.iter().map(ToString::to_string));
    algorithms.extend(decrypt.iter().map(ToString::to_string));
    // RSA algorithms that decrypt also unwrap, under the same name.
    let wrapping = unwrap.iter().map(ToString::to_string);
    let new: Vec<_> = wrapping.filter(|name| !algorithms.contains(name)).collect();
    algorithms.extend(new);
    algorithms.retain(|name| processes.offers(name));
    v1::Backend {
        name: backend.clone(),
        tier: match custody {
            Custody::Portable => v1::vault::Tier::Standard,
            Custody::Resident | Custody::Wrapped => v1::vault::Tier::Premium,
        }
        .into(),
        key_specs,
        algorithms,
    }
}
