//! What the result of an operation tells its record.

use std::sync::Arc;

use keyreeve_audit::record::Kind;
use zeroize::Zeroizing;

use super::ask::guid;
use crate::{
    Account, IssuedToken, Jwks, KeyVersion, Page, Vault, WhoAmI,
    assignments::AssignmentEntry,
    crypto::{ComputedMac, NewDataKey, Sealed, Signed, SignedEach, SignedJwt, Verified},
    identities::{AccessToken, Made},
    keys::ImportRecipient,
    roles::RoleEntry,
    vaults::VaultAccess,
};

/// A result of an operation.
pub(crate) trait Seen {
    /// What it tells. Nothing in it may come from what the caller sent or is given.
    fn sight(&self) -> Sight<'_>;
}

/// What a result tells.
#[derive(Default)]
pub(crate) struct Sight<'a> {
    /// The version that was used, made or read.
    pub(crate) version: Option<&'a KeyVersion>,
    /// How, where the request did not say it.
    pub(crate) algorithm: Option<&'static str>,
    /// Where, if there is no version.
    pub(crate) backend: Option<&'a str>,
    /// What it was done to, where the request did not say it.
    pub(crate) object: Option<(Kind, u128)>,
    /// How many, where one operation is several.
    pub(crate) number: Option<u64>,
}

impl<'a> Sight<'a> {
    fn of(version: &'a KeyVersion) -> Self {
        Self { version: Some(version), ..Self::default() }
    }

    fn of_object(kind: Kind, id: u128) -> Self {
        Self { object: Some((kind, id)), ..Self::default() }
    }
}

impl Seen for Arc<KeyVersion> {
    fn sight(&self) -> Sight<'_> {
        Sight::of(self)
    }
}

impl Seen for Arc<Vault> {
    fn sight(&self) -> Sight<'_> {
        Sight { backend: Some(self.backend()), ..Sight::default() }
    }
}

impl Seen for Signed {
    fn sight(&self) -> Sight<'_> {
        Sight::of(&self.version)
    }
}

impl Seen for SignedEach {
    fn sight(&self) -> Sight<'_> {
        let signed = self.signatures.iter().filter(|signature| signature.is_ok()).count();
        Sight { number: u64::try_from(signed).ok(), ..Sight::of(&self.version) }
    }
}

impl Seen for AssignmentEntry {
    fn sight(&self) -> Sight<'_> {
        Sight::of_object(Kind::Assignment, self.assignment.id.as_u128())
    }
}

impl Seen for RoleEntry {
    fn sight(&self) -> Sight<'_> {
        Sight::of_object(Kind::Role, self.role.id().as_u128())
    }
}

impl Seen for Arc<Account> {
    fn sight(&self) -> Sight<'_> {
        guid(self.id()).map(|id| Sight::of_object(Kind::Principal, id)).unwrap_or_default()
    }
}

/// A credential of a principal, by its id.
impl Seen for (Arc<Account>, String) {
    fn sight(&self) -> Sight<'_> {
        guid(&self.1).map(|id| Sight::of_object(Kind::Credential, id)).unwrap_or_default()
    }
}

impl Seen for Arc<IssuedToken> {
    fn sight(&self) -> Sight<'_> {
        guid(self.id()).map(|id| Sight::of_object(Kind::Credential, id)).unwrap_or_default()
    }
}

impl<T: Seen> Seen for Made<T> {
    fn sight(&self) -> Sight<'_> {
        self.made.sight()
    }
}

impl Seen for AccessToken {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl Seen for SignedJwt {
    fn sight(&self) -> Sight<'_> {
        Sight::of(&self.version)
    }
}

impl Seen for Verified {
    fn sight(&self) -> Sight<'_> {
        Sight::of(&self.version)
    }
}

impl Seen for ComputedMac {
    fn sight(&self) -> Sight<'_> {
        Sight::of(&self.version)
    }
}

impl Seen for Sealed {
    fn sight(&self) -> Sight<'_> {
        Sight { algorithm: Some(self.algorithm), ..Sight::of(&self.version) }
    }
}

impl Seen for NewDataKey {
    fn sight(&self) -> Sight<'_> {
        self.sealed.sight()
    }
}

/// What was opened or drawn: the request names the version.
impl Seen for Zeroizing<Vec<u8>> {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl<T> Seen for Page<T> {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl Seen for Arc<Jwks> {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl Seen for ImportRecipient {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl Seen for VaultAccess {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl Seen for WhoAmI {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

impl Seen for () {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}

/// A result of which there is nothing to tell.
pub(crate) struct Unseen<T>(pub(crate) T);

impl<T> Seen for Unseen<T> {
    fn sight(&self) -> Sight<'_> {
        Sight::default()
    }
}
