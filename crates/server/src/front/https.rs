//! The HTTPS door: JWK sets, health, metrics, and where clients get tokens. The metrics
//! take a token; all but the last two are public.
//!
//! ```text
//! GET /vaults/{vault}/.well-known/jwks.json     the public keys of a vault
//! GET /vaults/{vault}/keys/{key}/jwks.json      those of one key
//! GET /healthz                                  the process answers
//! GET /readyz                                   a keyhost serves, and what it does is recorded
//! GET /metrics                                  what the service counts, for Prometheus
//! ```
//!
//! The metrics are for whoever may read the service's status, or for everybody if the
//! configuration says so: they name operations, keyhosts and how busy they are.
//!
//! It has these, those of the token endpoint, and no other route; every answer but a JWK set and the metrics is JSON of its
//! own making.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::{
    Extension, Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::{self, Builder},
    service::TowerToHyperService,
};
use keyreeve_service::{
    Caller, Deadline, Error, Identity, Jwks, KeyName, Kind, Service, Source, VaultName,
    crypto::JwksOf,
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};

use super::{
    Authn, Processes, TokenEndpoint,
    accept::Connection,
    authn::{Attempt, Credential, Presented},
    drain::until_drained,
    metrics,
    status::RECORDING,
    token_endpoint,
    trace::trace,
};
use crate::config::Limits;

/// How long a verifier may go by what it has. A key that signs from now on is in
/// the set before its first signature if it was made this much earlier.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
/// Reading a snapshot waits for nobody.
const DEADLINE: Duration = Duration::from_secs(5);
/// RFC 7517 section 8.5.2.
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

/// The door, as one thread serves it.
#[derive(Clone)]
pub(super) struct Https {
    routes: Router,
    http: Builder<TokioExecutor>,
}

impl Https {
    pub(super) fn new(
        service: Service,
        authn: Arc<Authn>,
        tokens: Arc<TokenEndpoint>,
        processes: Arc<Processes>,
        limits: &Limits,
        open_metrics: bool,
    ) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits.keepalive_ms))
            .max_headers(64)
            .max_buf_size(16 * 1024);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_millis(limits.keepalive_ms))
            .max_concurrent_streams(limits.calls_per_connection.min(64))
            .max_header_list_size(16 * 1024);
        let tokens = token_endpoint::routes(tokens, service.clone());
        let nobody = Arc::new(Identity::nobody());
        let context = Context { service, authn, processes, open_metrics, nobody };
        Self { routes: routes(context).merge(tokens), http }
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
            Connection::Tls(stream) => self.speak(*stream, source, drain).await,
            Connection::Local(stream) => self.speak(stream, source, drain).await,
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        source: Source,
        drain: watch::Receiver<bool>,
    ) {
        let service = TowerToHyperService::new(self.routes.layer(Extension(source)));
        let connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let finish = |connection: Pin<&mut _>| auto::Connection::graceful_shutdown(connection);
        if let Err(error) = until_drained(connection, finish, drain).await {
            tracing::debug!(error, "an HTTPS connection failed");
        }
    }
}

/// What the routes read.
#[derive(Clone)]
struct Context {
    service: Service,
    authn: Arc<Authn>,
    processes: Arc<Processes>,
    open_metrics: bool,
    nobody: Arc<Identity>,
}

fn routes(context: Context) -> Router {
    Router::new()
        .route("/vaults/{vault}/.well-known/jwks.json", get(vault_keys))
        .route("/vaults/{vault}/keys/{key}/jwks.json", get(key_keys))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(read_metrics))
        .fallback(async || problem(StatusCode::NOT_FOUND, "there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take this method")
        })
        .with_state(context)
}

async fn vault_keys(
    State(context): State<Context>,
    Path(vault): Path<String>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
) -> Response {
    match VaultName::new(&vault) {
        Ok(vault) => context.jwks(JwksOf::Vault(vault), source, &headers).await,
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn key_keys(
    State(context): State<Context>,
    Path((vault, key)): Path<(String, String)>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
) -> Response {
    match KeyName::new(&vault, &key, None) {
        Ok(key) => context.jwks(JwksOf::Key(key), source, &headers).await,
        Err(error) => problem(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// The process answers. That the audit log stands still is no reason to start it anew:
/// it goes on by itself, and says here that it does not serve.
async fn alive(State(context): State<Context>) -> Response {
    let audit = context.processes.audit();
    let status = if audit == RECORDING { "alive" } else { "not serving" };
    no_store(Json(json!({ "status": status, "audit": audit })).into_response())
}

/// Ready while the audit log takes records and any keyhost serves: with one slot down, the others' vaults still do.
async fn ready(State(context): State<Context>) -> Response {
    let serving = context.processes.serving();
    let audit = context.processes.audit();
    let ready = audit == RECORDING && serving.iter().any(|(_, serves)| *serves);
    let keyhosts: serde_json::Map<_, _> = serving
        .into_iter()
        .map(|(name, serves)| (name, if serves { "serving" } else { "unavailable" }.into()))
        .collect();
    let (code, status) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    no_store(
        (code, Json(json!({ "status": status, "audit": audit, "keyhosts": keyhosts })))
            .into_response(),
    )
}

/// For who may read the status, unless it is for everybody.
async fn read_metrics(
    State(context): State<Context>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
) -> Response {
    let Some(shared) = context.processes.service() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "the service is starting");
    };
    let read = || metrics::write(shared, &context.processes);
    let page = if context.open_metrics {
        read()
    } else {
        // No client certificate is asked for at this door.
        let credential = match context.authn.authenticate(&headers, &Presented::Nothing, &source) {
            Attempt::Done(credential) => credential,
            Attempt::Refetch(issuer) => {
                context.authn.again(issuer, &headers, &Presented::Nothing, &source).await
            }
        };
        if let Credential::NotLookedAt(wait) = credential {
            let refused = problem(StatusCode::TOO_MANY_REQUESTS, credential.message());
            let wait = HeaderValue::from(wait.as_secs() + 1);
            return with_header(refused, header::RETRY_AFTER, wait);
        }
        let Credential::Proven(identity) = credential else {
            let refused = problem(StatusCode::UNAUTHORIZED, credential.message());
            let scheme = HeaderValue::from_static("Bearer");
            return with_header(refused, header::WWW_AUTHENTICATE, scheme);
        };
        let caller = Caller::new(identity, source, trace(&headers));
        match context.service.get_status(&caller, read, Deadline::after(DEADLINE)).await {
            Ok(page) => page,
            Err(error) => return failed(&error),
        }
    };
    let content_type = HeaderValue::from_static(metrics::CONTENT_TYPE);
    no_store(with_header(page.into_response(), header::CONTENT_TYPE, content_type))
}

impl Context {
    /// Public keys are for whoever asks.
    async fn jwks(&self, of: JwksOf<'_>, source: Source, headers: &HeaderMap) -> Response {
        let caller = Caller::new(Arc::clone(&self.nobody), source, trace(headers));
        match self.service.get_jwks(&caller, of, Deadline::after(DEADLINE)).await {
            Ok(jwks) => jwk_set(&jwks, headers),
            Err(error) => failed(&error),
        }
    }
}

fn jwk_set(jwks: &Jwks, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", jwks.etag());
    let fresh = headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .any(|known| matches(known, &tag));
    let body = if fresh {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, JWK_SET)], jwks.json().to_owned()).into_response()
    };
    with_cache_headers(jwks.etag(), body)
}

fn with_cache_headers(etag: &str, mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{etag}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// `If-None-Match` (RFC 9110 section 13.1.2): any, or a list compared weakly.
fn matches(known: &str, tag: &str) -> bool {
    known
        .split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn failed(error: &Error) -> Response {
    let code = match error.kind() {
        Kind::InvalidArgument { .. } => StatusCode::BAD_REQUEST,
        Kind::PermissionDenied => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::ResourceExhausted { .. } => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable { .. } | Kind::DeadlineExceeded => StatusCode::SERVICE_UNAVAILABLE,
        Kind::AlreadyExists
        | Kind::FailedPrecondition
        | Kind::Aborted
        | Kind::DecryptionFailed
        | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    problem(code, error.caller_message())
}

fn problem(code: StatusCode, message: &str) -> Response {
    let body = json!({ "error": { "code": code.as_u16(), "message": message } });
    no_store((code, Json(body)).into_response())
}

fn no_store(response: Response) -> Response {
    with_header(response, header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

fn with_header(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

#[cfg(test)]
mod tests;
