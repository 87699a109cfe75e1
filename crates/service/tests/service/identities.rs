//! Principals that are kept here, their credentials, and tokens.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use keyreeve_authz::PrincipalKind;
use keyreeve_identity::secret;
use keyreeve_service::{
    Account, FederatedCredential, IssuedToken, Kind, PageRequest, Service, TokenOwner,
    identities::{ClientProof, CreatePrincipal, CreateToken, Made, NotProven, PrincipalChanges},
};
use keyreeve_types::UnixTime;

use super::{Fixture, NOW, caller, soon};

const LATER: UnixTime = UnixTime(NOW + 1000);

impl Fixture {
    async fn principal(&self, kind: PrincipalKind) -> Arc<Account> {
        let request = CreatePrincipal { display_name: "Deployer", kind };
        self.service.create_principal(&self.caller, request, soon()).await.expect("a principal")
    }

    async fn token(&self, owner: TokenOwner<'_>) -> Made<Arc<IssuedToken>> {
        let request = CreateToken { owner, expires: LATER };
        self.service.create_token(&self.caller, request, soon()).await.expect("a token")
    }
}

/// The name of the principal that `token` proves.
fn proven(service: &Service, token: &str) -> Option<String> {
    let identity = service.shared().prove_token(&secret::hash(token.as_bytes()))?;
    identity.subject().map(|subject| subject.principal().name().to_owned())
}

/// Guards against a token that outlives its end, its principal or the principal's being
/// enabled, or that proves somebody else.
#[tokio::test]
async fn a_token_proves_its_owner_for_as_long_as_both_last() {
    let it = Fixture::start().await;
    let account = it.principal(PrincipalKind::ServicePrincipal).await;
    let of_account = it.token(TokenOwner::Principal(account.id())).await.secret;
    let named = it.token(TokenOwner::Name("app")).await.secret;
    let proves = |token: &str| proven(&it.service, token);
    assert_eq!(proves(of_account.expose()).as_deref(), Some(account.id()));
    assert_eq!(proves(named.expose()).as_deref(), Some("app"));
    assert_eq!(proves("kr_somethingelse"), None);
    assert_eq!(proves(&of_account.expose()[..45]), None);

    let enable = async |enabled| {
        let changes = PrincipalChanges { enabled: Some(enabled), ..Default::default() };
        let id = account.id().to_ascii_uppercase();
        it.service.update_principal(&it.caller, &id, changes, soon()).await.expect("a change");
    };
    enable(false).await;
    assert_eq!(proves(of_account.expose()), None);
    enable(true).await;
    assert!(proves(of_account.expose()).is_some());
    it.service.delete_principal(&it.caller, account.id(), soon()).await.expect("a deletion");
    assert_eq!(proves(of_account.expose()), None);
    assert!(it.service.get_principal(&it.caller, account.id(), soon()).await.is_err());

    it.set_clock(LATER.0 - 1);
    assert!(proves(named.expose()).is_some());
    it.set_clock(LATER.0);
    assert_eq!(proves(named.expose()), None);
}

/// Guards against a use that began after the revocation was acknowledged and succeeded:
/// 10,000 interleavings, with other tokens' changes in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_use_that_begins_after_a_revocation_succeeds() {
    let it = Fixture::start().await;
    let (mut before, mut late) = (0, 0);
    for round in 0..100 {
        let made = it.token(TokenOwner::Name("app")).await;
        let hash = secret::hash(made.secret.expose().as_bytes());
        let revoked = Arc::new(AtomicBool::new(false));
        let user = {
            let (service, revoked) = (it.service.clone(), Arc::clone(&revoked));
            #[expect(clippy::disallowed_methods, reason = "a thread that does nothing else")]
            tokio::task::spawn_blocking(move || {
                let (mut before, mut late) = (0, 0);
                // Until a hundred have begun after the revocation, however long that takes
                // where others use the machine as well.
                let began = std::time::Instant::now();
                while began.elapsed() < std::time::Duration::from_secs(30) {
                    let acknowledged = revoked.load(Ordering::SeqCst);
                    let taken = service.shared().prove_token(&hash).is_some();
                    assert!(!(acknowledged && taken), "a revoked token was taken");
                    if acknowledged {
                        late += 1
                    } else {
                        before += 1
                    }
                    if late >= 100 {
                        break;
                    }
                }
                (before, late)
            })
        };
        if round % 2 == 0 {
            it.token(TokenOwner::Name("other")).await;
        }
        let revoking = it.service.revoke_token(&it.caller, made.made.id(), soon());
        revoking.await.expect("a revocation");
        revoked.store(true, Ordering::SeqCst);
        let counted = user.await.expect("the uses");
        before += counted.0;
        late += counted.1;
    }
    eprintln!("{before} uses before, {late} after the acknowledgement");
    assert!(late >= 10_000 && before > 0, "{before} {late}");
}

/// Guards against somebody who is no Owner and makes an identity, which could then be
/// anyone; and against reading who there is without a role.
#[tokio::test]
async fn only_an_owner_writes_identities() {
    let it = Fixture::start().await;
    let account = it.principal(PrincipalKind::ServicePrincipal).await;
    let token = it.token(TokenOwner::Name("app")).await.made;
    let (service, id) = (&it.service, account.id());
    let stranger = caller("stranger");
    let federated = federated();
    let all = PageRequest::default();
    let request = CreatePrincipal { display_name: "x", kind: PrincipalKind::ServicePrincipal };
    let new = CreateToken { owner: TokenOwner::Name("tests"), expires: LATER };
    let refused = [
        service.create_principal(&stranger, request, soon()).await.err(),
        service.get_principal(&stranger, id, soon()).await.err(),
        service.list_principals(&stranger, all, soon()).await.err(),
        service.update_principal(&stranger, id, Default::default(), soon()).await.err(),
        service.delete_principal(&stranger, id, soon()).await.err(),
        service.add_client_secret(&stranger, id, LATER, soon()).await.err(),
        service.add_certificate(&stranger, id, b"", soon()).await.err(),
        service.add_federated_credential(&stranger, id, &federated, soon()).await.err(),
        service.remove_credential(&stranger, id, "x", soon()).await.err(),
        service.create_token(&stranger, new, soon()).await.err(),
        service.list_tokens(&stranger, all, soon()).await.err(),
        service.revoke_token(&stranger, token.id(), soon()).await.err(),
    ];
    for (index, error) in refused.into_iter().enumerate() {
        assert_eq!(error.map(|e| e.kind()), Some(Kind::PermissionDenied), "operation {index}");
    }
    // Whoever is not kept here has no access token, not even an Owner.
    let error = service.issue_access_token(&it.caller, soon()).await.expect_err("no account");
    assert_eq!(error.reason(), "NOT_KEPT");
}

fn federated() -> FederatedCredential {
    FederatedCredential {
        id: String::new(),
        issuer: "https://issuer.example".into(),
        subject: "repo:o/r".into(),
        audience: "api://x".into(),
        created: UnixTime(0),
    }
}

/// Guards against a client secret that outlives its end, its removal or its principal.
#[tokio::test]
async fn a_client_secret_proves_its_principal_until_it_ends() {
    let it = Fixture::start().await;
    let account = it.principal(PrincipalKind::ServicePrincipal).await;
    let other = it.principal(PrincipalKind::ServicePrincipal).await;
    let add = it.service.add_client_secret(&it.caller, account.id(), LATER, soon());
    let Made { made: (_, credential), secret } = add.await.expect("a secret");
    let proves = |id: &str, secret: &str| {
        it.service.shared().prove_client(id, ClientProof::Secret(secret.as_bytes())).map(drop)
    };
    assert_eq!(proves(account.id(), secret.expose()), Ok(()));
    assert_eq!(proves(account.id(), &format!("{}x", secret.expose())), Err(NotProven::NoMatch));
    assert_eq!(proves(other.id(), secret.expose()), Err(NotProven::NoMatch));
    assert_eq!(proves("nobody", secret.expose()), Err(NotProven::NoClient));
    it.set_clock(LATER.0);
    assert_eq!(proves(account.id(), secret.expose()), Err(NotProven::NoMatch));
    it.set_clock(NOW);
    let remove = it.service.remove_credential(&it.caller, account.id(), &credential, soon());
    assert!(remove.await.expect("a removal").secrets().is_empty());
    assert_eq!(proves(account.id(), secret.expose()), Err(NotProven::NoMatch));
    let again = it.service.remove_credential(&it.caller, account.id(), &credential, soon());
    assert_eq!(again.await.expect_err("it is gone").kind(), Kind::NotFound);
}

/// Guards against a federated credential that takes what resembles it, and against one
/// that looks like a pattern.
#[tokio::test]
async fn a_federated_credential_is_compared_as_it_is() {
    let it = Fixture::start().await;
    let account = it.principal(PrincipalKind::ManagedIdentity).await;
    let add = async |credential: &FederatedCredential| {
        let id = account.id();
        it.service.add_federated_credential(&it.caller, id, credential, soon()).await
    };
    add(&federated()).await.expect("a credential");
    let proves = |issuer, subject, audience| {
        let proof = ClientProof::Federated { issuer, subject, audience };
        it.service.shared().prove_client(account.id(), proof).is_ok()
    };
    let good = ("https://issuer.example", "repo:o/r", "api://x");
    assert!(proves(good.0, good.1, good.2));
    assert!(!proves("https://issuer.example/", good.1, good.2));
    assert!(!proves(good.0, "repo:o/R", good.2));
    assert!(!proves(good.0, "repo:o/r:x", good.2));
    assert!(!proves(good.0, good.1, "api://y"));
    let error = add(&FederatedCredential { subject: "repo:o/*".into(), ..federated() }).await;
    assert!(matches!(error.expect_err("a pattern").kind(), Kind::InvalidArgument { .. }));
    let error = it.service.add_client_secret(&it.caller, account.id(), LATER, soon()).await;
    assert_eq!(error.expect_err("a managed identity").reason(), "MANAGED_IDENTITY");
}

/// Guards against a node that goes on taking what another revoked.
#[tokio::test]
async fn another_node_hears_of_a_revocation() {
    let it = Fixture::start().await;
    let node = it.second_node().await;
    let made = it.token(TokenOwner::Name("app")).await;
    let token = made.secret.expose();
    while proven(&node, token).is_none() {
        tokio::task::yield_now().await;
    }
    it.service.revoke_token(&it.caller, made.made.id(), soon()).await.expect("a revocation");
    while proven(&node, token).is_some() {
        tokio::task::yield_now().await;
    }
    assert!(proven(&it.second_node().await, token).is_none());
}
