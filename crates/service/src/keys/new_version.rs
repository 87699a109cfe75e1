//! How a new version comes to be, whichever way its key was made.
//!
//! 1. A [`Place`] is chosen: the key of that name, or a fresh one.
//! 2. The keyhost makes the key for that place, and for no other.
//! 3. The version is published: its record, and the key's with it, on the condition
//!    that the key is as it was read. Who loses a race against another version of
//!    the same key tries again with the next number; who loses against another key
//!    of that name destroys what was made and begins anew.
//!
//! Whatever keeps a version from being published, its key is destroyed, unless the
//! store could not say whether it has the record.

use std::{sync::Arc, time::Duration};

use keyreeve_keyhost::{Binding, Client, Deadline, NewVersion, SealedKey};
use keyreeve_store::{Batch, Revision};
use keyreeve_types::{KeyId, KeyOps, KeyPolicy, KeySpec, Name};
use tokio::time::timeout_at;

use super::Attributes;
use crate::{
    Error, KeyVersion, Kind, Service, Vault,
    commit::{NotCommitted, encode},
    draw,
    gate::Permit,
    name::KeyName,
    record::{FORMAT, KeyRecord, VersionRecord},
    registry::{self, Path},
};

/// How often a race may be lost.
const ATTEMPTS: usize = 8;

/// How long to wait, beyond the caller's deadline, for a making that has begun: as long
/// as a keyhost may be busy with it before it is taken for hung. An answer that comes
/// later than the caller waited is needed to destroy what was made.
const MAKING: Duration = Duration::from_secs(65);

/// How long the slot may take to destroy what has no record.
const DISCARD: Duration = Duration::from_secs(60);

/// Where a new version will be: known to no one yet.
pub(crate) struct Place {
    pub(crate) vault: Arc<Vault>,
    pub(crate) client: Client,
    pub(crate) binding: Binding,
    name: Name,
}

/// How a key comes to be in its place.
pub(crate) trait Make: Send + Sync + 'static {
    /// Has the place's keyhost make or take the key.
    fn make(
        &self,
        place: &Place,
        deadline: Deadline,
    ) -> impl Future<Output = Result<NewVersion, Error>> + Send;
}

/// What became of a version that was made.
enum Published {
    /// It is there.
    Done(Arc<KeyVersion>),
    /// Another key took the name, and the version is nowhere.
    NameTaken,
}

/// Why a version was not published.
enum NotPublished {
    /// It is nowhere, so that its key is to be destroyed.
    Nowhere(Error),
    /// It may be there.
    Unknown(Error),
}

impl From<Error> for NotPublished {
    /// Of everything but the commit itself.
    fn from(error: Error) -> Self {
        Self::Nowhere(error)
    }
}

/// What a new version is to be, for a task that outlives its caller.
struct Order {
    service: Service,
    permit: Permit,
    vault: String,
    key: String,
    attributes: Attributes,
    deadline: Deadline,
}

impl Service {
    /// Makes a version in a place of the name `name` as `making` says, and publishes it.
    ///
    /// The work goes on if the caller goes away: a key that is being made in a slot
    /// would otherwise stay there, with no record and nobody to destroy it. What is
    /// made after the deadline is destroyed, since its caller was told so.
    pub(crate) async fn add_version(
        &self,
        permit: Permit,
        name: KeyName<'_>,
        attributes: &Attributes,
        deadline: Deadline,
        making: impl Make,
    ) -> Result<Arc<KeyVersion>, Error> {
        attributes.check()?;
        let order = Order {
            service: self.clone(),
            permit,
            vault: name.vault().as_str().to_owned(),
            key: name.key().to_owned(),
            attributes: attributes.clone(),
            deadline,
        };
        let task = tokio::spawn(async move { order.carry_out(making).await });
        match timeout_at(deadline.instant().into(), task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(ended)) => Err(Error::internal("KEY_NOT_MADE", ended.to_string())),
            Err(_) => Err(Error::deadline_exceeded()),
        }
    }

    fn place(&self, permit: &Permit, name: KeyName<'_>) -> Result<Place, Error> {
        let vault = self.find_vault(permit, name.vault())?;
        let spelled: Name = name.key().parse().map_err(|_| not_a_name())?;
        let key = match self.key_record(name) {
            Some((record, _)) => record.id,
            None => draw::key_id()?,
        };
        let binding = Binding { vault: vault.id(), key, version: draw::version_id()? };
        let client = self.backends().named(vault.backend())?.clone();
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
        place: &Place,
        made: &NewVersion,
        attributes: &Attributes,
        deadline: Deadline,
    ) -> Result<Published, NotPublished> {
        if deadline.remaining().is_zero() {
            return Err(Error::deadline_exceeded().into());
        }
        let vault_name = place.vault.name().folded();
        let Binding { key, version: id, .. } = place.binding;
        let key_path = Path::Key(vault_name.to_owned(), place.name.folded().to_owned());
        let version_path =
            Path::Version(vault_name.to_owned(), place.name.folded().to_owned(), id).to_store();
        let name =
            KeyName::new(vault_name, place.name.folded(), Some(id)).map_err(|_| not_a_name())?;
        for _ in 0..ATTEMPTS {
            let present = self.key_record(name);
            if present.as_ref().is_some_and(|(record, _)| record.id != key) {
                return Ok(Published::NameTaken);
            }
            let record = self.next_record(present.as_ref().map(|(r, _)| r), key, &place.name)?;
            let version = self.version_record(place, made, attributes, record.versions);
            let batch = match present {
                Some((_, revision)) => Batch::new().require_revision(key_path.to_store(), revision),
                None => Batch::new().require_absent(key_path.to_store()),
            }
            .put(key_path.to_store(), encode(&record)?)
            .require_absent(version_path.clone())
            .put(version_path.clone(), encode(&version)?);
            match self.commit(permit, batch, deadline).await {
                // From here on it is there, whatever reading it says.
                Ok(()) => {
                    let found = self.find(permit, name).map_err(NotPublished::Unknown);
                    return found.map(Published::Done);
                }
                Err(NotCommitted::Conflict) => self.refresh(&key_path).await?,
                Err(NotCommitted::Refused(error)) => return Err(NotPublished::Nowhere(error)),
                Err(NotCommitted::Unknown(error)) => return Err(NotPublished::Unknown(error)),
            }
        }
        Err(Error::contended().into())
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
        place: &Place,
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
            slot: made.slot.as_deref().map(str::to_owned),
            public: made.public.clone().unwrap_or_default(),
            tags: attributes.tags.clone(),
            created: now,
            updated: now,
        }
    }

    /// Destroys a key that has no record and never will. In a slot it would stay for
    /// ever otherwise; should that fail, the log says which object to remove.
    async fn discard(&self, place: &Place, made: NewVersion) {
        // The caller's deadline may be what ended the making.
        let deadline = Deadline::after(DISCARD);
        let key = SealedKey {
            binding: place.binding,
            policy: made.policy,
            vault_key: Arc::clone(place.vault.vault_key()),
            sealed: made.sealed.into(),
            slot: made.slot,
        };
        if let Err(error) = place.client.destroy(&key, deadline).await {
            let (backend, version) = (place.client.name(), place.binding.version);
            tracing::warn!(backend, %version, %error, "a key without a record was not destroyed");
        }
    }
}

impl Order {
    async fn carry_out(self, making: impl Make) -> Result<Arc<KeyVersion>, Error> {
        let Self { service, permit, vault, key, attributes, deadline } = self;
        let name = KeyName::new(&vault, &key, None).map_err(|_| not_a_name())?;
        for _ in 0..ATTEMPTS {
            let place = service.place(&permit, name)?;
            let patience = deadline.waiting(MAKING);
            let made = match making.make(&place, patience).await {
                Err(error)
                    if matches!(
                        error.kind(),
                        Kind::DeadlineExceeded | Kind::Unavailable { .. }
                    ) =>
                {
                    // Nobody knows whether there is a key now, and what it is called
                    // is known only here.
                    let (version, backend) = (place.binding.version, place.client.name());
                    tracing::warn!(%version, backend, "a key may have been made and be unused");
                    return Err(error);
                }
                outcome => outcome?,
            };
            match service.publish(&permit, &place, &made, &attributes, deadline).await {
                Ok(Published::Done(version)) => return Ok(version),
                Ok(Published::NameTaken) => service.discard(&place, made).await,
                Err(NotPublished::Nowhere(error)) => {
                    service.discard(&place, made).await;
                    return Err(error);
                }
                Err(NotPublished::Unknown(error)) => return Err(error),
            }
        }
        Err(Error::contended())
    }
}

fn not_a_name() -> Error {
    Error::invalid("key_id", "not a name")
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

#[cfg(test)]
mod tests;
