//! Reading the audit log.

use std::sync::Arc;

use keyreeve_audit::{Entry, InclusionProof, ReadError, Reader};
use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, Kind, Service,
    gate::{Ask, Unseen},
};

/// When to try again where there is no checkpoint yet.
const FIRST_CHECKPOINT: std::time::Duration = std::time::Duration::from_secs(1);

impl Service {
    /// A reader of the log, up to the last checkpoint. That somebody reads it is on
    /// record itself.
    pub async fn read_audit_log(
        &self,
        caller: &Caller,
        deadline: Deadline,
    ) -> Result<Reader, Error> {
        let ask = Ask::service(Action::ReadAuditLog);
        self.run(caller, ask, deadline, move |_permit| async move {
            let audit = Arc::clone(&self.shared().audit);
            blocking(move || audit.reader()).await.map(Unseen)
        })
        .await
        .map(|reader| reader.0)
    }

    /// Whether `caller` may still read the log: for who goes on reading. Not on record,
    /// as it is asked all the time.
    pub fn may_read_audit_log(&self, caller: &Caller) -> bool {
        self.decide(caller, &Ask::service(Action::ReadAuditLog)).is_ok()
    }

    /// The record `index` and a proof that it is in the log.
    pub async fn prove_audit_record(
        &self,
        caller: &Caller,
        index: u64,
        deadline: Deadline,
    ) -> Result<(Entry, InclusionProof), Error> {
        let ask = Ask::service(Action::ReadAuditLog);
        self.run(caller, ask, deadline, move |_permit| async move {
            let audit = Arc::clone(&self.shared().audit);
            let proven = move || {
                let reader = audit.reader()?;
                Ok((reader.record(index)?, reader.prove(index)?))
            };
            blocking(proven).await.map(Unseen)
        })
        .await
        .map(|proven| proven.0)
    }
}

/// Reads files where nobody's request waits for it.
#[expect(clippy::disallowed_methods, reason = "files are read for auditors, not for signatures")]
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Error> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_| Error::internal("AUDIT_LOG_UNREADABLE", "the thread that read it ended"))?
        .map_err(|error| Error::from_reading(&error))
}

impl Error {
    /// What a reader of the audit log failed with.
    pub fn from_reading(error: &ReadError) -> Self {
        match error {
            ReadError::NotThere(index) => {
                Self::not_found(format!("record {index} under the last checkpoint, or no more"))
            }
            ReadError::Missing(_) => Self::new(
                Kind::Unavailable { retry_after: Some(FIRST_CHECKPOINT) },
                "AUDIT_LOG_EMPTY",
                "there is no checkpoint of the audit log yet; try again",
            ),
            other => Self::internal("AUDIT_LOG_UNREADABLE", other.to_string()),
        }
    }
}
