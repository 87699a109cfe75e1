//! What can go wrong in a backend, by who can mend it.
//!
//! A failed decryption, unwrapping or check of a tag is one variant with no
//! reason, whatever the cause: a reason is an oracle.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Error {
    /// The caller's input does not fit the operation. Never retried.
    InvalidInput(InvalidInput),
    /// The backend cannot do this with this key. [`crate::Capabilities`] would
    /// have said so.
    Unsupported,
    /// Decrypting, unwrapping or authenticating failed. No reason, on purpose.
    CryptoFailed,
    /// The device does not show a key that our records say it holds. A fault of
    /// the device until proved otherwise: never "not found" to a caller, and never
    /// a reason to delete a record.
    KeyMissing,
    /// Stored key material does not parse or does not match its description.
    CorruptKey,
    /// The session is in an unknown state; a new one may work. The text names the
    /// PKCS#11 function and return value, for the log.
    SessionFailed(String),
    /// The device or its module is unwell; a fresh process may work. The text is
    /// for the log.
    DeviceFailed(String),
    /// Login was refused, or the token needs a person. Never retried: a token
    /// locks after a few wrong PINs. The text is for the log.
    NeedsOperator(String),
    /// A result failed its own check (an RSA signature that does not verify) and
    /// was withheld.
    FaultyResult,
}

/// Why an input does not fit. The text of each is for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InvalidInput {
    /// The digest is not as long as the algorithm's hash.
    DigestLength,
    /// The data is longer than the key or algorithm can take.
    TooLong,
    /// The data must be whole blocks (16 bytes for CBC, 8 for AES-KW).
    NotWholeBlocks,
    /// The initialisation vector or tag has the wrong length.
    IvOrTagLength,
    /// The data to wrap is empty.
    Empty,
    /// The key does not parse, or its parts do not belong together.
    MalformedKey,
    /// The point is not on the curve, or is the point at infinity.
    PointNotOnCurve,
    /// The RSA modulus or exponent has a size that is not supported.
    UnsupportedRsaKey,
    /// A factor of the RSA modulus is not prime, or the parts do not multiply up.
    RsaNotPrime,
    /// The key is known to be weak: factors too close, a ROCA fingerprint, or a
    /// small factor.
    WeakKey,
    /// The key is not of the kind that was asked for.
    WrongKeyType,
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DigestLength => "the digest is not as long as the algorithm's hash",
            Self::TooLong => "the data is too long for this key and algorithm",
            Self::NotWholeBlocks => {
                "the data must be whole blocks: 16 bytes for CBC, 8 for AES key wrap"
            }
            Self::IvOrTagLength => "the initialisation vector or the tag has the wrong length",
            Self::Empty => "there is nothing to wrap",
            Self::MalformedKey => "the key does not parse, or its parts do not belong together",
            Self::PointNotOnCurve => "the point is not on the curve",
            Self::UnsupportedRsaKey => {
                "RSA keys must have 2048, 3072 or 4096 bits and an odd public exponent from 65537 \
                 to 2^32"
            }
            Self::RsaNotPrime => "the RSA factors are not prime or do not match the modulus",
            Self::WeakKey => "the key is known to be weak; make a new one",
            Self::WrongKeyType => "the key is not of the kind that was asked for",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput(why) => why.fmt(f),
            Self::Unsupported => f.write_str("the backend does not support this"),
            Self::CryptoFailed => f.write_str("the cryptographic operation failed"),
            Self::KeyMissing => f.write_str("the device does not show a key it should hold"),
            Self::CorruptKey => f.write_str("stored key material is corrupt"),
            Self::SessionFailed(what) => write!(f, "session failed: {what}"),
            Self::DeviceFailed(what) => write!(f, "device failed: {what}"),
            Self::NeedsOperator(what) => write!(f, "an operator is needed: {what}"),
            Self::FaultyResult => f.write_str("a result failed its own check and was withheld"),
        }
    }
}

impl std::error::Error for Error {}

impl From<InvalidInput> for Error {
    fn from(why: InvalidInput) -> Self {
        Self::InvalidInput(why)
    }
}
