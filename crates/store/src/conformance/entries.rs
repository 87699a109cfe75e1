//! Single entries and revisions.

use std::sync::Arc;

use super::{key, put};
use crate::{Batch, Key, Revision, Store};

/// Guards against keys or values treated as text, or empty values taken for none.
pub async fn putting_and_getting_keep_every_byte(store: &Arc<dyn Store>) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let keys = [
        Key::from_bytes(vec![0]),
        Key::from_bytes(vec![0xff, 0xff]),
        Key::from_bytes(every_byte.clone()),
        Key::new([&b""[..], b"\x00\xff", b"/"]),
    ];
    for key in &keys {
        assert_eq!(store.get(key).await, Ok(None));
        for value in [&b""[..], b"\x00", &every_byte] {
            let revision = put(store, key, value).await;
            let entry = store.get(key).await.expect("get").expect("the key was put");
            assert_eq!((&entry.key, &entry.value[..], entry.revision), (key, value, revision));
        }
    }
}

/// Guards against deletions that are forgotten, or that take a neighbour along.
pub async fn deleting_removes(store: &Arc<dyn Store>) {
    put(store, &key("a"), b"1").await;
    let kept = put(store, &key("ab"), b"2").await;
    let deleted = store.commit(Batch::new().delete(key("a"))).await.expect("delete");
    assert!(deleted > kept);
    assert_eq!(store.get(&key("a")).await, Ok(None));
    let neighbour = store.get(&key("ab")).await.expect("get").expect("the neighbour stays");
    assert_eq!(neighbour.revision, kept);
}

/// Guards against two commits with the same or a smaller revision, which would make
/// a stale precondition hold.
pub async fn revisions_strictly_increase(store: &Arc<dyn Store>) {
    let mut last = Revision::ZERO;
    for round in 0..20_u8 {
        let revision = put(store, &key(&format!("k{}", round % 3)), &[round]).await;
        assert!(revision > last, "{revision} after {last}");
        let page = store.scan(&Key::ROOT, None, 1).await.expect("scan");
        assert_eq!(page.revision, revision);
        last = revision;
    }
}

/// Guards against a store-wide revision on entries, which would make every
/// precondition fail after any commit.
pub async fn an_entry_keeps_the_revision_of_its_last_put(store: &Arc<dyn Store>) {
    let first = put(store, &key("first"), b"1").await;
    put(store, &key("second"), b"2").await;
    let entry = store.get(&key("first")).await.expect("get").expect("the key was put");
    assert_eq!(entry.revision, first);
    let page = store.scan(&key("first"), None, 10).await.expect("scan");
    assert_eq!(page.entries, [entry]);

    let again = put(store, &key("first"), b"1").await;
    let entry = store.get(&key("first")).await.expect("get").expect("the key was put");
    assert_eq!(entry.revision, again, "putting the same value is a change");
}

/// Guards against revisions, and watch events, of commits that changed nothing.
pub async fn a_commit_that_changes_nothing_keeps_the_revision(store: &Arc<dyn Store>) {
    let current = put(store, &key("present"), b"1").await;
    let nothing = [
        Batch::new(),
        Batch::new().delete(key("absent")),
        Batch::new().require_revision(key("present"), current),
    ];
    for batch in nothing {
        assert_eq!(store.commit(batch).await, Ok(current));
    }
    let mut watch = store.watch(&Key::ROOT, current).await.expect("watch");
    let next = put(store, &key("present"), b"2").await;
    assert_eq!(watch.next().await.expect("the next commit").revision, next);
}
