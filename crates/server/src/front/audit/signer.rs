//! Signing by the software keyhost.

use std::time::Duration;

use keyreeve_audit::{CheckpointSigner, SigningError, SigningRequest, VerifierKey};
use keyreeve_keyhost::{CallError, CheckpointRefused, Client, Deadline, LogId, PreviousCheckpoint};
use tokio::runtime::{Builder, Runtime};

/// How long the keyhost may take. Signing takes it less than a millisecond; what is
/// not signed now is asked for again a second later.
const WITHIN: Duration = Duration::from_secs(2);

/// Beyond what the link itself allows: for a link that nobody serves.
const AT_MOST: Duration = Duration::from_secs(4);

/// A keyhost that signs for one log. Blocks whoever calls it.
pub(super) struct KeyhostSigner {
    client: Client,
    runtime: Runtime,
    log: LogId,
    verifier: VerifierKey,
}

impl KeyhostSigner {
    /// Asks the keyhost for the key of `log`.
    pub(super) fn ask(client: Client, log: LogId) -> Result<Self, CallError> {
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|_| CallError::Unavailable { retry_after: WITHIN })?;
        let verifier = within(&runtime, client.audit_key(log, Deadline::after(WITHIN)))?;
        Ok(Self { client, runtime, log, verifier })
    }

    /// The log's public key.
    pub(super) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }
}

impl CheckpointSigner for KeyhostSigner {
    fn key(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, request: &SigningRequest<'_>) -> Result<[u8; 64], SigningError> {
        let SigningRequest { previous, note, next, consistency } = *request;
        let previous = match previous {
            None => PreviousCheckpoint::Nothing,
            Some(_) if note.is_empty() => PreviousCheckpoint::Remembered,
            Some(_) => PreviousCheckpoint::Signed(note.as_bytes()),
        };
        let deadline = Deadline::after(WITHIN);
        let signing = self.client.sign_checkpoint(self.log, previous, next, consistency, deadline);
        match within(&self.runtime, signing) {
            Ok(Ok(signature)) => Ok(signature),
            Ok(Err(CheckpointRefused::Later(size))) => Err(SigningError::Later(size)),
            Ok(Err(CheckpointRefused::Inconsistent)) => {
                tracing::error!(size = next.size, "the keyhost refused to sign a checkpoint");
                Err(SigningError::Refused)
            }
            Err(error) => {
                tracing::warn!(%error, size = next.size, "a checkpoint is not signed yet");
                Err(SigningError::Unavailable)
            }
        }
    }
}

fn within<T>(
    runtime: &Runtime,
    call: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    let bounded = async { tokio::time::timeout(AT_MOST, call).await };
    runtime.block_on(bounded).unwrap_or(Err(CallError::DeadlineExceeded))
}
