//! The one place where an error of the service becomes a gRPC status.
//!
//! The code says who is at fault, the message is for a person, `google.rpc` details
//! are for programs: `ErrorInfo` always, and what else the code calls for.

use std::collections::HashMap;

use keyreeve_proto::v1::OperationError;
use keyreeve_service::{Error, Kind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// `ErrorInfo.domain`.
const DOMAIN: &str = "keyreeve";

/// Translates an error.
pub fn to_status(error: &Error) -> Status {
    let message = error.caller_message();
    let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, HashMap::new());
    match error.kind() {
        Kind::InvalidArgument { field } => {
            details.add_bad_request_violation(field, message);
        }
        Kind::FailedPrecondition => {
            details.add_precondition_failure_violation(error.reason(), "", message);
        }
        Kind::Unavailable { retry_after } | Kind::ResourceExhausted { retry_after } => {
            if retry_after.is_some() {
                details.set_retry_info(retry_after);
            }
        }
        Kind::NotFound
        | Kind::AlreadyExists
        | Kind::Aborted
        | Kind::DeadlineExceeded
        | Kind::DecryptionFailed
        | Kind::Internal => {}
    }
    Status::with_error_details(code(error.kind()), message, details)
}

/// Translates the error of one operation in a batch or stream.
pub(crate) fn to_operation_error(error: &Error) -> OperationError {
    OperationError {
        code: code(error.kind()) as i32,
        message: error.caller_message().to_owned(),
        reason: error.reason().to_owned(),
    }
}

fn code(kind: Kind) -> Code {
    match kind {
        Kind::InvalidArgument { .. } | Kind::DecryptionFailed => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::FailedPrecondition => Code::FailedPrecondition,
        Kind::Aborted => Code::Aborted,
        Kind::Unavailable { .. } => Code::Unavailable,
        Kind::ResourceExhausted { .. } => Code::ResourceExhausted,
        Kind::DeadlineExceeded => Code::DeadlineExceeded,
        Kind::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a field violation without a field, and a status that programs
    /// cannot tell from another.
    #[test]
    fn an_invalid_argument_names_its_field() {
        let status = to_status(&Error::invalid("size", "size must be 1 to 4096"));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let request = details.bad_request().expect("a violation");
        assert_eq!(request.field_violations[0].field, "size");
        let info = details.error_info().expect("always");
        assert_eq!((info.domain.as_str(), info.reason.as_str()), (DOMAIN, "INVALID_ARGUMENT"));
    }

    /// Guards against an oracle in the details of a failed decryption.
    #[test]
    fn a_failed_decryption_says_nothing_more() {
        let status = to_status(&Error::decryption_failed());
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "decryption failed");
        let details = status.get_error_details_vec();
        assert_eq!(details.len(), 1, "ErrorInfo alone");
        let error = to_operation_error(&Error::decryption_failed());
        assert_eq!((error.code, error.reason.as_str()), (3, "DECRYPTION_FAILED"));
    }
}
