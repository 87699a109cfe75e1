//! Appending, for whoever has a record and not the log.
//!
//! An appender is cheap to clone and does not keep the log open: once the log is
//! closed or has stopped, it says so to each record.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::commit::{Commit, Submission, Wake};
use crate::sheaf::Sheaf;
use crate::state::State;
use crate::writer::Request;
use crate::{Health, Record, Stopped};

/// Appends to one open log.
#[derive(Clone)]
pub struct Appender {
    requests: mpsc::WeakSender<Request>,
    state: Arc<State>,
}

impl Appender {
    pub(crate) const fn new(requests: mpsc::WeakSender<Request>, state: Arc<State>) -> Self {
        Self { requests, state }
    }

    /// Appends a record and gives its index. It is durable when this returns; if the
    /// future is dropped, the record is in the log or not.
    ///
    /// # Errors
    /// As [`Log::append`](crate::Log::append).
    pub async fn append(&self, record: &Record) -> Result<u64, Stopped> {
        let commit = Arc::new(Commit::default());
        let durable = commit.join();
        let submission = self.submission(Sheaf::of(record), commit, Wake::All);
        let requests = self.open().ok_or_else(|| self.state.reason())?;
        let sent = requests.send(Request::Append(submission)).await;
        drop(requests);
        sent.map_err(|_| self.state.reason())?;
        durable.await.map_err(|_| self.state.reason())
    }

    /// Appends a record for which nobody waits, as when whoever asked has gone. Never
    /// blocks. False if it was not taken: the queue is full, or the log has stopped.
    pub fn try_append(&self, record: &Record) -> bool {
        self.submit(Sheaf::of(record), Arc::default(), Wake::All)
    }

    /// Hands a sheaf to the writer. Never blocks. If this is false, it was not taken,
    /// and its commit has ended.
    pub(crate) fn submit(&self, sheaf: Sheaf, commit: Arc<Commit>, wake: Wake) -> bool {
        let submission = self.submission(sheaf, commit, wake);
        let Some(requests) = self.open() else { return false };
        match requests.try_send(Request::Append(submission)) {
            Ok(()) => true,
            Err(TrySendError::Full(request) | TrySendError::Closed(request)) => {
                drop(request);
                false
            }
        }
    }

    /// How the log is.
    pub fn health(&self) -> Health {
        self.state.health()
    }

    fn submission(&self, sheaf: Sheaf, commit: Arc<Commit>, wake: Wake) -> Submission {
        Submission::new(sheaf, commit, Arc::clone(&self.state), wake)
    }

    fn open(&self) -> Option<mpsc::Sender<Request>> {
        if self.state.has_stopped() { None } else { self.requests.upgrade() }
    }
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Appender")
    }
}
