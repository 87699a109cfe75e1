//! What the writer and the readers share: the database, the recent commits, and
//! whether the engine is full or has stopped.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError};

use keyreeve_store::{Error, History, Revision};
use redb::Database;

use crate::OpenFault;
use crate::medium::Medium;
use crate::open;
use crate::open_error::is_full;
use crate::panics::caught;

#[derive(Debug)]
pub(crate) struct Engine {
    medium: Box<dyn Medium>,
    /// Locked by each use for its length, and alone by the writer while it opens the
    /// database anew. `None` when that failed for want of room.
    database: RwLock<Option<Database>>,
    pub(crate) history: Arc<History>,
    /// Why commits are refused for now.
    full: Mutex<Option<String>>,
    /// Why everything is refused for good.
    stopped: OnceLock<String>,
}

impl Engine {
    pub(crate) fn new(database: Database, medium: Box<dyn Medium>, history: Arc<History>) -> Self {
        Self {
            medium,
            database: RwLock::new(Some(database)),
            history,
            full: Mutex::new(None),
            stopped: OnceLock::new(),
        }
    }

    /// Runs a read. It never waits for the writer to open the database anew.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Error> {
        let database = match self.database.try_read() {
            Ok(database) => database,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(reopening()),
        };
        self.alive()?;
        let database = database.as_ref().ok_or_else(reopening)?;
        match guarded(|| work(database)) {
            Ok(value) => Ok(value),
            // A write has failed, and the writer is about to see to it.
            Err(Failure::After) | Err(Failure::Full(_)) => Err(reopening()),
            Err(Failure::Fatal(error)) => {
                self.stop(&error);
                Err(error)
            }
        }
    }

    /// Runs a write. For the writer alone.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, WriteError> {
        self.alive().map_err(WriteError::Stopped)?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(WriteError::Full("it could not be opened again".into()));
        };
        let error = match guarded(|| work(database)) {
            Ok(value) => return Ok(value),
            Err(Failure::Full(why)) => return Err(WriteError::Full(why)),
            Err(Failure::After) => Error::Stopped("a read failed".into()),
            Err(Failure::Fatal(error)) => error,
        };
        self.stop(&error);
        Err(WriteError::Stopped(error))
    }

    /// Opens the database anew after a write failed for want of room, and returns the
    /// revision it has. For the writer alone. `Full`: it cannot be opened for the
    /// same reason. Any other fault stops the engine.
    pub(crate) fn reopen(&self) -> Result<Revision, WriteError> {
        self.alive().map_err(WriteError::Stopped)?;
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
        let opened = self.medium.reopen().and_then(|opened| {
            let revision = open::revision(&opened)?;
            Ok((opened, revision))
        });
        let error = match opened {
            Ok((opened, revision)) => {
                *database = Some(opened);
                return Ok(revision);
            }
            Err(OpenFault::Full(error)) => return Err(WriteError::Full(error.to_string())),
            Err(OpenFault::Corrupt(what)) => Error::Corrupt(what),
            Err(OpenFault::Io(error)) => Error::Stopped(error.to_string()),
            Err(OpenFault::InUse(_) | OpenFault::UnknownFormat(_)) => {
                Error::Corrupt("the file is not the one that was open".into())
            }
        };
        self.stop(&error);
        Err(WriteError::Stopped(error))
    }

    /// Whether the database is open: it may not be while there is no room.
    pub(crate) fn is_open(&self) -> bool {
        self.database.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.medium.has_room()
    }

    pub(crate) fn set_full(&self, why: Option<String>) {
        *self.full() = why;
    }

    pub(crate) fn health(&self) -> Result<(), Error> {
        self.alive()?;
        self.full().clone().map_or(Ok(()), |why| Err(Error::Full(why)))
    }

    /// Whether the engine has not stopped.
    pub(crate) fn alive(&self) -> Result<(), Error> {
        match self.stopped.get() {
            None => Ok(()),
            Some(why) => Err(Error::Stopped(why.clone())),
        }
    }

    /// Stops the engine for good. The first reason stays.
    pub(crate) fn stop(&self, why: &Error) {
        let why = match why {
            Error::Stopped(why) => why.clone(),
            other => other.to_string(),
        };
        let why = self.stopped.get_or_init(|| why).clone();
        self.history.end(Error::Stopped(why));
    }

    fn full(&self) -> MutexGuard<'_, Option<String>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a write failed.
pub(crate) enum WriteError {
    /// For want of room. What is on the disk is known after opening it anew.
    Full(String),
    /// For good.
    Stopped(Error),
}

/// How work on the database failed.
enum Failure {
    /// There is no room.
    Full(String),
    /// redb refuses, because something failed before.
    After,
    /// Nothing to carry on after.
    Fatal(Error),
}

fn guarded<T>(work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Failure> {
    // A damaged page can fail an assertion inside redb. The engine stops then, so
    // nothing sees the state that the panic left.
    match caught(work) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(classify(error)),
        None => Err(Failure::Fatal(Error::Corrupt("a page failed an internal check".into()))),
    }
}

fn classify(error: redb::Error) -> Failure {
    Failure::Fatal(match error {
        redb::Error::Io(error) if is_full(&error) => return Failure::Full(error.to_string()),
        redb::Error::PreviousIo => return Failure::After,
        redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Error::Corrupt("the file is cut short".into())
        }
        redb::Error::Corrupted(what) => Error::Corrupt(what),
        other => Error::Stopped(other.to_string()),
    })
}

fn reopening() -> Error {
    Error::Unavailable("the store is being opened again after it ran out of room".into())
}
