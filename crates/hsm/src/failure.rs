//! Why an act failed, for the person who asked for it: what, and what to do next.

use std::{fmt, io};

use keyreeve_backend::Error;
use serde::{Deserialize, Serialize};

/// An act that was not done, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What failed. Names the PKCS#11 function and return value where one did.
    pub what: String,
    /// What to do.
    pub next: String,
}

impl Failure {
    /// Both at once.
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }

    /// Says before the text what was being done.
    #[must_use]
    pub fn while_(self, doing: &str) -> Self {
        Self { what: format!("{doing}: {}", self.what), ..self }
    }

    pub(crate) fn io(doing: &str, error: &io::Error) -> Self {
        Self::new(format!("{doing}: {error}"), "check the path and its permissions")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let next = match &error {
            Error::NeedsOperator(_) => "correct what it names, then run the command again",
            Error::DeviceFailed(_) | Error::SessionFailed(_) => {
                "see that the device is reachable and its service runs, then run the command again"
            }
            Error::Unsupported => "`keyreeve hsm check` shows what the module can do",
            Error::CorruptKey => {
                "an object is in the place of one of ours: `pkcs11-tool --list-objects` shows it; \
                 find out who made it before you remove it"
            }
            Error::KeyMissing => "provision the token first: `keyreeve hsm provision`",
            Error::FaultyResult => "do not use the device: a result did not verify. Ask its vendor",
            Error::CryptoFailed | Error::InvalidInput(_) => {
                "the two slots do not hold the same key, or the transfer was damaged on its way"
            }
        };
        Self::new(error.to_string(), next)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; next: {}", self.what, self.next)
    }
}

impl std::error::Error for Failure {}
