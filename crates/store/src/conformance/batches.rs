//! Batches: preconditions, all or nothing, limits.

use std::sync::Arc;

use super::{key, put};
use crate::{
    Batch, Error, Key, Limit, MAX_BATCH_BYTES, MAX_BATCH_OPS, MAX_KEY_BYTES, MAX_VALUE_BYTES, Page,
    Revision, Store,
};

/// Guards against a batch that is applied before, or in spite of, a precondition
/// that fails.
pub async fn a_failed_precondition_changes_nothing(store: &Arc<dyn Store>) {
    let old = put(store, &key("present"), b"1").await;
    let current = put(store, &key("present"), b"2").await;
    let before = everything(store).await;
    let failing = [
        (key("present"), Batch::new().require_absent(key("present"))),
        (key("present"), Batch::new().require_revision(key("present"), old)),
        (key("present"), Batch::new().require_revision(key("present"), Revision(current.0 + 1))),
        (key("absent"), Batch::new().require_revision(key("absent"), current)),
        (key("absent"), Batch::new().require_revision(key("absent"), Revision::ZERO)),
        (
            key("absent"),
            Batch::new()
                .require_revision(key("present"), current)
                .require_revision(key("absent"), current),
        ),
    ];
    for (culprit, batch) in failing {
        let batch = batch.put(key("new"), &b"x"[..]).delete(key("present"));
        assert_eq!(store.commit(batch).await, Err(Error::Conflict { key: culprit }));
        assert_eq!(everything(store).await, before);
    }
}

/// Guards against preconditions that fail though they hold, alone or together, or
/// that are judged on what the batch itself changes.
pub async fn a_met_precondition_lets_the_batch_through(store: &Arc<dyn Store>) {
    let batch = Batch::new().require_absent(key("a")).put(key("a"), &b"1"[..]);
    let first = store.commit(batch).await.expect("the key is absent");
    let batch = Batch::new()
        .require_revision(key("a"), first)
        .require_revision(key("a"), first)
        .require_absent(key("b"))
        .delete(key("a"))
        .put(key("b"), &b"2"[..]);
    let second = store.commit(batch).await.expect("all preconditions hold");
    assert_eq!(store.get(&key("a")).await, Ok(None));
    let moved = store.get(&key("b")).await.expect("get").expect("the key was put");
    assert_eq!((&moved.value[..], moved.revision), (&b"2"[..], second));
}

/// Guards against a version counter kept per key, which starts over after a
/// deletion and lets a stale writer through.
pub async fn a_deleted_and_remade_key_is_not_the_old_one(store: &Arc<dyn Store>) {
    let old = put(store, &key("a"), b"1").await;
    store.commit(Batch::new().delete(key("a"))).await.expect("delete");
    put(store, &key("a"), b"1").await;
    let stale = Batch::new().require_revision(key("a"), old).put(key("a"), &b"2"[..]);
    assert_eq!(store.commit(stale).await, Err(Error::Conflict { key: key("a") }));
}

/// Guards against an engine with smaller limits than the contract names.
pub async fn a_batch_at_every_limit_is_taken(store: &Arc<dyn Store>) {
    let longest_key = Key::from_bytes(vec![7; MAX_KEY_BYTES]);
    let largest = vec![0xa5; MAX_VALUE_BYTES];
    put(store, &longest_key, &largest).await;
    let entry = store.get(&longest_key).await.expect("get").expect("the key was put");
    assert!(entry.value[..] == largest[..], "the value came back changed");

    let mut batch = Batch::new();
    for number in 0..MAX_BATCH_OPS {
        let key = key(&number.to_string());
        batch = batch.require_absent(key.clone()).put(key, vec![1; 4096]);
    }
    let revision = store.commit(batch).await.expect("as many operations as allowed");
    let page = store.scan(&Key::new(["suite"]), None, MAX_BATCH_OPS).await.expect("scan");
    assert_eq!(page.entries.len(), MAX_BATCH_OPS);
    assert!(page.entries.iter().all(|entry| entry.revision == revision));

    let half = MAX_BATCH_BYTES / 2 - 1;
    let full = Batch::new()
        .put(Key::from_bytes(&b"x"[..]), vec![1; half])
        .put(Key::from_bytes(&b"y"[..]), vec![2; half]);
    assert_eq!(full.bytes(), MAX_BATCH_BYTES);
    store.commit(full).await.expect("as many bytes as allowed");
}

/// Guards against limits that some engine does not have, so that data taken by one
/// cannot be moved to another.
pub async fn a_batch_beyond_a_limit_changes_nothing(store: &Arc<dyn Store>) {
    put(store, &key("present"), b"1").await;
    let before = everything(store).await;
    let long_key = Key::from_bytes(vec![7; MAX_KEY_BYTES + 1]);
    let half = vec![1; MAX_BATCH_BYTES / 2];
    let numbered = |number: usize| key(&number.to_string());
    let many = || 0..=MAX_BATCH_OPS;
    let too_large = [
        (Limit::Key, Batch::new().put(long_key.clone(), &b""[..])),
        (Limit::Key, Batch::new().delete(long_key.clone())),
        (Limit::Key, Batch::new().require_absent(long_key)),
        (Limit::Value, Batch::new().put(key("v"), vec![1; MAX_VALUE_BYTES + 1])),
        (Limit::BatchBytes, Batch::new().put(key("a"), half.clone()).put(key("b"), half)),
        (Limit::BatchOps, many().fold(Batch::new(), |b, n| b.put(numbered(n), &b"1"[..]))),
        (Limit::BatchOps, many().fold(Batch::new(), |b, n| b.require_absent(numbered(n)))),
    ];
    for (limit, batch) in too_large {
        let batch = batch.delete(key("present"));
        assert_eq!(store.commit(batch).await, Err(Error::TooLarge(limit)));
    }
    assert_eq!(everything(store).await, before);
}

/// Guards against batches whose meaning would depend on the engine.
pub async fn malformed_batches_are_refused(store: &Arc<dyn Store>) {
    let twice = Batch::new().put(key("a"), &b"1"[..]).delete(key("a"));
    assert_eq!(store.commit(twice).await, Err(Error::DuplicateKey { key: key("a") }));
    for batch in [Batch::new().put(Key::ROOT, &b"1"[..]), Batch::new().require_absent(Key::ROOT)] {
        assert_eq!(store.commit(batch).await, Err(Error::EmptyKey));
    }
    assert_eq!(everything(store).await.entries, []);
}

async fn everything(store: &Arc<dyn Store>) -> Page {
    store.scan(&Key::ROOT, None, 1000).await.expect("scan")
}
