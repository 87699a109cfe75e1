//! A store that fills up, and is given room again.
//!
//! Not part of the macro: only the engine's own tests know how to fill it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::key;
use crate::{Batch, Error, Key, Revision, Store};

/// Commits within which a filled store must have refused one.
const COMMITS: u64 = 10_000;
/// Of each value, so that a store fills.
const VALUE_BYTES: usize = 8 * 1024;
/// How long a store may take to notice that there is room again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Guards against a full disk that ends reads or a watch, loses what was
/// acknowledged, keeps what was refused, or needs a restart once there is room.
///
/// `fill` takes the room away, so that some later commit fails for want of it;
/// `make_room` gives it back.
pub async fn a_full_store_reads_on_and_recovers(
    store: &Arc<dyn Store>,
    fill: impl Fn(),
    make_room: impl Fn(),
) {
    let mut watch = store.watch(&Key::ROOT, Revision::ZERO).await.expect("watch");
    let mut last = Revision::ZERO;
    for round in 0..3_u64 {
        // 1. Commits go through until one does not fit.
        fill();
        let mut number = round * COMMITS;
        let refused = loop {
            match store.commit(Batch::new().put(numbered(number), value())).await {
                Ok(revision) => {
                    assert!(revision > last);
                    last = revision;
                }
                Err(error) => break error,
            }
            number += 1;
            assert!(number < (round + 1) * COMMITS, "the store never filled up");
        };

        // 2. Nothing of it is there, all else is, and the store says how it is.
        assert!(matches!(refused, Error::Full(_)), "a lack of room was reported as {refused}");
        assert!(!refused.may_have_committed());
        assert!(matches!(store.health(), Err(Error::Full(_))), "{:?}", store.health());
        let found = patiently(async || store.get(&numbered(number)).await).await;
        assert_eq!(found, None, "what was refused is there");
        if number > round * COMMITS {
            let found = patiently(async || store.get(&numbered(number - 1)).await).await;
            assert_eq!(found.expect("it was acknowledged").revision, last);
        }

        // 3. There still is no room; then there is.
        let many = (0..32)
            .fold(Batch::new(), |batch, n| batch.put(numbered(number).child(&[n][..]), value()));
        let error = store.commit(many.clone()).await.expect_err("there still is no room");
        assert!(matches!(error, Error::Full(_)), "{error}");
        make_room();
        last = patiently(async || store.commit(many.clone()).await).await;
        assert_eq!(store.health(), Ok(()));
        let first = store.get(&numbered(number).child(&[0][..])).await.expect("get");
        assert_eq!(first.expect("it was acknowledged").revision, last);
    }

    // 4. The watch of before went on: every commit, in order.
    let mut seen = Revision::ZERO;
    while seen < last {
        let commit = watch.next().await.expect("a lack of room does not end a watch");
        assert_eq!(commit.revision.0, seen.0 + 1, "a gap");
        seen = commit.revision;
    }
}

fn numbered(number: u64) -> Key {
    key("room").child(&number.to_be_bytes()[..])
}

fn value() -> Vec<u8> {
    vec![7; VALUE_BYTES]
}

/// Tries until the store has mended itself.
async fn patiently<T>(attempt: impl AsyncFn() -> Result<T, Error>) -> T {
    let since = Instant::now();
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(Error::Full(_) | Error::Unavailable(_)) if since.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(error) => panic!("the store did not recover: {error}"),
        }
    }
}
