//! Permissions of the legacy model, access policies.
//!
//! A permission belongs to a kind of object and has a short name; names compare
//! without case. `all` means every permission of its kind but `purge`, which must be
//! named. The kind `storage`, which Azure has deprecated, is left out.

use std::fmt;

use crate::ObjectKind;

/// One permission of an access policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// `get` on keys.
    KeysGet,
    /// `list` on keys.
    KeysList,
    /// `create` on keys.
    KeysCreate,
    /// `import` on keys.
    KeysImport,
    /// `update` on keys.
    KeysUpdate,
    /// `delete` on keys.
    KeysDelete,
    /// `recover` on keys.
    KeysRecover,
    /// `backup` on keys.
    KeysBackup,
    /// `restore` on keys.
    KeysRestore,
    /// `purge` on keys.
    KeysPurge,
    /// `encrypt` on keys.
    KeysEncrypt,
    /// `decrypt` on keys.
    KeysDecrypt,
    /// `wrapKey` on keys.
    KeysWrapKey,
    /// `unwrapKey` on keys.
    KeysUnwrapKey,
    /// `sign` on keys.
    KeysSign,
    /// `verify` on keys.
    KeysVerify,
    /// `release` on keys.
    KeysRelease,
    /// `rotate` on keys.
    KeysRotate,
    /// `getrotationpolicy` on keys.
    KeysGetRotationPolicy,
    /// `setrotationpolicy` on keys.
    KeysSetRotationPolicy,
    /// `get` on secrets.
    SecretsGet,
    /// `list` on secrets.
    SecretsList,
    /// `set` on secrets.
    SecretsSet,
    /// `delete` on secrets.
    SecretsDelete,
    /// `recover` on secrets.
    SecretsRecover,
    /// `backup` on secrets.
    SecretsBackup,
    /// `restore` on secrets.
    SecretsRestore,
    /// `purge` on secrets.
    SecretsPurge,
    /// `get` on certificates.
    CertificatesGet,
    /// `list` on certificates.
    CertificatesList,
    /// `create` on certificates.
    CertificatesCreate,
    /// `import` on certificates.
    CertificatesImport,
    /// `update` on certificates.
    CertificatesUpdate,
    /// `delete` on certificates.
    CertificatesDelete,
    /// `recover` on certificates.
    CertificatesRecover,
    /// `backup` on certificates.
    CertificatesBackup,
    /// `restore` on certificates.
    CertificatesRestore,
    /// `purge` on certificates.
    CertificatesPurge,
    /// `managecontacts` on certificates.
    CertificatesManageContacts,
    /// `getissuers` on certificates.
    CertificatesGetIssuers,
    /// `listissuers` on certificates.
    CertificatesListIssuers,
    /// `setissuers` on certificates.
    CertificatesSetIssuers,
    /// `deleteissuers` on certificates.
    CertificatesDeleteIssuers,
    /// `manageissuers` on certificates.
    CertificatesManageIssuers,
}

/// A set of permissions, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u64);

impl Permission {
    /// Every permission, in the order of their bits.
    pub const ALL: [Self; 44] = [
        Self::KeysGet,
        Self::KeysList,
        Self::KeysCreate,
        Self::KeysImport,
        Self::KeysUpdate,
        Self::KeysDelete,
        Self::KeysRecover,
        Self::KeysBackup,
        Self::KeysRestore,
        Self::KeysPurge,
        Self::KeysEncrypt,
        Self::KeysDecrypt,
        Self::KeysWrapKey,
        Self::KeysUnwrapKey,
        Self::KeysSign,
        Self::KeysVerify,
        Self::KeysRelease,
        Self::KeysRotate,
        Self::KeysGetRotationPolicy,
        Self::KeysSetRotationPolicy,
        Self::SecretsGet,
        Self::SecretsList,
        Self::SecretsSet,
        Self::SecretsDelete,
        Self::SecretsRecover,
        Self::SecretsBackup,
        Self::SecretsRestore,
        Self::SecretsPurge,
        Self::CertificatesGet,
        Self::CertificatesList,
        Self::CertificatesCreate,
        Self::CertificatesImport,
        Self::CertificatesUpdate,
        Self::CertificatesDelete,
        Self::CertificatesRecover,
        Self::CertificatesBackup,
        Self::CertificatesRestore,
        Self::CertificatesPurge,
        Self::CertificatesManageContacts,
        Self::CertificatesGetIssuers,
        Self::CertificatesListIssuers,
        Self::CertificatesSetIssuers,
        Self::CertificatesDeleteIssuers,
        Self::CertificatesManageIssuers,
    ];

    /// The kind of object it is on.
    pub const fn kind(self) -> ObjectKind {
        if (self as usize) < Self::SecretsGet as usize {
            ObjectKind::Key
        } else if (self as usize) < Self::CertificatesGet as usize {
            ObjectKind::Secret
        } else {
            ObjectKind::Certificate
        }
    }

    /// Its name, as in Azure's `permissions.keys` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeysGet | Self::SecretsGet | Self::CertificatesGet => "get",
            Self::KeysList | Self::SecretsList | Self::CertificatesList => "list",
            Self::KeysCreate | Self::CertificatesCreate => "create",
            Self::KeysImport | Self::CertificatesImport => "import",
            Self::KeysUpdate | Self::CertificatesUpdate => "update",
            Self::KeysDelete | Self::SecretsDelete | Self::CertificatesDelete => "delete",
            Self::KeysRecover | Self::SecretsRecover | Self::CertificatesRecover => "recover",
            Self::KeysBackup | Self::SecretsBackup | Self::CertificatesBackup => "backup",
            Self::KeysRestore | Self::SecretsRestore | Self::CertificatesRestore => "restore",
            Self::KeysPurge | Self::SecretsPurge | Self::CertificatesPurge => "purge",
            Self::KeysEncrypt => "encrypt",
            Self::KeysDecrypt => "decrypt",
            Self::KeysWrapKey => "wrapKey",
            Self::KeysUnwrapKey => "unwrapKey",
            Self::KeysSign => "sign",
            Self::KeysVerify => "verify",
            Self::KeysRelease => "release",
            Self::KeysRotate => "rotate",
            Self::KeysGetRotationPolicy => "getrotationpolicy",
            Self::KeysSetRotationPolicy => "setrotationpolicy",
            Self::SecretsSet => "set",
            Self::CertificatesManageContacts => "managecontacts",
            Self::CertificatesGetIssuers => "getissuers",
            Self::CertificatesListIssuers => "listissuers",
            Self::CertificatesSetIssuers => "setissuers",
            Self::CertificatesDeleteIssuers => "deleteissuers",
            Self::CertificatesManageIssuers => "manageissuers",
        }
    }

    const fn bit(self) -> u64 {
        1 << self as u32
    }
}

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// The set of `permissions`.
    pub const fn of(permissions: &[Permission]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < permissions.len() {
            bits |= permissions[i].bit();
            i += 1;
        }
        Self(bits)
    }

    /// What `text` means in the list of `kind`: one permission, or `all`, which leaves
    /// `purge` out. Case does not matter.
    pub fn parse(kind: ObjectKind, text: &str) -> Option<Self> {
        let of_kind = Permission::ALL.into_iter().filter(|p| p.kind() == kind);
        let set = if text.eq_ignore_ascii_case("all") {
            of_kind.filter(|p| p.name() != "purge").collect::<Self>()
        } else {
            of_kind.filter(|p| p.name().eq_ignore_ascii_case(text)).collect()
        };
        (set != Self::NONE).then_some(set)
    }

    /// Whether `permission` is in it.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether the two have a permission in common.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The permissions in it, in their order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |p| self.contains(*p))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, |set, p| Self(set.0 | p.bit()))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind().collection(), self.name())
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against two permissions on one bit, and against a name that means a
    /// permission of another kind of object: `secrets/get` must not open keys.
    #[test]
    fn every_permission_parses_to_itself_within_its_kind() {
        for (i, permission) in Permission::ALL.into_iter().enumerate() {
            assert_eq!(permission as usize, i, "{permission}");
            let upper = permission.name().to_ascii_uppercase();
            let parsed = Permissions::parse(permission.kind(), &upper);
            assert_eq!(parsed, Some(Permissions::of(&[permission])), "{permission}");
        }
        assert_eq!(Permissions::parse(ObjectKind::Secret, "sign"), None);
        assert_eq!(Permissions::parse(ObjectKind::Key, ""), None);
    }

    /// Guards against `all` that lets somebody purge.
    #[test]
    fn all_leaves_purge_out() {
        for kind in ObjectKind::ALL {
            let all = Permissions::parse(kind, "All").expect("a set");
            let purge = Permissions::parse(kind, "purge").expect("a set");
            assert!(!all.intersects(purge));
            let of_kind = Permission::ALL.into_iter().filter(|p| p.kind() == kind).count();
            assert_eq!(all.iter().count(), of_kind - 1);
        }
    }
}
