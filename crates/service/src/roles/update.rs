//! Update a role.

use keyreeve_authz::{Action, Role, RoleId};
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use super::{RoleEntry, RoleLists};
use crate::{
    Caller, Error, Service,
    access::{AccessPath, check_etag},
    commit::encode,
    gate::{Ask, change},
    record::RoleRecord,
};

/// A request to change a custom role; every assignment of it changes with it.
#[derive(Debug, Clone)]
pub struct UpdateRole<'a> {
    /// Which.
    pub id: RoleId,
    /// What to change.
    pub changes: RoleChanges,
    /// As it was read; empty if it does not matter.
    pub etag: &'a str,
}

/// What to change of a role. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct RoleChanges {
    /// The name.
    pub name: Option<String>,
    /// `actions`.
    pub actions: Option<Vec<String>>,
    /// `notActions`.
    pub not_actions: Option<Vec<String>>,
    /// `dataActions`.
    pub data_actions: Option<Vec<String>>,
    /// `notDataActions`.
    pub not_data_actions: Option<Vec<String>>,
}

impl Service {
    /// Changes a custom role.
    pub async fn update_role(
        &self,
        caller: &Caller,
        request: UpdateRole<'_>,
        deadline: Deadline,
    ) -> Result<RoleEntry, Error> {
        let UpdateRole { id, changes, etag } = &request;
        let set = change::of_changes(changes);
        let ask = Ask::role("UpdateRole", Action::WriteRole, Some(*id)).setting(&set);
        self.run(caller, ask, deadline, move |permit| async move {
            let path = AccessPath::Role(*id).to_store();
            self.change_access(&permit, caller, ask, deadline, |now| {
                let present = RoleEntry::find(now, *id)?;
                check_etag(etag, &present.etag)?;
                let role = changes.apply(&present.role)?;
                now.policies.with_role(role.clone())?;
                let time = self.shared().clock.now();
                let record = RoleRecord::new(&role, present.created.unwrap_or(time), time);
                Ok(Batch::new().put(path.clone(), encode(&record)?))
            })
            .await?;
            RoleEntry::find(&self.shared().access.now(), *id)
        })
        .await
    }
}

impl RoleChanges {
    fn apply(&self, role: &Role) -> Result<Role, Error> {
        if !role.is_custom() {
            return Err(keyreeve_authz::PolicyError::BuiltInRole.into());
        }
        let definition = role.definition();
        let of = |changed: &Option<Vec<String>>, present: &[keyreeve_authz::Pattern]| {
            let kept = || present.iter().map(|pattern| pattern.as_str().to_owned()).collect();
            changed.clone().unwrap_or_else(kept)
        };
        let lists = RoleLists {
            actions: of(&self.actions, definition.actions()),
            not_actions: of(&self.not_actions, definition.not_actions()),
            data_actions: of(&self.data_actions, definition.data_actions()),
            not_data_actions: of(&self.not_data_actions, definition.not_data_actions()),
        };
        lists.role(role.id(), self.name.as_deref().unwrap_or(role.name()))
    }
}
