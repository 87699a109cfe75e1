//! The calls of whoever writes the audit log.

use keyreeve_tlog::{Checkpoint, Hash, VerifierKey};

use super::{CallError, Client, Way, queue::Lane};
use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{PreviousCheckpoint, Request, Response},
    key::LogId,
};

/// Why a keyhost does not sign a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointRefused {
    /// It is not proven to go on from the last one.
    Inconsistent,
    /// It has to go on from one of this size, which was signed since the keyhost
    /// started.
    Later(u64),
}

impl Client {
    /// The public key of the audit log `log`. For the software keyhost.
    pub async fn audit_key(
        &self,
        log: LogId,
        deadline: Deadline,
    ) -> Result<VerifierKey, CallError> {
        let way = Way { lane: Lane::Heavy, deadline, can_move: false };
        let request = || Request::AuditKey(log);
        let read = |_: &Body, response: Response<'_>| {
            let Response::Bytes(text) = response else { return Err(CallError::Protocol) };
            let text = std::str::from_utf8(text).map_err(|_| CallError::Protocol)?;
            text.parse().map_err(|_| CallError::Protocol)
        };
        self.call_without_key(None, way, request, read).await.map(|(key, _)| key)
    }

    /// Signs `next`, a checkpoint of `log`, of which `proof` shows that it goes on from
    /// `previous` (RFC 9162 section 2.1.4). For the software keyhost.
    pub async fn sign_checkpoint(
        &self,
        log: LogId,
        previous: PreviousCheckpoint<'_>,
        next: &Checkpoint,
        proof: &[Hash],
        deadline: Deadline,
    ) -> Result<Result<[u8; 64], CheckpointRefused>, CallError> {
        let proof: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
        let (size, root) = (next.size, next.root.0);
        let way = Way { lane: Lane::Heavy, deadline, can_move: false };
        let request = || Request::SignCheckpoint { log, previous, size, root, proof: &proof };
        let read = |_: &Body, response: Response<'_>| match response {
            Response::Bytes(signature) => {
                signature.try_into().map(Ok).map_err(|_| CallError::Protocol)
            }
            Response::Inconsistent => Ok(Err(CheckpointRefused::Inconsistent)),
            Response::SignedLater(size) => Ok(Err(CheckpointRefused::Later(size))),
            _ => Err(CallError::Protocol),
        };
        self.call_without_key(None, way, request, read).await.map(|(signed, _)| signed)
    }
}
