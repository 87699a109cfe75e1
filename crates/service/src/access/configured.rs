//! What the configuration assigns: roles at `/` to the bearers of its tokens.

use keyreeve_authz::{Assignment, AssignmentId, Principal, RoleId, Scope};
use keyreeve_publickey::digest;
use keyreeve_types::Digest;

/// A role at `/` that the configuration gives somebody, for as long as it says so. The
/// role MUST be built in: what the store holds can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredRole {
    /// Who has it.
    pub holder: Principal,
    /// Which.
    pub role: RoleId,
}

impl ConfiguredRole {
    /// As an assignment. Its id is the same on every node and after every start: the
    /// first 16 bytes of SHA-256 over kind, name and role, between zero bytes.
    pub(super) fn to_assignment(&self) -> Assignment {
        let Self { holder, role } = self;
        let text = format!("configuration\0{}\0{}\0{role}", holder.kind(), holder.name());
        let hash = digest(Digest::Sha256, text.as_bytes());
        let id = hash.as_ref()[..16].iter().fold(0, |id, byte| id << 8 | u128::from(*byte));
        Assignment {
            id: AssignmentId::from_u128(id),
            role: *role,
            holder: holder.clone(),
            scope: Scope::Service,
            expires: None,
            configured: true,
        }
    }
}
