//! Many at once.

use std::{collections::HashSet, sync::Arc};

use keyreeve_service::{
    Kind, PageRequest, Tier,
    crypto::{Content, Sign},
    keys::{Changes, UpdateKey},
    vaults::CreateVault,
};
use keyreeve_types::{KeySpec, SignatureAlgorithm, UnixTime};
use tokio::task::JoinSet;

use super::{Fixture, NOW, key, new_key, soon, tags, vault};

/// A time after every test: the keyhost goes by the system's clock.
const LATER: i64 = 4_000_000_000;

/// Guards against a version that was acknowledged and then lost to another of the
/// same number, within one node and between two.
#[tokio::test]
async fn versions_made_at_once_are_all_there() {
    let it = Fixture::start().await;
    let nodes = [it.service.clone(), it.second_node().await];
    let mut makers = JoinSet::new();
    for n in 0..16 {
        let (service, caller) = (nodes[n % 2].clone(), it.caller.clone());
        makers.spawn(async move {
            loop {
                let request = new_key("jwt", KeySpec::EcP256);
                match service.create_key(&caller, request, soon()).await {
                    Ok(version) => return version.id(),
                    // Losing often enough is told, and nothing has happened then.
                    Err(e) => assert_eq!(e.kind(), Kind::Aborted),
                }
            }
        });
    }
    let made: HashSet<_> = makers.join_all().await.into_iter().collect();
    assert_eq!(made.len(), 16);
    let all = PageRequest::default();
    for node in nodes {
        // The second node hears of the last of them by its watch.
        loop {
            let listed = node.list_key_versions(&it.caller, key("jwt"), all, soon()).await;
            let listed: HashSet<_> = listed.expect("a list").items.iter().map(|v| v.id()).collect();
            if listed == made {
                break;
            }
            assert!(listed.is_subset(&made));
            tokio::task::yield_now().await;
        }
    }
}

/// Guards against an update that undoes another made at the same time.
#[tokio::test]
async fn updates_made_at_once_both_hold() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let changes = [
        Changes { expires: Some(Some(UnixTime(NOW + 99))), ..Changes::default() },
        Changes { tags: Some(tags(&[("team", "a")])), ..Changes::default() },
        Changes { not_before: Some(Some(UnixTime(NOW - 99))), ..Changes::default() },
    ];
    let mut updates = JoinSet::new();
    for changes in changes {
        let (service, caller) = (it.service.clone(), it.caller.clone());
        updates.spawn(async move {
            let request = UpdateKey { key: key("jwt"), changes, etag: "" };
            service.update_key(&caller, request, soon()).await.map(drop)
        });
    }
    for outcome in updates.join_all().await {
        outcome.expect("an update");
    }
    let read = it.service.get_key(&it.caller, key("jwt"), soon()).await.expect("the key");
    assert_eq!(read.policy().expires, Some(UnixTime(NOW + 99)));
    assert_eq!(read.policy().not_before, Some(UnixTime(NOW - 99)));
    assert_eq!(read.tags().len(), 1);
}

/// Guards against an operation that fails because somebody touched the key's
/// attributes meanwhile.
#[tokio::test]
async fn signing_goes_on_while_a_key_is_changed() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let (service, caller) = (it.service.clone(), it.caller.clone());
    let changer = tokio::spawn(async move {
        for n in 1..30 {
            let changes =
                Changes { expires: Some(Some(UnixTime(LATER + n))), ..Changes::default() };
            let request = UpdateKey { key: key("jwt"), changes, etag: "" };
            service.update_key(&caller, request, soon()).await.expect("an update");
        }
    });
    let mut signed = 0;
    while !changer.is_finished() {
        let sign = Sign {
            key: key("jwt"),
            algorithm: SignatureAlgorithm::Es256,
            content: Content::Message(b"m"),
        };
        it.service.sign(&it.caller, sign, soon()).await.expect("a signature");
        signed += 1;
    }
    changer.await.expect("no panic");
    assert!(signed > 0);
}

/// Guards against one name for two vaults.
#[tokio::test]
async fn one_of_many_makes_the_vault() {
    let it = Fixture::start().await;
    let nodes = [it.service.clone(), it.second_node().await];
    let mut makers = JoinSet::new();
    for n in 0..8 {
        let (service, caller) = (nodes[n % 2].clone(), it.caller.clone());
        makers.spawn(async move {
            let request = CreateVault { name: vault("contended"), tier: Tier::Standard };
            service.create_vault(&caller, request, soon()).await
        });
    }
    let outcomes = makers.join_all().await;
    let made: Vec<_> = outcomes.iter().filter_map(|o| o.as_ref().ok()).map(Arc::clone).collect();
    assert_eq!(made.len(), 1);
    let refused = outcomes.iter().filter_map(|o| o.as_ref().err());
    assert!(refused.into_iter().all(|e| e.kind() == Kind::AlreadyExists));
}
