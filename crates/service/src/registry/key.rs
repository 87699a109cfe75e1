//! A key in memory, with its versions.

use std::sync::{Arc, OnceLock};

use imbl::OrdMap;
use keyreeve_store::Revision;
use keyreeve_types::VersionId;

use super::KeyVersion;
use crate::{Jwks, record::KeyRecord};

/// A key with its versions, at one moment.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) record: KeyRecord,
    /// The store's revision of the record.
    pub(crate) revision: Revision,
    /// By number; the last is the latest.
    versions: OrdMap<u32, Arc<KeyVersion>>,
    /// The same, by id.
    by_id: OrdMap<VersionId, Arc<KeyVersion>>,
    /// The JWK set of this moment, once somebody has asked for it.
    pub(crate) jwks: OnceLock<Arc<Jwks>>,
}

impl Key {
    pub(crate) fn new(record: KeyRecord, revision: Revision) -> Self {
        Self {
            record,
            revision,
            versions: OrdMap::new(),
            by_id: OrdMap::new(),
            jwks: OnceLock::new(),
        }
    }

    /// The same key with a later record.
    pub(crate) fn with_record(&self, record: KeyRecord, revision: Revision) -> Self {
        Self { record, revision, ..self.clone() }
    }

    /// The same key with `version` in it, new or changed.
    pub(crate) fn with_version(&self, version: KeyVersion) -> Self {
        let version = Arc::new(version);
        Self {
            versions: self.versions.update(version.number(), Arc::clone(&version)),
            by_id: self.by_id.update(version.id(), version),
            record: self.record.clone(),
            revision: self.revision,
            jwks: OnceLock::new(),
        }
    }

    /// The same key without the version.
    pub(crate) fn without_version(&self, version: &KeyVersion) -> Self {
        Self {
            versions: self.versions.without(&version.number()),
            by_id: self.by_id.without(&version.id()),
            record: self.record.clone(),
            revision: self.revision,
            jwks: OnceLock::new(),
        }
    }

    /// The version named, or the latest.
    pub(crate) fn version(&self, id: Option<VersionId>) -> Option<&Arc<KeyVersion>> {
        match id {
            Some(id) => self.by_id.get(&id),
            None => self.versions.get_max().map(|(_, version)| version),
        }
    }

    /// All versions, oldest first, from number `from` on.
    pub(crate) fn versions_from(&self, from: u32) -> impl Iterator<Item = &Arc<KeyVersion>> {
        self.versions.range(from..).map(|(_, version)| version)
    }
}
