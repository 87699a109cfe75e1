//! What an operation of the service can fail with.
//!
//! An error carries two messages. The first is for the caller: it says what was
//! wrong and what to do next, and nothing about the inside. The second is for the
//! log. The pair has no `Display`, so that the wrong one cannot slip out through a
//! format string; each door asks for the caller's by name, and the gate writes the
//! other to the log, once.
//!
//! `reason` is stable, in UPPER_SNAKE, and meant for programs.

mod keyhost;
mod store;

use keyreeve_audit::Unrecorded;

use std::{borrow::Cow, fmt, time::Duration};

/// When to try again after the audit log took no record.
const AUDIT_RETRY: Duration = Duration::from_secs(1);

/// The status code of an error, by Google's names for them.
pub(crate) const fn code_name(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidArgument { .. } | Kind::DecryptionFailed => "INVALID_ARGUMENT",
        Kind::PermissionDenied => "PERMISSION_DENIED",
        Kind::NotFound => "NOT_FOUND",
        Kind::AlreadyExists => "ALREADY_EXISTS",
        Kind::FailedPrecondition => "FAILED_PRECONDITION",
        Kind::Aborted => "ABORTED",
        Kind::Unavailable { .. } => "UNAVAILABLE",
        Kind::ResourceExhausted { .. } => "RESOURCE_EXHAUSTED",
        Kind::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Kind::Internal => "INTERNAL",
    }
}

/// Why an operation failed. Small: its parts are on the heap.
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    kind: Kind,
    reason: &'static str,
    message: Cow<'static, str>,
    log: Option<String>,
    stale: bool,
    recorded: bool,
}

/// Who is at fault, and with it what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A field of the request cannot be right, whatever the state of the service.
    InvalidArgument {
        /// The field, in `snake_case`, as the gRPC interface names it.
        field: &'static str,
    },
    /// The caller is known and may not. Says nothing about what there is.
    PermissionDenied,
    /// There is nothing of that name.
    NotFound,
    /// There is something of that name already.
    AlreadyExists,
    /// The state, kind or backend of the key does not allow it. The same request
    /// can succeed once somebody has changed that.
    FailedPrecondition,
    /// Somebody else changed the same thing at the same time. Read it again.
    Aborted,
    /// Not now. Without a time, it needs a person first.
    Unavailable {
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// Too much is asked of the service at once, or it has no room left. Without a
    /// time, it needs a person first.
    ResourceExhausted {
        /// When to try again.
        retry_after: Option<Duration>,
    },
    /// The caller's deadline passed. Whether a change was made is unknown.
    DeadlineExceeded,
    /// Decrypting, unwrapping or authenticating failed. Always with the same
    /// message and no reason.
    DecryptionFailed,
    /// A defect or damage on our side; the caller cannot mend it.
    Internal,
}

impl Error {
    /// Who is at fault.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The cause for programs, as `KEY_DISABLED`. Never changes its meaning.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The message for the caller.
    pub fn caller_message(&self) -> &str {
        &self.0.message
    }

    /// The message for the log, where there is more to say than to the caller.
    pub fn log_message(&self) -> Option<&str> {
        self.0.log.as_deref()
    }

    /// A field of the request cannot be right. For the doors as well, which find
    /// what the types cannot hold.
    pub fn invalid(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::InvalidArgument { field }, "INVALID_ARGUMENT", message)
    }

    /// Too much is asked at once. For the doors, which bound what they do themselves.
    pub fn busy(reason: &'static str, message: &'static str, retry_after: Duration) -> Self {
        Self::new(Kind::ResourceExhausted { retry_after: Some(retry_after) }, reason, message)
    }

    /// The state, kind or backend of the key does not allow it.
    pub(crate) fn precondition(
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Kind::FailedPrecondition, reason, message)
    }

    /// There is no such vault, key or version.
    pub(crate) fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, "NOT_FOUND", format!("there is no {what}"))
    }

    /// There is one of that name.
    pub(crate) fn exists(what: impl fmt::Display) -> Self {
        Self::new(Kind::AlreadyExists, "ALREADY_EXISTS", format!("there is a {what} already"))
    }

    /// The one failure of decrypting, unwrapping and checking what was sealed.
    pub fn decryption_failed() -> Self {
        Self::new(Kind::DecryptionFailed, "DECRYPTION_FAILED", "decryption failed")
    }

    /// The caller's deadline passed.
    pub(crate) fn deadline_exceeded() -> Self {
        Self::new(
            Kind::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
            "the deadline passed before the operation was done; if it makes or changes something, \
             read it to see whether that happened",
        )
    }

    /// A defect or damage: the caller learns that it is ours, the log learns what.
    pub(crate) fn internal(reason: &'static str, log: impl Into<String>) -> Self {
        Self::new(
            Kind::Internal,
            reason,
            "the service failed in a way that is not the caller's fault; its log says more",
        )
        .with_log(log)
    }

    pub(crate) fn new(
        kind: Kind,
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Parts {
            kind,
            reason,
            message: message.into(),
            log: None,
            stale: false,
            recorded: false,
        }))
    }

    pub(crate) fn with_log(mut self, log: impl Into<String>) -> Self {
        self.0.log = Some(log.into());
        self
    }

    /// Nothing may be answered without a record, and there can be none. `done`: what was
    /// asked may have been done.
    pub(crate) fn unrecorded(why: &Unrecorded, done: bool) -> Self {
        let retry_after = Some(AUDIT_RETRY);
        let (reason, message) = if done {
            (
                "AUDIT_OUTCOME_UNKNOWN",
                "the audit log took no record of the outcome; read before trying again, for the \
                 change may have been made. `keyreeve status` shows what is wrong with the log",
            )
        } else {
            (
                "AUDIT_UNAVAILABLE",
                "the audit log takes no records now, and nothing is done without one; try again. \
                 `keyreeve status` shows what is wrong with it",
            )
        };
        Self::new(Kind::Unavailable { retry_after }, reason, message).with_log(&*why.0).recorded()
    }

    /// Whether the audit log has a record of it, or cannot have one. Errors that a door
    /// finds before the gate have none.
    pub fn is_recorded(&self) -> bool {
        self.0.recorded
    }

    /// Notes that it is on record.
    pub(crate) fn recorded(mut self) -> Self {
        self.0.recorded = true;
        self
    }

    /// Whether the operation went by a record that has since changed, so that
    /// doing it again from the look-up on can help.
    pub(crate) fn is_stale(&self) -> bool {
        self.0.stale
    }
}

/// For `{:?}` in tests and `expect`: kind and reason, neither of the messages.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("reason", &self.0.reason)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against the log's message reaching a caller through `{:?}`.
    #[test]
    fn debug_shows_neither_message() {
        let error = Error::internal("CORRUPT_KEY", "CKR_DEVICE_ERROR in C_Sign");
        let shown = format!("{error:?}");
        assert!(!shown.contains("CKR") && !shown.contains("caller's fault"), "{shown}");
        assert!(shown.contains("CORRUPT_KEY"));
    }
}
