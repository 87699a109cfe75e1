//! What one principal and one vault may use, and what it takes from the others.

use std::time::Duration;

use keyreeve_service::{
    Error, Identity, Kind, Rate, Rates, Source,
    crypto::{Content, JwksOf, Sign, SignEach},
};
use keyreeve_testkit::soon;
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use super::*;

/// A millisecond of processor time for each second, and a hundred at once: some 33
/// signatures by P-256. Nothing is lent.
const TIGHT: Rate = Rate { us_per_second: 1_000, burst_us: 1_000 };
const WIDE: Rate = Rate { us_per_second: 1_000_000, burst_us: 100_000_000 };

fn rates(principal: Rate, vault: Rate) -> Settings {
    Settings { rates: Rates { principal, vault, lend_spare: false }, ..Settings::default() }
}

fn es256<'a>(key: KeyName<'a>) -> Sign<'a> {
    let content = Content::Message(b"message");
    Sign { key, algorithm: SignatureAlgorithm::Es256, content }
}

/// Signs until refused.
async fn exhaust(it: &Fixture, caller: &Caller, name: &str) -> (usize, Error) {
    for count in 0..1000 {
        if let Err(error) = it.service.sign(caller, es256(key(name)), soon()).await {
            return (count, error);
        }
    }
    panic!("there is no limit");
}

fn retry_after(error: &Error) -> Duration {
    assert_eq!(error.reason(), "RATE_LIMITED");
    match error.kind() {
        Kind::ResourceExhausted { retry_after: Some(wait) } => wait,
        other => panic!("{other:?}"),
    }
}

/// Guards against a principal that leaves nothing to others, one that is refused for
/// ever, and a refusal that does not say when to come back.
#[tokio::test]
async fn a_principal_uses_its_own_and_nobody_elses() {
    let roles = ["greedy", "modest"].map(everything).concat();
    let settings = Settings { roles, ..rates(WIDE, WIDE) };
    let it = Fixture::with(settings).await;
    it.key("jwt", KeySpec::EcP256).await;
    // The same records under tight rates, from the first request on.
    let roles = ["greedy", "modest", "tests"].map(everything).concat();
    let tight = Settings { roles, ..rates(TIGHT, WIDE) };
    let service = open(&it.store, it.keyhost.client(), &it.clock, tight, &it.audit).await;
    let it = Fixture { service, ..it };
    let (count, refused) = exhaust(&it, &caller("greedy"), "jwt").await;
    assert!((20..=60).contains(&count), "{count} signatures");
    let wait = retry_after(&refused);
    assert!(wait <= Duration::from_millis(40), "{wait:?} for a signature");
    assert!(refused.caller_message().contains("principal_cpu_ms"));
    it.service.sign(&caller("modest"), es256(key("jwt")), soon()).await.expect("not its fault");
    tokio::time::sleep(wait + Duration::from_millis(5)).await;
    it.service.sign(&caller("greedy"), es256(key("jwt")), soon()).await.expect("as it was told");
}

/// Guards against a vault that takes everything, and one that is used up by somebody
/// who may not use it.
#[tokio::test]
async fn a_vault_is_used_up_only_by_those_who_may_use_it() {
    let it = Fixture::with(rates(WIDE, WIDE)).await;
    it.key("jwt", KeySpec::EcP256).await;
    let tight = Settings { roles: everything("tests"), ..rates(WIDE, TIGHT) };
    let service = open(&it.store, it.keyhost.client(), &it.clock, tight, &it.audit).await;
    let it = Fixture { service, ..it };
    for _ in 0..500 {
        let refused = it.service.sign(&caller("stranger"), es256(key("jwt")), soon()).await;
        assert_eq!(refused.expect_err("no role").kind(), Kind::PermissionDenied);
    }
    let (count, refused) = exhaust(&it, &it.caller, "jwt").await;
    assert!((40..=100).contains(&count), "{count} signatures");
    retry_after(&refused);
    assert!(refused.caller_message().contains("vault_cpu_ms"));
    it.service
        .get_key(&it.caller, key("jwt"), soon())
        .await
        .expect("reading takes next to nothing");
}

/// Guards against a dear operation that goes through for the price of a cheap one: many
/// in one call, and making a key.
#[tokio::test]
async fn what_is_dear_is_charged_as_such() {
    let it = Fixture::with(rates(WIDE, WIDE)).await;
    it.key("jwt", KeySpec::EcP256).await;
    let tight = Settings { roles: everything("tests"), ..rates(TIGHT, WIDE) };
    let service = open(&it.store, it.keyhost.client(), &it.clock, tight, &it.audit).await;
    let contents: Vec<_> = (0..100).map(|_| Ok(Content::Message(b"message"))).collect();
    let each =
        SignEach { key: key("jwt"), algorithm: SignatureAlgorithm::Es256, contents: &contents };
    // What is left is enough to begin with; the rest is owed.
    service.sign_each(&it.caller, each, soon()).await.expect("a full bucket");
    let refused = service.sign_each(&it.caller, each, soon()).await.expect_err("owed");
    assert!(retry_after(&refused) > Duration::from_millis(500), "{:?}", retry_after(&refused));
    let other = caller("other");
    let roles = ["other", "tests"].map(everything).concat();
    let service = open(
        &it.store,
        it.keyhost.client(),
        &it.clock,
        Settings { roles, ..rates(TIGHT, WIDE) },
        &it.audit,
    )
    .await;
    service.create_key(&other, new_key("first", KeySpec::EcP256), soon()).await.expect("full");
    let refused = service.create_key(&other, new_key("second", KeySpec::EcP256), soon()).await;
    assert!(retry_after(&refused.expect_err("owed")) > Duration::from_millis(100));
}

/// Guards against a limit that costs throughput where nobody waits.
#[tokio::test]
async fn what_is_spare_is_lent() {
    let rates = Rates { principal: TIGHT, vault: TIGHT, lend_spare: true };
    let it = Fixture::with(Settings { rates, ..Settings::default() }).await;
    it.key("jwt", KeySpec::EcP256).await;
    for _ in 0..300 {
        it.service.sign(&it.caller, es256(key("jwt")), soon()).await.expect("nobody waits");
    }
}

/// Guards against the public, who cannot be told apart by name, using up the service.
#[tokio::test]
async fn nobody_is_charged_by_address() {
    let it = Fixture::with(rates(TIGHT, WIDE)).await;
    let Source { peer, listener } = it.caller.source().clone();
    let nobody = Caller::new(Arc::new(Identity::nobody()), Source { peer, listener }, None);
    let of = JwksOf::Vault(vault("prod"));
    let mut count = 0;
    let refused = loop {
        match it.service.get_jwks(&nobody, of, soon()).await {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
        assert!(count < 1000, "there is no limit");
    };
    retry_after(&refused);
    assert!(count >= 90, "{count}");
}
