//! What a failing disk may cost: the commits that were not acknowledged, no more.

use std::io::ErrorKind;

use keyreeve_store::{Error, Key, Retention, Revision, Store};

use super::disk::Disk;
use super::pair;
use crate::{RedbStore, open};

/// Every point of failure within the first so many writes and syncs is tried.
const POINTS: u64 = 40;

/// Guards against an acknowledged commit that is gone, half a batch, or an engine
/// that goes on after a full or broken disk, wherever in a commit it fails.
#[tokio::test]
async fn acknowledged_commits_survive_a_failure_at_any_write() {
    for (kind, full) in [(ErrorKind::StorageFull, true), (ErrorKind::Other, false)] {
        for point in 0..POINTS {
            let disk = new_disk();
            let store = start(&disk);
            let mut watch = store.watch(&Key::ROOT, Revision::ZERO).await.expect("watch");
            disk.fail(point, kind);
            let (acknowledged, error) = commit_until_failure(&store).await;
            match &error {
                Error::Full(_) if full => {}
                Error::Stopped(_) if !full => {}
                other => panic!("{kind} at write {point} was reported as {other}"),
            }
            assert!(error.may_have_committed());
            assert_refuses_everything(&store).await;
            for _ in 0..acknowledged {
                watch.next().await.expect("what was acknowledged is shown to the last");
            }
            assert!(matches!(watch.next().await, Err(Error::Stopped(_))));
            drop(store);

            assert_holds(&disk.after_exit(), acknowledged).await;
            // The order in which writes reach the platter is the disk's to choose.
            for seed in 0..6_usize {
                let survives = |order: usize| match seed {
                    0 => false,
                    1 => true,
                    _ => (order * 2_654_435_761) >> (seed + 3) & 1 == 0,
                };
                assert_holds(&disk.after_power_cut(survives), acknowledged).await;
            }
        }
    }
}

fn new_disk() -> Disk {
    let disk = Disk::default();
    let database = open::builder().create_with_backend(disk.clone()).expect("a new database");
    open::initialise(&database).expect("an empty store");
    drop(database);
    disk
}

fn start(disk: &Disk) -> RedbStore {
    let database = open::builder().create_with_backend(disk.clone()).expect("the database opens");
    RedbStore::start(database, None, Retention::default()).expect("it holds a store")
}

async fn commit_until_failure(store: &RedbStore) -> (u64, Error) {
    for number in 0..=POINTS {
        if let Err(error) = store.commit(pair(number)).await {
            return (number, error);
        }
    }
    panic!("the disk never failed");
}

async fn assert_refuses_everything(store: &RedbStore) {
    assert!(matches!(store.commit(pair(0)).await, Err(Error::Stopped(_))));
    assert!(matches!(store.get(&Key::new(["k"])).await, Err(Error::Stopped(_))));
    assert!(matches!(store.scan(&Key::ROOT, None, 1).await, Err(Error::Stopped(_))));
    let watch = store.watch(&Key::ROOT, Revision::ZERO).await.map(|_| ());
    assert!(matches!(watch, Err(Error::Stopped(_))));
    assert!(matches!(store.health(), Err(Error::Stopped(_))));
}

async fn assert_holds(disk: &Disk, acknowledged: u64) {
    let store = start(disk);
    let left = store.scan(&Key::new(["left"]), None, 1000).await.expect("scan").entries;
    let right = store.scan(&Key::new(["right"]), None, 1000).await.expect("scan").entries;
    let content = |entries: &[keyreeve_store::Entry]| -> Vec<_> {
        entries.iter().map(|entry| (entry.value.clone(), entry.revision)).collect()
    };
    assert_eq!(content(&left), content(&right), "half a batch");
    let found = left.len() as u64;
    // The one commit that was under way may be there or not.
    assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} of {acknowledged}");
    let next = store.commit(pair(found)).await.expect("the mended disk takes commits");
    assert_eq!(next, Revision(found + 1), "revisions go on where they were");
}
