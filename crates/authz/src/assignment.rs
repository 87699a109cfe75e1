//! Assignments: a role, to a principal or group, at a scope, for a time.

use std::{fmt, str::FromStr};

use keyreeve_types::UnixTime;

use crate::{BadGuid, Principal, RoleId, Scope, guid};

/// One role assignment. Rights add up; none takes another away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id, which the audit log names as what decided.
    pub id: AssignmentId,
    /// The role.
    pub role: RoleId,
    /// Who has it: a principal, or each member of a group.
    pub holder: Principal,
    /// Where.
    pub scope: Scope,
    /// From this time on it grants nothing; none is for good.
    pub expires: Option<UnixTime>,
    /// Whether the configuration makes it. It lasts for as long as the configuration says
    /// so, and nobody else takes it away.
    pub configured: bool,
}

/// Identifies an assignment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssignmentId(u128);

impl Assignment {
    /// Whether its time has passed.
    pub fn has_expired(&self, now: UnixTime) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }
}

impl AssignmentId {
    /// The id of these bits, which the caller drew from a secure random source.
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl FromStr for AssignmentId {
    type Err = BadGuid;

    fn from_str(text: &str) -> Result<Self, BadGuid> {
        guid::parse(text).map(Self)
    }
}

impl fmt::Display for AssignmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        guid::write(self.0, f)
    }
}

impl fmt::Debug for AssignmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssignmentId({self})")
    }
}
