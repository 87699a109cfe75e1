//! Resources: what an action is asked of, by the names in the request.
//!
//! Borrowed, because a decision is made for every request. The names are not looked
//! up: a decision is the same whether or not there is such an object.

use std::fmt;

/// What an action is asked of. Whoever makes one has checked that the names are names
/// (`keyreeve_types::Name`); their case does not matter.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The service as a whole.
    Service,
    /// A vault, deleted ones included.
    Vault(&'a str),
    /// An object in a vault, whichever of its versions.
    Object {
        /// Its vault.
        vault: &'a str,
        /// What it is.
        kind: ObjectKind,
        /// Its name.
        name: &'a str,
    },
}

/// The kinds of object in a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A key.
    Key,
    /// A secret.
    Secret,
    /// A certificate.
    Certificate,
}

pub(crate) const SERVICE: u8 = 1;
pub(crate) const VAULT: u8 = 2;
pub(crate) const KEY: u8 = 4;
pub(crate) const SECRET: u8 = 8;
pub(crate) const CERTIFICATE: u8 = 16;

impl<'a> Resource<'a> {
    /// The key `name` in `vault`.
    pub const fn key(vault: &'a str, name: &'a str) -> Self {
        Self::Object { vault, kind: ObjectKind::Key, name }
    }

    /// The secret `name` in `vault`.
    pub const fn secret(vault: &'a str, name: &'a str) -> Self {
        Self::Object { vault, kind: ObjectKind::Secret, name }
    }

    /// The certificate `name` in `vault`.
    pub const fn certificate(vault: &'a str, name: &'a str) -> Self {
        Self::Object { vault, kind: ObjectKind::Certificate, name }
    }

    /// Its vault, or the vault that it is.
    pub const fn vault(self) -> Option<&'a str> {
        match self {
            Self::Service => None,
            Self::Vault(vault) | Self::Object { vault, .. } => Some(vault),
        }
    }

    /// What contains it, itself first.
    pub(crate) fn levels(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |level| match level {
            Self::Service => None,
            Self::Vault(_) => Some(Self::Service),
            Self::Object { vault, .. } => Some(Self::Vault(vault)),
        })
    }

    pub(crate) const fn bit(&self) -> u8 {
        match self {
            Self::Service => SERVICE,
            Self::Vault(_) => VAULT,
            Self::Object { kind: ObjectKind::Key, .. } => KEY,
            Self::Object { kind: ObjectKind::Secret, .. } => SECRET,
            Self::Object { kind: ObjectKind::Certificate, .. } => CERTIFICATE,
        }
    }
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Key, Self::Secret, Self::Certificate];

    /// The name of the collection such objects are in, as in a scope.
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Secret => "secrets",
            Self::Certificate => "certificates",
        }
    }

    pub(crate) fn of_collection(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.collection() == text)
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service => f.write_str("/"),
            Self::Vault(vault) => write!(f, "/vaults/{vault}"),
            Self::Object { vault, kind, name } => {
                write!(f, "/vaults/{vault}/{}/{name}", kind.collection())
            }
        }
    }
}
