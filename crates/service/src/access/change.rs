//! Changing what decides access.

use std::time::Duration;

use keyreeve_authz::PolicyError;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;
use tokio::time::timeout_at;

use super::{AccessPath, Snapshot};
use crate::{
    Caller, Error, Kind, Service,
    commit::{NotCommitted, encode},
    gate::{Ask, Permit},
    record::{FORMAT, HeadRecord},
};

/// How often another node may be quicker.
const ATTEMPTS: usize = 16;

/// How long to leave it to the other node.
const PAUSE: Duration = Duration::from_millis(2);

impl Service {
    /// Makes the change that `plan` draws up, by a snapshot that is still the latest when
    /// the change is committed. The decision is made again by that snapshot: what another
    /// change has taken from the caller meanwhile is taken.
    ///
    /// `plan` refuses what would break a rule of [`Policies`](keyreeve_authz::Policies).
    pub(crate) async fn change_access(
        &self,
        permit: &Permit,
        caller: &Caller,
        ask: Ask<'_>,
        deadline: Deadline,
        plan: impl Fn(&Snapshot) -> Result<Batch, Error>,
    ) -> Result<(), Error> {
        let access = &self.shared().access;
        let turn = timeout_at(deadline.instant().into(), access.changing.lock()).await;
        let _turn = turn.map_err(|_| Error::deadline_exceeded())?;
        let head = AccessPath::Head.to_store();
        let put = encode(&HeadRecord { format: FORMAT })?;
        for _ in 0..ATTEMPTS {
            let batch = {
                let now = access.now();
                self.decide_by(&now.policies, caller, &ask).map_err(|no| no.into_error(&ask))?;
                let batch = plan(&now)?;
                match now.head {
                    Some(revision) => batch.require_revision(head.clone(), revision),
                    None => batch.require_absent(head.clone()),
                }
            };
            match self.commit(permit, batch.put(head.clone(), put.clone()), deadline).await {
                Ok(()) => return Ok(()),
                Err(NotCommitted::Conflict) => {
                    tokio::time::sleep(PAUSE).await;
                    let store = &*self.shared().store;
                    let read = access.reload(store).await.map_err(|e| Error::from_store(&e))?;
                    if let Some((key, why)) = read.first() {
                        return Err(Error::internal("CORRUPT_RECORD", format!("{key}: {why}")));
                    }
                }
                Err(other) => return Err(other.into()),
            }
        }
        Err(Error::contended())
    }
}

impl From<PolicyError> for Error {
    fn from(why: PolicyError) -> Self {
        let (kind, reason) = match why {
            PolicyError::UnknownRole => (Kind::NotFound, "NOT_FOUND"),
            PolicyError::BuiltInRole => (Kind::FailedPrecondition, "BUILT_IN_ROLE"),
            PolicyError::RoleNameTaken => (Kind::AlreadyExists, "ROLE_NAME_TAKEN"),
            PolicyError::RoleInUse => (Kind::FailedPrecondition, "ROLE_IN_USE"),
            PolicyError::AssignmentExists => (Kind::AlreadyExists, "ASSIGNMENT_EXISTS"),
            PolicyError::DelegatingGroup => (Kind::FailedPrecondition, "DELEGATING_GROUP"),
            PolicyError::TooManyRoles
            | PolicyError::TooManyAssignments
            | PolicyError::TooManyHeld => {
                (Kind::ResourceExhausted { retry_after: None }, "TOO_MANY")
            }
        };
        Self::new(kind, reason, why.to_string())
    }
}

/// The record must be as the caller read it, if it says how that was.
pub(crate) fn check_etag(given: &str, current: &str) -> Result<(), Error> {
    if given.is_empty() || given == current {
        return Ok(());
    }
    Err(Error::new(
        Kind::Aborted,
        "ETAG_MISMATCH",
        "it has changed since it was read; read it and try again",
    ))
}
