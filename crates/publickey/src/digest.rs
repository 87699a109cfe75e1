//! SHA-2, and the step from a message to what a signature algorithm takes.

use std::fmt;

use aws_lc_rs::digest::{self as sha2, SHA256, SHA384, SHA512};
use keyreeve_types::{Digest, SignInput, SignatureAlgorithm};

/// Hashes `message` (FIPS 180-4).
pub fn digest(algorithm: Digest, message: &[u8]) -> Hash {
    Hash(sha2::digest(of(algorithm), message))
}

/// A SHA-2 digest of 32, 48 or 64 bytes, held without an allocation.
#[derive(Clone, Copy)]
pub struct Hash(sha2::Digest);

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({} bytes)", self.as_ref().len())
    }
}

/// What a signature algorithm signs, made from a message: its digest, or the
/// message itself for EdDSA and ML-DSA.
#[derive(Debug, Clone, Copy)]
pub enum Input<'m> {
    /// The digest of the message.
    Digest(Hash),
    /// The message.
    Message(&'m [u8]),
}

impl<'m> Input<'m> {
    /// Prepares `message` for `algorithm`.
    pub fn new(algorithm: SignatureAlgorithm, message: &'m [u8]) -> Self {
        match algorithm.input() {
            SignInput::Digest(hash) => Self::Digest(digest(hash, message)),
            SignInput::Message => Self::Message(message),
        }
    }
}

impl AsRef<[u8]> for Input<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Digest(hash) => hash.as_ref(),
            Self::Message(message) => message,
        }
    }
}

/// The library's name for a digest.
pub(crate) fn of(algorithm: Digest) -> &'static sha2::Algorithm {
    match algorithm {
        Digest::Sha256 => &SHA256,
        Digest::Sha384 => &SHA384,
        Digest::Sha512 => &SHA512,
    }
}
