//! The OAuth 2.0 token endpoint: a principal that is kept here proves itself and gets a
//! bearer token for an hour.
//!
//! ```text
//! POST /oauth2/token                       grant_type=client_credentials
//! POST /{tenant}/oauth2/token              the same, where clients of AD FS look
//! POST /{tenant}/oauth2/v2.0/token         the same, where clients of Entra ID look
//! GET  /{tenant}/.well-known/openid-configuration         where the endpoint is
//! GET  /{tenant}/v2.0/.well-known/openid-configuration    the same
//! ```
//!
//! The tenant is any name and means nothing: clients of Azure need one in the address.
//! A client proves itself in one way, by its secret (`client_secret_basic`,
//! `client_secret_post`), by an assertion that it signed (`private_key_jwt`, RFC 7523) or
//! by a token of another issuer that a federated credential names. Errors are those of
//! RFC 6749 section 5.2; a client that fails does not learn why, the log does.

mod client;
mod discovery;
mod form;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use keyreeve_identity::Replays;
use keyreeve_service::{
    Caller, Deadline, Kind, Service, Source, Unproven, identities::ACCESS_TOKEN_LIFE,
};
use serde_json::json;

use self::{client::Failure, form::Form};
use super::{
    attempts::{Attempts, address},
    authn::Issuers,
    trace::trace,
};

/// Failures of one address in a minute.
const FAILURES: u32 = 30;

/// Longest request, in bytes.
const MAX_REQUEST: usize = 64 * 1024;
/// Assertions that are remembered until they end.
const ASSERTIONS: usize = 100_000;
/// Longest time for a token to be written.
const DEADLINE: Duration = Duration::from_secs(10);

/// What all threads share of the endpoint.
pub(crate) struct TokenEndpoint {
    /// Where the HTTPS door is, for those outside. Without it no assertion can be for us.
    url: Option<String>,
    issuers: Arc<Issuers>,
    replays: Replays,
    attempts: Attempts,
}

impl TokenEndpoint {
    pub(crate) fn new(url: Option<String>, issuers: Arc<Issuers>) -> Self {
        let url = url.map(|url| url.trim_end_matches('/').to_owned());
        Self { url, issuers, replays: Replays::new(ASSERTIONS), attempts: Attempts::new(FAILURES) }
    }
}

/// What the routes read.
#[derive(Clone)]
struct Context {
    endpoint: Arc<TokenEndpoint>,
    service: Service,
}

pub(super) fn routes(endpoint: Arc<TokenEndpoint>, service: Service) -> Router {
    Router::new()
        .route("/oauth2/token", post(token))
        .route("/{tenant}/oauth2/token", post(token))
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::of_ad_fs))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::of_entra))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(Context { endpoint, service })
}

async fn token(
    State(context): State<Context>,
    Extension(source): Extension<Source>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let address = address(&source);
    let attempts = &context.endpoint.attempts;
    if let Some(wait) = attempts.wait(address, Instant::now()) {
        let message = "too many requests of this address failed; wait a minute";
        let mut refused = error(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", message);
        refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        return refused;
    }
    match context.issue(source.clone(), &uri, &headers, &body).await {
        Ok(response) => response,
        Err(failure) => {
            if let Failure::Client { .. } = &failure {
                attempts.failed(address, Instant::now());
                context.service.refused_unproven(&Unproven {
                    operation: Some("IssueAccessToken"),
                    method: client::tried(&headers, &body),
                    source: &source,
                    reason: "BAD_CLIENT_CREDENTIAL",
                });
            }
            failure.into_response()
        }
    }
}

impl Context {
    async fn issue(
        &self,
        source: Source,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response, Failure> {
        // 1. What is asked for.
        let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content = content.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !content.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::Request("the body must be application/x-www-form-urlencoded"));
        }
        let form = Form::parse(body)
            .map_err(|_| Failure::Request("a parameter comes twice, or it is not a form"))?;
        match form.get("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(Failure::Grant),
            None => return Err(Failure::Request("grant_type is missing")),
        }

        // 2. Who asks.
        let identity = self.endpoint.prove(&self.service, uri, headers, &form).await?;

        // 3. The token.
        let caller = Caller::new(identity, source, trace(headers));
        let issued = self.service.issue_access_token(&caller, Deadline::after(DEADLINE)).await;
        let issued = issued.map_err(|error| match error.kind() {
            // It was disabled or deleted a moment ago.
            Kind::NotFound | Kind::PermissionDenied => Failure::Client { basic: false },
            _ => Failure::Unavailable,
        })?;
        let answer = json!({
            "access_token": issued.token.expose(),
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFE,
        });
        Ok(no_store(Json(answer).into_response()))
    }
}

impl Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Request(message) => error(StatusCode::BAD_REQUEST, "invalid_request", message),
            Self::Grant => error(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "only client_credentials is offered",
            ),
            Self::Client { basic } => {
                let message = "the client is not known, or what it presented does not prove it";
                let mut refused = error(StatusCode::UNAUTHORIZED, "invalid_client", message);
                if basic {
                    let value = HeaderValue::from_static("Basic realm=\"keyreeve\"");
                    refused.headers_mut().insert(header::WWW_AUTHENTICATE, value);
                }
                refused
            }
            Self::Unavailable => error(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "what is needed to answer is not there at the moment; try again",
            ),
        }
    }
}

fn error(code: StatusCode, name: &str, message: &str) -> Response {
    let body = json!({ "error": name, "error_description": message });
    no_store((code, Json(body)).into_response())
}

/// RFC 6749 section 5.1.
fn no_store(mut response: Response) -> Response {
    const PRAGMA: HeaderName = header::PRAGMA;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests;
