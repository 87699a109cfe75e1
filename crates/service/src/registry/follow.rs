//! Following the store: what other nodes commit, and what was committed here while
//! its caller went away.

use std::{sync::Arc, time::Duration};

use keyreeve_store::{Error as StoreError, Key as StoreKey, Revision, Store, read_all};

use super::{Path, Registry, load::load};
use crate::{LoadError, access::Access, directory::Directory, record::Unreadable};

/// How long to wait before the store is asked again after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps a registry, and what decides access, as the store has them, for as long as it
/// runs.
pub struct Follower {
    registry: Arc<Registry>,
    access: Arc<Access>,
    directory: Arc<Directory>,
    store: Arc<dyn Store>,
    from: Revision,
}

impl Follower {
    /// Reads the store, and returns the registry with what follows it from there.
    ///
    /// Access and identities are read last: what comes in between arrives once more with
    /// the watch.
    pub(crate) async fn start(
        store: Arc<dyn Store>,
        access: Arc<Access>,
        directory: Arc<Directory>,
    ) -> Result<(Arc<Registry>, Self), LoadError> {
        let (snapshot, from) = load(&*store).await?;
        let rejected = access.reload(&*store).await.map_err(LoadError::Store)?;
        if let Some((record, why)) = rejected.first() {
            return Err(LoadError::Damaged(format!("{record}: {why}")));
        }
        let rejected = directory.read(&*store).await.map_err(LoadError::Store)?;
        if let Some(damaged) = rejected.first() {
            return Err(LoadError::Damaged(damaged.to_string()));
        }
        let registry = Arc::new(Registry::new(snapshot));
        Ok((Arc::clone(&registry), Self { registry, access, directory, store, from }))
    }

    /// Follows the store. Never ends by itself; to be spawned once.
    pub async fn run(mut self) {
        loop {
            match self.follow().await {
                StoreError::Compacted => self.catch_up().await,
                error => {
                    tracing::error!(%error, "the store cannot be watched; other nodes' changes wait");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn follow(&mut self) -> StoreError {
        let mut watch = match self.store.watch(&StoreKey::ROOT, self.from).await {
            Ok(watch) => watch,
            Err(error) => return error,
        };
        loop {
            match watch.next().await {
                Ok(commit) => {
                    report_access(&self.access.apply(commit.revision, &commit.changes));
                    report(&self.registry.apply(commit.revision, &commit.changes));
                    report(&self.directory.apply(commit.revision, &commit.changes));
                    self.from = commit.revision;
                }
                Err(error) => return error,
            }
        }
    }

    /// Reads everything anew, because the watch fell too far behind. Vaults and keys are
    /// replaced and added; none is dropped, since no operation deletes one. What decides
    /// access is replaced as a whole.
    async fn catch_up(&mut self) {
        let read = async {
            let keys = read_all(&*self.store, &Path::keys()).await?;
            let vaults = read_all(&*self.store, &Path::vaults()).await?;
            report_access(&self.access.reload(&*self.store).await?);
            report(&self.directory.read(&*self.store).await?);
            Ok::<_, StoreError>((keys, vaults))
        };
        match read.await {
            Ok((keys, vaults)) => {
                report(&self.registry.apply_entries(&vaults.entries));
                report(&self.registry.apply_entries(&keys.entries));
                self.from = keys.revision;
            }
            Err(error) => {
                tracing::error!(%error, "the store cannot be read");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn report_access(rejected: &[(StoreKey, Unreadable)]) {
    for (record, why) in rejected {
        tracing::error!(%record, %why, "a record that decides access cannot be read: it grants nothing");
    }
}

fn report(rejected: &[impl std::fmt::Display]) {
    for record in rejected {
        tracing::error!(%record, "a stored record cannot be read and was left as it was");
    }
}
