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

use crate::journal::{self, MAX_BATCH, Segment};
use crate::publisher::Work;
use crate::{Checkpoint, CheckpointError, Files, Hash, bundle, layout, state::State};

/// Most records taken from the queue at a time.
const MAX_TAKEN: usize = 1024;

/// What a caller asks of the writer.
pub(crate) enum Request {
    Append(Pending),
    Checkpoint(oneshot::Sender<Result<Checkpoint, CheckpointError>>),
}

/// A record that waits to be durable.
pub(crate) struct Pending {
    pub(crate) entry: Vec<u8>,
    pub(crate) leaf: Hash,
    /// Gets the record's index. Dropped without an answer when the log stops. `None`
    /// where somebody waits for a later record, or nobody.
    pub(crate) durable: Option<oneshot::Sender<u64>>,
}

pub(crate) struct Writer {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) directory: PathBuf,
    pub(crate) state: Arc<State>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) publisher: blocking::SyncSender<Work>,
    pub(crate) spares: blocking::Receiver<Segment>,
    pub(crate) segment: Segment,
    pub(crate) previous: Hash,
    pub(crate) size: u64,
}

impl Writer {
    /// Runs until the log is closed or stops.
    pub(crate) fn run(mut self) {
        let mut taken = Vec::with_capacity(MAX_TAKEN);
        while self.requests.blocking_recv_many(&mut taken, MAX_TAKEN) > 0 {
            let mut batch = Batch::default();
            for request in taken.drain(..) {
                match request {
                    Request::Append(pending) => {
                        if !batch.has_room_for(&pending) && !self.commit(&mut batch) {
                            return;
                        }
                        batch.push(pending);
                    }
                    Request::Checkpoint(reply) => {
                        if !self.commit(&mut batch) || !self.tell(Work::Checkpoint(reply)) {
                            return;
                        }
                    }
                }
            }
            if !self.commit(&mut batch) {
                return;
            }
        }
    }

    /// Makes a batch durable and lets its callers go. False when the log has stopped.
    fn commit(&mut self, batch: &mut Batch) -> bool {
        let batch = std::mem::take(batch);
        if batch.pending.is_empty() {
            return true;
        }
        if self.state.stopped().is_some() {
            return false;
        }
        if let Err(error) = self.write(&batch) {
            self.state.stop("writing the journal", error.kind());
            return false;
        }
        let first = self.size;
        self.size += batch.pending.len() as u64;
        self.state.set_durable(self.size);
        let mut records = Vec::with_capacity(batch.pending.len());
        for (index, pending) in (first..).zip(batch.pending) {
            if let Some(durable) = pending.durable {
                // Whoever asked may have gone away; the record stays.
                let _ = durable.send(index);
            }
            records.push((pending.entry, pending.leaf));
        }
        self.tell(Work::Records(records))
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let records = batch.pending.len() as u32;
        let (frame, digest) = journal::frame(&batch.bundle, records, self.size, &self.previous);
        if !self.segment.has_room_for(frame.len()) {
            // The publisher makes the next one while this one fills up.
            let mut next =
                self.spares.recv().map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            next.rename(&*self.files, &layout::segment(&self.directory, self.size))?;
            self.segment = next;
            if !self.tell(Work::Segment(self.size)) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        self.segment.append(&frame)?;
        self.previous = digest;
        Ok(())
    }

    fn tell(&self, work: Work) -> bool {
        self.publisher.send(work).is_ok()
    }
}

/// Records that will share a frame.
#[derive(Default)]
struct Batch {
    bundle: Vec<u8>,
    pending: Vec<Pending>,
}

impl Batch {
    fn has_room_for(&self, pending: &Pending) -> bool {
        self.bundle.len() + 2 + pending.entry.len() <= MAX_BATCH
    }

    fn push(&mut self, pending: Pending) {
        bundle::push(&mut self.bundle, &pending.entry);
        self.pending.push(pending);
    }
}
