//! Operations in one request: run at the same time, answered in order.
//!
//! Signatures with one key that stand side by side are one call to the service: a batch
//! is mostly that, and what they share need not be done for each.

use std::{
    future::poll_fn,
    mem,
    task::{Context, Poll},
};

use futures_util::future::{BoxFuture, FutureExt};
use keyreeve_proto::v1::{
    BatchRequest, BatchResponse, Operation, OperationResult, SignRequest, operation::Request,
};
use keyreeve_service::{Caller, Deadline, Error, Service, settings::MAX_BATCH};

use crate::operation::{self, Running};

/// Part of a batch, and where its results go.
struct Part<'a> {
    service: &'a Service,
    caller: &'a Caller,
    work: Work<'a>,
    results: &'a mut [OperationResult],
}

enum Work<'a> {
    One(Running<'a>),
    Signatures(BoxFuture<'a, Vec<OperationResult>>),
    Done,
}

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
    let mut results = vec![OperationResult::default(); count];
    let mut rest = results.as_mut_slice();
    let mut parts = Vec::new();
    for operations in request.operations.chunk_by(sign_alike) {
        let (results, after) = mem::take(&mut rest).split_at_mut(operations.len());
        rest = after;
        let work = Work::begin(service, caller, operations, deadline);
        parts.push(Part { service, caller, work, results });
    }
    // Answers come many at a time: each turn asks all that are still under way.
    poll_fn(|cx| {
        let mut all = Poll::Ready(());
        for part in &mut parts {
            if !part.is_done(cx) {
                all = Poll::Pending;
            }
        }
        all
    })
    .await;
    drop(parts);
    Ok(BatchResponse { results })
}

impl Part<'_> {
    fn is_done(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.work {
            Work::One(running) => {
                let Poll::Ready(outcome) = running.as_mut().poll(cx) else { return false };
                let outcome = operation::note(self.service, self.caller, outcome);
                self.results[0] = operation::result(outcome);
            }
            Work::Signatures(running) => {
                let Poll::Ready(signed) = running.as_mut().poll(cx) else { return false };
                self.results.iter_mut().zip(signed).for_each(|(result, signed)| *result = signed);
            }
            Work::Done => {}
        }
        self.work = Work::Done;
        true
    }
}

impl<'a> Work<'a> {
    fn begin(
        service: &'a Service,
        caller: &'a Caller,
        operations: &'a [Operation],
        deadline: Deadline,
    ) -> Self {
        if let [one] = operations {
            return Self::One(operation::run(service, caller, one, deadline));
        }
        let requests = operations.iter().filter_map(sign_request).collect();
        Self::Signatures(operation::sign_each(service, caller, requests, deadline).boxed())
    }
}

/// Whether both are signatures, of one kind and with one key.
fn sign_alike(one: &Operation, other: &Operation) -> bool {
    match (sign_request(one), sign_request(other)) {
        (Some(one), Some(other)) => one.name == other.name && one.algorithm == other.algorithm,
        _ => false,
    }
}

fn sign_request(operation: &Operation) -> Option<&SignRequest> {
    match &operation.request {
        Some(Request::Sign(request)) => Some(request),
        _ => None,
    }
}
