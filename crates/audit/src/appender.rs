//! Appending, for whoever has a record and not the log.
//!
//! An appender is cheap to clone and does not keep the log open: once the log is
//! closed or has stopped, it says so to each record.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::state::State;
use crate::writer::{Pending, Request};
use crate::{Hash, Health, Record, Stopped};

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
        let (durable, answer) = oneshot::channel();
        self.send(pending(record, Some(durable))).await?;
        answer.await.map_err(|_| self.state.reason())
    }

    /// Appends records in their order and waits once. All are durable when this
    /// returns.
    ///
    /// # Errors
    /// As [`Appender::append`]; some of them may be there nevertheless.
    pub async fn append_all(&self, records: &[Record]) -> Result<(), Stopped> {
        let Some((last, before)) = records.split_last() else { return Ok(()) };
        for record in before {
            self.send(pending(record, None)).await?;
        }
        // What is written in order is durable in order.
        self.append(last).await.map(drop)
    }

    /// Appends a record for which nobody waits, as when whoever asked has gone. Never
    /// blocks. False if it was not taken: the queue is full, or the log has stopped.
    pub fn try_append(&self, record: &Record) -> bool {
        self.open().is_some_and(|requests| requests.try_send(pending(record, None)).is_ok())
    }

    /// How the log is.
    pub fn health(&self) -> Health {
        self.state.health()
    }

    async fn send(&self, request: Request) -> Result<(), Stopped> {
        let requests = self.open().ok_or_else(|| self.state.reason())?;
        requests.send(request).await.map_err(|_| self.state.reason())
    }

    fn open(&self) -> Option<mpsc::Sender<Request>> {
        if self.state.has_stopped() { None } else { self.requests.upgrade() }
    }
}

fn pending(record: &Record, durable: Option<oneshot::Sender<u64>>) -> Request {
    let entry = record.encode();
    let leaf = Hash::of_leaf(&entry);
    Request::Append(Pending { entry, leaf, durable })
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Appender")
    }
}
