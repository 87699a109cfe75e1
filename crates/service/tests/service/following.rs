//! Other nodes, restarts and damage.

use std::sync::Arc;

use keyreeve_service::{
    Clock, LoadError, Settings, Shared,
    crypto::{Content, Sign, Verify},
    keys::{Changes, UpdateKey},
};
use keyreeve_store::{Batch, Key as StoreKey};
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use super::{Fixture, key, soon};

/// Guards against a node that goes on with a key another node has disabled, or
/// never learns of a new one.
#[tokio::test]
async fn another_node_follows() {
    let it = Fixture::start().await;
    let other = it.second_node().await;
    let sign = Sign {
        key: key("jwt"),
        algorithm: SignatureAlgorithm::Es256,
        content: Content::Message(b"m"),
    };
    let unknown = other.sign(&it.caller, sign, soon()).await.expect_err("there is no key yet");
    assert_eq!(unknown.reason(), "NOT_FOUND");
    it.key("jwt", KeySpec::EcP256).await;
    while let Err(e) = other.sign(&it.caller, sign, soon()).await {
        assert_eq!(e.reason(), "NOT_FOUND");
        tokio::task::yield_now().await;
    }
    let changes = Changes { enabled: Some(false), ..Changes::default() };
    let request = UpdateKey { key: key("jwt"), changes, etag: "" };
    it.service.update_key(&it.caller, request, soon()).await.expect("a change");
    let refused = loop {
        match other.sign(&it.caller, sign, soon()).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(e) => break e,
        }
    };
    assert_eq!(refused.reason(), "KEY_DISABLED");
}

/// Guards against a restart that loses a key or cannot use it any more.
#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let it = Fixture::start().await;
    let made = it.key("jwt", KeySpec::EcP256).await;
    let algorithm = SignatureAlgorithm::Es256;
    let content = Content::Message(b"m");
    let signed = it.service.sign(&it.caller, Sign { key: key("jwt"), algorithm, content }, soon());
    let signed = signed.await.expect("a signature");
    let again = it.second_node().await;
    let read = again.get_key(&it.caller, key("jwt"), soon()).await.expect("the key");
    assert_eq!((read.id(), read.etag()), (made.id(), made.etag()));
    let verify = Verify { key: key("jwt"), algorithm, content, signature: &signed.signature };
    assert!(again.verify(&it.caller, verify, soon()).await.expect("an answer").valid);
    again
        .sign(&it.caller, Sign { key: key("jwt"), algorithm, content }, soon())
        .await
        .expect("it signs");
}

/// Guards against serving from a store with a damaged record as if it were not
/// there, and against damage that takes down what was read before.
#[tokio::test]
async fn a_damaged_record_is_told_and_harms_no_other() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let batch = Batch::new().put(StoreKey::new(["keys", "prod", "jwt"]), b"{".to_vec());
    it.store.commit(batch).await.expect("a commit");
    tokio::task::yield_now().await;
    let sign = Sign {
        key: key("jwt"),
        algorithm: SignatureAlgorithm::Es256,
        content: Content::Message(b"m"),
    };
    it.service.sign(&it.caller, sign, soon()).await.expect("what is in memory keeps serving");
    let store = Arc::clone(&it.store);
    let opened =
        Shared::open(store, Settings::default(), Clock::system(), it.audit.recorder()).await;
    match opened.err() {
        Some(LoadError::Damaged(what)) => assert!(what.contains("keys/prod/jwt"), "{what}"),
        other => panic!("{other:?}"),
    }
}
