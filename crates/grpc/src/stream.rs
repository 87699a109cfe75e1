//! Operations as they come.
//!
//! Up to [`MAX_IN_FLIGHT`] run at the same time; beyond that the stream is not read,
//! and HTTP/2 flow control makes the caller wait. Results that are ready together
//! leave together. The stream ends once the caller has closed its side and every
//! result is out.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, stream::FuturesUnordered};
use keyreeve_proto::v1::{StreamRequest, StreamResponse};
use keyreeve_service::{Caller, Deadline, Service};
use tonic::{Status, Streaming};

use crate::{
    call::{self, Call},
    operation,
};

/// Most operations of one stream that run at the same time: enough to keep every worker
/// busy, and fewer than a busy keyhost lets wait, so that a stream alone is never refused.
const MAX_IN_FLIGHT: usize = 48;

type Running = Pin<Box<dyn Future<Output = StreamResponse> + Send>>;

/// The results of a stream.
pub struct Results {
    service: Service,
    caller: Caller,
    deadline: Deadline,
    requests: Option<Streaming<StreamRequest>>,
    running: FuturesUnordered<Running>,
}

impl Results {
    pub(crate) fn new(service: Service, call: Call<Streaming<StreamRequest>>) -> Self {
        let Call { caller, deadline, message } = call;
        let running = FuturesUnordered::new();
        Self { service, caller, deadline, requests: Some(message), running }
    }

    /// Starts what has come in, as far as there is room.
    fn start(&mut self, cx: &mut Context<'_>) -> Result<(), Status> {
        while self.running.len() < MAX_IN_FLIGHT {
            let Some(requests) = &mut self.requests else { return Ok(()) };
            match Pin::new(requests).poll_next(cx) {
                Poll::Ready(Some(Ok(request))) => self.running.push(self.run(request)),
                Poll::Ready(Some(Err(status))) => return Err(status),
                Poll::Ready(None) => self.requests = None,
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    fn run(&self, request: StreamRequest) -> Running {
        let (service, caller) = (self.service.clone(), self.caller.clone());
        let deadline = call::of_operation(self.deadline);
        let StreamRequest { id, operation } = request;
        Box::pin(async move {
            let operation = operation.unwrap_or_default();
            let outcome = operation::run(&service, &caller, &operation, deadline).await;
            let outcome = operation::note(&service, &caller, outcome);
            StreamResponse { id, result: Some(operation::result(outcome)) }
        })
    }
}

impl Stream for Results {
    type Item = Result<StreamResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(status) = self.start(cx) {
            self.requests = None;
            self.running.clear();
            return Poll::Ready(Some(Err(status)));
        }
        match Pin::new(&mut self.running).poll_next(cx) {
            Poll::Ready(Some(response)) => Poll::Ready(Some(Ok(response))),
            Poll::Ready(None) if self.requests.is_none() => Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
