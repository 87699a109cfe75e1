//! All vaults and keys, in memory.
//!
//! Readers take a snapshot without a lock. It is made of persistent maps, so that
//! the next one shares all but a path with it. Writers apply commits: those made
//! here as soon as they are durable, and all of them, also those of other nodes,
//! from the store's watch. A record is replaced only by a later revision of it, so
//! that it does not matter which of the two comes first.
//!
//! The registry refuses to write: what it holds was committed before.

mod apply;
mod follow;
mod key;
mod load;
mod path;
mod vault;
mod version;

use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, Guard};
use imbl::OrdMap;

pub use follow::Follower;
pub(crate) use key::Key;
pub use load::LoadError;
pub(crate) use path::Path;
pub use vault::Vault;
pub(crate) use vault::VaultEntry;
pub use version::KeyVersion;

use crate::{
    Error,
    name::{KeyName, VaultName},
};

/// Everything at one moment: vaults by their names in lower case.
pub(crate) type Snapshot = OrdMap<Box<str>, Arc<VaultEntry>>;

/// The registry.
pub(crate) struct Registry {
    snapshot: ArcSwap<Snapshot>,
    /// Held while a snapshot is replaced, by writers alone.
    writing: Mutex<()>,
}

impl Registry {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot: ArcSwap::from_pointee(snapshot), writing: Mutex::new(()) }
    }

    /// This moment. Not to be held across an `await`: it keeps a writer's slot busy.
    pub(crate) fn now(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// A vault.
    pub(crate) fn vault(&self, name: VaultName<'_>) -> Result<Arc<Vault>, Error> {
        let now = self.now();
        entry(&now, name).map(|entry| Arc::clone(&entry.vault))
    }

    /// A key version: the one named, or the latest.
    pub(crate) fn version(&self, name: KeyName<'_>) -> Result<Arc<KeyVersion>, Error> {
        let now = self.now();
        let version = key(&now, name)?.version(name.version());
        version.map(Arc::clone).ok_or_else(|| Error::not_found(format_args!("key {name}")))
    }
}

/// A vault's entry in a snapshot.
pub(crate) fn entry<'s>(
    snapshot: &'s Snapshot,
    name: VaultName<'_>,
) -> Result<&'s Arc<VaultEntry>, Error> {
    let entry = snapshot.get(name.folded().as_str());
    entry.ok_or_else(|| Error::not_found(format_args!("vault {name}")))
}

/// A key in a snapshot.
pub(crate) fn key<'s>(snapshot: &'s Snapshot, name: KeyName<'_>) -> Result<&'s Arc<Key>, Error> {
    let key = entry(snapshot, name.vault())?.keys.get(name.folded_key().as_str());
    key.ok_or_else(|| Error::not_found(format_args!("key {name}")))
}
