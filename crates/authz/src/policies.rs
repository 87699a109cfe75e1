//! Policies: everything a decision goes by, as one value.
//!
//! A value never changes; a change makes another that shares with it what is the same.
//! Readers keep the one they have and need no lock. What a principal holds is found by
//! the principal, and then by bisection on the scope: the cost of a decision does not
//! grow with the number of assignments but for a logarithm.
//!
//! The rules that make `may_assign` sound are kept here, whoever makes the change:
//! an id is used once, and a role whose holder assigns roles without being an Owner
//! goes to single principals, because nobody knows who is in a group.

use std::{fmt, sync::Arc};

use imbl::OrdMap;
use keyreeve_types::{Name, UnixTime};

use crate::{
    AccessPolicies, Assignment, AssignmentId, NetworkRules, Principal, PrincipalKind, Resource,
    Right, Rights, Role, RoleId, Scope,
};

/// Roles, assignments, and the policies of vaults. A clone is cheap.
#[derive(Debug, Clone)]
pub struct Policies {
    roles: OrdMap<RoleId, Arc<Role>>,
    assignments: OrdMap<AssignmentId, Arc<Assignment>>,
    held: OrdMap<Principal, Arc<[Held]>>,
    /// By the folded name.
    vaults: OrdMap<Box<str>, Arc<VaultPolicy>>,
}

/// What a vault itself says about access to it. A vault without one goes by roles and
/// is reachable by every listener that is not private.
#[derive(Debug, Clone, Default)]
pub struct VaultPolicy {
    /// What access to its data goes by.
    pub model: PermissionModel,
    /// Its access policies, without effect while it goes by roles.
    pub access_policies: AccessPolicies,
    /// From where it can be reached.
    pub network: NetworkRules,
}

/// What access to the data of a vault goes by. Management goes by roles everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PermissionModel {
    /// Role assignments.
    #[default]
    Roles,
    /// The access policies of the vault.
    AccessPolicies,
}

/// Why a change cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyError {
    /// There is no such role.
    UnknownRole,
    /// A built-in role cannot be changed.
    BuiltInRole,
    /// Another role has the name.
    RoleNameTaken,
    /// The role is assigned to somebody.
    RoleInUse,
    /// [`Policies::MAX_CUSTOM_ROLES`] are there.
    TooManyRoles,
    /// The id is in use, or the same role is already assigned so.
    AssignmentExists,
    /// [`Policies::MAX_ASSIGNMENTS`] are there.
    TooManyAssignments,
    /// The principal holds [`Policies::MAX_HELD`].
    TooManyHeld,
    /// A role whose holder assigns roles, for a group.
    DelegatingGroup,
}

/// An assignment with what it comes to.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) rights: Rights,
}

impl Held {
    /// Whether its holder assigns roles without being an Owner.
    pub(crate) fn delegates(&self) -> bool {
        const ASSIGNS: Rights = Rights::of(&[Right::AssignmentsWrite, Right::AssignmentsDelete]);
        self.assignment.role != RoleId::OWNER && self.rights.intersects(ASSIGNS)
    }
}

impl Policies {
    /// Most assignments.
    pub const MAX_ASSIGNMENTS: usize = 100_000;

    /// Most assignments of one principal or group.
    pub const MAX_HELD: usize = 1000;

    /// Most custom roles.
    pub const MAX_CUSTOM_ROLES: usize = 1000;

    /// The built-in roles and no assignment: nobody may do anything.
    pub fn new() -> Self {
        Self {
            roles: Role::built_in().iter().map(|role| (role.id(), role.clone())).collect(),
            assignments: OrdMap::new(),
            held: OrdMap::new(),
            vaults: OrdMap::new(),
        }
    }

    /// The role of that id.
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.get(&id).map(AsRef::as_ref)
    }

    /// Every role, in the order of ids.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values().map(AsRef::as_ref)
    }

    /// The assignment of that id.
    pub fn assignment(&self, id: AssignmentId) -> Option<&Assignment> {
        self.assignments.get(&id).map(AsRef::as_ref)
    }

    /// Every assignment, in the order of ids.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.values().map(AsRef::as_ref)
    }

    /// The assignments of a principal or group itself, in the order of scopes.
    pub fn assignments_of(&self, holder: &Principal) -> impl Iterator<Item = &Assignment> {
        self.held_by(holder).iter().map(|held| held.assignment.as_ref())
    }

    /// What the vault of that name says, if it says anything.
    pub fn vault(&self, name: &str) -> Option<&VaultPolicy> {
        if self.vaults.is_empty() || name.len() > Name::MAX_LEN {
            return None;
        }
        let mut buffer = [0; Name::MAX_LEN];
        let folded = &mut buffer[..name.len()];
        folded.copy_from_slice(name.as_bytes());
        folded.make_ascii_lowercase();
        let folded = std::str::from_utf8(folded).ok()?;
        self.vaults.get(folded).map(AsRef::as_ref)
    }

    /// With a new assignment.
    pub fn with_assignment(&self, assignment: Assignment) -> Result<Self, PolicyError> {
        let role = self.roles.get(&assignment.role).ok_or(PolicyError::UnknownRole)?;
        if role.delegates() && assignment.holder.kind() == PrincipalKind::Group {
            return Err(PolicyError::DelegatingGroup);
        }
        let already = self.held_by(&assignment.holder);
        // What the configuration makes stands beside what is stored, which must read the
        // same on a node that is configured otherwise.
        let same = |held: &Held| {
            let Assignment { role, scope, configured, .. } = &*held.assignment;
            (*role, scope, *configured)
                == (assignment.role, &assignment.scope, assignment.configured)
        };
        if self.assignments.contains_key(&assignment.id) || already.iter().any(same) {
            return Err(PolicyError::AssignmentExists);
        }
        if self.assignments.len() >= Self::MAX_ASSIGNMENTS {
            return Err(PolicyError::TooManyAssignments);
        }
        if already.len() >= Self::MAX_HELD {
            return Err(PolicyError::TooManyHeld);
        }
        let assignment = Arc::new(assignment);
        let held = Held { assignment: assignment.clone(), rights: role.rights() };
        let at = already.partition_point(|other| order(other) < order(&held));
        let list = [&already[..at], &[held], &already[at..]].concat();
        Ok(Self {
            assignments: self.assignments.update(assignment.id, assignment.clone()),
            held: self.held.update(assignment.holder.clone(), list.into()),
            ..self.clone()
        })
    }

    /// Without the assignment of that id, if there is one.
    #[must_use]
    pub fn without_assignment(&self, id: AssignmentId) -> Self {
        let Some(assignment) = self.assignments.get(&id) else { return self.clone() };
        let left = self.held_by(&assignment.holder).iter().filter(|h| h.assignment.id != id);
        let left: Arc<[Held]> = left.cloned().collect();
        let held = match left.is_empty() {
            true => self.held.without(&assignment.holder),
            false => self.held.update(assignment.holder.clone(), left),
        };
        Self { assignments: self.assignments.without(&id), held, ..self.clone() }
    }

    /// With a custom role, new or changed; every assignment of it changes with it.
    pub fn with_role(&self, role: Role) -> Result<Self, PolicyError> {
        if !role.is_custom() {
            return Err(PolicyError::BuiltInRole);
        }
        let same_name = |other: &Role| {
            other.id() != role.id() && other.name().eq_ignore_ascii_case(role.name())
        };
        if self.roles().any(same_name) {
            return Err(PolicyError::RoleNameTaken);
        }
        let custom = self.roles.len() - Role::built_in().len();
        if !self.roles.contains_key(&role.id()) && custom >= Self::MAX_CUSTOM_ROLES {
            return Err(PolicyError::TooManyRoles);
        }
        let mut held = self.held.clone();
        for assignment in self.assignments().filter(|a| a.role == role.id()) {
            if role.delegates() && assignment.holder.kind() == PrincipalKind::Group {
                return Err(PolicyError::DelegatingGroup);
            }
            let changed = self.held_by(&assignment.holder).iter().map(|held| {
                let of_role = held.assignment.role == role.id();
                Held {
                    assignment: held.assignment.clone(),
                    rights: if of_role { role.rights() } else { held.rights },
                }
            });
            held.insert(assignment.holder.clone(), changed.collect());
        }
        Ok(Self { roles: self.roles.update(role.id(), Arc::new(role)), held, ..self.clone() })
    }

    /// Without a custom role, which nobody may hold any more.
    pub fn without_role(&self, id: RoleId) -> Result<Self, PolicyError> {
        let role = self.roles.get(&id).ok_or(PolicyError::UnknownRole)?;
        if !role.is_custom() {
            return Err(PolicyError::BuiltInRole);
        }
        if self.assignments().any(|assignment| assignment.role == id) {
            return Err(PolicyError::RoleInUse);
        }
        Ok(Self { roles: self.roles.without(&id), ..self.clone() })
    }

    /// With what a vault says.
    #[must_use]
    pub fn with_vault(&self, name: &Name, policy: VaultPolicy) -> Self {
        let vaults = self.vaults.update(name.folded().into(), Arc::new(policy));
        Self { vaults, ..self.clone() }
    }

    /// Without what a vault says.
    #[must_use]
    pub fn without_vault(&self, name: &Name) -> Self {
        Self { vaults: self.vaults.without(name.folded()), ..self.clone() }
    }

    /// Without anything said at `scope` or below: assignments, and what vaults say.
    ///
    /// MUST be called when a vault or an object is purged. The next of its name would
    /// otherwise be open to whoever the last one was open to.
    ///
    /// An assignment that let its holder assign is kept as expired, for an Owner to take
    /// away: a purge must not turn who assigned into somebody to whom may be assigned.
    #[must_use]
    pub fn without_scope(&self, scope: &Scope) -> Self {
        let below =
            self.assignments().filter(|a| !a.configured && scope.contains(a.scope.resource()));
        let mut left = below.fold(self.clone(), |left, assignment| {
            let delegates = self.role(assignment.role).is_some_and(Role::delegates);
            let without = left.without_assignment(assignment.id);
            let ended = Assignment { expires: Some(UnixTime(i64::MIN)), ..assignment.clone() };
            match delegates {
                true => without.with_assignment(ended).unwrap_or(left),
                false => without,
            }
        });
        match scope {
            Scope::Service => left.vaults.clear(),
            Scope::Vault(vault) => {
                left.vaults.remove(vault.folded());
            }
            Scope::Object { .. } => {}
        }
        left
    }

    pub(crate) fn held_by(&self, holder: &Principal) -> &[Held] {
        self.held.get(holder).map_or(&[], AsRef::as_ref)
    }
}

/// Of a holder's list, what reaches `resource`; the nearest to it first.
pub(crate) fn reaching<'p>(
    list: &'p [Held],
    resource: Resource<'_>,
) -> impl Iterator<Item = &'p Held> {
    // Looking at a few is quicker than looking for them.
    let (few, many) = if list.len() <= 8 { (list, &[][..]) } else { (&[][..], list) };
    let few = few.iter().rev().filter(move |held| held.assignment.scope.contains(resource));
    few.chain(resource.levels().flat_map(move |level| {
        let order = move |held: &Held| held.assignment.scope.cmp_resource(level);
        let end = many.partition_point(|held| order(held).is_le());
        many[..end].iter().rev().take_while(move |held| order(held).is_eq())
    }))
}

/// What a holder's list is sorted by.
fn order(held: &Held) -> (&Scope, AssignmentId) {
    (&held.assignment.scope, held.assignment.id)
}

impl Default for Policies {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownRole => "there is no such role",
            Self::BuiltInRole => "a built-in role cannot be changed; make a custom one",
            Self::RoleNameTaken => "another role has that name",
            Self::RoleInUse => "the role is still assigned; take its assignments away first",
            Self::TooManyRoles => "there are at most 1000 custom roles",
            Self::AssignmentExists => "there is such an assignment",
            Self::TooManyAssignments => "there are at most 100000 assignments; use groups",
            Self::TooManyHeld => "a principal has at most 1000 assignments; use wider scopes",
            Self::DelegatingGroup => {
                "a role that assigns roles goes to single principals, not to a group"
            }
        })
    }
}

impl std::error::Error for PolicyError {}
