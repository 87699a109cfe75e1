//! Making a change durable, and then visible here.

use keyreeve_keyhost::Deadline;
use keyreeve_store::{Batch, Error as StoreError};

use crate::{Error, Service, gate::Permit, record::Record, registry::Path};

/// Why a change was not made.
pub(crate) enum NotCommitted {
    /// A precondition did not hold. Nothing was changed.
    Conflict,
    /// The store refused. Nothing was changed.
    Refused(Error),
    /// Whether it was made is unknown.
    Unknown(Error),
}

impl Service {
    /// Commits `batch`. Should the caller go away meanwhile, the change arrives here
    /// by the watch.
    pub(crate) async fn commit(
        &self,
        _: &Permit,
        batch: Batch,
        deadline: Deadline,
    ) -> Result<(), NotCommitted> {
        let shared = self.shared();
        let changes = batch.changes().to_vec();
        let commit = shared.store.commit(batch);
        match tokio::time::timeout_at(deadline.instant().into(), commit).await {
            Ok(Ok(revision)) => {
                for record in shared.registry.apply(revision, &changes) {
                    tracing::error!(%record, "a record that was just written cannot be read");
                }
                for (record, why) in shared.access.apply(revision, &changes) {
                    tracing::error!(%record, %why, "a record that was just written cannot be read");
                }
                for record in shared.directory.apply(revision, &changes) {
                    tracing::error!(%record, "a record that was just written cannot be read");
                }
                Ok(())
            }
            Ok(Err(StoreError::Conflict { .. })) => Err(NotCommitted::Conflict),
            Ok(Err(error)) if error.may_have_committed() => {
                Err(NotCommitted::Unknown(Error::from_store(&error)))
            }
            Ok(Err(error)) => Err(NotCommitted::Refused(Error::from_store(&error))),
            Err(_) => Err(NotCommitted::Unknown(Error::deadline_exceeded())),
        }
    }

    /// Reads a record from the store, after a conflict has shown that the one in
    /// memory is not the latest.
    pub(crate) async fn refresh(&self, path: &Path) -> Result<(), Error> {
        let shared = self.shared();
        let read = shared.store.get(&path.to_store()).await;
        let rejected = match read.map_err(|e| Error::from_store(&e))? {
            Some(entry) => shared.registry.apply_entries(&[entry]),
            None => Vec::new(),
        };
        if let Some(record) = rejected.first() {
            return Err(Error::internal("CORRUPT_RECORD", record.to_string()));
        }
        Ok(())
    }
}

/// Serialises a record for the store.
pub(crate) fn encode(record: &impl Record) -> Result<Vec<u8>, Error> {
    crate::record::encode(record).map_err(|e| Error::internal("RECORD_NOT_WRITTEN", e.to_string()))
}

impl From<NotCommitted> for Error {
    fn from(why: NotCommitted) -> Self {
        match why {
            NotCommitted::Conflict => Self::contended(),
            NotCommitted::Refused(error) | NotCommitted::Unknown(error) => error,
        }
    }
}
