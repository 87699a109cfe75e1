//! Who may assign a role, and take it away.
//!
//! An Owner at the scope, or above it, may assign any role there to anybody. Everybody
//! else who may assign roles is a delegate: the holder of Key Vault Data Access
//! Administrator, or of a custom role with the right to. A delegate assigns, and takes
//! away, the roles that Azure's condition lists ([`RoleId::is_delegable`]), and
//! three rules keep it from opening data to itself, alone or in league:
//!
//! - It assigns nothing to itself. The third rule implies it; the log has its own reason.
//! - It assigns nothing to a group: it may be a member, or become one.
//! - It assigns nothing to another delegate, who would return the favour. Delegates are
//!   known, because [`Policies`] lets no group be one; and one stays a delegate until an
//!   Owner takes the assignment away, even when it has expired.
//!
//! Azure has the first list and not the three rules: there a Data Access Administrator
//! can make itself Key Vault Administrator.
//!
//! [`RoleId::is_delegable`]: crate::RoleId::is_delegable

use keyreeve_types::UnixTime;

use crate::{
    Action, Assignment, AssignmentId, Decision, Denial, Grant, GrantedBy, Policies, PrincipalKind,
    Resource, Right, RoleId, Scope, Subject, decide::find_held,
};

/// Decides whether `subject` may make `assignment`. Whether it can be made, as with an
/// id that is in use, [`Policies::with_assignment`] says.
pub fn may_assign<'a>(
    policies: &Policies,
    subject: &Subject,
    assignment: &'a Assignment,
    now: UnixTime,
) -> Decision<'a> {
    let resource = assignment.scope.resource();
    if policies.role(assignment.role).is_none() {
        return Err(Denial::UnknownAssignment);
    }
    if let Some(owner) = owner(policies, subject, resource, now) {
        return Ok(Grant::new(Action::CreateAssignment, resource, owner));
    }
    let by = delegate(policies, subject, Right::AssignmentsWrite, resource, now)?;
    if !assignment.role.is_delegable() {
        return Err(Denial::OwnersRole);
    }
    if assignment.holder == *subject.principal() {
        return Err(Denial::ToItself);
    }
    if assignment.holder.kind() == PrincipalKind::Group {
        return Err(Denial::ToGroup);
    }
    if policies.held_by(&assignment.holder).iter().any(|held| held.delegates()) {
        return Err(Denial::ToAdministrator);
    }
    Ok(Grant::new(Action::CreateAssignment, resource, by))
}

/// Decides whether `subject` may take the assignment `id` away.
pub fn may_unassign<'a>(
    policies: &'a Policies,
    subject: &Subject,
    id: AssignmentId,
    now: UnixTime,
) -> Decision<'a> {
    let assignment = policies.assignment(id).ok_or(Denial::UnknownAssignment)?;
    let resource = assignment.scope.resource();
    let by = match owner(policies, subject, resource, now) {
        Some(_) if assignment.configured => return Err(Denial::Configured),
        Some(_) if is_last_owner(policies, assignment) => return Err(Denial::LastOwner),
        Some(owner) => owner,
        None => {
            let by = delegate(policies, subject, Right::AssignmentsDelete, resource, now)?;
            if !assignment.role.is_delegable() {
                return Err(Denial::OwnersRole);
            }
            if assignment.configured {
                return Err(Denial::Configured);
            }
            by
        }
    };
    Ok(Grant::new(Action::DeleteAssignment, resource, by))
}

fn owner<'a>(
    policies: &Policies,
    subject: &Subject,
    resource: Resource<'_>,
    now: UnixTime,
) -> Option<GrantedBy<'a>> {
    find_held(policies, subject, resource, now, |held| held.assignment.role == RoleId::OWNER)
        .map(|held| GrantedBy::Assignment(held.assignment.id))
        .ok()
}

fn delegate<'a>(
    policies: &Policies,
    subject: &Subject,
    needed: Right,
    resource: Resource<'_>,
    now: UnixTime,
) -> Result<GrantedBy<'a>, Denial> {
    find_held(policies, subject, resource, now, |held| held.rights.contains(needed))
        .map(|held| GrantedBy::Assignment(held.assignment.id))
}

/// Without it nobody could assign anything any more: not now, or not after a while.
fn is_last_owner(policies: &Policies, assignment: &Assignment) -> bool {
    let lasting = |a: &Assignment| {
        a.role == RoleId::OWNER && a.scope == Scope::Service && a.expires.is_none()
    };
    lasting(assignment)
        && !policies.assignments().any(|other| other.id != assignment.id && lasting(other))
}
