//! Appending, for whoever has a record and not the log.
//!
//! An appender is cheap to clone and does not keep the log open: once the log is
//! closed or has stopped, it says so to each record.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc::error::TrySendError;
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
        self.append_encoded(Encoded::of(record)).await
    }

    /// Appends a record that was encoded before.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub async fn append_encoded(&self, entry: Encoded) -> Result<u64, Stopped> {
        let (durable, answer) = oneshot::channel();
        self.send(Request::Append(entry.pending(Some(durable)))).await?;
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
            self.send(Request::Append(Encoded::of(record).pending(None))).await?;
        }
        // What is written in order is durable in order.
        self.append(last).await.map(drop)
    }

    /// Appends a record for which nobody waits, as when whoever asked has gone. Never
    /// blocks. False if it was not taken: the queue is full, or the log has stopped.
    pub fn try_append(&self, record: &Record) -> bool {
        self.open().is_some_and(|requests| {
            requests.try_send(Request::Append(Encoded::of(record).pending(None))).is_ok()
        })
    }

    /// How the log is.
    pub fn health(&self) -> Health {
        self.state.health()
    }

    /// Takes a record and gives what to wait for: once that is done, the record is
    /// durable. Never blocks. Gives the record back if it was not taken: the queue is
    /// full, or the log has stopped.
    ///
    /// # Errors
    /// The record.
    pub fn begin(&self, entry: Encoded) -> Result<Durable, Encoded> {
        let Some(requests) = self.open() else { return Err(entry) };
        let (durable, answer) = oneshot::channel();
        match requests.try_send(Request::Append(entry.pending(Some(durable)))) {
            Ok(()) => Ok(Durable { answer, state: Arc::clone(&self.state) }),
            Err(
                TrySendError::Full(Request::Append(back))
                | TrySendError::Closed(Request::Append(back)),
            ) => Err(Encoded { entry: back.entry, leaf: back.leaf }),
            Err(_) => unreachable!("what was sent is an append"),
        }
    }

    async fn send(&self, request: Request) -> Result<(), Stopped> {
        let requests = self.open().ok_or_else(|| self.state.reason())?;
        requests.send(request).await.map_err(|_| self.state.reason())
    }

    fn open(&self) -> Option<mpsc::Sender<Request>> {
        if self.state.has_stopped() { None } else { self.requests.upgrade() }
    }
}

/// A record, ready to be appended.
#[derive(Debug)]
pub struct Encoded {
    entry: Vec<u8>,
    leaf: Hash,
}

impl Encoded {
    /// Encodes and hashes, so that the writer, who is one for all, need not.
    pub fn of(record: &Record) -> Self {
        let entry = record.encode();
        let leaf = Hash::of_leaf(&entry);
        Self { entry, leaf }
    }

    fn pending(self, durable: Option<oneshot::Sender<u64>>) -> Pending {
        Pending { entry: self.entry, leaf: self.leaf, durable }
    }
}

/// Ends when a record is durable, with its index.
#[derive(Debug)]
#[must_use = "a record is durable only when this has ended"]
pub struct Durable {
    answer: oneshot::Receiver<u64>,
    state: Arc<State>,
}

impl Future for Durable {
    type Output = Result<u64, Stopped>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.answer).poll(cx);
        answer.map(|answer| answer.map_err(|_| self.state.reason()))
    }
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Appender")
    }
}
