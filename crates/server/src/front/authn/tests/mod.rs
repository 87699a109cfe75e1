//! Who is let in by what: tokens of the configuration, certificates, and JWTs of an
//! issuer that is asked over real HTTPS.

mod certificates;
mod issuers;
pub(in crate::front) mod provider;

use keyreeve_authz::{Principal, PrincipalKind, Subject};
use keyreeve_service::{Method, Settings};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::AuditLog;

use super::*;

/// What proves nobody but the bearers of `kr_one` and `kr_two`, and whom `certificates`
/// and `issuers` prove.
async fn authn(certificates: Option<Certificates>, issuers: Arc<Issuers>) -> Authn {
    let identity = |name| {
        let principal = Principal::new(PrincipalKind::Token, None, name).expect("a principal");
        let subject = Subject::new(principal, []).expect("a subject");
        Identity::proven(subject, Method::Token, None)
    };
    let tokens = Tokens::new([
        (identity("app"), secret::hash(b"kr_one")),
        (identity("ops"), secret::hash(b"kr_two")),
    ]);
    // Nothing passes the gate here, and so nothing is recorded.
    let audit = AuditLog::start().expect("an audit log").recorder();
    let store = Arc::new(MemoryStore::new());
    let opened = Shared::open(store, Settings::default(), Clock::system(), audit);
    let (shared, _follower) = opened.await.expect("an empty store");
    Authn::new(tokens, certificates, issuers, shared)
}

fn nobody() -> Arc<Issuers> {
    Arc::new(Issuers::new(&[], Pace::STANDARD).expect("no issuers"))
}

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, value.parse().expect("a header value"));
    }
    headers
}

fn shown(credential: &Credential) -> String {
    match credential {
        Credential::NotPresented => "not presented".to_owned(),
        Credential::Proven(who) => who.subject().expect("somebody").principal().name().to_owned(),
        Credential::Failed => "failed".to_owned(),
        Credential::NoKeys => "no keys".to_owned(),
        Credential::NotLookedAt(_) => "not looked at".to_owned(),
    }
}

/// Where requests come from in these tests.
fn source(address: &str) -> Source {
    let peer = keyreeve_service::Peer::Ip(address.parse().expect("an address"), 1);
    let name = "grpc".parse().expect("a name");
    let listener = Arc::new(keyreeve_authz::Listener { name, private: false });
    Source { peer: Some(peer), listener }
}

async fn outcome(authn: &Authn, values: &[&str], presented: &Presented) -> String {
    outcome_from(authn, values, presented, "192.0.2.1").await
}

async fn outcome_from(authn: &Authn, values: &[&str], presented: &Presented, from: &str) -> String {
    let from = source(from);
    let headers = headers(values);
    match authn.authenticate(&headers, presented, &from) {
        Attempt::Done(credential) => shown(&credential),
        Attempt::Refetch(issuer) => shown(&authn.again(issuer, &headers, presented, &from).await),
    }
}

/// Guards against work and records without end for whoever only fails, and against one
/// address whose failures keep others, or tokens that are known, out.
#[tokio::test]
async fn who_fails_too_often_is_not_looked_at() {
    let authn = authn(None, nobody()).await;
    let from = async |value: &str, address: &str| {
        outcome_from(&authn, &[value], &Presented::Nothing, address).await
    };
    for n in 0..FAILURES {
        assert_eq!(from(&format!("Bearer kr_bad{n}"), "192.0.2.1").await, "failed");
    }
    assert_eq!(from("Bearer kr_bad", "192.0.2.1").await, "not looked at");
    assert_eq!(from("Bearer kr_one", "192.0.2.1").await, "app", "it is known");
    assert_eq!(from("Bearer kr_bad", "192.0.2.2").await, "failed");
}

/// Guards against one caller taken for another, a known one turned away, and a failed
/// credential that is treated as none, or as somebody.
#[tokio::test]
async fn a_known_token_proves_its_own_name_and_nothing_else_does() {
    let authn = authn(None, nobody()).await;
    let outcome = async |values: &[&str]| outcome(&authn, values, &Presented::Nothing).await;
    assert_eq!(outcome(&["Bearer kr_one"]).await, "app");
    assert_eq!(outcome(&["bearer kr_two"]).await, "ops");
    assert_eq!(outcome(&[]).await, "not presented");
    let long = format!("Bearer {}", "x".repeat(50_000));
    for value in [
        "Bearer kr_three",
        "Bearer ",
        "Bearer",
        "",
        "Basic kr_one",
        "kr_one",
        "Bearer kr_one x",
        "Bearer a.b.c",
        &long,
    ] {
        assert_eq!(outcome(&[value]).await, "failed", "{value:.60?}");
    }
    // Whoever is in between may have read the other one.
    assert_eq!(outcome(&["Bearer kr_one", "Bearer kr_two"]).await, "failed");
}
