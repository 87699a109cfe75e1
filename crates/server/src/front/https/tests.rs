//! What the HTTPS door answers, and how it may be cached.

use axum::{body::Body, http::Request};
use keyreeve_audit::Standing;
use keyreeve_authz::Listener;
use keyreeve_service::{Backends, Clock, Settings, Shared};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::AuditLog;
use tower::ServiceExt as _;

use super::*;
use crate::control::{Phase, ProcessState};
use crate::front::{Issuers, Pace, Tokens};

/// The routes over an empty store, with one keyhost in `phase`.
async fn door(phase: Phase, open_metrics: bool) -> (Router, AuditLog) {
    let store = Arc::new(MemoryStore::new());
    let audit = AuditLog::start().unwrap_or_else(|error| panic!("{error}"));
    let opened = Shared::open(store, Settings::default(), Clock::system(), audit.recorder());
    let (shared, _follower) = opened.await.unwrap_or_else(|error| panic!("{error}"));
    let (client, _driver) = keyreeve_keyhost::Client::new("software");
    let mut standing = shared.audit().watch();
    let recording = standing.wait_for(|standing| *standing == Standing::Recording).await;
    drop(recording.expect("it is there"));
    let processes = Arc::new(Processes::default());
    processes.serve(Arc::clone(&shared));
    processes.update(
        ["front", "software"]
            .map(|name| ProcessState {
                name: name.to_owned(),
                pid: 1,
                phase,
                restarts: 0,
                detail: String::new(),
            })
            .into(),
    );
    let listener = Arc::new(Listener { name: "https".parse().expect("a name"), private: false });
    processes.watch(std::slice::from_ref(&client), ["software".to_owned(), String::new()]);
    let issuers = Arc::new(Issuers::new(&[], Pace::STANDARD).unwrap_or_else(|e| panic!("{e}")));
    let authn = Arc::new(Authn::new(Tokens::new([]), None, issuers, Arc::clone(&shared)));
    let service = Service::new(shared, Backends::new(client, Vec::new(), None));
    let nobody = Arc::new(Identity::nobody());
    let routes = routes(Context { service, authn, processes, open_metrics, nobody })
        .layer(Extension(Source { peer: None, listener }));
    (routes, audit)
}

async fn get(phase: Phase, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let (routes, _audit) = door(phase, false).await;
    routes.oneshot(request).await.expect("an answer")
}

/// Guards against a load balancer that sends calls where nothing can sign, and one
/// that restarts a front which waits for its keyhost.
#[tokio::test]
async fn alive_is_not_ready() {
    assert_eq!(get(Phase::Serving, "/healthz").await.status(), StatusCode::OK);
    assert_eq!(get(Phase::Restarting, "/healthz").await.status(), StatusCode::OK);
    assert_eq!(get(Phase::Serving, "/readyz").await.status(), StatusCode::OK);
    let waiting = get(Phase::Restarting, "/readyz").await;
    assert_eq!(waiting.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// Guards against calls that are sent to a service which can record nothing, and against
/// one that is killed for it.
#[tokio::test]
async fn without_an_audit_log_nothing_is_ready_and_the_process_lives() {
    let (routes, audit) = door(Phase::Serving, false).await;
    audit.recorder().close();
    for (path, code) in [("/readyz", StatusCode::SERVICE_UNAVAILABLE), ("/healthz", StatusCode::OK)]
    {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = routes.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), code, "{path}");
        let body = axum::body::to_bytes(answer.into_body(), 1000).await.expect("a body");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains(r#""audit":"stopped""#), "{path}: {text}");
    }
}

/// Guards against errors that are no JSON, and against caching them: a vault that
/// is made a second later must be seen.
#[tokio::test]
async fn errors_are_json_and_not_cached() {
    for (path, code) in [
        ("/vaults/none/.well-known/jwks.json", StatusCode::NOT_FOUND),
        ("/vaults/none/keys/k/jwks.json", StatusCode::NOT_FOUND),
        ("/vaults/a%2Fb/.well-known/jwks.json", StatusCode::BAD_REQUEST),
        ("/vaults/a/keys/%00/jwks.json", StatusCode::BAD_REQUEST),
        ("/vaults", StatusCode::NOT_FOUND),
        ("/", StatusCode::NOT_FOUND),
    ] {
        let answer = get(Phase::Serving, path).await;
        assert_eq!(answer.status(), code, "{path}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json", "{path}");
    }
}

/// Guards against a door that lets somebody write.
#[tokio::test]
async fn other_methods_are_refused() {
    let request = Request::post("/healthz").body(Body::empty()).expect("a request");
    let answer = door(Phase::Serving, false).await.0.oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// Guards against verifiers that fetch the set for every token, and against ones
/// that never see a new key.
#[test]
fn a_set_that_is_known_is_not_sent_again() {
    for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
        assert!(matches(known, "\"abc\""), "{known}");
    }
    for other in ["", "abc", "\"abd\"", "\"abc", "W/abc"] {
        assert!(!matches(other, "\"abc\""), "{other}");
    }
}

/// Guards against an answer without the headers that caches go by.
#[test]
fn a_set_says_how_long_it_may_be_kept() {
    let fresh = with_cache_headers("abc", StatusCode::OK.into_response());
    assert_eq!(fresh.headers()[header::ETAG], "\"abc\"");
    assert_eq!(fresh.headers()[header::CACHE_CONTROL], "public, max-age=300");
}

/// Guards against metrics that are for everybody unasked, and ones that nobody gets.
#[tokio::test]
async fn metrics_take_a_token_unless_they_are_open() {
    let refused = get(Phase::Serving, "/metrics").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer");
    let request = Request::get("/metrics").body(Body::empty()).expect("a request");
    let (routes, _audit) = door(Phase::Serving, true).await;
    let open = routes.oneshot(request).await.expect("an answer");
    assert_eq!(open.status(), StatusCode::OK);
    assert_eq!(open.headers()[header::CONTENT_TYPE], metrics::CONTENT_TYPE);
}
