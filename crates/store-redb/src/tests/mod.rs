//! The engine against the contract, a failing disk, and damaged files.

mod disk;
mod failing_disk;
mod files;
mod group;

use std::sync::Arc;

use keyreeve_store::conformance::Opened;
use keyreeve_store::{Batch, Key};
use tempfile::TempDir;

use crate::RedbStore;

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Two keys that change together, so that half a batch can be told from a whole one.
fn pair(number: u64) -> Batch {
    let value = number.to_be_bytes().to_vec();
    Batch::new()
        .put(Key::new(["left".as_bytes(), &number.to_be_bytes()]), value.clone())
        .put(Key::new(["right".as_bytes(), &number.to_be_bytes()]), value)
}

keyreeve_store::conformance_suite!(async {
    let directory = directory();
    let store = RedbStore::open(directory.path().join("store.redb")).expect("a new store opens");
    Opened::new(Arc::new(store), directory)
});
