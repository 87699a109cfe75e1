//! The log as its user sees it: open, append, ask how it is, close.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};

use crate::atomic::AtomicFiles;
use crate::journal::Segment;
use crate::lock::DirectoryLock;
use crate::publisher::{Publisher, Work};
use crate::recover::recover;
use crate::state::State;
use crate::tray::Tray;
use crate::writer::{Request, Writer};
use crate::{
    Appender, Checkpoint, CheckpointSigner, DiskFiles, Files, Hash, Health, OpenError, PruneError,
    Record, SigningError, Stopped, bundle, layout, retention,
};

/// How often checkpoints are made, and how much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A checkpoint is signed at the latest this long after a record. 1 s.
    pub checkpoint_interval: Duration,
    /// And at the latest after this many records. 10,000.
    pub checkpoint_records: u64,
    /// Size of a journal segment in bytes: at least 512 KiB. 8 MiB.
    pub segment_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            checkpoint_interval: Duration::from_secs(1),
            checkpoint_records: 10_000,
            segment_bytes: 8 << 20,
        }
    }
}

/// How many sheaves may wait for the writer before they are refused: each runtime has
/// one on its way, and large ones in pieces.
const QUEUE: usize = 4096;

/// A segment takes at least one frame of the greatest size.
const SMALLEST_SEGMENT: u64 = 512 * 1024;

/// How much the publisher may be told before the writer waits for it.
const UNHEARD: usize = 256;

/// An open log: the one writer of its directory.
///
/// Dropping it makes everything durable, signs one last checkpoint and blocks until
/// that is done.
pub struct Log {
    directory: PathBuf,
    files: Arc<dyn Files>,
    state: Arc<State>,
    requests: Option<mpsc::Sender<Request>>,
    threads: Vec<JoinHandle<()>>,
    pruning: Mutex<()>,
    _lock: DirectoryLock,
}

impl Log {
    /// Opens the log in `directory`, or begins one there. Blocks.
    ///
    /// What an earlier writer left is checked against the last checkpoint first, and
    /// everything found durable is under a new checkpoint when this returns.
    ///
    /// # Errors
    /// [`OpenError`]; in no case was anything removed that is not safe elsewhere.
    pub fn open(
        directory: &Path,
        signer: Arc<dyn CheckpointSigner>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(DiskFiles), directory, signer, settings)
    }

    /// Opens a log on another file system than the machine's.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_on(
        files: Arc<dyn Files>,
        directory: &Path,
        signer: Arc<dyn CheckpointSigner>,
        mut settings: Settings,
    ) -> Result<Self, OpenError> {
        settings.segment_bytes = settings.segment_bytes.max(SMALLEST_SEGMENT);
        let io = |error| OpenError::Io { path: directory.to_owned(), error };
        files.create_directory(directory).map_err(io)?;
        let lock = DirectoryLock::take(directory)?;
        let recovered = recover(&*files, directory, signer.key())?;
        let atomic = AtomicFiles::new(&*files, directory).map_err(io)?;
        files.create_directory(&layout::journal(directory)).map_err(io)?;
        files.sync_directory(directory).map_err(io)?;

        let (state, tray) = (Arc::new(State::default()), Arc::new(Tray::default()));
        let mut publisher = Publisher {
            files: Arc::clone(&files),
            directory: directory.to_owned(),
            signer,
            settings,
            state: Arc::clone(&state),
            atomic,
            checkpoint: recovered.checkpoint,
            note: recovered.note,
            tree: recovered.tree,
            bundle: recovered.bundle,
            full: Vec::new(),
            segments: [].into(),
            spares_made: 0,
            tray: Arc::clone(&tray),
        };
        for entry in &recovered.journaled {
            let mut lengthened = Vec::with_capacity(2 + entry.len());
            bundle::push(&mut lengthened, entry);
            publisher.take(&lengthened, Hash::of_leaf(entry));
        }
        let checkpoint = publisher.publish().map_err(io)?.map_err(OpenError::Signing)?;
        publisher.clear_journal().map_err(io)?;
        let size = checkpoint.size;
        state.set_durable(size);
        state.set_signed(size);
        let path = layout::segment(directory, size);
        let segment = Segment::create(&*files, &path, settings.segment_bytes).map_err(io)?;
        publisher.segments.push_back(size);

        let (requests, received) = mpsc::channel(QUEUE);
        let (work, worked) = blocking::sync_channel(UNHEARD);
        let (spare, spares) = blocking::sync_channel(1);
        let writer = Writer {
            files: Arc::clone(&files),
            directory: directory.to_owned(),
            state: Arc::clone(&state),
            requests: received,
            publisher: work,
            tray,
            spares,
            segment,
            previous: checkpoint.root,
            size,
        };
        let threads = start(writer, publisher, worked, spare).map_err(io)?;
        Ok(Self {
            directory: directory.to_owned(),
            files,
            state,
            requests: Some(requests),
            threads,
            pruning: Mutex::new(()),
            _lock: lock,
        })
    }

    /// Appends a record and gives its index. It is durable when this returns; if the
    /// future is dropped, the record is in the log or not.
    ///
    /// # Errors
    /// [`Stopped`]: nothing may be answered that needs a record. The record may be
    /// there after the log is opened again.
    pub async fn append(&self, record: &Record) -> Result<u64, Stopped> {
        self.appender().append(record).await
    }

    /// Appends for others, who do not keep the log open.
    pub fn appender(&self) -> Appender {
        Appender::new(self.requests().downgrade(), Arc::clone(&self.state))
    }

    /// Signs a checkpoint over all that is durable now, ahead of its time.
    ///
    /// # Errors
    /// [`CheckpointError`]; what is durable stays so.
    pub async fn checkpoint(&self) -> Result<Checkpoint, CheckpointError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || CheckpointError::Stopped(self.reason());
        self.requests().send(Request::Checkpoint(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Removes the bundles of records before `before`, except the last of them if it
    /// has later records in it too. `record` is what the log keeps of this; its
    /// number is set to the minimum index. Gives that index.
    ///
    /// The tree stays: what is left can be verified and proven as before.
    ///
    /// # Errors
    /// [`PruneError`]; bundles may be left that nobody needs, and the next call
    /// removes them.
    pub async fn prune(&self, before: u64, record: Record) -> Result<u64, PruneError> {
        let _one_at_a_time = self.pruning.lock().await;
        let minimum = before.min(self.health().signed) / 256 * 256;
        let record = retention::authorise(record, minimum);
        self.append(&record).await.map_err(PruneError::Stopped)?;
        self.checkpoint().await.map_err(PruneError::Checkpoint)?;
        retention::prune(&*self.files, &self.directory, minimum).map_err(PruneError::Io)?;
        Ok(minimum)
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How the log is.
    pub fn health(&self) -> Health {
        self.state.health()
    }

    /// Closes the log. Blocks until all is durable and under a checkpoint.
    pub fn close(self) -> Health {
        let state = Arc::clone(&self.state);
        drop(self);
        state.health()
    }

    fn requests(&self) -> &mpsc::Sender<Request> {
        self.requests.as_ref().expect("taken by drop alone")
    }

    fn reason(&self) -> Stopped {
        self.state.reason()
    }
}

fn start(
    writer: Writer,
    publisher: Publisher,
    work: blocking::Receiver<Work>,
    spares: blocking::SyncSender<Segment>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let publishing = thread::Builder::new()
        .name("audit-publisher".into())
        .spawn(move || publisher.run(&work, spares))?;
    let writing = thread::Builder::new().name("audit-writer".into()).spawn(move || writer.run())?;
    Ok(vec![writing, publishing])
}

impl Drop for Log {
    fn drop(&mut self) {
        self.requests = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                self.state.stop("running its threads", io::ErrorKind::Other);
            }
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({})", self.directory.display())
    }
}

/// Why there is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointError {
    /// The log has stopped.
    Stopped(Stopped),
    /// Nobody signed it. It is tried again in time.
    Signing(SigningError),
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stopped) => stopped.fmt(f),
            Self::Signing(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CheckpointError {}
