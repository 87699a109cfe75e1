//! The decision.
//!
//! 1. The action must be one that can be asked of such a resource.
//! 2. On data in a vault with access policies, those of the subject or of one of its
//!    groups must have a permission that allows the action; roles do not count.
//! 3. Everywhere else an assignment of the subject or of one of its groups must hold at
//!    the resource or above it, not have expired, and be of a role with a right that
//!    allows the action.
//! 4. What remains is denied.

use keyreeve_types::UnixTime;

use crate::{
    AccessPolicies, Action, AssignmentId, PermissionModel, Permissions, Policies, Principal,
    Resource, Rights, Subject,
    action::Rule,
    policies::{Held, reaching},
};

/// What was decided.
pub type Decision<'a> = Result<Grant<'a>, Denial>;

/// Proof that an action on a resource was granted. Made here and nowhere else, and for
/// one use: it is neither cloned nor built.
///
/// ```compile_fail
/// use keyreeve_authz::{Action, Grant, GrantedBy, Resource};
/// fn forge(by: GrantedBy<'_>) -> Grant<'_> {
///     Grant { action: Action::Sign, resource: Resource::Service, by }
/// }
/// ```
#[derive(Debug)]
#[must_use = "a grant that nothing demands protects nothing"]
pub struct Grant<'a> {
    action: Action,
    resource: Resource<'a>,
    by: GrantedBy<'a>,
}

/// What granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantedBy<'a> {
    /// A role assignment.
    Assignment(AssignmentId),
    /// The access policy of the vault for the subject, or for this group of it.
    AccessPolicy(&'a Principal),
}

/// Why it was denied. For the log: a caller learns that it was denied and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Neither the subject nor a group of it holds any role.
    NoRole,
    /// Its roles do not allow the action there.
    NotGranted,
    /// This assignment would have allowed it and has expired.
    Expired(AssignmentId),
    /// The access policies of the vault do not allow it.
    NotPermitted,
    /// The action is not asked of such a resource: a fault of ours.
    WrongResource,
    /// Assigning roles is decided by `may_assign` and `may_unassign`: a fault of ours.
    WrongFunction,
    /// There is no such role or assignment.
    UnknownAssignment,
    /// Only an Owner may assign this role, or take it away.
    OwnersRole,
    /// An administrator who is no Owner assigns nothing to itself.
    ToItself,
    /// An administrator who is no Owner assigns nothing to a group: it may be in it.
    ToGroup,
    /// An administrator who is no Owner assigns nothing to another such one.
    ToAdministrator,
    /// It is the last assignment of Owner to everything that does not expire.
    LastOwner,
    /// The configuration makes it, and it alone takes it away.
    Configured,
}

/// Decides whether `subject` may do `action` to `resource` at `now`.
pub fn decide<'a>(
    policies: &Policies,
    subject: &'a Subject,
    action: Action,
    resource: Resource<'a>,
    now: UnixTime,
) -> Decision<'a> {
    let rule = action.rule();
    if !rule.fits(&resource) {
        return Err(Denial::WrongResource);
    }
    if matches!(action, Action::CreateAssignment | Action::DeleteAssignment) {
        return Err(Denial::WrongFunction);
    }
    let by = match access_policies(policies, rule, resource) {
        Some(entries) => by_access_policy(entries, subject, rule.permissions())?,
        None => by_role(policies, subject, rule.rights(), resource, now)?,
    };
    Ok(Grant { action, resource, by })
}

/// The access policies that decide, where roles do not.
fn access_policies<'p>(
    policies: &'p Policies,
    rule: Rule,
    resource: Resource<'_>,
) -> Option<&'p AccessPolicies> {
    if !rule.is_data() {
        return None;
    }
    let vault = policies.vault(resource.vault()?)?;
    (vault.model == PermissionModel::AccessPolicies).then_some(&vault.access_policies)
}

fn by_access_policy<'a>(
    entries: &AccessPolicies,
    subject: &'a Subject,
    needed: Permissions,
) -> Result<GrantedBy<'a>, Denial> {
    subject
        .holders()
        .find(|holder| entries.of(holder).intersects(needed))
        .map(GrantedBy::AccessPolicy)
        .ok_or(Denial::NotPermitted)
}

fn by_role<'a>(
    policies: &Policies,
    subject: &Subject,
    needed: Rights,
    resource: Resource<'_>,
    now: UnixTime,
) -> Result<GrantedBy<'a>, Denial> {
    find_held(policies, subject, resource, now, |held| held.rights.intersects(needed))
        .map(|held| GrantedBy::Assignment(held.assignment.id))
}

/// The assignment that serves: the subject's own before those of its groups, and the
/// nearest to the resource first.
pub(crate) fn find_held<'p>(
    policies: &'p Policies,
    subject: &Subject,
    resource: Resource<'_>,
    now: UnixTime,
    serves: impl Fn(&Held) -> bool,
) -> Result<&'p Held, Denial> {
    let mut denial = Denial::NoRole;
    for holder in subject.holders() {
        let all = policies.held_by(holder);
        if !all.is_empty() && denial == Denial::NoRole {
            denial = Denial::NotGranted;
        }
        for held in reaching(all, resource).filter(|held| serves(held)) {
            if !held.assignment.has_expired(now) {
                return Ok(held);
            }
            denial = Denial::Expired(held.assignment.id);
        }
    }
    Err(denial)
}

impl<'a> Grant<'a> {
    pub(crate) const fn new(action: Action, resource: Resource<'a>, by: GrantedBy<'a>) -> Self {
        Self { action, resource, by }
    }

    /// What was granted.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// On what.
    pub const fn resource(&self) -> Resource<'a> {
        self.resource
    }

    /// By what.
    pub const fn by(&self) -> GrantedBy<'a> {
        self.by
    }
}

impl Denial {
    /// Whether a program of ours asked wrongly, rather than a caller in vain.
    pub const fn is_our_fault(self) -> bool {
        matches!(self, Self::WrongResource | Self::WrongFunction)
    }

    /// What to write in a log.
    pub const fn log_message(self) -> &'static str {
        match self {
            Self::NoRole => "the caller holds no role",
            Self::NotGranted => "no role of the caller allows it there",
            Self::Expired(_) => "the assignment that allowed it has expired",
            Self::NotPermitted => "no access policy of the vault allows it",
            Self::WrongResource => "the action is not asked of such a resource",
            Self::WrongFunction => "assigning roles was decided by the wrong function",
            Self::UnknownAssignment => "there is no such role or assignment",
            Self::OwnersRole => "only an Owner assigns this role or takes it away",
            Self::ToItself => "only an Owner assigns a role to itself",
            Self::ToGroup => "only an Owner assigns a role to a group",
            Self::ToAdministrator => "only an Owner assigns a role to who assigns roles",
            Self::LastOwner => "it is the last Owner of everything",
            Self::Configured => "the configuration makes the assignment",
        }
    }
}
