//! What a caller asks for: actions, each with what it is asked of.

use std::fmt;

use keyreeve_audit::record::Kind;
use keyreeve_authz::{Action, Assignment, AssignmentId, Resource, RoleId};

use crate::name::{KeyName, VaultName};

/// What a caller asks for. By the names in the request: nothing was looked up.
#[derive(Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// An action.
    One(Action, Resource<'a>),
    /// Something of a key or one of its versions, and the algorithm that was named.
    Key(Action, KeyName<'a>, Option<&'static str>),
    /// Something of what has an id and belongs to no vault; none for one to be made.
    Thing(Action, Kind, Option<u128>),
    /// Two actions, both of which the caller needs: by the name of the operation.
    Both(&'static str, &'a [(Action, Resource<'a>); 2]),
    /// To make an assignment.
    Assign(&'a Assignment),
    /// To take an assignment away.
    Unassign(AssignmentId),
    /// To read an assignment.
    ReadAssignment(AssignmentId),
    /// What anybody may, known or not, from where the vault can be reached.
    Public(Action, Resource<'a>),
    /// What everybody may who is known: by the name of the operation.
    Proven(&'static str),
}

impl<'a> Ask<'a> {
    /// Something of the service as a whole.
    pub(crate) const fn service(action: Action) -> Self {
        Self::One(action, Resource::Service)
    }

    /// Something of a vault.
    pub(crate) const fn vault(action: Action, vault: VaultName<'a>) -> Self {
        Self::One(action, vault.resource())
    }

    /// Something of a key, whichever of its versions.
    pub(crate) const fn key(action: Action, key: KeyName<'a>) -> Self {
        Self::Key(action, key, None)
    }

    /// Something of a key, by an algorithm.
    pub(crate) const fn using(action: Action, key: KeyName<'a>, algorithm: &'static str) -> Self {
        Self::Key(action, key, Some(algorithm))
    }

    /// Something of a role.
    pub(crate) const fn role(action: Action, id: Option<RoleId>) -> Self {
        match id {
            Some(id) => Self::Thing(action, Kind::Role, Some(id.as_u128())),
            None => Self::Thing(action, Kind::Role, None),
        }
    }

    /// What the operation is called.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::One(action, _)
            | Self::Key(action, ..)
            | Self::Thing(action, ..)
            | Self::Public(action, _) => action.name(),
            Self::Both(operation, _) | Self::Proven(operation) => operation,
            Self::Assign(_) => Action::CreateAssignment.name(),
            Self::Unassign(_) => Action::DeleteAssignment.name(),
            Self::ReadAssignment(_) => Action::ListAssignments.name(),
        }
    }
}

impl fmt::Display for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation();
        match self {
            Self::One(_, resource) | Self::Public(_, resource) => {
                write!(f, "{operation} on {resource}")
            }
            Self::Key(_, key, _) => write!(f, "{operation} on {}", key.resource()),
            Self::Thing(_, kind, Some(id)) => write!(f, "{operation} on {} {id:032x}", kind.name()),
            Self::Thing(_, kind, None) => write!(f, "{operation} on a {}", kind.name()),
            Self::Both(_, [(_, from), (_, to)]) => write!(f, "{operation} from {from} to {to}"),
            Self::Assign(assignment) => write!(f, "{operation} at {}", assignment.scope),
            Self::Unassign(id) | Self::ReadAssignment(id) => write!(f, "{operation} {id}"),
            Self::Proven(_) => f.write_str(operation),
        }
    }
}
