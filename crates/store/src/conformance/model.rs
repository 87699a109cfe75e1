//! Random scripts, run against the engine and against a sorted map.
//!
//! After every step the engine's answer must be the map's; at the end a watch from
//! the beginning must tell the same story.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Opened, runtime};
use crate::{Batch, Change, Commit, Entry, Error, Key, Page, Precondition, Revision, Store, Value};

const SCRIPTS: u32 = 48;

/// Runs random scripts, each on a fresh store.
///
/// # Panics
/// With the smallest script it finds for which the engine and the map differ.
pub fn check(open: impl AsyncFn() -> Opened) {
    let runtime = runtime();
    // Nothing is written beside the sources; the failing script is in the message.
    let config = Config { cases: SCRIPTS, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&vec(step(), 1..40), |script| {
        runtime.block_on(async {
            let opened = open().await;
            follow(&*opened.store, script).await;
        });
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Get(Key),
    Scan { prefix: Key, after: Option<Key>, limit: usize },
    Commit { require: Vec<(Key, Require)>, changes: Vec<Change> },
}

/// A precondition, relative to the state in which the script meets it.
#[derive(Debug, Clone, Copy)]
enum Require {
    Absent,
    Current,
    Stale,
}

fn step() -> impl Strategy<Value = Step> {
    let require = prop_oneof![
        1 => Just(Require::Absent),
        4 => Just(Require::Current),
        1 => Just(Require::Stale),
    ];
    let change = (any_key(), proptest::option::weighted(0.7, vec(any::<u8>(), 0..4)))
        .prop_map(|(key, value)| Change { key, value: value.map(Value::from) });
    prop_oneof![
        any_key().prop_map(Step::Get),
        (any_prefix(), proptest::option::of(any_key()), 0..6_usize)
            .prop_map(|(prefix, after, limit)| Step::Scan { prefix, after, limit }),
        (vec((any_key(), require), 0..2), vec(change, 0..4))
            .prop_map(|(require, changes)| Step::Commit { require, changes }),
    ]
}

/// Few keys, so that scripts meet them again, and awkward ones.
fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (0..3_u8, 0..3_u8).prop_map(|(a, b)| Key::new([[b'a' + a], [b'0' + b]])),
        vec(prop_oneof![Just(0_u8), Just(b'a'), Just(0xff)], 1..3).prop_map(Key::from_bytes),
    ]
}

fn any_prefix() -> impl Strategy<Value = Key> {
    prop_oneof![Just(Key::ROOT), (0..3_u8).prop_map(|a| Key::new([[b'a' + a]])), any_key()]
}

#[derive(Default)]
struct Model {
    entries: BTreeMap<Key, (Value, Revision)>,
    revision: Revision,
    commits: Vec<Commit>,
}

async fn follow(store: &dyn Store, script: Vec<Step>) {
    // The first commit of a fresh store is where the watch begins.
    let start = store.commit(Batch::new()).await.expect("an empty batch");
    let mut model = Model { revision: start, ..Model::default() };
    for step in script {
        match step {
            Step::Get(key) => assert_eq!(store.get(&key).await, Ok(model.get(&key))),
            Step::Scan { prefix, after, limit } => {
                let page = store.scan(&prefix, after.as_ref(), limit).await;
                assert_eq!(page, Ok(model.scan(&prefix, after.as_ref(), limit)));
            }
            Step::Commit { require, changes } => {
                let batch = model.batch(require, changes);
                let answer = store.commit(batch.clone()).await;
                model.commit(batch, answer);
            }
        }
    }
    let mut watch = store.watch(&Key::ROOT, start).await.expect("the past is short");
    for mut expected in model.commits {
        let mut seen = watch.next().await.expect("a commit that was answered");
        seen.changes.sort_by(|a, b| a.key.cmp(&b.key));
        expected.changes.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(seen, expected);
    }
}

impl Model {
    fn get(&self, key: &Key) -> Option<Entry> {
        let (value, revision) = self.entries.get(key)?;
        Some(Entry { key: key.clone(), value: value.clone(), revision: *revision })
    }

    fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Page {
        let found: Vec<Entry> = self
            .entries
            .keys()
            .filter(|key| key.starts_with(prefix) && after.is_none_or(|after| *key > after))
            .filter_map(|key| self.get(key))
            .collect();
        let limit = limit.max(1);
        Page {
            more: found.len() > limit,
            entries: found.into_iter().take(limit).collect(),
            revision: self.revision,
        }
    }

    fn batch(&self, require: Vec<(Key, Require)>, changes: Vec<Change>) -> Batch {
        let mut batch = Batch::new();
        for (key, require) in require {
            let current = self.entries.get(&key).map(|(_, revision)| *revision);
            let precondition = match (require, current) {
                (Require::Current, Some(revision)) => Precondition::Revision(revision),
                (Require::Stale, Some(revision)) => {
                    Precondition::Revision(Revision(revision.0.saturating_sub(1)))
                }
                (Require::Stale, None) => Precondition::Revision(self.revision),
                (Require::Absent, _) | (Require::Current, None) => Precondition::Absent,
            };
            batch = batch.require(key, precondition);
        }
        changes.into_iter().fold(batch, Batch::change)
    }

    fn commit(&mut self, batch: Batch, answer: Result<Revision, Error>) {
        if let Err(refused) = batch.check() {
            assert_eq!(answer, Err(refused));
            return;
        }
        let failed = batch.requirements().iter().find(|(key, precondition)| {
            let current = self.entries.get(key).map(|(_, revision)| *revision);
            match precondition {
                Precondition::Absent => current.is_some(),
                Precondition::Revision(revision) => current != Some(*revision),
            }
        });
        if let Some((key, _)) = failed {
            assert_eq!(answer, Err(Error::Conflict { key: key.clone() }));
            return;
        }
        let revision = answer.expect("every precondition holds");
        let mut changes = batch.into_changes();
        changes.retain(|change| match &change.value {
            Some(value) => {
                self.entries.insert(change.key.clone(), (value.clone(), revision));
                true
            }
            None => self.entries.remove(&change.key).is_some(),
        });
        if changes.is_empty() {
            assert_eq!(revision, self.revision);
        } else {
            assert!(revision > self.revision);
            self.revision = revision;
            self.commits.push(Commit { revision, changes });
        }
    }
}
