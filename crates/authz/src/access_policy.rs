//! Access policies: the legacy model, in which a vault lists who has which permissions
//! on all of its objects.
//!
//! A vault goes by roles or by access policies, never by both; the policies of a vault
//! that goes by roles are kept and grant nothing. Only an Owner changes them: in Azure
//! whoever may write the vault may, and so opens it to itself.
//!
//! Azure's `applicationId`, which narrows an entry to one program of a user, is left
//! out: an entry with it must be refused, not widened.

use std::fmt;

use imbl::OrdMap;

use crate::{Permissions, Principal};

/// The access policies of one vault. A clone is cheap.
#[derive(Debug, Clone, Default)]
pub struct AccessPolicies {
    entries: OrdMap<Principal, Permissions>,
}

/// The vault has [`AccessPolicies::MAX`] entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyPolicies;

impl AccessPolicies {
    /// Most entries of a vault, as in Azure.
    pub const MAX: usize = 1024;

    /// With `permissions`, and no others, for `holder`; without an entry for it if
    /// there are none.
    pub fn with(
        &self,
        holder: Principal,
        permissions: Permissions,
    ) -> Result<Self, TooManyPolicies> {
        let entries = if permissions == Permissions::NONE {
            self.entries.without(&holder)
        } else {
            self.entries.update(holder, permissions)
        };
        if entries.len() > Self::MAX {
            return Err(TooManyPolicies);
        }
        Ok(Self { entries })
    }

    /// What `holder` has, not counting its groups.
    pub fn of(&self, holder: &Principal) -> Permissions {
        self.entries.get(holder).copied().unwrap_or_default()
    }

    /// Every entry.
    pub fn iter(&self) -> impl Iterator<Item = (&Principal, Permissions)> {
        self.entries.iter().map(|(holder, permissions)| (holder, *permissions))
    }
}

impl fmt::Display for TooManyPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vault has at most 1024 access policies; use groups, or roles")
    }
}

impl std::error::Error for TooManyPolicies {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Permission, PrincipalKind};

    /// Guards against an entry that adds to what was there, so that nobody can take a
    /// permission away, and against a list without end.
    #[test]
    fn an_entry_replaces_and_the_list_ends() {
        let user = |i: usize| {
            Principal::new(PrincipalKind::User, None, &i.to_string()).expect("a principal")
        };
        let (get, list) = (Permission::KeysGet, Permission::KeysList);
        let policies = AccessPolicies::default();
        let policies = policies.with(user(0), Permissions::of(&[get])).expect("room");
        let policies = policies.with(user(0), Permissions::of(&[list])).expect("room");
        assert_eq!(policies.of(&user(0)), Permissions::of(&[list]));
        assert_eq!(policies.of(&user(1)), Permissions::NONE);

        let mut full = AccessPolicies::default();
        for i in 0..AccessPolicies::MAX {
            full = full.with(user(i), Permissions::of(&[get])).expect("room");
        }
        assert_eq!(full.with(user(5000), Permissions::of(&[get])).err(), Some(TooManyPolicies));
        assert!(full.with(user(0), Permissions::of(&[list])).is_ok());
        let emptied = full.with(user(0), Permissions::NONE).expect("room");
        assert_eq!(emptied.iter().count(), AccessPolicies::MAX - 1);
    }
}
