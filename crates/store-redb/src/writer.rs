//! The one thread that writes.
//!
//! It takes what waits, up to a bound, and never waits for more to come: while one
//! group is synced the next gathers by itself.
//!
//! A group that fails for want of room leaves the file in a state that only opening
//! it anew can tell, so that is done at once: the revision found says whether the
//! group is there, all of it or nothing. From then on commits are refused without
//! touching the database, until a small file of its own has shown that there is
//! room and a write that changes nothing has gone through.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use keyreeve_store::{Batch, Error, Revision};
use tokio::sync::{mpsc, oneshot};

use crate::engine::{Engine, WriteError};
use crate::group::{self, Applied};

/// Batches that may wait; a caller beyond that waits to be let in.
pub(crate) const QUEUE_BATCHES: usize = 1024;
const GROUP_BATCHES: usize = 1024;
/// A group stops growing beyond this many bytes of keys and values.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// How often the queue of a full store is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Waits before it is looked for room again, doubling from the first up to the longest:
/// of the two kinds of look the cheap one found none, or a write failed all the same.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT_AFTER_WRITE: Duration = Duration::from_secs(5);

/// A batch and where its answer goes.
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) answer: oneshot::Sender<Result<Revision, Error>>,
}

/// Writes until the queue is closed and empty.
pub(crate) fn run(engine: &Arc<Engine>, mut queue: mpsc::Receiver<Job>, revision: Revision) {
    let mut writer = Writer { engine, revision, full: None };
    while let Some(first) = writer.next(&mut queue) {
        let (batches, answers) = gather(first, &mut queue);
        let results = match writer.ready() {
            Ok(()) => writer.write(batches),
            Err(error) => Err(error),
        };
        // A caller that went away is owed no answer.
        match results {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    let _ = answer.send(result);
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

struct Writer<'e> {
    engine: &'e Engine,
    revision: Revision,
    full: Option<Full>,
}

/// A store without room.
struct Full {
    why: String,
    /// A group of which it is not known whether it is there.
    open_question: Option<Applied>,
    /// When it is looked for room again.
    retry_at: Instant,
    /// The next wait.
    next_wait: Duration,
}

impl Full {
    /// Puts off the next look by the next wait, `longest` at most.
    fn put_off(&mut self, longest: Duration) {
        let wait = self.next_wait.min(longest);
        self.retry_at = Instant::now() + wait;
        self.next_wait = wait * 2;
    }
}

impl Writer<'_> {
    /// The next job; `None` when there will be none. Sees to a full store meanwhile.
    fn next(&mut self, queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
        while self.full.is_some() {
            match queue.try_recv() {
                Ok(job) => return Some(job),
                Err(mpsc::error::TryRecvError::Disconnected) => return None,
                Err(mpsc::error::TryRecvError::Empty) => {
                    thread::sleep(LOOK);
                    // A failure is told to the next caller, and by `health`.
                    let _ = self.ready();
                }
            }
        }
        queue.blocking_recv()
    }

    /// Makes one group durable, and returns the answer to each batch.
    fn write(&mut self, batches: Vec<Batch>) -> Result<Vec<Result<Revision, Error>>, Error> {
        let mut prepared = None;
        let revision = self.revision;
        let written =
            self.engine.write(|database| group::apply(database, batches, revision, &mut prepared));
        let why = match written {
            Ok(applied) => return Ok(self.publish(applied)),
            Err(WriteError::Stopped(error)) => return Err(error),
            Err(WriteError::Full(why)) => why,
        };
        self.note_full(why.clone());
        match self.engine.reopen() {
            Ok(found) => match self.settle(found, prepared)? {
                Some(answers) => Ok(answers),
                None => Err(Error::Full(why)),
            },
            Err(WriteError::Stopped(error)) => Err(error),
            Err(WriteError::Full(_)) => {
                // Without a prepared group nothing of it can be there.
                let Some(prepared) = prepared else { return Err(Error::Full(why)) };
                if let Some(full) = &mut self.full {
                    full.open_question = Some(prepared);
                }
                Err(Error::Unknown(format!("the disk is full ({why}) and cannot be read back yet")))
            }
        }
    }

    /// Whether a group can be tried: makes sure of it if the store was full.
    fn ready(&mut self) -> Result<(), Error> {
        self.engine.alive()?;
        let Some(full) = &mut self.full else { return Ok(()) };
        if Instant::now() < full.retry_at {
            return Err(Error::Full(full.why.clone()));
        }
        if !self.engine.has_room() {
            full.put_off(LONGEST_WAIT);
            return Err(Error::Full(full.why.clone()));
        }
        let tried = self.try_write();
        // From the end of the attempt: opening a large store may take longer than a wait.
        if let (Err(_), Some(full)) = (&tried, &mut self.full) {
            full.put_off(LONGEST_WAIT_AFTER_WRITE);
        }
        tried
    }

    /// Ends being full, if a write that changes nothing goes through.
    fn try_write(&mut self) -> Result<(), Error> {
        if !self.engine.is_open() {
            self.reopen()?;
        }
        let revision = self.revision;
        match self.engine.write(|database| group::touch(database, revision)) {
            Ok(()) => {
                self.full = None;
                self.engine.set_full(None);
                Ok(())
            }
            Err(WriteError::Stopped(error)) => Err(error),
            Err(WriteError::Full(why)) => {
                // Readers need it open, whether or not there is room.
                self.reopen()?;
                Err(Error::Full(why))
            }
        }
    }

    fn reopen(&mut self) -> Result<(), Error> {
        match self.engine.reopen() {
            Ok(found) => {
                let question = self.full.as_mut().and_then(|full| full.open_question.take());
                self.settle(found, question).map(|_| ())
            }
            Err(WriteError::Stopped(error)) => Err(error),
            Err(WriteError::Full(why)) => Err(Error::Full(why)),
        }
    }

    /// What became of a group, by the revision that was found: `None` if nothing of
    /// it is there.
    fn settle(
        &mut self,
        found: Revision,
        prepared: Option<Applied>,
    ) -> Result<Option<Vec<Result<Revision, Error>>>, Error> {
        match prepared {
            Some(applied) if applied.revision == found && found > self.revision => {
                Ok(Some(self.publish(applied)))
            }
            _ if found == self.revision => Ok(None),
            _ => {
                let error = Error::Corrupt(format!(
                    "after a full disk the store is at revision {found} and was at {}",
                    self.revision
                ));
                self.engine.stop(&error);
                Err(error)
            }
        }
    }

    /// Shows a durable group to watches, and returns its answers.
    fn publish(&mut self, applied: Applied) -> Vec<Result<Revision, Error>> {
        self.revision = applied.revision;
        if !applied.commits.is_empty() {
            self.engine.history.publish(applied.commits);
        }
        applied.answers
    }

    fn note_full(&mut self, why: String) {
        self.engine.set_full(Some(why.clone()));
        self.full = Some(Full {
            why,
            open_question: None,
            retry_at: Instant::now(),
            next_wait: FIRST_WAIT,
        });
    }
}

type Answers = Vec<oneshot::Sender<Result<Revision, Error>>>;

fn gather(first: Job, queue: &mut mpsc::Receiver<Job>) -> (Vec<Batch>, Answers) {
    let mut bytes = first.batch.bytes();
    let mut batches = vec![first.batch];
    let mut answers = vec![first.answer];
    while batches.len() < GROUP_BATCHES && bytes < GROUP_BYTES {
        let Ok(job) = queue.try_recv() else { break };
        bytes += job.batch.bytes();
        batches.push(job.batch);
        answers.push(job.answer);
    }
    (batches, answers)
}
