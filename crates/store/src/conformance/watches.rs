//! Watches: everything, once, in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{key, on_threads, put};
use crate::{Batch, Commit, Error, Key, Revision, Store, Value, Watch, read_all};

/// Guards against a watch that starts with the present and loses what happened
/// since the scan, or that repeats it.
pub async fn a_watch_sees_every_commit_once_in_order(store: &Arc<dyn Store>) {
    let mut revisions = Vec::new();
    for round in 0..10_u8 {
        revisions.push(put(store, &key("a"), &[round]).await);
    }
    let mut early = store.watch(&Key::ROOT, revisions[3]).await.expect("watch");
    let mut late = store.watch(&Key::ROOT, revisions[9]).await.expect("watch");
    let batch = Batch::new().delete(key("a")).delete(key("absent")).put(key("b"), &b"x"[..]);
    revisions.push(store.commit(batch).await.expect("commit"));
    for round in 4..10_u8 {
        let commit = next(&mut early).await;
        assert_eq!(commit.revision, revisions[usize::from(round)]);
        assert_eq!(sorted(commit), [(key("a"), Some(vec![round].into()))]);
    }
    for watch in [&mut early, &mut late] {
        let commit = next(watch).await;
        assert_eq!(commit.revision, revisions[10]);
        assert_eq!(sorted(commit), [(key("a"), None), (key("b"), Some(Value::from_static(b"x")))]);
    }
}

/// Guards against changes of another vault in this one's watch, and against empty
/// commits for what lies outside.
pub async fn a_watch_sees_its_prefix_only(store: &Arc<dyn Store>) {
    let start = put(store, &key("z"), b"").await;
    let mut watch = store.watch(&key("a"), start).await.expect("watch");
    put(store, &key("ab"), b"outside").await;
    let both = Batch::new()
        .put(key("a"), &b"1"[..])
        .put(key("a").child("x"), &b"2"[..])
        .put(key("b"), &b"outside"[..]);
    let revision = store.commit(both).await.expect("commit");
    let commit = next(&mut watch).await;
    assert_eq!(commit.revision, revision);
    let expected = [
        (key("a"), Some(Value::from_static(b"1"))),
        (key("a").child("x"), Some(Value::from_static(b"2"))),
    ];
    assert_eq!(sorted(commit), expected);
}

/// Guards against a watch that waits for revisions which a restored store will give
/// to other commits.
pub async fn a_watch_from_the_future_is_refused(store: &Arc<dyn Store>) {
    let current = put(store, &key("a"), b"").await;
    let future = store.watch(&Key::ROOT, Revision(current.0 + 1)).await.map(|_| ());
    assert_eq!(future, Err(Error::Compacted));
    store.watch(&Key::ROOT, current).await.map(|_| ()).expect("the present is no future");
}

/// Guards against an event that is taken from the queue by a future which is then
/// dropped, as `select!` does.
pub async fn a_cancelled_wait_loses_nothing(store: &Arc<dyn Store>) {
    let mut last = put(store, &key("a"), b"").await;
    let mut watch = store.watch(&Key::ROOT, last).await.expect("watch");
    for _ in 0..20 {
        let waited = timeout(Duration::from_millis(1), watch.next()).await;
        assert!(waited.is_err(), "there was nothing to see");
        last = put(store, &key("a"), b"").await;
        let mut seen = None;
        while seen.is_none() {
            seen = timeout(Duration::from_micros(50), watch.next()).await.ok();
        }
        assert_eq!(seen.expect("just checked").expect("next").revision, last);
    }
}

/// Guards against gaps, repeats and reordering while many commit at once: a copy
/// made of a scan and the watch behind it must end equal to the store.
pub async fn a_watched_copy_equals_the_store(store: &Arc<dyn Store>) {
    const THREADS: u64 = 4;
    const COMMITS: u64 = 60;
    for number in 0..20 {
        put(store, &key(&number.to_string()), b"before").await;
    }
    let writing = on_threads(store, THREADS, |store, thread| async move {
        for round in 0..COMMITS {
            let target = key(&((round * 7 + thread * 3) % 20).to_string());
            let done = Key::new(["done", &format!("{thread}-{round}")]);
            let batch = Batch::new().put(done, vec![]);
            let batch = match round % 5 {
                0 => batch.delete(target),
                _ => batch.put(target, format!("{thread}-{round}").into_bytes()),
            };
            store.commit(batch).await.expect("commit");
        }
    });
    let copying = async {
        let snapshot = read_all(&**store, &Key::ROOT).await.expect("read all");
        let mut watch = store.watch(&Key::ROOT, snapshot.revision).await.expect("watch");
        let mut copy: BTreeMap<Key, (Value, Revision)> = snapshot
            .entries
            .into_iter()
            .map(|entry| (entry.key, (entry.value, entry.revision)))
            .collect();
        let all_done = |copy: &BTreeMap<Key, _>| {
            let done = Key::new(["done"]);
            copy.keys().filter(|key| key.starts_with(&done)).count() as u64 == THREADS * COMMITS
        };
        let mut last = snapshot.revision;
        while !all_done(&copy) {
            let commit = next(&mut watch).await;
            assert!(commit.revision > last, "{} after {last}", commit.revision);
            last = commit.revision;
            for change in commit.changes {
                match change.value {
                    Some(value) => copy.insert(change.key, (value, commit.revision)),
                    None => copy.remove(&change.key),
                };
            }
        }
        copy
    };
    let ((), copy) = tokio::join!(writing, copying);
    let stored = read_all(&**store, &Key::ROOT).await.expect("read all").entries;
    let stored: BTreeMap<Key, (Value, Revision)> =
        stored.into_iter().map(|entry| (entry.key, (entry.value, entry.revision))).collect();
    assert!(copy == stored, "the copy differs from the store");
}

async fn next(watch: &mut Box<dyn Watch>) -> Commit {
    timeout(Duration::from_secs(10), watch.next())
        .await
        .expect("a commit is delivered soon")
        .expect("the watch goes on")
}

fn sorted(commit: Commit) -> Vec<(Key, Option<Value>)> {
    let mut changes: Vec<_> =
        commit.changes.into_iter().map(|change| (change.key, change.value)).collect();
    changes.sort();
    changes
}
