//! Many small operations over one open call.
//!
//! A stream costs less per operation than a call each, and unlike a batch it does
//! not wait for a batch to be full. Results come back in any order and are matched
//! by id. When the stream breaks, every operation under way fails and nothing is
//! repeated; open another.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use http::uri::PathAndQuery;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming, client::Grpc};
use tonic_prost::ProstCodec;

use super::batch::outcome;
use crate::{Client, Error, Operation, connections::Lease, v1};

/// Operations sent and not yet taken by the connection; more wait their turn.
const QUEUE: usize = 256;

type Waiting = HashMap<u64, oneshot::Sender<Result<v1::OperationResult, Error>>>;

/// An open stream of operations. Share it by reference among tasks.
pub struct OperationStream {
    requests: mpsc::Sender<v1::StreamRequest>,
    state: Arc<Mutex<State>>,
    client: Client,
}

#[derive(Default)]
struct State {
    next_id: u64,
    waiting: Waiting,
    ended: Option<Status>,
}

impl Client {
    /// Opens a stream of operations. It connects in the background; the first
    /// operation reports what goes wrong.
    pub fn stream(&self) -> OperationStream {
        let (requests, receiver) = mpsc::channel(QUEUE);
        let state = Arc::new(Mutex::new(State::default()));
        let request = self.authorized(Request::new(ReceiverStream::new(receiver)));
        let lease = self.connections().lease();
        tokio::spawn(run(lease, request, Arc::clone(&state)));
        OperationStream { requests, state, client: self.clone() }
    }
}

impl OperationStream {
    /// Runs one operation. Many may be under way at once.
    ///
    /// # Errors
    /// As the single call; all operations under way fail when the stream breaks.
    pub async fn call<R: Operation>(&self, request: R) -> Result<R::Response, Error> {
        let (sender, receiver) = oneshot::channel();
        let id = self.register(sender)?;
        // Forgets the operation however this ends, so that a lost answer holds nothing.
        let _forget = Forget { state: &self.state, id };
        let answer = async {
            let item = v1::StreamRequest { id, operation: Some(request.into_operation()) };
            // A closed queue means that the stream ended, which the receiver tells.
            let _ = self.requests.send(item).await;
            receiver.await.unwrap_or_else(|_| Err(self.broken()))
        };
        let result =
            timeout(self.client.deadline(), answer).await.map_err(|_| Error::deadline())??;
        R::response_of(outcome(result)?)
            .ok_or_else(|| Error::bad_answer("an answer of the right kind"))
    }

    fn register(
        &self,
        sender: oneshot::Sender<Result<v1::OperationResult, Error>>,
    ) -> Result<u64, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = &state.ended {
            return Err(Error::from_status(status));
        }
        state.next_id += 1;
        let id = state.next_id;
        state.waiting.insert(id, sender);
        Ok(id)
    }

    fn broken(&self) -> Error {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Error::from_status(state.ended.as_ref().unwrap_or(&closed()))
    }
}

struct Forget<'a> {
    state: &'a Mutex<State>,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&self.id);
    }
}

/// Hands results to those who wait for them until the stream ends.
async fn run(
    lease: Lease,
    request: Request<ReceiverStream<v1::StreamRequest>>,
    state: Arc<Mutex<State>>,
) {
    let status = match open(&lease, request).await {
        Ok(mut results) => loop {
            match results.message().await {
                Ok(Some(answer)) => {
                    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                    let waiting = state.waiting.remove(&answer.id);
                    if let (Some(waiting), Some(result)) = (waiting, answer.result) {
                        // Nobody waits any more if the deadline has passed.
                        let _ = waiting.send(Ok(result));
                    }
                }
                Ok(None) => break closed(),
                Err(status) => break status,
            }
        },
        Err(status) => status,
    };
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    for (_, waiting) in state.waiting.drain() {
        let _ = waiting.send(Err(Error::from_status(&status)));
    }
    state.ended = Some(status);
}

async fn open(
    lease: &Lease,
    request: Request<ReceiverStream<v1::StreamRequest>>,
) -> Result<Streaming<v1::StreamResponse>, Status> {
    let mut grpc = Grpc::new(lease.channel.clone());
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let path = PathAndQuery::from_static("/keyreeve.v1.CryptoService/Stream");
    let codec = ProstCodec::<v1::StreamRequest, v1::StreamResponse>::default();
    Ok(grpc.streaming(request, path, codec).await?.into_inner())
}

fn closed() -> Status {
    Status::unavailable("the service closed the stream")
}
