//! The gate: every operation of the service passes through [`Service::run`].
//!
//! It decides, runs the operation and sees its outcome, in that order. What the
//! operation does to records and keys demands a [`Permit`], which only the gate
//! can make: a step that was skipped does not compile. The decision goes by the
//! action and the names in the request, before anything is looked up, so that a
//! refusal says nothing about what exists.
//!
//! Every authenticated caller may do everything: there are no roles yet.

use std::{fmt, time::Duration};

use keyreeve_keyhost::Deadline;

use crate::{Caller, Error, Service, VaultName, error::Kind, name::KeyName};

/// What a caller asks for. Roles and the audit log go by these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    CreateVault,
    GetVault,
    ListVaults,
    CreateKey,
    ImportKey,
    GetImportRecipient,
    GetKey,
    ListKeys,
    ListKeyVersions,
    UpdateKey,
    RotateKey,
    Sign,
    Verify,
    Encrypt,
    Decrypt,
    WrapKey,
    UnwrapKey,
    GenerateDataKey,
    ReEncrypt,
    Mac,
    VerifyMac,
    RandomBytes,
    SignJwt,
    GetJwks,
    GetStatus,
}

/// What the caller asks it of.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// The service as a whole.
    Service,
    /// A vault.
    Vault(VaultName<'a>),
    /// A key, or one of its versions.
    Key(KeyName<'a>),
    /// Two keys, both of which the caller needs.
    Keys(KeyName<'a>, KeyName<'a>),
}

/// Proof that the gate let an operation pass. Valid for one run of it.
pub(crate) struct Permit(());

/// How often an operation is done again when a record changed under it.
const STALE_ATTEMPTS: u32 = 3;

/// How long a changed record may take to arrive from another node's commit.
const STALE_PAUSE: Duration = Duration::from_millis(5);

impl Service {
    /// Passes an operation through the gate. `work` may run more than once: it is
    /// run again from the look-up on when a keyhost knows a later record than the
    /// one it went by, in which case nothing was done.
    pub(crate) async fn run<T, F>(
        &self,
        caller: &Caller,
        action: Action,
        target: Target<'_>,
        deadline: Deadline,
        work: impl Fn(Permit) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        if deadline.has_passed() {
            return Err(Error::deadline_exceeded());
        }
        let mut attempt = 1;
        let outcome = loop {
            let outcome = work(Permit(())).await;
            match &outcome {
                Err(e) if e.is_stale() && attempt < STALE_ATTEMPTS => {
                    attempt += 1;
                    // Boxed, like all that is rare: what every call carries is small.
                    Box::pin(tokio::time::sleep(STALE_PAUSE)).await;
                }
                _ => break outcome,
            }
        };
        if let Err(error) = &outcome {
            log(caller, action, target, error);
        }
        outcome
    }
}

/// Writes what the caller is not told, and every fault of ours.
fn log(caller: &Caller, action: Action, target: Target<'_>, error: &Error) {
    let detail = error.log_message().unwrap_or_default();
    let (caller, reason) = (caller.name(), error.reason());
    if error.kind() == Kind::Internal {
        tracing::error!(caller, ?action, %target, reason, detail, "operation failed");
    } else if !detail.is_empty() {
        tracing::warn!(caller, ?action, %target, reason, detail, "operation failed");
    } else {
        tracing::debug!(caller, ?action, %target, reason, "operation refused");
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("service"),
            Self::Vault(vault) => vault.fmt(f),
            Self::Key(key) => key.fmt(f),
            Self::Keys(from, to) => write!(f, "{from} to {to}"),
        }
    }
}
