//! Durable commits per second, alone and together, and the scan at start-up.
//!
//! Closed loop: each committer waits for its answer before the next commit. Each
//! runs on a task; the tasks share two threads with a runtime each, as in the
//! front. 256-byte values. The limit beside them is redb alone: one thread that
//! puts one value per transaction, in the same run, since the disk and the load of
//! a machine decide the figures. Prints medians of five runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use keyreeve_store::{Batch, Key, Store, read_all};
use keyreeve_store_redb::RedbStore;

const RUN: Duration = Duration::from_secs(2);
const RUNS: usize = 5;
const RUNTIMES: usize = 2;
const ENTRIES: u64 = 100_000;

fn main() {
    const COMMITTERS: [usize; 3] = [1, 64, 256];
    let mut bare = Vec::new();
    let mut rates = COMMITTERS.map(|_| Vec::new());
    for _ in 0..RUNS {
        bare.push(bare_redb_commits_per_second());
        for (committers, rates) in COMMITTERS.iter().zip(&mut rates) {
            rates.push(commits_per_second(*committers));
        }
    }
    report(&format!("redb alone, one thread: {} durable commits/s", median(bare)));
    for (committers, rates) in COMMITTERS.iter().zip(rates) {
        report(&format!("{committers} committers: {} durable commits/s", median(rates)));
    }
    report(&format!("scan of {ENTRIES} entries after opening: {:?}", start_up_scan()));
}

fn commits_per_second(committers: usize) -> u64 {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let store =
        Arc::new(RedbStore::open(directory.path().join("store.redb")).expect("the store opens"));
    let next = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + RUN;
    let threads = RUNTIMES.min(committers);
    let running: Vec<_> = (0..threads)
        .map(|_| {
            let (store, next) = (Arc::clone(&store), Arc::clone(&next));
            let tasks = committers / threads;
            thread::spawn(move || {
                let local = tokio::task::LocalSet::new();
                for _ in 0..tasks {
                    let (store, next) = (Arc::clone(&store), Arc::clone(&next));
                    local.spawn_local(async move {
                        while Instant::now() < end {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            store.commit(put(number)).await.expect("commit");
                        }
                    });
                }
                runtime().block_on(local);
            })
        })
        .collect();
    for thread in running {
        thread.join().expect("a committer does not panic");
    }
    next.load(Ordering::Relaxed) / RUN.as_secs()
}

fn bare_redb_commits_per_second() -> u64 {
    let table = redb::TableDefinition::<&[u8], &[u8]>::new("bench");
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let database = redb::Database::create(directory.path().join("bare.redb")).expect("create");
    let end = Instant::now() + RUN;
    let mut number = 0_u64;
    while Instant::now() < end {
        let transaction = database.begin_write().expect("begin");
        let mut open = transaction.open_table(table).expect("open");
        open.insert(&number.to_be_bytes()[..], &[0xa5; 256][..]).expect("insert");
        drop(open);
        transaction.commit().expect("commit");
        number += 1;
    }
    number / RUN.as_secs()
}

fn start_up_scan() -> Duration {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = directory.path().join("store.redb");
    let store = RedbStore::open(&path).expect("the store opens");
    runtime().block_on(async {
        for start in (0..ENTRIES).step_by(100) {
            let batch = (start..start + 100).fold(Batch::new(), |batch, number| {
                put(number).into_changes().into_iter().fold(batch, Batch::change)
            });
            store.commit(batch).await.expect("commit");
        }
    });
    drop(store);
    let start = Instant::now();
    let store = RedbStore::open(&path).expect("the store opens");
    let read = runtime().block_on(read_all(&store, &Key::ROOT)).expect("read all");
    assert_eq!(read.entries.len() as u64, ENTRIES);
    start.elapsed()
}

fn put(number: u64) -> Batch {
    Batch::new().put(Key::new(["bench".as_bytes(), &number.to_be_bytes()]), vec![0xa5; 256])
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built")
}

fn median(mut rates: Vec<u64>) -> u64 {
    rates.sort_unstable();
    rates[rates.len() / 2]
}

#[expect(clippy::print_stdout, reason = "a bench reports on standard output")]
fn report(line: &str) {
    println!("{line}");
}
