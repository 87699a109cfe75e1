//! JWTs of an issuer that is asked over real HTTPS.

use std::time::Duration;

use serde_json::json;

use super::{
    provider::{DISCOVERY, KEYS, Provider, Signer},
    *,
};
use crate::config::IssuerConfig;

const LEAST: Duration = Duration::from_millis(400);

/// What asks the issuer of `config` at once, and then no more than once in [`LEAST`].
async fn asking(config: IssuerConfig) -> Authn {
    let pace = Pace { least: LEAST, usual: Duration::from_secs(600) };
    let issuers = Arc::new(Issuers::new(&[config], pace).expect("issuers"));
    tokio::spawn(Arc::clone(&issuers).keep());
    authn(None, issuers).await
}

async fn bearer(authn: &Authn, token: &str) -> String {
    outcome(authn, &[&format!("Bearer {token}")], &Presented::Nothing).await
}

/// Guards against a token that is fetched for or verified on each call, and against one
/// of another audience or algorithm that rides on it.
#[tokio::test]
async fn a_token_of_an_issuer_proves_its_subject() {
    let (provider, signer) = (Provider::start().await, Signer::new("k1"));
    provider.publish(&[&signer]);
    let authn = asking(provider.config()).await;
    let good = signer.sign(&provider.claims("alice", "kr"));
    for _ in 0..50 {
        assert_eq!(bearer(&authn, &good).await, "alice");
    }
    assert_eq!((provider.asked(DISCOVERY), provider.asked(KEYS)), (1, 1));
    let other = signer.sign(&provider.claims("alice", "another"));
    assert_eq!(bearer(&authn, &other).await, "failed");
    assert_eq!(bearer(&authn, &format!("{good}x")).await, "failed");
    let mut config = provider.config();
    config.algorithms = vec!["RS256".to_owned()];
    assert_eq!(bearer(&asking(config).await, &good).await, "failed");
}

/// Guards against a key of the issuer that is known too late, one that it withdrew and
/// that is still taken, and against unknown keys that have the issuer asked each time.
#[tokio::test]
async fn keys_are_fetched_again_for_an_unknown_one_but_not_twice_at_once() {
    let (provider, first, second) = (Provider::start().await, Signer::new("k1"), Signer::new("k2"));
    provider.publish(&[&first]);
    let authn = asking(provider.config()).await;
    let old = first.sign(&provider.claims("alice", "kr"));
    assert_eq!(bearer(&authn, &old).await, "alice");

    provider.publish(&[&second]);
    tokio::time::sleep(2 * LEAST).await;
    let new = second.sign(&provider.claims("bob", "kr"));
    assert_eq!(bearer(&authn, &new).await, "bob");
    assert_eq!(provider.asked(KEYS), 2);
    assert_eq!(bearer(&authn, &old).await, "failed", "its key was withdrawn");

    tokio::time::sleep(2 * LEAST).await;
    let (before, since) = (provider.asked(KEYS), Instant::now());
    for n in 0..200 {
        let forged = Signer::new(&format!("../k{n}")).sign(&provider.claims("bob", "kr"));
        assert_eq!(bearer(&authn, &forged).await, "failed");
    }
    let fetches = provider.asked(KEYS) - before;
    let most = since.elapsed().as_millis() / LEAST.as_millis() + 1;
    assert!(fetches >= 1 && fetches as u128 <= most, "{fetches} in {:?}", since.elapsed());
    assert_eq!(bearer(&authn, &new).await, "bob", "what was known is still known");
}

/// Guards against a service that lets in, or stops asking, while its issuer is down.
#[tokio::test]
async fn without_keys_nobody_is_proven_until_there_are_some() {
    let (provider, signer) = (Provider::start().await, Signer::new("k1"));
    let authn = asking(provider.config()).await;
    let good = signer.sign(&provider.claims("alice", "kr"));
    assert_eq!(bearer(&authn, &good).await, "no keys");
    provider.publish(&[&signer]);
    tokio::time::sleep(2 * LEAST).await;
    assert_eq!(bearer(&authn, &good).await, "alice");
    // Down again: what is known stays known.
    provider.answer(KEYS, 500, "", &json!({}));
    tokio::time::sleep(2 * LEAST).await;
    let unknown = Signer::new("k2").sign(&provider.claims("alice", "kr"));
    assert_eq!(bearer(&authn, &unknown).await, "failed");
    assert_eq!(bearer(&authn, &good).await, "alice");
}

/// Guards against keys from a place that the configuration does not name.
#[tokio::test]
async fn keys_come_from_the_issuers_own_host() {
    let (provider, other, signer) =
        (Provider::start().await, Provider::start().await, Signer::new("k1"));
    other.publish(&[&signer]);
    let good = signer.sign(&provider.claims("alice", "kr"));
    let elsewhere = format!("{}{KEYS}", other.url);
    let refused = async |what: &str| {
        let authn = asking(provider.config()).await;
        assert_eq!(bearer(&authn, &good).await, "no keys", "{what}");
    };
    let named = |issuer: &str, keys: &str| json!({"issuer": issuer, "jwks_uri": keys});

    provider.answer(DISCOVERY, 200, "", &named(&provider.url, &elsewhere));
    refused("another host").await;
    let here = format!("{}{KEYS}", provider.url);
    provider.answer(DISCOVERY, 200, "", &named(&other.url, &here));
    refused("another issuer's document").await;
    let plain = here.replace("https://", "http://");
    provider.answer(DISCOVERY, 200, "", &named(&provider.url, &plain));
    refused("not https").await;
    provider.answer(DISCOVERY, 302, &format!("{}{DISCOVERY}", other.url), &json!({}));
    refused("a redirect").await;
    provider.answer(DISCOVERY, 200, "", &named(&provider.url, &here));
    provider.answer(KEYS, 307, &elsewhere, &json!({}));
    refused("a redirect of the keys").await;
    assert_eq!(other.asked(KEYS) + other.asked(DISCOVERY), 0, "the other host was asked");

    // Another authority's server is not the issuer's.
    provider.publish(&[&signer]);
    let mut config = provider.config();
    config.ca = other.config().ca;
    assert_eq!(bearer(&asking(config).await, &good).await, "no keys");
    assert_eq!(bearer(&asking(provider.config()).await, &good).await, "alice");
}
