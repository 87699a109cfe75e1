//! [`RedbStore`]: the engine as the rest of the product sees it.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use keyreeve_store::{Batch, Entry, Error, History, Key, Page, Retention, Revision, Store, Watch};
use redb::Database;
use tokio::sync::{mpsc, oneshot};

use crate::engine::Engine;
use crate::lock::StoreLock;
use crate::medium::{Medium, StoreFile};
use crate::writer::{self, Job, QUEUE_BATCHES};
use crate::{OpenError, OpenFault, open, read};

/// A store in one file.
///
/// Dropping it waits for the commits under way and closes the file.
#[derive(Debug)]
pub struct RedbStore {
    engine: Arc<Engine>,
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Declared last: let go only when the file is closed.
    _lock: Option<StoreLock>,
}

impl RedbStore {
    /// Opens the store file at `path`, or makes it, with mode 0600, in a directory
    /// that exists. Beside it lies `PATH.lock`; `PATH.new` while it is made; and for a
    /// moment `PATH.room` while a full store looks whether there is room again.
    ///
    /// After a crash this reads the whole file once to check it.
    ///
    /// # Errors
    /// [`OpenError`]: the file is in use, damaged, of an unknown format, or the
    /// operating system refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        Self::open_file(path).map_err(|fault| OpenError::new(path, fault))
    }

    fn open_file(path: &Path) -> Result<Self, OpenFault> {
        let lock = StoreLock::take(path)?;
        let database = open::open_or_create(path)?;
        let medium = Box::new(StoreFile(path.to_path_buf()));
        Self::start(database, medium, Some(lock), Retention::default())
    }

    /// Runs on an open database that holds a store and lies on `medium`.
    pub(crate) fn start(
        database: Database,
        medium: Box<dyn Medium>,
        lock: Option<StoreLock>,
        retention: Retention,
    ) -> Result<Self, OpenFault> {
        let revision = open::revision(&database)?;
        let engine = Arc::new(Engine::new(database, medium, History::new(revision, retention)));
        let (queue, jobs) = mpsc::channel(QUEUE_BATCHES);
        let shared = Arc::clone(&engine);
        let writer = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(&shared, jobs, revision))?;
        Ok(Self { engine, queue: Some(queue), writer: Some(writer), _lock: lock })
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, Error> {
        read::get(&self.engine, key)
    }

    async fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Page, Error> {
        read::scan(&self.engine, prefix, after, limit)
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, Error> {
        batch.check()?;
        self.engine.alive()?;
        let gone = || Error::Stopped("the writer has ended".into());
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        let (answer, result) = oneshot::channel();
        queue.send(Job { batch, answer }).await.map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }

    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Box<dyn Watch>, Error> {
        // The file may be ahead of the history for a moment: what is durable is
        // published next. So the future is judged by the file.
        if after > read::revision(&self.engine)? {
            return Err(Error::Compacted);
        }
        self.engine.history.watch(prefix.clone(), after)
    }

    fn health(&self) -> Result<(), Error> {
        self.engine.health()
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to write.
            let _ = writer.join();
        }
        self.engine.history.end(Error::Stopped("the store was closed".into()));
    }
}
