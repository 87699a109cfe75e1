//! What a failing disk may cost: the commits that were not acknowledged, no more.

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyreeve_store::conformance::room::a_full_store_reads_on_and_recovers;
use keyreeve_store::{Error, Key, Retention, Revision, Store};

use super::disk::Disk;
use super::pair;
use crate::{RedbStore, open};

/// Every point of failure within the first so many writes and syncs is tried.
const POINTS: u64 = 40;

/// Guards against an acknowledged commit that is gone, half a batch, or an engine
/// that goes on after a broken disk, wherever in a commit it fails.
#[tokio::test]
async fn acknowledged_commits_survive_a_failure_at_any_write() {
    for point in 0..POINTS {
        let disk = new_disk();
        let store = start(&disk);
        let mut watch = store.watch(&Key::ROOT, Revision::ZERO).await.expect("watch");
        disk.fail(point, ErrorKind::Other);
        let (acknowledged, error) = commit_until_failure(&store).await;
        assert!(matches!(error, Error::Stopped(_)), "at write {point}: {error}");
        assert!(error.may_have_committed());
        assert_refuses_everything(&store).await;
        for _ in 0..acknowledged {
            watch.next().await.expect("what was acknowledged is shown to the last");
        }
        assert!(matches!(watch.next().await, Err(Error::Stopped(_))));
        drop(store);

        // The one commit that was under way may be there or not.
        assert_survives(&disk, acknowledged..=acknowledged + 1).await;
    }
}

/// Guards against the same where the disk is full and takes nothing at all, and
/// against an engine that, once there is room, needs a restart, has lost what it
/// acknowledged, or has what it refused.
#[tokio::test]
async fn a_disk_that_was_full_at_any_write_is_taken_up_again() {
    for point in 0..POINTS {
        let disk = new_disk();
        let store = start(&disk);
        let mut watch = store.watch(&Key::ROOT, Revision::ZERO).await.expect("watch");
        disk.fail(point, ErrorKind::StorageFull);
        let (acknowledged, error) = commit_until_failure(&store).await;
        let most = acknowledged + u64::from(error.may_have_committed());
        assert!(matches!(error, Error::Full(_) | Error::Unknown(_)), "at write {point}: {error}");
        assert!(matches!(store.commit(pair(0)).await, Err(Error::Full(_))));
        assert!(matches!(store.health(), Err(Error::Full(_))));
        let during = disk.snapshot();

        disk.mend();
        recovered(&store).await;
        let left = store.scan(&Key::new(["left"]), None, 1000).await.expect("scan").entries;
        let found = left.len() as u64;
        assert!((acknowledged..=most).contains(&found), "{found} of {acknowledged}");
        let next = store.commit(pair(found)).await.expect("there is room");
        assert_eq!(next, Revision(found + 1), "revisions go on where they were");
        for revision in 1..=next.0 {
            let commit = watch.next().await.expect("a full disk ends no watch");
            assert_eq!(commit.revision, Revision(revision));
        }
        drop(store);

        assert_survives(&during, acknowledged..=most).await;
        assert_survives(&disk, next.0..=next.0).await;
    }
}

/// Guards against an engine that breaks the contract on a disk that can be written
/// over but does not grow, as most are when full.
#[tokio::test]
async fn a_disk_that_cannot_grow_is_read_on() {
    let disk = new_disk();
    let store: Arc<dyn Store> = Arc::new(start(&disk));
    a_full_store_reads_on_and_recovers(&store, || disk.fill(), || disk.mend()).await;
}

/// Guards against a full disk that is kept busy by looking for room, and one that is
/// not looked at again once there is.
#[tokio::test]
async fn a_full_disk_is_looked_at_less_and_less_often() {
    let disk = new_disk();
    disk.tell();
    let store = start(&disk);
    disk.fail(0, ErrorKind::StorageFull);
    commit_until_failure(&store).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    // At once, and after 50, 150, 350 and 750 ms.
    let looks = disk.looks().len();
    assert!((2..=5).contains(&looks), "{looks} looks in 1.2 s");
    disk.mend();
    recovered(&store).await;
}

/// Guards against a large store that is opened anew again and again without a pause,
/// because each time takes longer than the wait.
#[tokio::test]
async fn the_wait_begins_when_an_attempt_has_ended() {
    let disk = new_disk();
    let store = start(&disk);
    disk.slow_down(Duration::from_millis(200));
    disk.fail(0, ErrorKind::StorageFull);
    commit_until_failure(&store).await;
    while disk.reopened().len() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (looks, reopened) = (disk.looks(), disk.reopened());
    // The first follows the write that failed, and an attempt opens it once.
    for (ended, look) in reopened[1..].iter().zip(&looks[1..]) {
        let pause = look.duration_since(*ended);
        assert!(pause >= Duration::from_millis(50), "after {pause:?} again");
    }
    disk.mend();
    recovered(&store).await;
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
    RedbStore::start(database, Box::new(disk.clone()), None, Retention::default())
        .expect("it holds a store")
}

async fn recovered(store: &RedbStore) {
    let since = Instant::now();
    while store.health().is_err() {
        assert!(since.elapsed() < Duration::from_secs(20), "it is not taken up again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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

async fn assert_survives(disk: &Disk, commits: RangeInclusive<u64>) {
    assert_holds(&disk.after_exit(), &commits).await;
    // The order in which writes reach the platter is the disk's to choose.
    for seed in 0..6_usize {
        let survives = |order: usize| match seed {
            0 => false,
            1 => true,
            _ => (order * 2_654_435_761) >> (seed + 3) & 1 == 0,
        };
        assert_holds(&disk.after_power_cut(survives), &commits).await;
    }
}

async fn assert_holds(disk: &Disk, commits: &RangeInclusive<u64>) {
    let store = start(disk);
    let left = store.scan(&Key::new(["left"]), None, 1000).await.expect("scan").entries;
    let right = store.scan(&Key::new(["right"]), None, 1000).await.expect("scan").entries;
    let content = |entries: &[keyreeve_store::Entry]| -> Vec<_> {
        entries.iter().map(|entry| (entry.value.clone(), entry.revision)).collect()
    };
    assert_eq!(content(&left), content(&right), "half a batch");
    let found = left.len() as u64;
    assert!(commits.contains(&found), "{found} and not {commits:?}");
    let next = store.commit(pair(found)).await.expect("the mended disk takes commits");
    assert_eq!(next, Revision(found + 1), "revisions go on where they were");
}
