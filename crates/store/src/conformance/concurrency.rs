//! Many callers at once, on threads of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{key, on_threads, put};
use crate::{Batch, Error, Key, Store};

/// Guards against a check and a change that are not one step: two callers read 7,
/// both write 8.
pub async fn increments_are_never_lost(store: &Arc<dyn Store>) {
    const THREADS: u64 = 8;
    const INCREMENTS: u64 = 25;
    put(store, &key("counter"), &0_u64.to_be_bytes()).await;
    on_threads(store, THREADS, |store, _| async move {
        let mut done = 0;
        while done < INCREMENTS {
            let entry = store.get(&key("counter")).await.expect("get").expect("it exists");
            let count = u64::from_be_bytes(entry.value[..].try_into().expect("eight bytes"));
            let batch = Batch::new()
                .require_revision(key("counter"), entry.revision)
                .put(key("counter"), (count + 1).to_be_bytes().to_vec());
            match store.commit(batch).await {
                Ok(_) => done += 1,
                Err(Error::Conflict { .. }) => {}
                Err(other) => panic!("an increment failed: {other}"),
            }
        }
    })
    .await;
    let entry = store.get(&key("counter")).await.expect("get").expect("it exists");
    assert_eq!(entry.value[..], (THREADS * INCREMENTS).to_be_bytes());
}

/// Guards against two callers who both believe that they created a name.
pub async fn one_of_many_creators_wins(store: &Arc<dyn Store>) {
    const NAMES: u64 = 20;
    let winners = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&winners);
    on_threads(store, 8, move |store, thread| {
        let winners = Arc::clone(&winners);
        async move {
            for name in 0..NAMES {
                let name = key(&name.to_string());
                let batch = Batch::new()
                    .require_absent(name.clone())
                    .put(name, thread.to_be_bytes().to_vec());
                match store.commit(batch).await {
                    Ok(_) => drop(winners.fetch_add(1, Ordering::Relaxed)),
                    Err(Error::Conflict { .. }) => {}
                    Err(other) => panic!("a creation failed: {other}"),
                }
            }
        }
    })
    .await;
    assert_eq!(count.load(Ordering::Relaxed), NAMES);
}

/// Guards against a reader between two changes of one batch.
pub async fn no_reader_sees_part_of_a_batch(store: &Arc<dyn Store>) {
    const PARTS: [&str; 3] = ["a", "m", "z"];
    const WRITERS: u64 = 3;
    put_all(store, &PARTS, b"start").await;
    on_threads(store, 6, |store, thread| async move {
        for round in 0..60 {
            if thread < WRITERS {
                put_all(&store, &PARTS, format!("{thread}-{round}").as_bytes()).await;
                continue;
            }
            let page = store.scan(&Key::new(["suite"]), None, 10).await.expect("scan");
            assert_eq!(page.entries.len(), PARTS.len());
            let first = &page.entries[0];
            let whole = page
                .entries
                .iter()
                .all(|entry| (&entry.value, entry.revision) == (&first.value, first.revision));
            assert!(whole, "part of a batch: {:?}", page.entries);
            assert!(page.revision >= first.revision);
        }
    })
    .await;
}

async fn put_all(store: &Arc<dyn Store>, names: &[&str], value: &[u8]) {
    let batch = names.iter().fold(Batch::new(), |batch, name| batch.put(key(name), value.to_vec()));
    store.commit(batch).await.expect("commit");
}
