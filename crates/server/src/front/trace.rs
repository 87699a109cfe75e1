//! Which trace a request says it belongs to.

use http::HeaderMap;
use keyreeve_service::TraceId;

/// Reads `traceparent` (W3C Trace Context). What is malformed, or there twice, is as
/// good as absent: a trace is a courtesy and decides nothing.
pub(super) fn trace(headers: &HeaderMap) -> Option<TraceId> {
    let mut values = headers.get_all("traceparent").into_iter();
    match (values.next(), values.next()) {
        (Some(only), None) => TraceId::from_traceparent(only.to_str().ok()?),
        _ => None,
    }
}
