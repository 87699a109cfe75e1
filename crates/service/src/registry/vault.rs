//! A vault in memory.

use std::sync::{Arc, OnceLock};

use imbl::OrdMap;
use keyreeve_store::Revision;
use keyreeve_types::{Name, UnixTime, VaultId};

use super::Key;
use crate::{Jwks, Tier, record::VaultRecord};

/// A vault, as the doors show it.
#[derive(Debug)]
pub struct Vault {
    id: VaultId,
    name: Name,
    resource_name: String,
    tier: Tier,
    backend: Arc<str>,
    vault_key: Arc<[u8]>,
    created: UnixTime,
}

/// A vault with the keys in it, at one moment.
#[derive(Clone)]
pub(crate) struct VaultEntry {
    pub(crate) vault: Arc<Vault>,
    /// The store's revision of the record.
    pub(crate) revision: Revision,
    /// By their names in lower case.
    pub(crate) keys: OrdMap<Box<str>, Arc<Key>>,
    /// The JWK set of this moment, once somebody has asked for it.
    pub(crate) jwks: OnceLock<Arc<Jwks>>,
}

impl Vault {
    fn new(record: VaultRecord) -> Self {
        Self {
            id: record.id,
            resource_name: format!("vaults/{}", record.name),
            name: record.name,
            tier: record.tier,
            backend: record.backend.into(),
            vault_key: record.vault_key.into(),
            created: UnixTime(record.created),
        }
    }

    /// Its id.
    pub fn id(&self) -> VaultId {
        self.id
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// `vaults/{vault}`.
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// Where its keys are held.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Which backend that is.
    pub fn backend(&self) -> &Arc<str> {
        &self.backend
    }

    /// When it was made.
    pub fn created(&self) -> UnixTime {
        self.created
    }

    pub(crate) fn vault_key(&self) -> &Arc<[u8]> {
        &self.vault_key
    }
}

impl VaultEntry {
    pub(crate) fn new(record: VaultRecord, revision: Revision) -> Self {
        Self {
            vault: Arc::new(Vault::new(record)),
            revision,
            keys: OrdMap::new(),
            jwks: OnceLock::new(),
        }
    }

    /// The same vault with `key` in it.
    pub(crate) fn with_key(&self, folded: &str, key: Key) -> Self {
        let keys = self.keys.update(folded.into(), Arc::new(key));
        Self { keys, ..self.without_set() }
    }

    /// The same vault without the key.
    pub(crate) fn without_key(&self, folded: &str) -> Self {
        Self { keys: self.keys.without(folded), ..self.without_set() }
    }

    /// The same vault with a later record.
    pub(crate) fn with_record(&self, record: VaultRecord, revision: Revision) -> Self {
        Self { vault: Arc::new(Vault::new(record)), revision, ..self.without_set() }
    }

    fn without_set(&self) -> Self {
        Self { jwks: OnceLock::new(), ..self.clone() }
    }
}
