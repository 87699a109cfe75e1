//! What the log's threads tell the world about themselves.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{SigningError, Stopped};

/// How the log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why it stopped, if it did. Then nothing may be answered that needs a record.
    pub stopped: Option<Stopped>,
    /// How many records are durable.
    pub durable: u64,
    /// How many of them are under a signed checkpoint.
    pub signed: u64,
    /// Why the last attempt to sign a checkpoint failed, if it did. Records stay
    /// durable; they are signed when the signer is back.
    pub signing: Option<SigningError>,
}

/// Shared by the log's handle and its threads.
#[derive(Debug, Default)]
pub(crate) struct State {
    stopped: OnceLock<Stopped>,
    durable: AtomicU64,
    signed: AtomicU64,
    signing: Mutex<Option<SigningError>>,
}

impl State {
    pub(crate) fn health(&self) -> Health {
        Health {
            stopped: self.stopped.get().cloned(),
            durable: self.durable.load(Ordering::Acquire),
            signed: self.signed.load(Ordering::Acquire),
            signing: *self.signing.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Stops the log for good. The first reason stays.
    pub(crate) fn stop(&self, doing: &'static str, kind: io::ErrorKind) {
        let _ = self.stopped.set(Stopped { doing, kind });
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.get().is_some()
    }

    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.stopped.get().cloned()
    }

    /// Why nobody answers.
    pub(crate) fn reason(&self) -> Stopped {
        let ended = Stopped { doing: "running its threads", kind: io::ErrorKind::BrokenPipe };
        self.stopped().unwrap_or(ended)
    }

    pub(crate) fn set_durable(&self, size: u64) {
        self.durable.store(size, Ordering::Release);
    }

    pub(crate) fn set_signed(&self, size: u64) {
        self.signed.store(size, Ordering::Release);
        self.set_signing(None);
    }

    pub(crate) fn set_signing(&self, error: Option<SigningError>) {
        *self.signing.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}
