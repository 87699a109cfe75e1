//! What a call to a keyhost can end in, for the service to translate.

use std::{fmt, time::Duration};

use keyreeve_backend::Error;
use keyreeve_types::KeyState;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The backend answered, and could not or would not.
    Backend(Error),
    /// The key's policy does not allow the operation, says the keyhost.
    NotAllowed(KeyState),
    /// The algorithm does not fit the key.
    WrongAlgorithm,
    /// New rules that would grant what the key was not made for.
    PolicyWidens,
    /// The record the call went by is older than one the keyhost has seen: read it
    /// again.
    StaleRecord,
    /// The imported key was sealed to a recipient that is not current.
    WrongRecipient,
    /// There is no keyhost now; it is being started anew. Whether the call had an
    /// effect is unknown.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// A new wrapped key was made, and fewer slots of the group open it than must: it is
    /// nowhere now.
    TooFewReplicas {
        /// How many do.
        have: usize,
        /// How many must.
        need: usize,
    },
    /// Too many calls wait for this keyhost.
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The caller's deadline passed.
    DeadlineExceeded,
    /// The request is larger than a packet can be.
    TooLarge,
    /// The keyhost and the front do not understand each other: a defect.
    Protocol,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(e) => e.fmt(f),
            Self::NotAllowed(state) => write!(f, "the keyhost refused: {state:?}"),
            Self::WrongAlgorithm => f.write_str("the algorithm does not fit the key"),
            Self::PolicyWidens => f.write_str("a key's rules can only be narrowed"),
            Self::StaleRecord => f.write_str("the key's record has changed"),
            Self::WrongRecipient => f.write_str("the import recipient is no longer current"),
            Self::Unavailable { .. } => f.write_str("the keyhost is being started anew"),
            Self::TooFewReplicas { have, need } => {
                write!(f, "{have} slots open the new key, and {need} must")
            }
            Self::Overloaded { .. } => f.write_str("too many calls wait for the keyhost"),
            Self::DeadlineExceeded => f.write_str("the deadline passed"),
            Self::TooLarge => f.write_str("the request is too large"),
            Self::Protocol => f.write_str("the keyhost's answer makes no sense"),
        }
    }
}

impl std::error::Error for CallError {}
