//! The gRPC door: HTTP/2 over TLS, authentication, then the services.
//!
//! Health and reflection are open to everybody; every other call needs a caller,
//! whatever its path, so that a method that is added later is not open by mistake.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use keyreeve_grpc::{CryptoDoor, StatusSource};
use keyreeve_proto::{
    FILE_DESCRIPTOR_SET, Method as Rpc,
    v1::crypto_service_server::{CryptoServiceServer, SERVICE_NAME as CRYPTO},
};
use keyreeve_service::{Authentication, Caller, Method, Service, Source, Unproven};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tonic::{body::Body, service::Routes};
use tonic_health::{pb::health_server::HealthServer, server::HealthService};
use tower::Service as _;

use super::{
    Authn,
    accept::Connection,
    authn::{Attempt, Credential, Presented},
    drain::until_drained,
    prefix::PrefixFirst,
    trace::trace,
};
use crate::config::Limits;

/// Longest list of request headers, in bytes.
const MAX_HEADERS: u32 = 16 * 1024;
/// What a caller may send of one request before it is read, in bytes: any single
/// operation, so that a caller alone never waits for the window to open.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// The same for all requests of one connection.
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// How long a peer may take to show that it is still there.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

/// The door, as one thread serves it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Grpc {
    service: Service,
    crypto: CryptoServiceServer<CryptoDoor>,
    routes: Routes,
    authn: Arc<Authn>,
    http: http2::Builder<TokioExecutor>,
}

impl Grpc {
    pub(super) fn new(
        service: &Service,
        authn: Arc<Authn>,
        status: StatusSource,
        health: HealthService,
        limits: &Limits,
    ) -> Self {
        let mut http = http2::Builder::new(TokioExecutor::new());
        http.timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(limits.calls_per_connection)
            .max_header_list_size(MAX_HEADERS)
            .keep_alive_interval(Duration::from_millis(limits.keepalive_ms))
            .keep_alive_timeout(KEEPALIVE_ANSWER);
        // Prepared once, or each request would pay for it.
        let routes = routes(service, status, health).prepare();
        let crypto = keyreeve_grpc::crypto_service(service);
        Self { service: service.clone(), crypto, routes, authn, http }
    }

    /// Serves one connection until its end, or to the end of what is in flight when
    /// told to drain.
    pub(super) async fn serve(
        self,
        stream: Connection,
        source: Source,
        drain: watch::Receiver<bool>,
    ) {
        match stream {
            Connection::Tls(stream) => {
                let presented = self.authn.present(stream.get_ref().1.peer_certificates());
                self.speak(*stream, presented, source, drain).await;
            }
            Connection::Local(stream) => {
                self.speak(stream, Presented::Nothing, source, drain).await;
            }
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        presented: Presented,
        source: Source,
        drain: watch::Receiver<bool>,
    ) {
        let http = self.http.clone();
        let service = service_fn(move |request| {
            self.clone().call(request, source.clone(), presented.clone())
        });
        let connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let finish = |connection: Pin<&mut _>| http2::Connection::graceful_shutdown(connection);
        if let Err(error) = until_drained(connection, finish, drain).await {
            tracing::debug!(%error, "a gRPC connection failed");
        }
    }

    async fn call(
        mut self,
        mut request: Request<Incoming>,
        source: Source,
        presented: Presented,
    ) -> Result<Response<Body>, Infallible> {
        let mut caller = None;
        if !is_open(request.uri().path()) {
            let credential = match self.authn.authenticate(request.headers(), &presented, &source) {
                Attempt::Done(credential) => credential,
                Attempt::Refetch(issuer) => {
                    // Boxed, like all that is rare.
                    Box::pin(self.authn.again(issuer, request.headers(), &presented, &source)).await
                }
            };
            self.service.count_authentication(match credential {
                Credential::Proven(_) => Authentication::Proven,
                Credential::Failed | Credential::NoKeys | Credential::NotLookedAt(_) => {
                    Authentication::Failed
                }
                Credential::NotPresented => Authentication::NotPresented,
            });
            match credential {
                Credential::Proven(identity) => {
                    let now = Caller::new(identity, source, trace(request.headers()));
                    request.extensions_mut().insert(now.clone());
                    caller = Some(now);
                }
                Credential::NoKeys => {
                    self.note_unproven(&Credential::NoKeys, request.uri().path(), &source);
                    let message = Credential::NoKeys.message();
                    return Ok(keyreeve_grpc::unavailable(message).into_http());
                }
                Credential::NotLookedAt(wait) => {
                    let refused = Credential::NotLookedAt(wait);
                    self.note_unproven(&refused, request.uri().path(), &source);
                    return Ok(keyreeve_grpc::not_looked_at(refused.message(), wait).into_http());
                }
                refused => {
                    self.note_unproven(&refused, request.uri().path(), &source);
                    return Ok(keyreeve_grpc::unauthenticated(refused.message()).into_http());
                }
            }
        }
        let operation = Rpc::from_path(request.uri().path()).map(Rpc::name);
        let request = request.map(PrefixFirst::new);
        // The router wraps each request and each answer several times over, which
        // costs as much as all that is ours: operations go past it.
        let answer = if is_operation(request.uri().path()) {
            self.crypto.call(request).await
        } else {
            self.routes.call(request).await
        };
        answer.map(|answer| {
            if let Some(caller) = caller {
                if let Some(reason) = keyreeve_grpc::refused_early(&answer) {
                    self.service.refused_early(&caller, reason, operation);
                }
                if is_malformed(&answer) {
                    self.service.charge_malformed(self.service.debtor(&caller));
                }
            }
            keyreeve_grpc::complete(answer)
        })
    }

    /// Records a request of nobody, or counts it.
    fn note_unproven(&self, refused: &Credential, path: &str, source: &Source) {
        let (method, reason) = match refused {
            Credential::NotPresented => (Method::NotPresented, "NO_CREDENTIAL"),
            Credential::NoKeys => (Method::Oidc, "ISSUER_KEYS_MISSING"),
            Credential::NotLookedAt(_) => (Method::Token, "TOO_MANY_FAILURES"),
            _ => (Method::Token, "BAD_CREDENTIAL"),
        };
        let operation = Rpc::from_path(path).map(Rpc::name);
        self.service.refused_unproven(&Unproven { operation, method, source, reason });
    }
}

/// What needs no caller: gRPC health and reflection, which say nothing of keys.
fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/")
        || path.starts_with("/grpc.reflection.v1.ServerReflection/")
}

/// Whether it says that the request was not one: `INVALID_ARGUMENT`, with no answer.
fn is_malformed(answer: &Response<Body>) -> bool {
    answer.headers().get("grpc-status").is_some_and(|status| status == "3")
}

fn is_operation(path: &str) -> bool {
    let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(CRYPTO));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// The services with a caller, then those without.
fn routes(service: &Service, status: StatusSource, health: HealthService) -> Routes {
    let routes = keyreeve_grpc::routes(service, status).add_service(HealthServer::new(health));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    match reflection {
        Ok(reflection) => routes.add_service(reflection),
        Err(error) => {
            // The descriptors are built in; without them, everything else works.
            tracing::error!(%error, "no reflection: the built-in descriptors do not parse");
            routes
        }
    }
}
