//! Operations in one request: run at the same time, answered in order.

use std::{future::poll_fn, task::Poll};

use keyreeve_proto::v1::{BatchRequest, BatchResponse, OperationResult};
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
    let begin = |operation| operation::run(service, caller, operation, deadline);
    let mut running: Vec<_> = request.operations.iter().map(|o| Some(begin(o))).collect();
    let mut results = vec![OperationResult::default(); count];
    // Answers come many at a time: each turn asks all that are still under way.
    let all = poll_fn(|cx| {
        let mut done = true;
        for (operation, result) in running.iter_mut().zip(&mut results) {
            let Some(under_way) = operation else { continue };
            match under_way.as_mut().poll(cx) {
                Poll::Ready(outcome) => {
                    *result = operation::result(outcome);
                    *operation = None;
                }
                Poll::Pending => done = false,
            }
        }
        if done { Poll::Ready(()) } else { Poll::Pending }
    });
    all.await;
    Ok(BatchResponse { results })
}
