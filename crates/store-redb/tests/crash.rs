//! A process that is killed while it writes, again and again.
//!
//! The child writes with several committers and reports every acknowledgement; the
//! parent kills it at a random moment, opens the store and compares. A kill takes
//! the process, not the machine: what a power cut does is tested on a disk in
//! memory.

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::hash::BuildHasher;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use keyreeve_store::{Batch, Key, Store};
use keyreeve_store_redb::RedbStore;

const CYCLES: u32 = 100;
const COMMITTERS: usize = 4;
/// Each committer keeps a log of its last commits beside its two counters.
const LOG: u64 = 16;
const CHILD: &str = "KEYREEVE_CRASH_TEST_STORE";
const LONGEST_LIFE_US: u64 = 60_000;

/// Guards against an acknowledged commit that is lost, or half a batch that is
/// seen, when the process is killed at any moment. This test also is the child.
#[test]
fn no_acknowledged_commit_is_lost_to_a_kill() {
    if let Some(path) = env::var_os(CHILD) {
        write_until_killed(&path);
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store.redb");
    let mut committed = [0; COMMITTERS];
    let mut total = 0;
    for cycle in 0..CYCLES {
        let acknowledged = run_and_kill(&path);
        let found = verify(&path);
        for committer in 0..COMMITTERS {
            let at_least = acknowledged[committer].max(committed[committer]);
            // At most one commit of each was under way.
            assert!(
                (at_least..=at_least + 1).contains(&found[committer]),
                "cycle {cycle}, committer {committer}: acknowledged {at_least}, found {found:?}"
            );
        }
        total += found.iter().sum::<u64>() - committed.iter().sum::<u64>();
        committed = found;
    }
    assert!(total > u64::from(CYCLES), "the children hardly wrote: {total} commits");
}

fn run_and_kill(path: &Path) -> [u64; COMMITTERS] {
    let mut child = Command::new(env::current_exe().expect("the path of this test"))
        .args(["--exact", "no_acknowledged_commit_is_lost_to_a_kill", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let mut reports = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut first = String::new();
    reports.read_line(&mut first).expect("read");
    let life = Duration::from_micros(RandomState::new().hash_one(0) % LONGEST_LIFE_US);
    let killer = thread::spawn(move || {
        thread::sleep(life);
        child.kill().expect("kill");
        child.wait().expect("wait")
    });
    let mut acknowledged = [0; COMMITTERS];
    let mut other = String::new();
    for line in std::iter::once(Ok(first.trim_end().to_owned())).chain(reports.lines()) {
        let line = line.expect("read");
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ack", committer, number] => {
                let committer: usize = committer.parse().expect("a committer");
                acknowledged[committer] = number.parse().expect("a number");
            }
            _ => other.push_str(&line),
        }
    }
    killer.join().expect("the killer does not panic");
    assert!(other.is_empty(), "the child said: {other}");
    acknowledged
}

/// Opens the store as it was left, and returns each committer's last commit.
fn verify(path: &Path) -> [u64; COMMITTERS] {
    let store = RedbStore::open(path).expect("the store opens after a kill");
    runtime().block_on(async {
        let mut last = [0; COMMITTERS];
        for (committer, last) in last.iter_mut().enumerate() {
            *last = counter(&store, "head", committer).await;
            assert_eq!(counter(&store, "tail", committer).await, *last, "half a batch");
            let log = store.scan(&log(committer), None, 1000).await.expect("scan").entries;
            let numbers: Vec<u64> = log.iter().map(|entry| number(&entry.value)).collect();
            let expected: Vec<u64> = (last.saturating_sub(LOG) + 1..=*last).collect();
            assert_eq!(numbers, expected, "commits are missing");
        }
        last
    })
}

fn write_until_killed(path: &OsStr) -> ! {
    let store = RedbStore::open(path).expect("the store opens in the child");
    thread::scope(|scope| {
        for committer in 0..COMMITTERS {
            let store = &store;
            scope.spawn(move || runtime().block_on(write(store, committer)));
        }
    });
    panic!("the committers never end");
}

async fn write(store: &RedbStore, committer: usize) {
    let mut last = counter(store, "head", committer).await;
    loop {
        let next = last + 1;
        let value = next.to_be_bytes().to_vec();
        let mut batch = Batch::new()
            .put(name("head", committer), value.clone())
            .put(log(committer).child(next.to_be_bytes()), value.clone())
            .put(name("tail", committer), value);
        if let Some(oldest) = next.checked_sub(LOG) {
            batch = batch.delete(log(committer).child(oldest.to_be_bytes()));
        }
        store.commit(batch).await.expect("commit");
        // One write, so that the parent never reads half a line.
        let line = format!("ack {committer} {next}\n");
        io::stderr().lock().write_all(line.as_bytes()).expect("the parent listens");
        last = next;
    }
}

async fn counter(store: &RedbStore, kind: &str, committer: usize) -> u64 {
    let entry = store.get(&name(kind, committer)).await.expect("get");
    entry.map_or(0, |entry| number(&entry.value))
}

fn number(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.try_into().expect("eight bytes"))
}

fn name(kind: &str, committer: usize) -> Key {
    Key::new([kind, &committer.to_string()])
}

fn log(committer: usize) -> Key {
    name("log", committer)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be built")
}
