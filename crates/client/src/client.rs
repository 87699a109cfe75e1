//! The client: what every call goes through.

use std::{sync::Arc, time::Duration};

use http::uri::PathAndQuery;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

use crate::{
    BadName, Builder, Call, Error, Key, KeyName, Vault, VaultName, connections::Connections,
    retry::wait_before_next, token::Token, v1,
};

/// Largest answer taken: a full batch of the largest plaintexts fits.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// A connection to the service. Clone it freely; clones share their connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    deadline: Duration,
}

struct Shared {
    connections: Connections,
    token: Token,
    https_url: Option<String>,
}

impl Client {
    /// A client from `KEYREEVE_ADDR`, `KEYREEVE_CACERT`, `KEYREEVE_TOKEN` or
    /// `KEYREEVE_TOKEN_FILE`, and `KEYREEVE_HTTPS_URL`. Call it on a tokio runtime.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Builder::default().environment().build()
    }

    /// A client set up by hand.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The same client with another deadline for each of its calls.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// Where the HTTPS side of the service is, if it was set.
    pub fn https_url(&self) -> Option<&str> {
        self.shared.https_url.as_deref()
    }

    /// A key, as `prod/jwt` or `prod/jwt/VERSION` or by its resource name. A name
    /// that is none is reported by the first call.
    pub fn key(&self, name: &str) -> Key {
        Key::new(self.clone(), name.parse::<KeyName>())
    }

    /// A vault, as `prod` or `vaults/prod`. A name that is none is reported by the
    /// first call.
    pub fn vault(&self, name: &str) -> Vault {
        Vault::new(self.clone(), name.parse::<VaultName>())
    }

    /// All vaults, in the order of their names.
    ///
    /// # Errors
    /// As every call; see [`Error`].
    pub async fn vaults(&self) -> Result<Vec<v1::Vault>, Error> {
        let mut request = v1::ListVaultsRequest::default();
        let mut vaults = Vec::new();
        loop {
            let page = self.call(request.clone()).await?;
            vaults.extend(page.vaults);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(vaults);
            }
        }
    }

    /// How the service is: its processes, what protects them, what they can do.
    ///
    /// # Errors
    /// As every call; see [`Error`].
    pub async fn status(&self) -> Result<v1::Status, Error> {
        self.call(v1::GetStatusRequest {}).await
    }

    /// Makes any call of the interface: pass its request, get its answer.
    ///
    /// # Errors
    /// What the service says, or [`Fault::Connection`](crate::Fault::Connection) if
    /// it could not be reached or did not answer within the deadline.
    pub async fn call<R: Call>(&self, request: R) -> Result<R::Response, Error> {
        let deadline = Instant::now() + self.deadline;
        let mut attempts = 0;
        let mut token_was_reread = false;
        loop {
            attempts += 1;
            let status = match self.attempt(request.clone(), deadline).await {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            // A refused token means that nothing was done: any call may be repeated.
            if status.code() == Code::Unauthenticated
                && !token_was_reread
                && self.shared.token.reread()
            {
                token_was_reread = true;
                continue;
            }
            let remaining = deadline.saturating_duration_since(Instant::now());
            let wait = if R::SAFE_TO_REPEAT {
                wait_before_next(&status, attempts, remaining, jitter())
            } else {
                None
            };
            match wait {
                Some(wait) => sleep(wait).await,
                None => return Err(Error::from_status(&status)),
            }
        }
    }

    async fn attempt<R: Call>(&self, message: R, deadline: Instant) -> Result<R::Response, Status> {
        let lease = self.shared.connections.lease();
        let mut request = self.authorized(Request::new(message));
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let mut grpc = Grpc::new(lease.channel.clone()).max_decoding_message_size(LARGEST_ANSWER);
        let answer = async {
            grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let path = PathAndQuery::from_static(R::PATH);
            grpc.unary(request, path, ProstCodec::<R, R::Response>::default()).await
        };
        match timeout_at(deadline, answer).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_) => Err(Status::deadline_exceeded("no answer within the deadline")),
        }
    }

    pub(crate) fn authorized<T>(&self, mut request: Request<T>) -> Request<T> {
        if let Some(header) = self.shared.token.header() {
            request.metadata_mut().insert("authorization", header);
        }
        request
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.shared.connections
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn assemble(
        connections: Connections,
        token: Token,
        https_url: Option<String>,
        deadline: Duration,
    ) -> Self {
        Self { shared: Arc::new(Shared { connections, token, https_url }), deadline }
    }
}

/// Enough to spread callers; nothing depends on it being unpredictable.
fn jitter() -> u8 {
    let mut byte = [0];
    let _ = aws_lc_rs::rand::fill(&mut byte);
    byte[0]
}

/// A checked name, or why it is none: told by the first call that needs it.
pub(crate) fn resource<T: Clone>(name: &Result<T, BadName>) -> Result<T, Error> {
    name.clone().map_err(Error::from)
}
