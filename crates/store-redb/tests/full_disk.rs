//! A store file that may not grow, as on a full file system, and then may.
//!
//! A child runs the contract's case with a limit on the size of files, which the
//! kernel enforces as it does a lack of room; the signal that comes with it is
//! ignored from the shell on.

use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

use keyreeve_store::Store;
use keyreeve_store::conformance::room::a_full_store_reads_on_and_recovers;
use keyreeve_store_redb::RedbStore;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CHILD: &str = "KEYREEVE_FULL_DISK_TEST_STORE";

/// Guards against a file that cannot be opened again in place after it could not
/// grow: its lock, the pages the kernel keeps, and what is left beside it. This test
/// also is the child.
#[test]
fn a_file_that_could_not_grow_is_taken_up_again() {
    if let Some(path) = env::var_os(CHILD) {
        return limited(path.as_ref());
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store.redb");
    let status = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
        .arg(env::current_exe().expect("the path of this test"))
        .args(["--exact", "a_file_that_could_not_grow_is_taken_up_again", "--nocapture"])
        .env(CHILD, &path)
        .status()
        .expect("the child runs");
    assert!(status.success(), "the child failed; its message is above");
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .expect("list")
        .map(|entry| entry.expect("entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["store.redb", "store.redb.lock"]);
    RedbStore::open(&path).expect("another process finds a whole store");
}

fn limited(path: &std::path::Path) {
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(path).expect("a new store opens"));
    let unlimited = getrlimit(Resource::Fsize);
    let fill = || {
        let size = fs::metadata(path).expect("metadata").len();
        let limit = Rlimit { current: Some(size), ..unlimited };
        setrlimit(Resource::Fsize, limit).expect("the limit is lowered");
    };
    let make_room = || setrlimit(Resource::Fsize, unlimited).expect("the limit is lifted");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(a_full_store_reads_on_and_recovers(&store, fill, make_room));
}
