//! The one place where an error of the service becomes a gRPC status.
//!
//! The code says who is at fault, the message is for a person, `google.rpc` details
//! are for programs: `ErrorInfo` always, and what else the code calls for.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use keyreeve_proto::v1::OperationError;
use keyreeve_service::{Error, Kind};
use tonic::{Code, Status, codegen::http};
use tonic_types::{ErrorDetails, StatusExt};

/// `ErrorInfo.domain`.
const DOMAIN: &str = "keyreeve";
/// Headers of gRPC over HTTP/2.
const STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";
/// In characters.
const LONGEST_ALGORITHM: usize = 32;

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
        Kind::PermissionDenied
        | Kind::NotFound
        | Kind::AlreadyExists
        | Kind::Aborted
        | Kind::DeadlineExceeded
        | Kind::DecryptionFailed
        | Kind::Internal => {}
    }
    let mut status = Status::with_error_details(code(error.kind()), message, details);
    if !error.is_recorded() {
        status.set_source(Arc::new(Early { code: code(error.kind()), reason: error.reason() }));
    }
    status
}

/// Goes with a status of which the audit log has no record yet, as for a request with
/// a name that is none. Callers do not see it.
#[derive(Debug)]
struct Early {
    code: Code,
    reason: &'static str,
}

impl fmt::Display for Early {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({}) before the gate", self.code, self.reason)
    }
}

impl std::error::Error for Early {}

/// Why this answer was given before the gate, if it was: by a door that could not read
/// the request, or by tonic, which could not parse it. To be asked before [`complete`].
pub fn refused_early<B>(answer: &http::Response<B>) -> Option<&'static str> {
    let headers = answer.headers();
    if headers.get(STATUS)?.as_bytes() == b"0" {
        return None;
    }
    if !headers.contains_key(DETAILS) {
        return Some("MALFORMED_REQUEST");
    }
    let source = std::error::Error::source(answer.extensions().get::<Status>()?)?;
    source.downcast_ref::<Early>().map(|early| early.reason)
}

/// The status for a call without a caller. `message` says which credential is wanted.
pub fn unauthenticated(message: &str) -> Status {
    with_reason(Code::Unauthenticated, message, "UNAUTHENTICATED")
}

/// The error for a caller who cannot be proven or refuted at the moment.
pub fn unavailable(message: &str) -> Status {
    with_reason(Code::Unavailable, message, "IDENTITY_UNAVAILABLE")
}

/// The error for a credential that was not looked at, because too many from there failed.
pub fn not_looked_at(message: &str, wait: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info("TOO_MANY_FAILURES", DOMAIN, HashMap::new());
    details.set_retry_info(Some(wait));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The error for an algorithm that the operation does not know. What was given is
/// shown as long as any real name, and escaped.
pub(crate) fn unknown_algorithm(field: &'static str, given: &str) -> Error {
    let shown: String = given.chars().take(LONGEST_ALGORITHM).collect();
    let more = if shown.len() < given.len() { "…" } else { "" };
    Error::invalid(
        field,
        format!(
            "there is no algorithm {shown:?}{more} for this operation; names are spelled as in \
             RFC 7518, and docs/algorithms.md lists them by operation and backend"
        ),
    )
}

/// Completes an answer that tonic made by itself, before or instead of asking a
/// service: such a status has no details, and one for a request that is cut short has
/// the code `INTERNAL`, as if the fault were ours. An answer of a service is
/// passed on as it is.
pub fn complete<B: Default>(answer: http::Response<B>) -> http::Response<B> {
    let headers = answer.headers();
    if !headers.contains_key(STATUS) || headers.contains_key(DETAILS) {
        return answer;
    }
    let Some(status) = Status::from_header_map(headers) else { return answer };
    let message = status.message();
    let mut completed = match status.code() {
        Code::Ok => return answer,
        Code::InvalidArgument => with_reason(Code::InvalidArgument, message, "MALFORMED_REQUEST"),
        Code::Internal => with_reason(
            Code::InvalidArgument,
            &format!("the request is not a message that this method takes: {message}"),
            "MALFORMED_REQUEST",
        ),
        Code::OutOfRange | Code::ResourceExhausted => with_reason(
            Code::InvalidArgument,
            &format!("the request is larger than this method takes: {message}"),
            "REQUEST_TOO_LARGE",
        ),
        // Only an unknown method has no message. The other case, a compression that
        // is not spoken here, says which it was.
        Code::Unimplemented if message.is_empty() => with_reason(
            Code::Unimplemented,
            "there is no such method, or not in this version; server reflection lists them",
            "UNKNOWN_METHOD",
        ),
        Code::Unimplemented => with_reason(Code::Unimplemented, message, "UNSUPPORTED_COMPRESSION"),
        code => with_reason(code, message, "REQUEST_REFUSED"),
    };
    // As `grpc-accept-encoding`, which names the compressions that would do.
    completed.metadata_mut().clone_from(status.metadata());
    completed.into_http()
}

fn with_reason(code: Code, message: &str, reason: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, details)
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
        Kind::PermissionDenied => Code::PermissionDenied,
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
    use keyreeve_proto::v1::{
        self, GetStatusRequest,
        status_service_server::{StatusService, StatusServiceServer},
    };
    use tonic::{Request, Response, body::Body, codegen::Service};

    use super::*;

    struct Fine;

    #[tonic::async_trait]
    impl StatusService for Fine {
        async fn get_status(
            &self,
            _: Request<GetStatusRequest>,
        ) -> Result<Response<v1::Status>, Status> {
            Ok(Response::new(v1::Status::default()))
        }
    }

    /// What a caller gets for this body, which starts after the frame's first byte.
    async fn answer(path: &str, body: &'static str) -> http::Response<Body> {
        answer_in("identity", path, body).await
    }

    async fn answer_in(encoding: &str, path: &str, body: &'static str) -> http::Response<Body> {
        let request = http::Request::post(format!("/keyreeve.v1.StatusService/{path}"))
            .header("content-type", "application/grpc")
            .header("grpc-encoding", encoding)
            .body(Body::new(body.to_owned()))
            .expect("a request");
        let mut server = StatusServiceServer::new(Fine).max_decoding_message_size(1000);
        complete(server.call(request).await.expect("infallible"))
    }

    /// Guards against a caller's broken request being answered as our defect, and
    /// against a status that programs cannot tell from another.
    #[tokio::test]
    async fn what_does_not_parse_is_the_callers_fault() {
        for (path, body, code, reason) in [
            // A field of wire type 7, which there is not.
            ("GetStatus", "\0\0\0\0\x01\x07", Code::InvalidArgument, "MALFORMED_REQUEST"),
            // Cut short.
            ("GetStatus", "\0\0\0\0\x09\x0a", Code::InvalidArgument, "MALFORMED_REQUEST"),
            ("GetStatus", "\0\0", Code::InvalidArgument, "MALFORMED_REQUEST"),
            // A flag that is neither "compressed" nor "not".
            ("GetStatus", "\x05\0\0\0\0", Code::InvalidArgument, "MALFORMED_REQUEST"),
            ("GetStatus", "", Code::InvalidArgument, "MALFORMED_REQUEST"),
            ("GetStatus", "\0\0\x01\0\0", Code::InvalidArgument, "REQUEST_TOO_LARGE"),
            ("GetNothing", "\0\0\0\0\0", Code::Unimplemented, "UNKNOWN_METHOD"),
        ] {
            let answer = answer(path, body).await;
            let status = Status::from_header_map(answer.headers()).expect("a status");
            assert_eq!(status.code(), code, "{path} {body:?}: {status:?}");
            let info = status.get_details_error_info().expect("ErrorInfo");
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, DOMAIN));
        }
    }

    /// Guards against a method that is said not to exist because its request was
    /// compressed, and against a caller that is not told what would do.
    #[tokio::test]
    async fn an_unknown_compression_is_not_an_unknown_method() {
        let answer = answer_in("br", "GetStatus", "\x01\0\0\0\0").await;
        let headers = answer.headers();
        assert_eq!(headers.get("grpc-accept-encoding").expect("what would do"), "identity");
        assert_eq!(headers.get_all("content-type").iter().count(), 1);
        let status = Status::from_header_map(headers).expect("a status");
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains("`br`"), "{status:?}");
        let info = status.get_details_error_info().expect("ErrorInfo");
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("UNSUPPORTED_COMPRESSION", DOMAIN)
        );
    }

    /// Guards against an answer of a service that is taken for one of tonic's.
    #[tokio::test]
    async fn what_a_service_answers_is_passed_on() {
        let good = answer("GetStatus", "\0\0\0\0\0").await;
        assert!(!good.headers().contains_key(STATUS), "its status is in the trailers");
        let ours = to_status(&Error::decryption_failed()).into_http::<()>();
        let before = ours.headers().clone();
        assert_eq!(complete(ours).headers(), &before);
    }

    /// Guards against an unknown algorithm that its caller has to guess, and against
    /// an answer as long as the caller likes.
    #[test]
    fn an_unknown_algorithm_is_named() {
        let error = unknown_algorithm("algorithm", "es256");
        assert!(error.caller_message().contains("\"es256\""), "{}", error.caller_message());
        assert!(error.caller_message().contains("docs/algorithms.md"));
        let error = unknown_algorithm("algorithm", &"\n".repeat(100_000));
        assert!(error.caller_message().len() < 400, "{}", error.caller_message());
    }

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
