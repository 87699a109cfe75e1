//! A key version in memory: everything an operation on it needs, ready made.

use std::{collections::BTreeMap, sync::Arc};

use keyreeve_keyhost::{Binding, SealedKey};
use keyreeve_publickey::PublicKey;
use keyreeve_store::Revision;
use keyreeve_types::{KeyPolicy, KeySpec, UnixTime, VersionId};

use super::Vault;
use crate::record::{FORMAT, KeyRecord, Unreadable, VersionRecord};

/// A key version, as operations use it and the doors show it.
#[derive(Debug)]
pub struct KeyVersion {
    number: u32,
    resource_name: String,
    key_name_len: usize,
    backend: Arc<str>,
    sealed: SealedKey,
    public: Option<PublicKey>,
    tags: BTreeMap<String, String>,
    created: UnixTime,
    updated: UnixTime,
    revision: Revision,
}

impl KeyVersion {
    /// Makes the version ready: parses its public key, writes its name. An error
    /// if the public key does not parse or is of another kind than the record says.
    pub(crate) fn new(
        vault: &Vault,
        key: &KeyRecord,
        record: VersionRecord,
        revision: Revision,
    ) -> Result<Self, Unreadable> {
        let public = match record.public.as_slice() {
            [] => None,
            der => Some(
                PublicKey::from_spki(der)
                    .map_err(|e| Unreadable(format!("the public key is damaged: {e}")))?,
            ),
        };
        if public.as_ref().is_some_and(|public| public.spec() != record.spec) {
            return Err(Unreadable("the public key is not of the recorded kind".to_owned()));
        }
        let policy = record.policy();
        let key_resource = format!("{}/keys/{}", vault.resource_name(), key.name);
        Ok(Self {
            number: record.number,
            key_name_len: key_resource.len(),
            resource_name: format!("{key_resource}/versions/{}", record.id),
            backend: Arc::clone(vault.backend()),
            sealed: SealedKey {
                binding: Binding { vault: vault.id(), key: key.id, version: record.id },
                policy,
                vault_key: Arc::clone(vault.vault_key()),
                sealed: record.sealed.into(),
                slot: record.slot.map(Into::into),
            },
            public,
            tags: record.tags,
            created: UnixTime(record.created),
            updated: UnixTime(record.updated),
            revision,
        })
    }

    /// Its id; in hex it is the `kid` of its JWK.
    pub fn id(&self) -> VersionId {
        self.sealed.binding.version
    }

    /// `vaults/{vault}/keys/{key}/versions/{version}`.
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// `vaults/{vault}/keys/{key}`.
    pub fn key_resource_name(&self) -> &str {
        &self.resource_name[..self.key_name_len]
    }

    /// The id as 32 hex digits: the end of the resource name.
    pub fn kid(&self) -> &str {
        &self.resource_name[self.resource_name.len() - 32..]
    }

    /// What kind of key it is.
    pub fn spec(&self) -> KeySpec {
        self.sealed.policy.spec
    }

    /// The rules it lives under.
    pub fn policy(&self) -> &KeyPolicy {
        &self.sealed.policy
    }

    /// Its public half; `None` for AES and HMAC.
    pub fn public(&self) -> Option<&PublicKey> {
        self.public.as_ref()
    }

    /// The caller's tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// When it was made.
    pub fn created(&self) -> UnixTime {
        self.created
    }

    /// When its attributes last changed.
    pub fn updated(&self) -> UnixTime {
        self.updated
    }

    /// Which backend holds it.
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// Changes with every change of the version.
    pub fn etag(&self) -> String {
        format!("{:x}", self.revision.0)
    }

    /// The record it was made from.
    pub(crate) fn to_record(&self) -> VersionRecord {
        let KeyPolicy { spec, made_for, ops, enabled, not_before, expires, revision } =
            self.sealed.policy;
        VersionRecord {
            format: FORMAT,
            id: self.id(),
            number: self.number,
            spec,
            made_for,
            operations: ops,
            enabled,
            not_before: not_before.map(|t| t.0),
            expires: expires.map(|t| t.0),
            policy_revision: revision,
            sealed: self.sealed.sealed.to_vec(),
            slot: self.sealed.slot.as_deref().map(str::to_owned),
            public: self.public.as_ref().map_or_else(Vec::new, |public| public.spki().to_vec()),
            tags: self.tags.clone(),
            created: self.created.0,
            updated: self.updated.0,
        }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn sealed(&self) -> &SealedKey {
        &self.sealed
    }
}
