//! Role assignments. One file for each operation.

mod create;
mod delete;
mod get;
mod list;

pub use create::CreateAssignment;
pub use list::ListAssignments;

use keyreeve_authz::{Assignment, AssignmentId};
use keyreeve_types::UnixTime;

use crate::{Error, access::Snapshot};

/// An assignment, with what the store knows of it.
#[derive(Debug, Clone)]
pub struct AssignmentEntry {
    /// The assignment.
    pub assignment: Assignment,
    /// The name of its role.
    pub role_name: String,
    /// When it was made; none of one that the configuration makes.
    pub created: Option<UnixTime>,
}

impl AssignmentEntry {
    pub(crate) fn of(snapshot: &Snapshot, assignment: &Assignment) -> Self {
        let role = snapshot.policies.role(assignment.role);
        Self {
            assignment: assignment.clone(),
            role_name: role.map(|role| role.name().to_owned()).unwrap_or_default(),
            created: snapshot.assignments.get(&assignment.id).map(|stamp| stamp.created),
        }
    }

    fn find(snapshot: &Snapshot, id: AssignmentId) -> Result<Self, Error> {
        let assignment = snapshot.policies.assignment(id);
        assignment
            .map(|assignment| Self::of(snapshot, assignment))
            .ok_or_else(|| Error::not_found(format_args!("assignment {id}")))
    }
}
