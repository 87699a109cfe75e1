//! What a store's errors mean to a caller.

use std::time::Duration;

use keyreeve_store::Error as StoreError;

use super::{Error, Kind};

/// When to try again after the store could not be reached.
const STORE_RETRY: Duration = Duration::from_secs(1);

impl Error {
    /// Translates an error of the store, other than a conflict that the operation
    /// has an answer to of its own.
    pub(crate) fn from_store(error: &StoreError) -> Self {
        let log = error.to_string();
        match error {
            StoreError::Conflict { .. } => Self::contended(),
            StoreError::TooLarge(_) => Self::new(
                Kind::InvalidArgument { field: "key" },
                "TOO_LARGE",
                "the record would be larger than the store takes; use fewer or shorter tags",
            )
            .with_log(log),
            StoreError::EmptyKey | StoreError::DuplicateKey { .. } => {
                Self::internal("STORE_MISUSED", log)
            }
            StoreError::Unavailable(_) | StoreError::Compacted => Self::new(
                Kind::Unavailable { retry_after: Some(STORE_RETRY) },
                "STORE_UNAVAILABLE",
                "the store cannot be reached; nothing was changed; try again",
            )
            .with_log(log),
            StoreError::Unknown(_) => Self::new(
                Kind::Unavailable { retry_after: Some(STORE_RETRY) },
                "STORE_OUTCOME_UNKNOWN",
                "the store's answer was lost; read before trying again, for the change may have \
                 been made",
            )
            .with_log(log),
            StoreError::Full(_) => Self::new(
                Kind::ResourceExhausted { retry_after: None },
                "STORE_FULL",
                "the store has no room left; nothing was changed. Changes are taken again once an \
                 operator has made room; keys that exist keep working",
            )
            .with_log(log),
            StoreError::Stopped(_) => Self::new(
                Kind::Unavailable { retry_after: None },
                "STORE_STOPPED",
                "the store has stopped after a fault and needs an operator; keys that exist keep \
                 working",
            )
            .with_log(log),
            StoreError::Corrupt(_) => Self::internal("STORE_CORRUPT", log),
        }
    }

    /// Somebody else kept changing the same thing.
    pub(crate) fn contended() -> Self {
        Self::new(
            Kind::Aborted,
            "CONCURRENT_CHANGE",
            "somebody else changed this at the same time; read it and try again",
        )
    }
}
