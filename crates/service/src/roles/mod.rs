//! Roles: the built-in ones, and those that an Owner makes. One file for each operation.

mod create;
mod delete;
mod get;
mod list;
mod update;

pub use create::CreateRole;
pub use update::{RoleChanges, UpdateRole};

use keyreeve_authz::{Role, RoleDefinition, RoleId};
use keyreeve_types::UnixTime;

use crate::{Error, access::Snapshot};

/// A role, with what the store knows of it.
#[derive(Debug, Clone)]
pub struct RoleEntry {
    /// The role.
    pub role: Role,
    /// When it was made; none of a built-in one.
    pub created: Option<UnixTime>,
    /// When it last changed; none of a built-in one.
    pub updated: Option<UnixTime>,
    /// Changes with every change of the role; empty of a built-in one.
    pub etag: String,
}

/// The four lists of a role, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleLists {
    /// Patterns of management rights that it grants.
    pub actions: Vec<String>,
    /// And leaves out.
    pub not_actions: Vec<String>,
    /// Patterns of data rights that it grants.
    pub data_actions: Vec<String>,
    /// And leaves out.
    pub not_data_actions: Vec<String>,
}

impl RoleEntry {
    fn of(snapshot: &Snapshot, role: &Role) -> Self {
        let stamp = snapshot.roles.get(&role.id());
        Self {
            role: role.clone(),
            created: stamp.map(|stamp| stamp.created),
            updated: stamp.map(|stamp| stamp.updated),
            etag: stamp.map(|stamp| stamp.etag()).unwrap_or_default(),
        }
    }

    fn find(snapshot: &Snapshot, id: RoleId) -> Result<Self, Error> {
        let role = snapshot.policies.role(id);
        role.map(|role| Self::of(snapshot, role))
            .ok_or_else(|| Error::not_found(format_args!("role {id}")))
    }
}

impl RoleLists {
    fn role(&self, id: RoleId, name: &str) -> Result<Role, Error> {
        fn list(texts: &[String]) -> Vec<&str> {
            texts.iter().map(String::as_str).collect()
        }
        let definition = RoleDefinition::new(
            &list(&self.actions),
            &list(&self.not_actions),
            &list(&self.data_actions),
            &list(&self.not_data_actions),
        );
        definition
            .and_then(|definition| Role::custom(id, name, definition))
            .map_err(|bad| Error::invalid("role", bad.to_string()))
    }
}
