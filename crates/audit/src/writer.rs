//! The writer: one thread that makes records durable, many with one sync.
//!
//! It takes whatever waits, writes it as one frame, syncs, and only then lets the
//! callers go. A caller alone waits for nobody. After a failed write or sync it
//! stops: what the disk holds is then unknown, and a sync that is tried again may
//! succeed without having written anything.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc as blocking;

use tokio::sync::{mpsc, oneshot};

use crate::commit::Submission;
use crate::journal::{Frame, Segment};
use crate::publisher::Work;
use crate::{Checkpoint, CheckpointError, Files, Hash, layout, state::State, tray::Tray};

/// Most sheaves taken from the queue at a time.
const MAX_TAKEN: usize = 1024;

/// What a caller asks of the writer.
pub(crate) enum Request {
    Append(Submission),
    Checkpoint(oneshot::Sender<Result<Checkpoint, CheckpointError>>),
}

pub(crate) struct Writer {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) directory: PathBuf,
    pub(crate) state: Arc<State>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) publisher: blocking::SyncSender<Work>,
    pub(crate) tray: Arc<Tray>,
    pub(crate) spares: blocking::Receiver<Segment>,
    pub(crate) segment: Segment,
    pub(crate) previous: Hash,
    pub(crate) size: u64,
}

impl Writer {
    /// Runs until the log is closed or stops.
    pub(crate) fn run(mut self) {
        let mut taken = Vec::with_capacity(MAX_TAKEN);
        let mut frame = Frame::default();
        while self.requests.blocking_recv_many(&mut taken, MAX_TAKEN) > 0 {
            let mut batch = Vec::new();
            for request in taken.drain(..) {
                match request {
                    Request::Append(submission) => {
                        if !frame.has_room_for(&submission.sheaf)
                            && !self.commit(&mut frame, &mut batch)
                        {
                            return;
                        }
                        frame.push(&submission.sheaf);
                        batch.push(submission);
                    }
                    Request::Checkpoint(reply) => {
                        if !self.commit(&mut frame, &mut batch)
                            || !self.tell(Work::Checkpoint(reply))
                        {
                            return;
                        }
                    }
                }
            }
            if !self.commit(&mut frame, &mut batch) {
                return;
            }
        }
    }

    /// Makes a batch durable and lets its callers go. False when the log has stopped.
    fn commit(&mut self, frame: &mut Frame, batch: &mut Vec<Submission>) -> bool {
        if batch.is_empty() {
            return true;
        }
        if self.state.has_stopped() {
            return false;
        }
        if let Err(error) = self.write(frame) {
            self.state.stop("writing the journal", error.kind());
            return false;
        }
        let mut index = self.size;
        self.size += frame.records();
        self.state.set_durable(self.size);
        frame.clear();
        let durable = batch.drain(..).map(|submission| {
            let records = submission.sheaf.len() as u64;
            index += records;
            submission.succeed(index - records)
        });
        !self.tray.leave(durable) || self.tell(Work::Records)
    }

    fn write(&mut self, frame: &mut Frame) -> io::Result<()> {
        let (bytes, digest) = frame.finish(self.size, &self.previous);
        if !self.segment.has_room_for(bytes.len()) {
            // The publisher makes the next one while this one fills up.
            let mut next =
                self.spares.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            next.rename(&*self.files, &layout::segment(&self.directory, self.size))?;
            self.segment = next;
            if self.publisher.send(Work::Segment(self.size)).is_err() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        self.segment.append(bytes)?;
        self.previous = digest;
        Ok(())
    }

    fn tell(&self, work: Work) -> bool {
        self.publisher.send(work).is_ok()
    }
}
