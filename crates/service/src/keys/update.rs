//! Change a version's attributes.

use std::{collections::BTreeMap, sync::Arc};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;
use keyreeve_types::{KeyOps, KeyPolicy, UnixTime};

use super::attributes::{check_tags, check_times};
use crate::{
    Caller, Error, KeyVersion, Kind, Service,
    commit::{NotCommitted, encode},
    gate::{Ask, Permit},
    name::KeyName,
    registry::Path,
};

/// How often a race may be lost.
const ATTEMPTS: usize = 8;

/// A request to change a version.
pub struct UpdateKey<'a> {
    /// Which version; without one, the latest.
    pub key: KeyName<'a>,
    /// What to change.
    pub changes: Changes,
    /// Only if this is still its etag; empty for whatever it is.
    pub etag: &'a str,
}

/// Attributes to set; `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Whether the version may be used.
    pub enabled: Option<bool>,
    /// Not usable before; `Some(None)` clears it.
    pub not_before: Option<Option<UnixTime>>,
    /// Makes nothing new from then on; `Some(None)` clears it.
    pub expires: Option<Option<UnixTime>>,
    /// The operations allowed: among those it was made with.
    pub operations: Option<KeyOps>,
    /// All of its tags.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Service {
    /// Changes a version's attributes.
    ///
    /// The rules are sealed with the key, so a change of them is made by its keyhost
    /// and costs an opening and a sealing.
    pub async fn update_key(
        &self,
        caller: &Caller,
        request: UpdateKey<'_>,
        deadline: Deadline,
    ) -> Result<Arc<KeyVersion>, Error> {
        let request = &request;
        self.run(
            caller,
            Ask::key(Action::UpdateKey, request.key),
            deadline,
            move |permit| async move {
                if let Some(tags) = &request.changes.tags {
                    check_tags(tags)?;
                }
                // Which version is the latest is decided once.
                let id = self.find(&permit, request.key)?.id();
                let key = request.key.or_version(Some(id));
                for _ in 0..ATTEMPTS {
                    let version = self.find(&permit, key)?;
                    if !request.etag.is_empty() && request.etag != version.etag() {
                        return Err(Error::new(
                            Kind::Aborted,
                            "ETAG_MISMATCH",
                            "the key version has changed since; read it and try again",
                        ));
                    }
                    match self.change(&permit, key, &version, &request.changes, deadline).await? {
                        Some(changed) => return Ok(changed),
                        None => self.refresh(&path_of(key, &version)).await?,
                    }
                }
                Err(Error::contended())
            },
        )
        .await
    }

    /// Changes `version`; `None` if it is no longer as it was read.
    async fn change(
        &self,
        permit: &Permit,
        key: KeyName<'_>,
        version: &Arc<KeyVersion>,
        changes: &Changes,
        deadline: Deadline,
    ) -> Result<Option<Arc<KeyVersion>>, Error> {
        let policy = changed_policy(version.policy(), changes)?;
        let mut record = version.to_record();
        if let Some(tags) = &changes.tags {
            record.tags.clone_from(tags);
        }
        if policy == *version.policy() && record.tags == *version.tags() {
            return Ok(Some(Arc::clone(version)));
        }
        if policy != *version.policy() {
            let revision = policy.revision.checked_add(1).ok_or_else(|| {
                Error::internal("TOO_MANY_CHANGES", "the policy's counter is full")
            })?;
            let policy = KeyPolicy { revision, ..policy };
            let client = self.backends().named(version.backend())?;
            let made = client
                .reseal(version.sealed(), &policy, deadline)
                .await
                .map_err(|e| Error::from_call(e, client.name(), "key"))?;
            record.set_policy(&made.policy, made.sealed);
        }
        record.updated = self.shared().clock.now().0;
        let path = path_of(key, version).to_store();
        let batch = Batch::new()
            .require_revision(path.clone(), version.revision())
            .put(path, encode(&record)?);
        match self.commit(permit, batch, deadline).await {
            Ok(()) => self.find(permit, key).map(Some),
            Err(NotCommitted::Conflict) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}

fn path_of(key: KeyName<'_>, version: &KeyVersion) -> Path {
    let (vault, name) = (key.vault().folded(), key.folded_key());
    Path::Version(vault.as_str().to_owned(), name.as_str().to_owned(), version.id())
}

/// The rules after `changes`, with the revision they had before.
fn changed_policy(old: &KeyPolicy, changes: &Changes) -> Result<KeyPolicy, Error> {
    let mut policy = old.clone();
    if let Some(enabled) = changes.enabled {
        policy.enabled = enabled;
    }
    if let Some(not_before) = changes.not_before {
        policy.not_before = not_before;
    }
    if let Some(expires) = changes.expires {
        policy.expires = expires;
    }
    if let Some(ops) = changes.operations {
        policy.ops = ops;
    }
    if !policy.made_for.covers(policy.ops) {
        return Err(Error::precondition(
            "OPERATIONS_NOT_ALLOWED",
            format!("this key was made to {} and can be given nothing else", policy.made_for),
        ));
    }
    check_times(policy.not_before, policy.expires)?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use keyreeve_types::{KeySpec, Operation};

    use super::*;

    /// Guards against a key that is given an operation it was not made for.
    #[test]
    fn operations_only_ever_come_back_to_what_was_made() {
        let made_for = KeyOps::of(&[Operation::Sign, Operation::Verify]);
        let ops = KeyOps::of(&[Operation::Verify]);
        let old = KeyPolicy {
            spec: KeySpec::Rsa2048,
            made_for,
            ops,
            enabled: true,
            not_before: None,
            expires: None,
            revision: 3,
        };
        let with = |ops| Changes { operations: Some(ops), ..Changes::default() };
        assert_eq!(changed_policy(&old, &with(made_for)).map(|p| p.ops).ok(), Some(made_for));
        let wider = KeyOps::of(&[Operation::Decrypt]);
        let error = changed_policy(&old, &with(wider)).expect_err("it was not made to decrypt");
        assert_eq!(error.reason(), "OPERATIONS_NOT_ALLOWED");
    }
}
