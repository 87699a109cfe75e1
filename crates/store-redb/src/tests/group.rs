//! Several batches in one transaction.

use keyreeve_store::{Batch, Error, Key, Revision};

use super::directory;
use crate::{group, open};

/// Guards against a group that judges all batches on the state before it, or lets
/// one conflict take the others down.
#[test]
fn batches_of_a_group_are_judged_one_after_the_other() {
    let directory = directory();
    let path = directory.path().join("store.redb");
    let database = open::open_or_create(&path).expect("open");
    let key = Key::new(["k"]);
    let create = Batch::new().require_absent(key.clone()).put(key.clone(), &b"1"[..]);
    let replace =
        Batch::new().require_revision(key.clone(), Revision(1)).put(key.clone(), &b"2"[..]);
    let other = Batch::new().put(Key::new(["other"]), &b"3"[..]);
    let batches = vec![create.clone(), create, replace.clone(), replace, Batch::new(), other];

    let applied = group::apply(&database, batches, Revision::ZERO, &mut None).expect("apply");
    let conflict = Err(Error::Conflict { key });
    assert_eq!(
        applied.answers,
        [
            Ok(Revision(1)),
            conflict.clone(),
            Ok(Revision(2)),
            conflict,
            Ok(Revision(2)),
            Ok(Revision(3)),
        ]
    );
    let revisions: Vec<_> = applied.commits.iter().map(|commit| commit.revision.0).collect();
    assert_eq!((revisions, applied.revision), (vec![1, 2, 3], Revision(3)));
    assert_eq!(open::revision(&database).expect("revision"), Revision(3));
}
