//! How a new version comes to be, whichever way its key was made.
//!
//! 1. A [`Place`] is chosen: the key of that name, or a fresh one.
//! 2. The keyhost makes the key for that place, and for no other.
//! 3. The version is published: its record, and the key's with it, on the condition
//!    that the key is as it was read. Who loses a race against another version of
//!    the same key tries again with the next number; who loses against another key
//!    of that name destroys what was made and begins anew.

use std::{sync::Arc, time::Duration};

use keyreeve_keyhost::{Binding, Client, Deadline, NewVersion, SealedKey};
use keyreeve_store::{Batch, Revision};
use keyreeve_types::{KeyId, KeyOps, KeyPolicy, KeySpec, Name};

use super::Attributes;
use crate::{
    Error, KeyVersion, Service, Vault,
    commit::{NotCommitted, encode},
    draw,
    gate::Permit,
    name::KeyName,
    record::{FORMAT, KeyRecord, VersionRecord},
    registry::{self, Path},
};

/// How often a race may be lost.
const ATTEMPTS: usize = 8;

/// Where a new version will be: known to no one yet.
pub(crate) struct Place<'s> {
    pub(crate) vault: Arc<Vault>,
    pub(crate) client: &'s Client,
    pub(crate) binding: Binding,
    name: Name,
}

/// What became of a version that was made.
pub(crate) enum Published {
    /// It is there.
    Done(Arc<KeyVersion>),
    /// Another key took the name; what was made is destroyed.
    NameTaken,
}

/// How long the slot may take to destroy what has no record.
const DISCARD: Duration = Duration::from_secs(60);

impl Service {
    /// Makes a version in a place of the name `name`, with `make`, and publishes it.
    pub(crate) async fn add_version<'s, F>(
        &'s self,
        permit: &Permit,
        name: KeyName<'_>,
        attributes: &Attributes,
        deadline: Deadline,
        make: impl Fn(Arc<Vault>, &'s Client, Binding) -> F,
    ) -> Result<Arc<KeyVersion>, Error>
    where
        F: Future<Output = Result<NewVersion, Error>>,
    {
        attributes.check()?;
        for _ in 0..ATTEMPTS {
            let place = self.place(permit, name)?;
            let made = make(Arc::clone(&place.vault), place.client, place.binding).await?;
            match self.publish(permit, &place, made, attributes, deadline).await? {
                Published::Done(version) => return Ok(version),
                Published::NameTaken => {}
            }
        }
        Err(Error::contended())
    }

    fn place(&self, permit: &Permit, name: KeyName<'_>) -> Result<Place<'_>, Error> {
        let vault = self.find_vault(permit, name.vault())?;
        let spelled: Name =
            name.key().parse().map_err(|_| Error::invalid("key_id", "not a name"))?;
        let key = match self.key_record(name) {
            Some((record, _)) => record.id,
            None => draw::key_id()?,
        };
        let binding = Binding { vault: vault.id(), key, version: draw::version_id()? };
        let client = self.backends().named(vault.backend())?;
        Ok(Place { vault, client, binding, name: spelled })
    }

    /// The key's record in memory, if there is one.
    fn key_record(&self, name: KeyName<'_>) -> Option<(KeyRecord, Revision)> {
        let now = self.shared().registry.now();
        registry::key(&now, name).ok().map(|key| (key.record.clone(), key.revision))
    }

    async fn publish(
        &self,
        permit: &Permit,
        place: &Place<'_>,
        made: NewVersion,
        attributes: &Attributes,
        deadline: Deadline,
    ) -> Result<Published, Error> {
        let vault_name = place.vault.name().folded();
        let Binding { key, version: id, .. } = place.binding;
        let key_path = Path::Key(vault_name.to_owned(), place.name.folded().to_owned());
        let version_path =
            Path::Version(vault_name.to_owned(), place.name.folded().to_owned(), id).to_store();
        let name = KeyName::new(vault_name, place.name.folded(), Some(id))
            .map_err(|_| Error::invalid("key_id", "not a name"))?;
        for _ in 0..ATTEMPTS {
            let present = self.key_record(name);
            if present.as_ref().is_some_and(|(record, _)| record.id != key) {
                self.discard(place, made).await;
                return Ok(Published::NameTaken);
            }
            let record = self.next_record(present.as_ref().map(|(r, _)| r), key, &place.name)?;
            let version = self.version_record(place, &made, attributes, record.versions);
            let batch = match present {
                Some((_, revision)) => Batch::new().require_revision(key_path.to_store(), revision),
                None => Batch::new().require_absent(key_path.to_store()),
            }
            .put(key_path.to_store(), encode(&record)?)
            .require_absent(version_path.clone())
            .put(version_path.clone(), encode(&version)?);
            match self.commit(permit, batch, deadline).await {
                Ok(()) => return self.find(permit, name).map(Published::Done),
                Err(NotCommitted::Conflict) => self.refresh(&key_path).await?,
                Err(NotCommitted::Refused(error)) => {
                    self.discard(place, made).await;
                    return Err(error);
                }
                Err(NotCommitted::Unknown(error)) => return Err(error),
            }
        }
        self.discard(place, made).await;
        Err(Error::contended())
    }

    /// The key's record with one version more.
    fn next_record(
        &self,
        present: Option<&KeyRecord>,
        id: KeyId,
        name: &Name,
    ) -> Result<KeyRecord, Error> {
        match present {
            Some(record) => {
                let versions = record.versions.checked_add(1).ok_or_else(|| {
                    Error::internal("TOO_MANY_VERSIONS", "the version counter is full")
                })?;
                Ok(KeyRecord { versions, ..record.clone() })
            }
            None => Ok(KeyRecord {
                format: FORMAT,
                id,
                name: name.clone(),
                versions: 1,
                created: self.shared().clock.now().0,
            }),
        }
    }

    fn version_record(
        &self,
        place: &Place<'_>,
        made: &NewVersion,
        attributes: &Attributes,
        number: u32,
    ) -> VersionRecord {
        let now = self.shared().clock.now().0;
        let policy = &made.policy;
        VersionRecord {
            format: FORMAT,
            id: place.binding.version,
            number,
            spec: policy.spec,
            made_for: policy.made_for,
            operations: policy.ops,
            enabled: policy.enabled,
            not_before: policy.not_before.map(|t| t.0),
            expires: policy.expires.map(|t| t.0),
            policy_revision: policy.revision,
            sealed: made.sealed.clone(),
            public: made.public.clone().unwrap_or_default(),
            tags: attributes.tags.clone(),
            created: now,
            updated: now,
        }
    }

    /// Destroys a key that has no record and never will. In a slot it would stay for
    /// ever otherwise; should that fail, the log says which object to remove.
    async fn discard(&self, place: &Place<'_>, made: NewVersion) {
        // The caller's deadline may be what ended the making.
        let deadline = Deadline::after(DISCARD);
        let key = SealedKey {
            binding: place.binding,
            policy: made.policy,
            vault_key: Arc::clone(place.vault.vault_key()),
            sealed: made.sealed.into(),
        };
        if let Err(error) = place.client.destroy(&key, deadline).await {
            let (backend, version) = (place.client.name(), place.binding.version);
            tracing::warn!(backend, %version, %error, "a key without a record was not destroyed");
        }
    }
}

/// The rules of a new version.
pub(crate) fn first_policy(spec: KeySpec, ops: KeyOps, attributes: &Attributes) -> KeyPolicy {
    KeyPolicy {
        spec,
        made_for: ops,
        ops,
        enabled: attributes.enabled,
        not_before: attributes.not_before,
        expires: attributes.expires,
        revision: 1,
    }
}
