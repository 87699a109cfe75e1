//! The inside of a keyhost: one backend, its threads, its open keys.
//!
//! Each worker thread owns one session of the backend, takes packets from the one
//! work socket and answers on the socket the request names. One more thread does
//! what takes long (making, importing and destroying keys), so that a signature
//! never waits behind a prime search. There is no queue in here, no pool, and no
//! lock that is held while a backend works.
//!
//! It refuses to look anything up: a request brings all that is needed to serve it.

mod canary;
mod checkpoints;
mod custody;
mod lifecycle;
mod open_keys;
mod operations;
mod pulse;
mod recipient;
mod replies;
mod serve;
mod slot_custody;
mod worker;

use std::{
    io,
    sync::{Arc, mpsc},
};

use keyreeve_backend::{Error, KeyBackend};

pub use custody::Custody;
pub use pulse::Pulse;

use crate::{
    frame::{Description, Protection},
    link::{HostEnd, Sockets},
    packet::PacketSocket,
};
use checkpoints::Checkpoints;
use custody::Custodian;
use open_keys::OpenKeys;
use recipient::ImportKey;
use worker::Worker;

/// How many opened keys a keyhost keeps.
const OPEN_KEYS: usize = 10_000;

/// A backend that is about to serve.
pub struct Host<B: KeyBackend> {
    /// The backend, open and logged in.
    pub backend: B,
    /// How its keys are sealed.
    pub custody: Custody,
    /// Worker threads, at least one, besides the one for slow requests.
    pub threads: usize,
    /// What protects the process, for [`Description`].
    pub protections: Vec<Protection>,
}

/// What all threads of a keyhost share.
struct Shared<B: KeyBackend> {
    backend: B,
    custodian: Custodian<B::Key>,
    open: OpenKeys<B::Key>,
    import: ImportKey,
    checkpoints: Checkpoints,
    description: Description,
}

impl<B: KeyBackend> Host<B> {
    /// Serves until the front closes its ends, or a thread cannot go on.
    ///
    /// The caller ends the process on return: a keyhost has nothing to tidy up.
    pub fn serve(self, end: HostEnd, pulse: &Arc<Pulse>) -> Result<(), HostError> {
        let Self { backend, custody, threads, protections } = self;
        let custodian = Custodian::new(custody, &backend)?;
        let import = ImportKey::new().map_err(HostError::Io)?;
        let description = Description {
            capabilities: backend.capabilities().clone(),
            recipient: import.recipient(),
            protections,
        };
        let shared = Shared {
            backend,
            custodian,
            open: OpenKeys::new(OPEN_KEYS),
            import,
            checkpoints: Checkpoints::default(),
            description,
        };
        let Sockets { work, slow, replies } = end.into_sockets();

        let ends = || {
            work.shut_down();
            slow.shut_down();
            // The front is told at once: its callers wait for nothing.
            replies.iter().for_each(PacketSocket::shut_down);
        };
        std::thread::scope(|scope| {
            let (serving, ended) = mpsc::channel::<()>();
            let health = {
                let (shared, ends) = (&shared, &ends);
                let watch = move || canary::watch(shared, pulse, &ended).inspect_err(|_| ends());
                std::thread::Builder::new().name("canary".into()).spawn_scoped(scope, watch)
            };
            let health = health.map_err(HostError::Io)?;
            let mut running = Vec::new();
            for thread in 0..=threads {
                let is_slow = thread == threads;
                let source = if is_slow { &slow } else { &work };
                let worker = Worker::new(&shared, source, &replies, pulse, thread, is_slow);
                let name = if is_slow { "slow".into() } else { format!("worker-{thread}") };
                let ends = &ends;
                let run = move || {
                    let ended = worker.run();
                    if let Err(error) = &ended {
                        tracing::error!(%error, "a thread of the keyhost cannot go on");
                    }
                    // One thread alone does not serve: the others find the end as well.
                    ends();
                    ended
                };
                let spawned = std::thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, run)
                    .map_err(HostError::Io)?;
                running.push(spawned);
            }
            let mut outcome = Ok(());
            for thread in running {
                outcome = outcome.and(thread.join().unwrap_or(Err(HostError::Panic)));
            }
            drop(serving);
            outcome.and(health.join().unwrap_or(Err(HostError::Panic)))
        })
    }
}

/// Why a keyhost stopped serving.
#[derive(Debug)]
pub enum HostError {
    /// The backend is not usable.
    Backend(Error),
    /// A socket failed.
    Io(io::Error),
    /// A thread panicked: a defect.
    Panic,
    /// The backend's canary does not sign.
    Dead,
}

impl From<Error> for HostError {
    fn from(error: Error) -> Self {
        Self::Backend(error)
    }
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Backend(error) => write!(f, "backend: {error}"),
            Self::Io(error) => write!(f, "socket: {error}"),
            Self::Dead => f.write_str("the backend does not do its work"),
            Self::Panic => f.write_str("a thread panicked"),
        }
    }
}

impl std::error::Error for HostError {}
