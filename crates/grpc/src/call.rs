//! What comes with every call: who calls, and until when.

use std::time::Duration;

use keyreeve_service::{Caller, Deadline};
use tonic::{Request, Status, metadata::MetadataMap};

use crate::unauthenticated;

/// How long an operation may take when its caller names no deadline.
const DEFAULT: Duration = Duration::from_secs(10);

/// The same where a key is made: RSA-4096 takes seconds, and more in a token.
const DEFAULT_WITH_KEY: Duration = Duration::from_secs(60);

/// The most a caller can ask for.
const MAX: Duration = Duration::from_secs(300);

/// A call, taken apart.
pub(crate) struct Call<T> {
    pub(crate) caller: Caller,
    pub(crate) deadline: Deadline,
    pub(crate) message: T,
}

impl<T> Call<T> {
    /// Takes a request apart.
    pub(crate) fn new(request: Request<T>) -> Result<Self, Status> {
        Self::within(request, DEFAULT)
    }

    /// The same, for a call that makes a key.
    pub(crate) fn making_a_key(request: Request<T>) -> Result<Self, Status> {
        Self::within(request, DEFAULT_WITH_KEY)
    }

    /// The same, for a stream, which may go on for as long as its caller wants.
    pub(crate) fn unbounded(request: Request<T>) -> Result<Self, Status> {
        Self::within(request, Duration::MAX)
    }

    fn within(request: Request<T>, default: Duration) -> Result<Self, Status> {
        let (metadata, mut extensions, message) = request.into_parts();
        let caller = extensions
            .remove::<Caller>()
            .ok_or_else(|| unauthenticated("no credentials were presented"))?;
        let timeout = timeout(&metadata).map_or(default, |asked| asked.min(MAX));
        Ok(Self { caller, deadline: Deadline::after(timeout), message })
    }
}

/// The deadline of one operation of a stream: its own, within the stream's.
pub(crate) fn of_operation(stream: Deadline) -> Deadline {
    Deadline::after(DEFAULT).min(stream)
}

/// Reads `grpc-timeout` (gRPC over HTTP/2): up to eight digits and a unit. What does
/// not parse is as good as absent, as in tonic.
pub(crate) fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keyreeve_authz::Listener;
    use keyreeve_service::{Identity, Source};

    use super::*;

    fn with(timeout: &'static str) -> Request<()> {
        let mut request = Request::new(());
        request.metadata_mut().insert("grpc-timeout", timeout.parse().expect("ASCII"));
        request
    }

    /// Guards against a call without an authenticated caller that goes through.
    #[test]
    fn a_call_without_a_caller_is_refused() {
        let refused = Call::new(Request::new(())).err().expect("no caller");
        assert_eq!(refused.code(), tonic::Code::Unauthenticated);
        let mut request = Request::new(());
        let listener = Listener { name: "grpc".parse().expect("a name"), private: false };
        let source = Source { peer: None, listener: Arc::new(listener) };
        let caller = Caller::new(Arc::new(Identity::nobody()), source, None);
        request.extensions_mut().insert(caller);
        assert!(Call::new(request).is_ok());
    }

    /// Guards against a unit mistaken for another, and against a header that ends a
    /// call or lets it wait for ever.
    #[test]
    fn timeouts_are_read_in_their_units() {
        let read = |text| timeout(with(text).metadata());
        assert_eq!(read("5S"), Some(Duration::from_secs(5)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for bad in ["", "S", "5", "-5S", "123456789S", "5s", "1e3S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
