//! The gate: every operation of the service passes through [`Service::pass`], by way of
//! `Service::run`, which counts it.
//!
//! It decides, runs the operation and has its outcome recorded, in that order, and
//! holds the answer until the record is durable. What the
//! operation does to records and keys demands a [`Permit`], which only a decision
//! gives: a step that was skipped does not compile. The decision goes by the action
//! and the names in the request, before anything is looked up, so that a refusal says
//! nothing about what exists.
//!
//! A decision is made for each request, after it has arrived, by the policies of that
//! moment, and is never kept: what is revoked is refused from the moment on at which
//! the one who revoked it has the answer.

mod ask;
pub(crate) mod change;
pub(crate) mod recording;
mod seen;
mod verdict;

use std::time::Duration;

use keyreeve_audit::Unrecorded;
use keyreeve_keyhost::Deadline;

pub(crate) use ask::Ask;
use ask::Thing;
use recording::Deed;
pub(crate) use seen::{Seen, Unseen};
pub(crate) use verdict::{By, Permit, Refusal};

use crate::{Caller, Error, Service, error::Kind};

/// How often an operation is done again when a record changed under it.
const STALE_ATTEMPTS: u32 = 3;

/// How long a changed record may take to arrive from another node's commit.
const STALE_PAUSE: Duration = Duration::from_millis(5);

impl Service {
    /// Passes an operation through the gate. `work` may run more than once: it is
    /// run again, after another decision, when a keyhost knows a later record than the
    /// one it went by, in which case nothing was done.
    pub(crate) async fn pass<T, F>(
        &self,
        caller: &Caller,
        ask: Ask<'_>,
        deadline: Deadline,
        work: impl Fn(Permit) -> F,
    ) -> Result<T, Error>
    where
        T: Seen,
        F: Future<Output = Result<T, Error>>,
    {
        let mut deed = Deed::new(self, caller, ask);
        if deadline.has_passed() {
            return Box::pin(deed.end(Err(Error::deadline_exceeded()))).await;
        }
        if self.shared().outlet.holds() && !ask.is_answered_unrecorded() {
            let why = Unrecorded("audit records have not reached the collector in time".into());
            return Box::pin(deed.end(Err(Error::unrecorded(&why, false)))).await;
        }
        // 1. The decision, by what is known now.
        let mut verdict = self.decide(caller, &ask);
        deed.ruling = Some(verdict::ruling(&verdict));

        // 2. What is about to change, on record before it does.
        if verdict.is_ok() && deed.changes() {
            Box::pin(deed.announce()).await?;
        }

        // 3. The operation, with the permit of its decision, if its caller can pay for it.
        let mut attempt = 1;
        let outcome = loop {
            let decided = verdict.map_err(|refusal| refusal.into_error(&ask));
            let outcome = match self.admit(caller, &ask, decided) {
                Ok(permit) => work(permit).await,
                Err(error) => Err(error),
            };
            match &outcome {
                Err(e) if e.is_stale() && attempt < STALE_ATTEMPTS => {
                    attempt += 1;
                    // Boxed, like all that is rare: what every call carries is small.
                    Box::pin(tokio::time::sleep(STALE_PAUSE)).await;
                    verdict = self.decide(caller, &ask);
                    deed.ruling = Some(verdict::ruling(&verdict));
                }
                _ => break outcome,
            }
        };

        // 4. The outcome, with what decided, on record before the answer is given.
        if let Err(error) = &outcome {
            log(caller, &ask, deed.ruling, error);
        }
        deed.end(outcome).await
    }
}

/// Writes what the caller is not told, and every fault of ours.
fn log(caller: &Caller, ask: &Ask<'_>, ruling: Option<Result<By, Refusal>>, error: &Error) {
    let detail = error.log_message().unwrap_or_default();
    let (request, identity, reason) = (caller.request(), caller.identity(), error.reason());
    if error.kind() == Kind::Internal {
        tracing::error!(%request, caller = %identity, %ask, ?ruling, reason, detail, "operation failed");
    } else if !detail.is_empty() {
        tracing::warn!(%request, caller = %identity, %ask, ?ruling, reason, detail, "operation failed");
    } else {
        tracing::debug!(%request, caller = %identity, %ask, reason, "operation refused");
    }
}
