//! The token endpoint, as clients use it.

use std::net::IpAddr;

use axum::{body::Body, http::Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use keyreeve_authz::{Listener, Principal, PrincipalKind, Role, Subject};
use keyreeve_identity::secret;
use keyreeve_service::{
    Backends, Clock, ConfiguredRole, FederatedCredential, Identity, Method, Peer, Settings, Shared,
    identities::{CreatePrincipal, PrincipalChanges},
};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::AuditLog;
use keyreeve_types::UnixTime;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use crate::front::authn::{
    Pace,
    tests::provider::{Provider, Signer},
};

const URL: &str = "https://kr.example:7444";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The endpoint, and an Owner.
struct Site {
    service: Service,
    owner: Caller,
    routes: Router,
    _audit: AuditLog,
}

fn source(address: Option<IpAddr>) -> Source {
    let listener = Arc::new(Listener { name: "https".parse().expect("a name"), private: false });
    Source { peer: address.map(|address| Peer::Ip(address, 1)), listener }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

impl Site {
    async fn new(issuers: Arc<Issuers>) -> Self {
        let holder = Principal::new(PrincipalKind::Token, None, "ops").expect("a principal");
        let role = Role::find_built_in("Owner").expect("a role").id();
        let roles = vec![ConfiguredRole { holder: holder.clone(), role }];
        let settings = Settings { roles, ..Settings::default() };
        let store = Arc::new(MemoryStore::new());
        let audit = AuditLog::start().expect("an audit log");
        let (shared, follower) = Shared::open(store, settings, Clock::system(), audit.recorder())
            .await
            .expect("a store");
        tokio::spawn(follower.run());
        let (client, _driver) = keyreeve_keyhost::Client::new("software");
        let service = Service::new(shared, Backends::new(client, Vec::new(), None));
        let subject = Subject::new(holder, []).expect("a subject");
        let identity = Arc::new(Identity::proven(subject, Method::Token, None));
        let endpoint = Arc::new(TokenEndpoint::new(Some(format!("{URL}/")), issuers));
        let owner = Caller::new(identity, source(None), None);
        Self { routes: routes(endpoint, service.clone()), service, owner, _audit: audit }
    }

    async fn without_issuers() -> Self {
        Self::new(Arc::new(Issuers::new(&[], Pace::STANDARD).expect("no issuers"))).await
    }

    /// The id of a new principal.
    async fn principal(&self) -> String {
        let kind = PrincipalKind::ServicePrincipal;
        let request = CreatePrincipal { display_name: "Deployer", kind };
        let made = self.service.create_principal(&self.owner, request, soon()).await;
        made.expect("a principal").id().to_owned()
    }

    async fn secret(&self, id: &str) -> String {
        let expires = UnixTime(Clock::system().now().0 + 1000);
        let made = self.service.add_client_secret(&self.owner, id, expires, soon()).await;
        made.expect("a secret").secret.expose().clone()
    }

    async fn disable(&self, id: &str) {
        let changes = PrincipalChanges { enabled: Some(false), ..Default::default() };
        self.service.update_principal(&self.owner, id, changes, soon()).await.expect("a change");
    }

    async fn ask(&self, path: &str, basic: Option<&str>, form: &[(&str, &str)]) -> (u16, Value) {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let mut request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
        if let Some(basic) = basic {
            request =
                request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(basic)));
        }
        self.send(request.body(Body::from(body.finish())).expect("a request")).await
    }

    async fn send(&self, mut request: Request<Body>) -> (u16, Value) {
        request.extensions_mut().insert(source(Some(IpAddr::from([192, 0, 2, 1]))));
        let answer = self.routes.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let no_store = answer.headers().get(header::CACHE_CONTROL).is_some_and(|v| v == "no-store");
        assert!(no_store || status == 405, "an answer that may be kept");
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Whom the token of an answer proves.
    fn proven(&self, answer: &(u16, Value)) -> Option<String> {
        let token = answer.1["access_token"].as_str()?;
        let identity = self.service.shared().prove_token(&secret::hash(token.as_bytes()))?;
        identity.subject().map(|subject| subject.principal().name().to_owned())
    }
}

fn failed(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"].as_str().unwrap_or("none"))
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Guards against a client that has to send its secret in one certain way, and one that
/// gets a token with another's secret, after its end, or while it is disabled.
#[tokio::test]
async fn a_client_secret_gets_a_token_for_an_hour() {
    let site = Site::without_issuers().await;
    let (id, other) = (site.principal().await, site.principal().await);
    let secret = site.secret(&id).await;
    let form = [GRANT, ("client_id", &id), ("client_secret", &secret), ("scope", "x/.default")];
    for path in ["/oauth2/token", "/adfs/oauth2/token", "/tenant-1/oauth2/v2.0/token"] {
        let answer = site.ask(path, None, &form).await;
        assert_eq!(site.proven(&answer).as_ref(), Some(&id), "{path} {}", answer.1["error"]);
        assert_eq!(answer.1["expires_in"], 3600);
        assert_eq!(answer.1["token_type"], "Bearer");
    }
    let answer = site.ask("/oauth2/token", Some(&format!("{id}:{secret}")), &[GRANT]).await;
    assert_eq!(site.proven(&answer).as_ref(), Some(&id));

    let wrong = [GRANT, ("client_id", &other), ("client_secret", &secret)];
    let wrong = site.ask("/oauth2/token", None, &wrong).await;
    assert_eq!(failed(&wrong), (401, "invalid_client"));
    let unknown = [GRANT, ("client_id", "nobody"), ("client_secret", &secret)];
    let unknown = site.ask("/oauth2/token", None, &unknown).await;
    assert_eq!(unknown, wrong, "an answer that tells which clients there are");
    site.disable(&id).await;
    assert_eq!(site.ask("/oauth2/token", None, &form).await, wrong);
    assert_eq!(site.proven(&answer), None, "a token outlives its principal's being enabled");
}

/// Guards against answers that clients do not understand (RFC 6749 section 5.2).
#[tokio::test]
async fn what_makes_no_sense_is_told_apart() {
    let site = Site::without_issuers().await;
    let ask = async |form: &[(&str, &str)]| site.ask("/oauth2/token", None, form).await;
    let secret = [("client_id", "a"), ("client_secret", "b")];
    assert_eq!(failed(&ask(&secret).await), (400, "invalid_request"));
    let other = [("grant_type", "password"), secret[0], secret[1]];
    assert_eq!(failed(&ask(&other).await), (400, "unsupported_grant_type"));
    let twice = [GRANT, GRANT, secret[0], secret[1]];
    assert_eq!(failed(&ask(&twice).await), (400, "invalid_request"));
    assert_eq!(failed(&ask(&[GRANT]).await), (401, "invalid_client"));
    let json = Request::post("/oauth2/token").header(header::CONTENT_TYPE, "application/json");
    let json = site.send(json.body(Body::from("{}")).expect("a request")).await;
    assert_eq!(failed(&json), (400, "invalid_request"));
    let get = Request::get("/oauth2/token").body(Body::empty()).expect("a request");
    assert_eq!(site.send(get).await.0, 405);
}

/// Guards against failing without end.
#[tokio::test]
async fn whoever_fails_too_often_waits() {
    let site = Site::without_issuers().await;
    let form = [GRANT, ("client_id", "a"), ("client_secret", "b")];
    for _ in 0..30 {
        assert_eq!(site.ask("/oauth2/token", None, &form).await.0, 401);
    }
    let waits = site.ask("/oauth2/token", None, &form).await;
    assert_eq!(failed(&waits), (429, "temporarily_unavailable"));
}

/// Guards against an assertion that works twice, or was meant for another server.
#[tokio::test]
async fn an_assertion_of_ones_own_gets_one_token() {
    let site = Site::without_issuers().await;
    let id = site.principal().await;
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::default().self_signed(&key).expect("a certificate");
    let added = site.service.add_certificate(&site.owner, &id, certificate.der(), soon()).await;
    let (_, credential) = added.expect("a credential");
    let signer = Signer::of(&credential, &key);
    let now = Clock::system().now().0;
    let assertion = |aud: &str, jti: &str| {
        signer.sign(&json!({"iss": id, "sub": id, "aud": aud, "jti": jti, "exp": now + 300}))
    };
    let ask = async |assertion: &str| {
        let kind = ("client_assertion_type", JWT_BEARER);
        let form = [GRANT, ("client_id", &id), kind, ("client_assertion", assertion)];
        site.ask("/t/oauth2/v2.0/token", None, &form).await
    };
    let good = assertion(&format!("{URL}/t/oauth2/v2.0/token"), "1");
    assert_eq!(site.proven(&ask(&good).await).as_ref(), Some(&id));
    assert_eq!(failed(&ask(&good).await), (401, "invalid_client"));
    let standard = assertion(&format!("{URL}/oauth2/token"), "2");
    assert_eq!(site.proven(&ask(&standard).await).as_ref(), Some(&id));
    for elsewhere in ["https://evil.example/t/oauth2/v2.0/token", URL, "/t/oauth2/v2.0/token"] {
        let refused = ask(&assertion(elsewhere, "3")).await;
        assert_eq!(failed(&refused), (401, "invalid_client"), "{elsewhere}");
    }
    let thief = Signer::new(&credential);
    let aud = format!("{URL}/oauth2/token");
    let claims = json!({"iss": id, "sub": id, "aud": aud, "jti": "4", "exp": now + 300});
    assert_eq!(failed(&ask(&thief.sign(&claims)).await), (401, "invalid_client"));
}

/// Guards against a token of an issuer that proves another principal than the one that
/// names issuer, subject and audience.
#[tokio::test]
async fn a_federated_token_gets_a_token() {
    let (provider, signer) = (Provider::start().await, Signer::new("k1"));
    provider.publish(&[&signer]);
    let issuers = Issuers::new(&[provider.config()], Pace::STANDARD).expect("issuers");
    let issuers = Arc::new(issuers);
    tokio::spawn(Arc::clone(&issuers).keep());
    let site = Site::new(issuers).await;
    let (id, other) = (site.principal().await, site.principal().await);
    let credential = FederatedCredential {
        id: String::new(),
        issuer: provider.url.clone(),
        subject: "system:serviceaccount:prod:api".into(),
        audience: "api://exchange".into(),
        created: UnixTime(0),
    };
    let add = site.service.add_federated_credential(&site.owner, &id, &credential, soon());
    add.await.expect("a credential");
    let ask = async |client: &str, assertion: &str| {
        let kind = ("client_assertion_type", JWT_BEARER);
        let form = [GRANT, ("client_id", client), kind, ("client_assertion", assertion)];
        site.ask("/t/oauth2/v2.0/token", None, &form).await
    };
    let sign = |subject: &str, audience: &str| signer.sign(&provider.claims(subject, audience));
    let good = sign("system:serviceaccount:prod:api", "api://exchange");
    let answer = ask(&id, &good).await;
    assert_eq!(site.proven(&answer).as_ref(), Some(&id), "{}", answer.1["error"]);
    // It may be presented as long as it lasts, as Kubernetes' are.
    assert!(site.proven(&ask(&id, &good).await).is_some());
    for (client, assertion) in [
        (&other, good.clone()),
        (&id, sign("system:serviceaccount:prod:other", "api://exchange")),
        // The audience of the issuer's own tokens for us is not the credential's.
        (&id, sign("system:serviceaccount:prod:api", "kr")),
        (
            &id,
            Signer::new("k1")
                .sign(&provider.claims("system:serviceaccount:prod:api", "api://exchange")),
        ),
    ] {
        assert_eq!(failed(&ask(client, &assertion).await), (401, "invalid_client"));
    }
}

/// Guards against discovery that leads clients of Azure away from the service.
#[tokio::test]
async fn discovery_names_the_endpoint() {
    let site = Site::without_issuers().await;
    for (path, token, issuer) in [
        ("/adfs/.well-known/openid-configuration", "/adfs/oauth2/token", "/adfs"),
        ("/t1/v2.0/.well-known/openid-configuration", "/t1/oauth2/v2.0/token", "/t1/v2.0"),
    ] {
        let request = Request::get(path).header(header::HOST, "evil.example");
        let (status, document) = site.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(status, 200);
        assert_eq!(document["token_endpoint"], format!("{URL}{token}"));
        assert_eq!(document["issuer"], format!("{URL}{issuer}"));
        assert!(document["authorization_endpoint"].is_string());
    }
    let bad = Request::get("/a%22b/.well-known/openid-configuration");
    assert_eq!(site.send(bad.body(Body::empty()).expect("a request")).await.0, 404);
}
