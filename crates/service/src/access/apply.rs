//! Taking over what was committed.
//!
//! What cannot be read never opens anything: an assignment is left out, a role is taken
//! away from all who hold it, and a vault is closed, until a record that can be read
//! takes its place.

use std::sync::{Arc, PoisonError};

use keyreeve_authz::{
    AccessPolicies, DefaultAction, NetworkRules, PermissionModel, Policies, RoleId, VaultPolicy,
};
use keyreeve_store::{Change, Key as StoreKey, Revision, Value};
use keyreeve_types::{Name, UnixTime};

use super::{Access, AccessPath, Snapshot, Stamp};
use crate::record::{self, AssignmentRecord, RoleRecord, Unreadable, VaultPolicyRecord};

/// A record that could not be taken over: its path, and why.
pub(crate) type Rejected = (StoreKey, Unreadable);

impl Access {
    /// Takes over the changes of the commit `revision`, unless it has them. Returns what
    /// could not be read.
    pub(crate) fn apply(&self, revision: Revision, changes: &[Change]) -> Vec<Rejected> {
        let mut changes: Vec<_> = changes
            .iter()
            .filter_map(|change| {
                Some((AccessPath::from_store(&change.key)?, change.value.as_ref()))
            })
            .collect();
        if changes.is_empty() {
            return Vec::new();
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.snapshot.load();
        if now.head.is_some_and(|head| head >= revision) {
            return Vec::new();
        }
        let mut next = Snapshot::clone(&now);
        changes.sort_by_key(|(path, value)| path.turn(value.is_some()));
        let mut rejected = Vec::new();
        for (path, value) in changes {
            if let Err(why) = next.take(&path, value, revision) {
                rejected.push((path.to_store(), why));
            }
        }
        next.head = Some(revision);
        self.snapshot.store(Arc::new(next));
        rejected
    }
}

impl Snapshot {
    /// Takes over one record, or its removal.
    pub(super) fn take(
        &mut self,
        path: &AccessPath,
        value: Option<&Value>,
        revision: Revision,
    ) -> Result<(), Unreadable> {
        match path {
            AccessPath::Head => {
                self.head = Some(revision);
                Ok(())
            }
            AccessPath::Role(id) => self.take_role(*id, value, revision),
            AccessPath::Assignment(id) => {
                self.policies = self.policies.without_assignment(*id);
                self.assignments.remove(id);
                let Some(value) = value else { return Ok(()) };
                let record: AssignmentRecord = record::decode(value)?;
                if record.id != *id {
                    return Err(Unreadable("the record is that of another assignment".to_owned()));
                }
                let with = self.policies.with_assignment(record.to_assignment()?);
                self.policies = with.map_err(|e| Unreadable(e.to_string()))?;
                self.assignments.insert(*id, stamp(revision, record.created, record.created));
                Ok(())
            }
            AccessPath::Vault(vault) => self.take_vault(vault, value, revision),
        }
    }

    fn take_role(
        &mut self,
        id: RoleId,
        value: Option<&Value>,
        revision: Revision,
    ) -> Result<(), Unreadable> {
        let Some(value) = value else {
            self.policies = without_role(&self.policies, id);
            self.roles.remove(&id);
            return Ok(());
        };
        let read = || {
            let record: RoleRecord = record::decode(value)?;
            if record.id != id {
                return Err(Unreadable("the record is that of another role".to_owned()));
            }
            let with = self.policies.with_role(record.to_role()?);
            Ok((with.map_err(|e| Unreadable(e.to_string()))?, record))
        };
        match read() {
            Ok((policies, record)) => {
                self.policies = policies;
                self.roles.insert(id, stamp(revision, record.created, record.updated));
                Ok(())
            }
            Err(why) => {
                self.policies = without_role(&self.policies, id);
                self.roles.remove(&id);
                Err(why)
            }
        }
    }

    fn take_vault(
        &mut self,
        vault: &str,
        value: Option<&Value>,
        revision: Revision,
    ) -> Result<(), Unreadable> {
        let name: Name = vault.parse().map_err(|_| Unreadable("not a vault's name".to_owned()))?;
        let Some(value) = value else {
            self.policies = self.policies.without_vault(&name);
            self.vaults.remove(vault);
            return Ok(());
        };
        let read = || {
            let record: VaultPolicyRecord = record::decode(value)?;
            Ok((record.to_policy()?, record.updated))
        };
        let (policy, updated, outcome) = match read() {
            Ok((policy, updated)) => (policy, updated, Ok(())),
            Err(why) => (closed(), 0, Err(why)),
        };
        self.policies = self.policies.with_vault(&name, policy);
        self.vaults.insert(vault.into(), stamp(revision, updated, updated));
        outcome
    }
}

fn stamp(revision: Revision, created: i64, updated: i64) -> Stamp {
    Stamp { revision, created: UnixTime(created), updated: UnixTime(updated) }
}

/// Without the role and whoever holds it.
fn without_role(policies: &Policies, id: RoleId) -> Policies {
    let held = policies.assignments().filter(|assignment| assignment.role == id);
    let left = held.fold(policies.clone(), |left, held| left.without_assignment(held.id));
    left.without_role(id).unwrap_or(left)
}

/// A vault whose data nobody reaches.
fn closed() -> VaultPolicy {
    let network = NetworkRules::new(DefaultAction::Deny, [], []).unwrap_or_default();
    let model = PermissionModel::AccessPolicies;
    VaultPolicy { model, access_policies: AccessPolicies::default(), network }
}
