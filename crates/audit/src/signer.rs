//! Who signs checkpoints.
//!
//! The signer is the log's first witness: it is given a proof that the new
//! checkpoint goes on from the last one, and must not sign without. In the service
//! that is a keyhost, which remembers the last one by itself; tools and tests sign
//! with a key of their own.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use keyreeve_tlog as tlog;
use keyreeve_types::Secret;

use crate::{BadNote, Checkpoint, Hash, VerifierKey};

/// Signs checkpoints with one Ed25519 key.
///
/// An implementation MUST refuse a request whose proof does not hold
/// ([`SigningRequest::is_consistent`]), and one that goes back behind what it
/// signed before if it remembers that. It is called from a thread of its own and
/// may block.
pub trait CheckpointSigner: Send + Sync {
    /// The public key, under the log's name.
    fn key(&self) -> &VerifierKey;

    /// Signs `request.next.text()` (RFC 8032, 64 bytes).
    ///
    /// # Errors
    /// [`SigningError`]; the log asks again later.
    fn sign(&self, request: &SigningRequest<'_>) -> Result<[u8; 64], SigningError>;
}

/// What a signer is asked.
#[derive(Debug, Clone, Copy)]
pub struct SigningRequest<'a> {
    /// The last checkpoint; `None` for the first, which has size 0.
    pub previous: Option<&'a Checkpoint>,
    /// `previous` as this signer signed it (a signed note); empty if the signer itself
    /// said where to begin ([`SigningError::Later`]).
    pub note: &'a str,
    /// What to sign.
    pub next: &'a Checkpoint,
    /// That `next` goes on from `previous` (RFC 6962 section 2.1.2).
    pub consistency: &'a [Hash],
}

impl SigningRequest<'_> {
    /// Whether signing would go on with the log, and not rewrite it.
    pub fn is_consistent(&self) -> bool {
        let next = self.next;
        match self.previous {
            None => next.size == 0 && next.root == Hash::of_empty_tree(),
            Some(last) => {
                last.origin == next.origin
                    && tlog::check_consistency(
                        (last.size, last.root),
                        (next.size, next.root),
                        self.consistency,
                    )
            }
        }
    }
}

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningError {
    /// The signer cannot be reached now.
    Unavailable,
    /// The signer does not sign this: it contradicts what it signed before.
    Refused,
    /// The signer has signed a later one since, of this size, which never came into
    /// the directory. The proof has to begin there.
    Later(u64),
}

impl fmt::Display for SigningError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => f.write_str("the signer of checkpoints cannot be reached"),
            Self::Refused => {
                f.write_str("the signer refused a checkpoint that contradicts an earlier one")
            }
            Self::Later(size) => {
                write!(f, "the signer has signed a checkpoint of {size} records, which is gone")
            }
        }
    }
}

impl std::error::Error for SigningError {}

/// Signs with a key in this process. For tools and tests: in the service, whoever
/// writes the log must not hold its key.
pub struct Ed25519Signer {
    pair: Ed25519KeyPair,
    key: VerifierKey,
}

impl Ed25519Signer {
    /// The signer of the log `name`, with the key made of `seed` (RFC 8032).
    ///
    /// # Errors
    /// [`BadNote`] if the name is not one for a key.
    pub fn from_seed(name: &str, seed: &Secret<[u8; 32]>) -> Result<Self, BadNote> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.expose().as_slice()).map_err(|_| BadNote)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| BadNote)?;
        Ok(Self { key: VerifierKey::new(name, public)?, pair })
    }
}

impl CheckpointSigner for Ed25519Signer {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn sign(&self, request: &SigningRequest<'_>) -> Result<[u8; 64], SigningError> {
        if !request.is_consistent() {
            return Err(SigningError::Refused);
        }
        let signature = self.pair.sign(request.next.text().as_bytes());
        signature.as_ref().try_into().map_err(|_| SigningError::Unavailable)
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.key)
    }
}
