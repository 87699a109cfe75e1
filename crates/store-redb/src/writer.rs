//! The one thread that writes.
//!
//! It takes what waits, up to a bound, and never waits for more to come: while one
//! group is synced the next gathers by itself.

use std::sync::Arc;

use keyreeve_store::{Batch, Error, Revision};
use tokio::sync::{mpsc, oneshot};

use crate::engine::Engine;
use crate::group;

/// Batches that may wait; a caller beyond that waits to be let in.
pub(crate) const QUEUE_BATCHES: usize = 1024;
const GROUP_BATCHES: usize = 1024;
/// A group stops growing beyond this many bytes of keys and values.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// A batch and where its answer goes.
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) answer: oneshot::Sender<Result<Revision, Error>>,
}

/// Writes until the queue is closed and empty.
pub(crate) fn run(engine: &Arc<Engine>, mut queue: mpsc::Receiver<Job>, mut revision: Revision) {
    while let Some(first) = queue.blocking_recv() {
        let (batches, answers) = gather(first, &mut queue);
        match engine.run(|| group::apply(&engine.database, batches, revision)) {
            Ok(applied) => {
                revision = applied.revision;
                if !applied.commits.is_empty() {
                    engine.history.publish(applied.commits);
                }
                // A caller that went away is owed no answer.
                for (answer, result) in answers.into_iter().zip(applied.answers) {
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
