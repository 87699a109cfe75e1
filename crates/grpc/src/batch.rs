//! Operations in one request: run at the same time, answered in order.

use futures_util::future::join_all;
use keyreeve_proto::v1::{BatchRequest, BatchResponse};
use keyreeve_service::{Caller, Deadline, Error, Service, settings::MAX_BATCH};

use crate::operation;

/// Runs a batch. An operation that fails has its error for a result and does not
/// disturb the others.
pub(crate) async fn run(
    service: &Service,
    caller: &Caller,
    request: BatchRequest,
    deadline: Deadline,
) -> Result<BatchResponse, Error> {
    let count = request.operations.len();
    if !(1..=MAX_BATCH).contains(&count) {
        return Err(Error::invalid(
            "operations",
            format!("a batch has 1 to {MAX_BATCH} operations, not {count}"),
        ));
    }
    let running = request
        .operations
        .iter()
        .map(|operation| operation::run(service, caller, operation, deadline));
    Ok(BatchResponse { results: join_all(running).await })
}
