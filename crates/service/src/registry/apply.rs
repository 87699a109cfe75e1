//! Taking over what was committed.

use std::{
    fmt,
    sync::{Arc, PoisonError},
};

use keyreeve_store::{Change, Revision, Value};

use super::{Key, KeyVersion, Path, Registry, Snapshot, VaultEntry};
use crate::record::{self, Unreadable};

/// A record that could not be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) path: Path,
    pub(crate) why: Unreadable,
}

impl Registry {
    /// Takes over the changes of the commit `revision`. What cannot be read is left
    /// as it was and returned; the rest is taken.
    pub(crate) fn apply(&self, revision: Revision, changes: &[Change]) -> Vec<Rejected> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.snapshot.load());
        let changes = changes
            .iter()
            .filter_map(|change| Some((Path::from_store(&change.key)?, change.value.as_ref())));
        let rejected = apply_to(&mut next, changes.map(|(path, value)| (path, value, revision)));
        self.snapshot.store(Arc::new(next));
        rejected
    }

    /// Takes over what was read anew: entries, each with its revision.
    pub(crate) fn apply_entries(&self, entries: &[keyreeve_store::Entry]) -> Vec<Rejected> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Snapshot::clone(&self.snapshot.load());
        let rejected = apply_to(&mut next, paths(entries));
        self.snapshot.store(Arc::new(next));
        rejected
    }
}

/// Stored entries, as [`apply_to`] takes them.
pub(crate) fn paths(
    entries: &[keyreeve_store::Entry],
) -> impl Iterator<Item = (Path, Option<&Value>, Revision)> {
    entries.iter().filter_map(|entry| {
        Some((Path::from_store(&entry.key)?, Some(&entry.value), entry.revision))
    })
}

/// Takes records into a snapshot, what contains before what is contained.
pub(crate) fn apply_to<'a>(
    snapshot: &mut Snapshot,
    records: impl Iterator<Item = (Path, Option<&'a Value>, Revision)>,
) -> Vec<Rejected> {
    let mut records: Vec<_> = records.collect();
    records.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut rejected = Vec::new();
    for (path, value, revision) in records {
        let outcome = match &path {
            Path::Vault(vault) => apply_vault(snapshot, vault, value, revision),
            Path::Key(vault, key) => apply_key(snapshot, vault, key, value, revision),
            Path::Version(vault, key, version) => {
                apply_version(snapshot, vault, key, *version, value, revision)
            }
        };
        if let Err(why) = outcome {
            rejected.push(Rejected { path, why });
        }
    }
    rejected
}

fn apply_vault(
    snapshot: &mut Snapshot,
    vault: &str,
    value: Option<&Value>,
    revision: Revision,
) -> Result<(), Unreadable> {
    let present = snapshot.get(vault);
    if present.is_some_and(|present| present.revision >= revision) {
        return Ok(());
    }
    let Some(value) = value else {
        snapshot.remove(vault);
        return Ok(());
    };
    let record = record::decode(value)?;
    let entry = match present {
        Some(present) => present.with_record(record, revision),
        None => VaultEntry::new(record, revision),
    };
    snapshot.insert(vault.into(), Arc::new(entry));
    Ok(())
}

fn apply_key(
    snapshot: &mut Snapshot,
    vault: &str,
    key: &str,
    value: Option<&Value>,
    revision: Revision,
) -> Result<(), Unreadable> {
    let Some(entry) = snapshot.get(vault) else {
        return orphan(value.is_some(), "a key of an unknown vault");
    };
    let present = entry.keys.get(key);
    if present.is_some_and(|present| present.revision >= revision) {
        return Ok(());
    }
    let entry = match (value, present) {
        (None, _) => entry.without_key(key),
        (Some(value), Some(present)) => {
            entry.with_key(key, present.with_record(record::decode(value)?, revision))
        }
        (Some(value), None) => entry.with_key(key, Key::new(record::decode(value)?, revision)),
    };
    snapshot.insert(vault.into(), Arc::new(entry));
    Ok(())
}

fn apply_version(
    snapshot: &mut Snapshot,
    vault: &str,
    key: &str,
    version: keyreeve_types::VersionId,
    value: Option<&Value>,
    revision: Revision,
) -> Result<(), Unreadable> {
    let Some((entry, of)) = snapshot.get(vault).and_then(|e| Some((e, e.keys.get(key)?))) else {
        return orphan(value.is_some(), "a version of an unknown key");
    };
    let present = of.version(Some(version));
    if present.is_some_and(|present| present.revision() >= revision) {
        return Ok(());
    }
    let changed = match (value, present) {
        (None, None) => return Ok(()),
        (None, Some(present)) => of.without_version(present),
        (Some(value), _) => {
            let record: record::VersionRecord = record::decode(value)?;
            if record.id != version {
                return Err(Unreadable("the record is that of another version".to_owned()));
            }
            of.with_version(KeyVersion::new(&entry.vault, &of.record, record, revision)?)
        }
    };
    let entry = entry.with_key(key, changed);
    snapshot.insert(vault.into(), Arc::new(entry));
    Ok(())
}

/// The removal of what is contained may come after that of what contains it.
fn orphan(is_put: bool, what: &str) -> Result<(), Unreadable> {
    if is_put { Err(Unreadable(what.to_owned())) } else { Ok(()) }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.to_store(), self.why)
    }
}
