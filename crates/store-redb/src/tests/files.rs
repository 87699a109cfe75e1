//! The file: made once, opened by one, private, and refused when damaged.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use keyreeve_store::{Batch, Error, Key, Store};
use redb::TableDefinition;

use super::{directory, pair};
use crate::{OpenFault, RedbStore, open};

/// Guards against data or revisions that start over when the store is opened again,
/// and against watches that pretend to know the time before.
#[tokio::test]
async fn a_store_goes_on_where_it_was_closed() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let mut last = None;
    for number in 0..5 {
        let store = RedbStore::open(&path).expect("open");
        let revision = store.commit(pair(number)).await.expect("commit");
        assert!(last.is_none_or(|last| revision > last));
        let page = store.scan(&Key::new(["left"]), None, 100).await.expect("scan");
        assert_eq!(page.entries.len() as u64, number + 1);
        if let Some(last) = last {
            store.watch(&Key::ROOT, last).await.map(|_| ()).expect("from where it was opened");
        }
        if number > 1 {
            let before = page.entries[0].revision;
            let watch = store.watch(&Key::ROOT, before).await.map(|_| ());
            assert_eq!(watch, Err(Error::Compacted));
        }
        last = Some(revision);
    }
}

/// Guards against two processes that write the same file.
#[tokio::test]
async fn a_second_opener_is_told_who_has_the_store() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let first = RedbStore::open(&path).expect("open");
    let error = RedbStore::open(&path).expect_err("the store is open");
    assert!(
        matches!(error.fault, OpenFault::InUse(Some(holder)) if holder == std::process::id()),
        "{error}"
    );
    first.commit(pair(1)).await.expect("the first opener is not disturbed");
    drop(first);
    RedbStore::open(&path).expect("the store was let go");
}

/// Guards against other users of the machine who read the store.
#[test]
fn the_files_are_private() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    drop(RedbStore::open(&path).expect("open"));
    let names: Vec<_> = fs::read_dir(directory.path())
        .expect("list")
        .map(|entry| entry.expect("entry").path())
        .collect();
    assert_eq!(names.len(), 2, "the store and its lock: {names:?}");
    for name in names {
        assert_eq!(mode(&name), 0o600, "{}", name.display());
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    drop(RedbStore::open(&path).expect("open"));
    assert_eq!(mode(&path), 0o600);
}

/// Guards against a crash while the file is made, which would leave a store that can
/// neither be opened nor made.
#[tokio::test]
async fn an_unfinished_new_file_is_made_anew() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    fs::write(open::beside(&path, ".new"), b"half").expect("write");
    let store = RedbStore::open(&path).expect("open");
    store.commit(pair(1)).await.expect("commit");
}

/// Guards against a damaged store that is taken for a new one, and against a panic
/// where an operator needs to be told.
#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let store = RedbStore::open(&path).expect("open");
    for number in 0..50 {
        store.commit(pair(number)).await.expect("commit");
    }
    drop(store);
    let whole = fs::read(&path).expect("read");

    for length in [0, 1, 8, 63, 64, 320, 4095, 4096, 4097, 9000, whole.len() / 2] {
        assert_refused(&path, &whole[..length]);
    }
    assert_refused(&path, &vec![0; whole.len()]);
    assert_refused(&path, b"#!/bin/sh\necho not a store\n");
    fs::write(&path, &whole).expect("write");
    RedbStore::open(&path).expect("the whole file still opens");
}

/// Guards against panics, hangs and invented data from any flipped byte in the
/// header: the store opens with what was committed, or is refused.
#[tokio::test]
async fn a_flipped_header_byte_is_refused_or_harmless() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let store = RedbStore::open(&path).expect("open");
    for number in 0..20 {
        store.commit(pair(number)).await.expect("commit");
    }
    drop(store);
    let whole = fs::read(&path).expect("read");
    for (position, flip) in (0..320).zip([0x01, 0x80, 0xff].into_iter().cycle()) {
        let mut damaged = whole.clone();
        damaged[position] ^= flip;
        fs::write(&path, &damaged).expect("write");
        let store = match RedbStore::open(&path) {
            Ok(store) => store,
            Err(error) => {
                let clear =
                    matches!(error.fault, OpenFault::Corrupt(_) | OpenFault::UnknownFormat(_));
                assert!(clear, "byte {position} ^ {flip:#x}: {error}");
                continue;
            }
        };
        match store.scan(&Key::new(["left"]), None, 100).await {
            Ok(page) => assert_eq!(page.entries.len(), 20, "byte {position} ^ {flip:#x}"),
            Err(error) => assert!(
                matches!(error, Error::Corrupt(_) | Error::Stopped(_)),
                "byte {position} ^ {flip:#x}: {error}"
            ),
        }
    }
}

/// Guards against a newer format, or another program's file, that is read as ours.
#[test]
fn a_file_of_another_format_or_program_is_refused() {
    let directory = directory();
    let newer = directory.path().join("newer.redb");
    let database = open::builder().create(&newer).expect("create");
    open::initialise(&database).expect("initialise");
    let transaction = database.begin_write().expect("begin");
    let table = TableDefinition::<&str, u64>::new("meta");
    transaction.open_table(table).expect("open").insert("format", 2).expect("insert");
    transaction.commit().expect("commit");
    drop(database);
    let error = RedbStore::open(&newer).expect_err("the format is newer");
    assert!(matches!(error.fault, OpenFault::UnknownFormat(2)), "{error}");

    let foreign = directory.path().join("foreign.redb");
    drop(open::builder().create(&foreign).expect("create"));
    let error = RedbStore::open(&foreign).expect_err("it holds no store");
    assert!(matches!(error.fault, OpenFault::Corrupt(_)), "{error}");
}

/// Guards against an error without the path or the reason.
#[test]
fn a_missing_directory_is_named() {
    let error = RedbStore::open("/nonexistent/store.redb").expect_err("no such directory");
    assert!(matches!(error.fault, OpenFault::Io(_)));
    assert!(error.to_string().contains("/nonexistent/store.redb"), "{error}");
}

/// Guards against a batch whose caller went away and blocks the writer.
#[tokio::test]
async fn an_abandoned_commit_does_not_disturb_the_others() {
    let directory = directory();
    let store = RedbStore::open(directory.path().join("store.redb")).expect("open");
    for number in 0..50 {
        let mut abandoned = store.commit(pair(number));
        tokio::select! {
            biased;
            _ = &mut abandoned => {}
            () = std::future::ready(()) => {}
        }
    }
    let key = Key::new(["after"]);
    store.commit(Batch::new().put(key.clone(), &b"1"[..])).await.expect("commit");
    assert!(store.get(&key).await.expect("get").is_some());
}

fn assert_refused(path: &Path, content: &[u8]) {
    fs::write(path, content).expect("write");
    let error = RedbStore::open(path).map(|_| ()).expect_err("the file is damaged");
    assert!(matches!(error.fault, OpenFault::Corrupt(_)), "{} bytes: {error}", content.len());
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()) && text.contains("backup"), "{text}");
    drop(OpenOptions::new().read(true).open(path).expect("the file is still there"));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}
