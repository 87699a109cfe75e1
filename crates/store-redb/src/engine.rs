//! What the writer and the readers share: the database, the recent commits, and
//! whether the engine has stopped.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use keyreeve_store::{Error, History};
use redb::Database;

use crate::open_error::is_full;

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) database: Database,
    pub(crate) history: Arc<History>,
    stopped: OnceLock<String>,
}

impl Engine {
    pub(crate) fn new(database: Database, history: Arc<History>) -> Self {
        Self { database, history, stopped: OnceLock::new() }
    }

    /// Runs work on the database unless the engine has stopped, and stops it if the
    /// work fails: no error of the storage layer is one to carry on after.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Error> {
        self.health()?;
        // A damaged page can fail an assertion inside redb. The engine stops then,
        // so nothing sees the state that the panic left.
        let error = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => classify(error),
            Err(_) => Error::Corrupt("a page failed an internal check".into()),
        };
        self.stop(&error);
        Err(error)
    }

    pub(crate) fn health(&self) -> Result<(), Error> {
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
}

fn classify(error: redb::Error) -> Error {
    match error {
        redb::Error::Io(error) if is_full(&error) => Error::Full(error.to_string()),
        redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Error::Corrupt("the file is cut short".into())
        }
        redb::Error::Corrupted(what) => Error::Corrupt(what),
        other => Error::Stopped(other.to_string()),
    }
}
