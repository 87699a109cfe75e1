//! Where what decides access is stored.
//!
//! ```text
//! access / head                 put by every change of the rest
//! access / assignments / {id}   a role assignment
//! access / roles / {id}         a custom role
//! access / vaults / {vault}     what a vault says about access to it
//! ```
//!
//! Ids are GUIDs, names are in lower case.

use keyreeve_authz::{AssignmentId, RoleId};
use keyreeve_store::Key as StoreKey;

/// The path of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccessPath {
    /// What every change puts.
    Head,
    /// A custom role.
    Role(RoleId),
    /// A role assignment.
    Assignment(AssignmentId),
    /// A vault's policy.
    Vault(String),
}

impl AccessPath {
    /// The prefix of all.
    pub(crate) fn all() -> StoreKey {
        StoreKey::new(["access"])
    }

    /// The path as the store has it.
    pub(crate) fn to_store(&self) -> StoreKey {
        match self {
            Self::Head => StoreKey::new(["access", "head"]),
            Self::Role(id) => StoreKey::new(["access", "roles", &id.to_string()]),
            Self::Assignment(id) => StoreKey::new(["access", "assignments", &id.to_string()]),
            Self::Vault(vault) => StoreKey::new(["access", "vaults", vault]),
        }
    }

    /// Reads a path back; `None` if it is the path of something else.
    pub(crate) fn from_store(key: &StoreKey) -> Option<Self> {
        let segments: Vec<String> =
            key.segments()?.into_iter().map(String::from_utf8).collect::<Result<_, _>>().ok()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["access", "head"] => Some(Self::Head),
            ["access", "roles", id] => Some(Self::Role(id.parse().ok()?)),
            ["access", "assignments", id] => Some(Self::Assignment(id.parse().ok()?)),
            ["access", "vaults", vault] => Some(Self::Vault(vault.to_owned())),
            _ => None,
        }
    }

    /// In which order the changes of one commit are made: what names another goes
    /// before it and comes after it.
    pub(super) const fn turn(&self, is_put: bool) -> u8 {
        match (self, is_put) {
            (Self::Assignment(_), false) => 0,
            (Self::Role(_), _) => 1,
            (Self::Assignment(_), true) => 2,
            (Self::Vault(_) | Self::Head, _) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a record that is written where it is not found again.
    #[test]
    fn paths_come_back_as_they_went_in() {
        let paths = [
            AccessPath::Head,
            AccessPath::Role(RoleId::OWNER),
            AccessPath::Assignment(AssignmentId::from_u128(7)),
            AccessPath::Vault("prod".to_owned()),
        ];
        for path in paths {
            let key = path.to_store();
            assert!(key.starts_with(&AccessPath::all()), "{path:?}");
            assert_eq!(AccessPath::from_store(&key), Some(path));
        }
        for other in [&["vaults", "access"][..], &["access", "roles", "x"], &["access"]] {
            assert_eq!(AccessPath::from_store(&StoreKey::new(other.iter().copied())), None);
        }
    }
}
