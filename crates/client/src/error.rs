//! One error type: who is at fault, what failed, what to do next.

use std::{error::Error as StdError, fmt};

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why a call failed. `Display` is a sentence for people; [`Error::reason`] is for
/// programs. No token, plaintext or key is ever part of it.
pub struct Error(Box<Inner>);

struct Inner {
    fault: Fault,
    code: Option<Code>,
    reason: Option<String>,
    message: String,
    next_step: String,
}

/// Who can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call asks for what is not allowed or not possible.
    Caller,
    /// The program's own surroundings: settings, files, certificates.
    Environment,
    /// The way to the service: it could not be reached, or not in time.
    Connection,
    /// The service itself.
    Service,
}

impl Error {
    /// Who can put it right.
    pub fn fault(&self) -> Fault {
        self.0.fault
    }

    /// The gRPC status code, if the service answered or could not be reached.
    pub fn code(&self) -> Option<Code> {
        self.0.code
    }

    /// The service's own name for the cause (`reason` of `google.rpc.ErrorInfo`), as
    /// `KEY_DISABLED`.
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// What failed.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    pub fn next_step(&self) -> &str {
        &self.0.next_step
    }

    /// Whether the same call may succeed later without anyone changing anything.
    ///
    /// Not so, although their status code says "later", for the reasons that wait for
    /// a person: `STORE_FULL` (somebody must make room; the service then goes on by
    /// itself), `STORE_STOPPED`, `OPERATOR_NEEDED`; nor for `STORE_OUTCOME_UNKNOWN` and
    /// `AUDIT_OUTCOME_UNKNOWN`, where the change may have been made and repeating it is no answer: read it.
    pub fn is_temporary(&self) -> bool {
        let waits_for_a_person = self.reason().is_some_and(|reason| NOT_CURED.contains(&reason));
        !waits_for_a_person
            && matches!(
                self.0.code,
                Some(Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted)
            )
    }

    pub(crate) fn new(
        fault: Fault,
        message: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self(Box::new(Inner {
            fault,
            code: None,
            reason: None,
            message: message.into(),
            next_step: next_step.into(),
        }))
    }

    /// Whatever was wrong with sealed data, it is said in these words and no others.
    pub(crate) fn decryption_failed() -> Self {
        Self::new(
            Fault::Caller,
            "decryption failed",
            "check that these are the bytes that were sealed, the key they were sealed under, and \
             the same associated data",
        )
    }

    /// The service answered with something its interface does not allow.
    pub(crate) fn bad_answer(what: &str) -> Self {
        Self::new(
            Fault::Service,
            format!("the service answered without {what}"),
            "check that client and service are of matching versions",
        )
    }

    pub(crate) fn deadline() -> Self {
        Self::from_parts(Code::DeadlineExceeded, "no answer within the deadline".into(), None)
    }

    pub(crate) fn from_status(status: &Status) -> Self {
        // A status with a cause was made on this side, and not sent by the service.
        let late = matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled);
        match status.source() {
            Some(cause) if !late => return Self::connection(cause),
            Some(_) => return Self::deadline(),
            None => {}
        }
        let reason = status.get_details_error_info().map(|info| info.reason);
        let mut message = status.message().to_owned();
        for violation in status.get_details_bad_request().iter().flat_map(|b| &b.field_violations) {
            if !message.contains(&violation.description) {
                message += &format!("; {}: {}", violation.field, violation.description);
            }
        }
        Self::from_parts(status.code(), message, reason)
    }

    /// From a code, message and reason as the service gives them.
    pub(crate) fn from_parts(code: Code, message: String, reason: Option<String>) -> Self {
        let (fault, next_step) = advice(code, reason.as_deref());
        let message = if message.is_empty() { code.description().to_owned() } else { message };
        Self(Box::new(Inner {
            fault,
            code: Some(code),
            reason: reason.filter(|r| !r.is_empty()),
            message,
            next_step: next_step.to_owned(),
        }))
    }

    fn connection(cause: &(dyn StdError + 'static)) -> Self {
        let mut message = "the service could not be reached".to_owned();
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            if text != "transport error" && !message.contains(&text) {
                message += ": ";
                message += &text;
            }
            next = error.source();
        }
        let mut error = Self::new(
            Fault::Connection,
            message,
            "check that it runs, that KEYREEVE_ADDR is its gRPC address and that KEYREEVE_CACERT \
             is the certificate of its authority",
        );
        error.0.code = Some(Code::Unavailable);
        error
    }
}

/// Reasons that no repetition of the call cures.
pub(crate) const NOT_CURED: [&str; 5] = [
    "STORE_FULL",
    "STORE_STOPPED",
    "OPERATOR_NEEDED",
    "STORE_OUTCOME_UNKNOWN",
    "AUDIT_OUTCOME_UNKNOWN",
];

/// Who is at fault and what to do: by reason where waiting does not help, else by
/// status code.
fn advice(code: Code, reason: Option<&str>) -> (Fault, &'static str) {
    if let Some("STORE_FULL" | "STORE_STOPPED" | "OPERATOR_NEEDED") = reason {
        return (Fault::Service, "ask its operator: its log and `keyreeve status` say more");
    }
    if let Some("STORE_OUTCOME_UNKNOWN" | "AUDIT_OUTCOME_UNKNOWN") = reason {
        return (
            Fault::Service,
            "read what you wanted to change, and repeat it if it is not there",
        );
    }
    match code {
        Code::Unauthenticated => (
            Fault::Caller,
            "set KEYREEVE_TOKEN or KEYREEVE_TOKEN_FILE to a token the service knows",
        ),
        Code::PermissionDenied => {
            (Fault::Caller, "ask for a role that allows it on this vault or key")
        }
        Code::NotFound => (Fault::Caller, "check the name"),
        Code::AlreadyExists => (Fault::Caller, "take another name, or use what is there"),
        Code::Aborted => (Fault::Caller, "read it again and repeat the change"),
        Code::InvalidArgument | Code::OutOfRange => (Fault::Caller, "correct the request"),
        Code::FailedPrecondition => {
            (Fault::Caller, "look at the key (`keyreeve key show`) and what it allows")
        }
        Code::Unimplemented => {
            (Fault::Caller, "check that client and service are of matching versions")
        }
        Code::ResourceExhausted => (Fault::Service, "send less at a time, or later"),
        Code::Unavailable => (Fault::Service, "try again shortly; it recovers by itself"),
        Code::DeadlineExceeded | Code::Cancelled => {
            (Fault::Connection, "try again, with a longer deadline if it is far away or busy")
        }
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            (Fault::Service, "look at the service's log; `keyreeve status` shows how it is")
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (next: {})", self.0.message, self.0.next_step)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("fault", &self.0.fault)
            .field("code", &self.0.code)
            .field("reason", &self.0.reason)
            .field("message", &self.0.message)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {}

impl From<crate::BadName> for Error {
    fn from(bad: crate::BadName) -> Self {
        Self::new(Fault::Caller, bad.to_string(), "correct the name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    /// Guards against losing the machine-readable cause and the offending field on
    /// the way to the caller.
    #[test]
    fn details_of_the_service_reach_the_caller() {
        let mut details = ErrorDetails::with_error_info("KEY_DISABLED", "keyreeve", []);
        details.add_bad_request_violation("key.size", "must be 2048, 3072 or 4096");
        let status = Status::with_error_details(Code::FailedPrecondition, "no", details);
        let error = Error::from_status(&status);
        assert_eq!(error.reason(), Some("KEY_DISABLED"));
        assert_eq!(error.code(), Some(Code::FailedPrecondition));
        assert_eq!(error.fault(), Fault::Caller);
        assert_eq!(error.message(), "no; key.size: must be 2048, 3072 or 4096");
        assert!(!error.is_temporary());
    }

    /// Guards against callers that wait for ever for what only a person can mend, or
    /// repeat a change that was made.
    #[test]
    fn what_a_repetition_does_not_cure_is_not_temporary() {
        for (code, reason) in [
            (Code::ResourceExhausted, "STORE_FULL"),
            (Code::Unavailable, "STORE_STOPPED"),
            (Code::Unavailable, "OPERATOR_NEEDED"),
            (Code::Unavailable, "STORE_OUTCOME_UNKNOWN"),
        ] {
            let error = Error::from_parts(code, "m".into(), Some(reason.into()));
            assert!(!error.is_temporary(), "{reason}");
            assert_eq!(error.fault(), Fault::Service);
        }
        for reason in ["STORE_UNAVAILABLE", "KEYHOST_OVERLOADED", "DEVICE_FAILED"] {
            let error = Error::from_parts(Code::Unavailable, "m".into(), Some(reason.into()));
            assert!(error.is_temporary(), "{reason}");
        }
    }

    /// Guards against an outage being taken for the caller's mistake.
    #[test]
    fn outages_are_temporary_and_nobody_elses_fault() {
        let error = Error::from_status(&Status::unavailable("keyhost restarts"));
        assert!(error.is_temporary());
        assert_eq!(error.fault(), Fault::Service);
    }
}
