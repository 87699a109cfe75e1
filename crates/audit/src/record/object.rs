//! What an operation is asked of.

use keyreeve_types::{FoldedName, VersionId};

use super::Id;

/// An object of the service: a kind, and as much of vault, name, id and version as
/// the operation has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// The vault it is in, or is. Folded: one object has one spelling in the log, as it
    /// has one record.
    pub vault: Option<FoldedName>,
    /// Its name in the vault.
    pub name: Option<FoldedName>,
    /// Its id, which no other object ever gets; names can be used again.
    pub id: Option<Id>,
    /// The version used.
    pub version: Option<VersionId>,
}

/// The kinds of objects. Texts in the log are those of [`Kind::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The service as a whole.
    Service,
    /// A vault.
    Vault,
    /// A key.
    Key,
    /// A secret.
    Secret,
    /// A certificate.
    Certificate,
    /// A role definition.
    Role,
    /// A role assignment.
    Assignment,
    /// A service principal or managed identity.
    Principal,
    /// A token or another credential that Keyreeve issued.
    Credential,
    /// This log.
    AuditLog,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Service,
        Self::Vault,
        Self::Key,
        Self::Secret,
        Self::Certificate,
        Self::Role,
        Self::Assignment,
        Self::Principal,
        Self::Credential,
        Self::AuditLog,
    ];

    /// The word in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Vault => "vault",
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Role => "role",
            Self::Assignment => "assignment",
            Self::Principal => "principal",
            Self::Credential => "credential",
            Self::AuditLog => "audit-log",
        }
    }
}

impl Object {
    /// An object of which only the kind is known.
    pub const fn of_kind(kind: Kind) -> Self {
        Self { kind, vault: None, name: None, id: None, version: None }
    }

    /// A vault.
    pub fn vault(vault: FoldedName) -> Self {
        Self { vault: Some(vault), ..Self::of_kind(Kind::Vault) }
    }

    /// A key, secret or certificate in a vault.
    pub fn in_vault(kind: Kind, vault: FoldedName, name: FoldedName) -> Self {
        Self { vault: Some(vault), name: Some(name), ..Self::of_kind(kind) }
    }
}
