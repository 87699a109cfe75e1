//! What a caller asks for: actions, each with what it is asked of.
//!
//! Whoever asks for a change of who may do what says here what it is to be, so that it
//! is on record before it is made, and whether or not its caller waits for the answer.

use std::fmt;

use keyreeve_audit::record::{Change, Kind};
use keyreeve_authz::{Action, Assignment, AssignmentId, Resource, RoleId};

use super::change;
use crate::name::{KeyName, VaultName};

/// What a caller asks for. By the names in the request: nothing was looked up.
#[derive(Clone, Copy)]
pub(crate) enum Ask<'a> {
    /// An action.
    One(Action, Resource<'a>),
    /// Something of a key or one of its versions, and the algorithm that was named.
    Key(Action, KeyName<'a>, Option<&'static str>),
    /// Something of what belongs to no vault.
    Thing(Thing<'a>),
    /// An action that sets who reaches a vault's data.
    Set(Action, Resource<'a>, &'a Change),
    /// Two actions, both of which the caller needs: by the name of the operation.
    Both(&'static str, &'a [(Action, Resource<'a>); 2]),
    /// To make an assignment.
    Assign(&'a Assignment),
    /// To take an assignment away, and what it gives.
    Unassign(AssignmentId, Option<&'a Change>),
    /// To read an assignment.
    ReadAssignment(AssignmentId),
    /// What anybody may, known or not, from where the vault can be reached.
    Public(Action, Resource<'a>),
    /// What everybody may who is known: by the name of the operation.
    Proven(&'static str),
}

/// Something asked of what has an id and belongs to no vault: a role, a principal.
#[derive(Clone, Copy)]
pub(crate) struct Thing<'a> {
    /// What it is called in the log.
    pub(crate) operation: &'static str,
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    /// None where it is yet to be made, or where it is all of them.
    pub(crate) id: Option<u128>,
    /// What it sets of who may do what.
    pub(crate) change: Option<&'a Change>,
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

    /// Something of a role, or of roles.
    pub(crate) const fn role(operation: &'static str, action: Action, id: Option<RoleId>) -> Self {
        let id = match id {
            Some(id) => Some(id.as_u128()),
            None => None,
        };
        Self::Thing(Thing { operation, action, kind: Kind::Role, id, change: None })
    }

    /// Something of a principal, or of principals.
    pub(crate) fn principal(operation: &'static str, action: Action, id: Option<&str>) -> Self {
        let id = id.and_then(guid);
        Self::Thing(Thing { operation, action, kind: Kind::Principal, id, change: None })
    }

    /// Something of a token or another credential, or of several.
    pub(crate) fn credential(operation: &'static str, action: Action, id: Option<&str>) -> Self {
        let id = id.and_then(guid);
        Self::Thing(Thing { operation, action, kind: Kind::Credential, id, change: None })
    }

    /// The same, setting `change`.
    pub(crate) const fn setting(self, change: &'a Change) -> Self {
        match self {
            Self::One(action, resource) => Self::Set(action, resource, change),
            Self::Thing(thing) => Self::Thing(Thing { change: Some(change), ..thing }),
            other => other,
        }
    }

    /// What it sets of who may do what.
    pub(super) fn change(&self) -> Option<Box<Change>> {
        match self {
            Self::Assign(assignment) => Some(Box::new(change::of_assignment(assignment))),
            Self::Set(_, _, change)
            | Self::Unassign(_, Some(change))
            | Self::Thing(Thing { change: Some(change), .. }) => Some(Box::new((*change).clone())),
            _ => None,
        }
    }

    /// The vault that is asked for, if it is one.
    pub(crate) const fn vault_name(&self) -> Option<&'a str> {
        match self {
            Self::One(_, resource) | Self::Set(_, resource, _) | Self::Public(_, resource) => {
                resource.vault()
            }
            Self::Key(_, key, _) => key.resource().vault(),
            Self::Both(_, [(_, from), _]) => from.vault(),
            Self::Thing(_)
            | Self::Assign(_)
            | Self::Unassign(..)
            | Self::ReadAssignment(_)
            | Self::Proven(_) => None,
        }
    }

    /// The object in that vault, if it is one.
    pub(crate) fn object_name(&self) -> Option<&'a str> {
        match self {
            Self::One(_, Resource::Object { name, .. })
            | Self::Public(_, Resource::Object { name, .. })
            | Self::Both(_, [(_, Resource::Object { name, .. }), _]) => Some(name),
            Self::Key(_, key, _) => Some(key.key()),
            _ => None,
        }
    }

    /// What the operation is called.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::One(action, _)
            | Self::Set(action, ..)
            | Self::Key(action, ..)
            | Self::Public(action, _) => action.name(),
            Self::Thing(thing) => thing.operation,
            Self::Both(operation, _) | Self::Proven(operation) => operation,
            Self::Assign(_) => Action::CreateAssignment.name(),
            Self::Unassign(..) => Action::DeleteAssignment.name(),
            Self::ReadAssignment(_) => Action::ListAssignments.name(),
        }
    }
}

impl fmt::Display for Ask<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation();
        match self {
            Self::One(_, resource) | Self::Set(_, resource, _) | Self::Public(_, resource) => {
                write!(f, "{operation} on {resource}")
            }
            Self::Key(_, key, _) => write!(f, "{operation} on {}", key.resource()),
            // Its right is what a caller may lack, and several operations take one.
            Self::Thing(thing) => {
                write!(f, "{} on a {}", thing.action.name(), thing.kind.name())?;
                thing.id.map_or(Ok(()), |id| write!(f, ", {id:032x}"))
            }
            Self::Both(_, [(_, from), (_, to)]) => write!(f, "{operation} from {from} to {to}"),
            Self::Assign(assignment) => write!(f, "{operation} at {}", assignment.scope),
            Self::Unassign(id, _) | Self::ReadAssignment(id) => write!(f, "{operation} {id}"),
            Self::Proven(_) => f.write_str(operation),
        }
    }
}

/// The number of a GUID, or of 32 hex digits.
pub(super) fn guid(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)
}
