//! Rights: what a role grants, by the names Azure gives them.
//!
//! A right is of one plane. Data rights act on keys, secrets and certificates and are
//! granted by the `dataActions` of a role; management rights act on vaults, roles and
//! identities and are granted by its `actions`. No pattern of one list reaches a right
//! of the other plane, which is why managing a vault never opens it.
//!
//! The family `storageaccounts`, which Azure has deprecated, is left out.

use std::fmt;

/// One right. The order is that of the bits in [`Rights`](crate::Rights).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// `Microsoft.KeyVault/vaults/keys/read`.
    KeysRead,
    /// `Microsoft.KeyVault/vaults/keys/create/action`.
    KeysCreate,
    /// `Microsoft.KeyVault/vaults/keys/import/action`.
    KeysImport,
    /// `Microsoft.KeyVault/vaults/keys/update/action`.
    KeysUpdate,
    /// `Microsoft.KeyVault/vaults/keys/delete`.
    KeysDelete,
    /// `Microsoft.KeyVault/vaults/keys/backup/action`.
    KeysBackup,
    /// `Microsoft.KeyVault/vaults/keys/restore/action`.
    KeysRestore,
    /// `Microsoft.KeyVault/vaults/keys/recover/action`.
    KeysRecover,
    /// `Microsoft.KeyVault/vaults/keys/purge/action`.
    KeysPurge,
    /// `Microsoft.KeyVault/vaults/keys/encrypt/action`.
    KeysEncrypt,
    /// `Microsoft.KeyVault/vaults/keys/decrypt/action`.
    KeysDecrypt,
    /// `Microsoft.KeyVault/vaults/keys/wrap/action`.
    KeysWrap,
    /// `Microsoft.KeyVault/vaults/keys/unwrap/action`.
    KeysUnwrap,
    /// `Microsoft.KeyVault/vaults/keys/sign/action`.
    KeysSign,
    /// `Microsoft.KeyVault/vaults/keys/verify/action`.
    KeysVerify,
    /// `Microsoft.KeyVault/vaults/keys/release/action`.
    KeysRelease,
    /// `Microsoft.KeyVault/vaults/keys/rotate/action`.
    KeysRotate,
    /// `Microsoft.KeyVault/vaults/keyrotationpolicies/read`.
    RotationPoliciesRead,
    /// `Microsoft.KeyVault/vaults/keyrotationpolicies/write`.
    RotationPoliciesWrite,
    /// `Microsoft.KeyVault/vaults/secrets/getSecret/action`.
    SecretsGetSecret,
    /// `Microsoft.KeyVault/vaults/secrets/setSecret/action`.
    SecretsSetSecret,
    /// `Microsoft.KeyVault/vaults/secrets/readMetadata/action`.
    SecretsReadMetadata,
    /// `Microsoft.KeyVault/vaults/secrets/update/action`.
    SecretsUpdate,
    /// `Microsoft.KeyVault/vaults/secrets/delete`.
    SecretsDelete,
    /// `Microsoft.KeyVault/vaults/secrets/backup/action`.
    SecretsBackup,
    /// `Microsoft.KeyVault/vaults/secrets/restore/action`.
    SecretsRestore,
    /// `Microsoft.KeyVault/vaults/secrets/recover/action`.
    SecretsRecover,
    /// `Microsoft.KeyVault/vaults/secrets/purge/action`.
    SecretsPurge,
    /// `Microsoft.KeyVault/vaults/certificates/read`.
    CertificatesRead,
    /// `Microsoft.KeyVault/vaults/certificates/create/action`.
    CertificatesCreate,
    /// `Microsoft.KeyVault/vaults/certificates/import/action`.
    CertificatesImport,
    /// `Microsoft.KeyVault/vaults/certificates/update/action`.
    CertificatesUpdate,
    /// `Microsoft.KeyVault/vaults/certificates/delete`.
    CertificatesDelete,
    /// `Microsoft.KeyVault/vaults/certificates/backup/action`.
    CertificatesBackup,
    /// `Microsoft.KeyVault/vaults/certificates/restore/action`.
    CertificatesRestore,
    /// `Microsoft.KeyVault/vaults/certificates/recover/action`.
    CertificatesRecover,
    /// `Microsoft.KeyVault/vaults/certificates/purge/action`.
    CertificatesPurge,
    /// `Microsoft.KeyVault/vaults/certificatecas/read`.
    IssuersRead,
    /// `Microsoft.KeyVault/vaults/certificatecas/write`.
    IssuersWrite,
    /// `Microsoft.KeyVault/vaults/certificatecas/delete`.
    IssuersDelete,
    /// `Microsoft.KeyVault/vaults/certificatecontacts/write`.
    ContactsWrite,
    /// `Microsoft.KeyVault/vaults/read`.
    VaultsRead,
    /// `Microsoft.KeyVault/vaults/write`.
    VaultsWrite,
    /// `Microsoft.KeyVault/vaults/delete`.
    VaultsDelete,
    /// `Microsoft.KeyVault/vaults/accessPolicies/write`. Also switches a vault between roles and access policies.
    AccessPoliciesWrite,
    /// `Microsoft.KeyVault/deletedVaults/read`.
    DeletedVaultsRead,
    /// `Microsoft.KeyVault/locations/deletedVaults/purge/action`.
    DeletedVaultsPurge,
    /// `Microsoft.Authorization/roleAssignments/read`.
    AssignmentsRead,
    /// `Microsoft.Authorization/roleAssignments/write`.
    AssignmentsWrite,
    /// `Microsoft.Authorization/roleAssignments/delete`.
    AssignmentsDelete,
    /// `Microsoft.Authorization/roleDefinitions/read`.
    RolesRead,
    /// `Microsoft.Authorization/roleDefinitions/write`.
    RolesWrite,
    /// `Microsoft.Authorization/roleDefinitions/delete`.
    RolesDelete,
    /// `Keyreeve/identities/read`. Ours: principals and their credentials, without anything secret.
    IdentitiesRead,
    /// `Keyreeve/identities/write`. Ours: make principals, issue and revoke credentials. Whoever may do that may be anyone.
    IdentitiesWrite,
    /// `Keyreeve/status/read`. Ours: how the service and its processes are.
    StatusRead,
    /// `Keyreeve/auditLog/read`. Ours: the audit log, its checkpoints and proofs.
    AuditLogRead,
}

/// What a right acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Vaults, roles, assignments, identities, the service.
    Management,
    /// Keys, secrets and certificates.
    Data,
}

impl Right {
    /// Every right, in their order.
    pub const ALL: [Self; 57] = [
        Self::KeysRead,
        Self::KeysCreate,
        Self::KeysImport,
        Self::KeysUpdate,
        Self::KeysDelete,
        Self::KeysBackup,
        Self::KeysRestore,
        Self::KeysRecover,
        Self::KeysPurge,
        Self::KeysEncrypt,
        Self::KeysDecrypt,
        Self::KeysWrap,
        Self::KeysUnwrap,
        Self::KeysSign,
        Self::KeysVerify,
        Self::KeysRelease,
        Self::KeysRotate,
        Self::RotationPoliciesRead,
        Self::RotationPoliciesWrite,
        Self::SecretsGetSecret,
        Self::SecretsSetSecret,
        Self::SecretsReadMetadata,
        Self::SecretsUpdate,
        Self::SecretsDelete,
        Self::SecretsBackup,
        Self::SecretsRestore,
        Self::SecretsRecover,
        Self::SecretsPurge,
        Self::CertificatesRead,
        Self::CertificatesCreate,
        Self::CertificatesImport,
        Self::CertificatesUpdate,
        Self::CertificatesDelete,
        Self::CertificatesBackup,
        Self::CertificatesRestore,
        Self::CertificatesRecover,
        Self::CertificatesPurge,
        Self::IssuersRead,
        Self::IssuersWrite,
        Self::IssuersDelete,
        Self::ContactsWrite,
        Self::VaultsRead,
        Self::VaultsWrite,
        Self::VaultsDelete,
        Self::AccessPoliciesWrite,
        Self::DeletedVaultsRead,
        Self::DeletedVaultsPurge,
        Self::AssignmentsRead,
        Self::AssignmentsWrite,
        Self::AssignmentsDelete,
        Self::RolesRead,
        Self::RolesWrite,
        Self::RolesDelete,
        Self::IdentitiesRead,
        Self::IdentitiesWrite,
        Self::StatusRead,
        Self::AuditLogRead,
    ];

    /// Rights that only the role Owner carries: with any of them a caller could give
    /// itself a data right without a role assignment.
    pub const OWNER_ONLY: [Self; 4] =
        [Self::AccessPoliciesWrite, Self::RolesWrite, Self::RolesDelete, Self::IdentitiesWrite];

    /// Its plane.
    pub const fn plane(self) -> Plane {
        if (self as usize) < Self::VaultsRead as usize { Plane::Data } else { Plane::Management }
    }

    /// Its full name in a role definition.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeysRead => "Microsoft.KeyVault/vaults/keys/read",
            Self::KeysCreate => "Microsoft.KeyVault/vaults/keys/create/action",
            Self::KeysImport => "Microsoft.KeyVault/vaults/keys/import/action",
            Self::KeysUpdate => "Microsoft.KeyVault/vaults/keys/update/action",
            Self::KeysDelete => "Microsoft.KeyVault/vaults/keys/delete",
            Self::KeysBackup => "Microsoft.KeyVault/vaults/keys/backup/action",
            Self::KeysRestore => "Microsoft.KeyVault/vaults/keys/restore/action",
            Self::KeysRecover => "Microsoft.KeyVault/vaults/keys/recover/action",
            Self::KeysPurge => "Microsoft.KeyVault/vaults/keys/purge/action",
            Self::KeysEncrypt => "Microsoft.KeyVault/vaults/keys/encrypt/action",
            Self::KeysDecrypt => "Microsoft.KeyVault/vaults/keys/decrypt/action",
            Self::KeysWrap => "Microsoft.KeyVault/vaults/keys/wrap/action",
            Self::KeysUnwrap => "Microsoft.KeyVault/vaults/keys/unwrap/action",
            Self::KeysSign => "Microsoft.KeyVault/vaults/keys/sign/action",
            Self::KeysVerify => "Microsoft.KeyVault/vaults/keys/verify/action",
            Self::KeysRelease => "Microsoft.KeyVault/vaults/keys/release/action",
            Self::KeysRotate => "Microsoft.KeyVault/vaults/keys/rotate/action",
            Self::RotationPoliciesRead => "Microsoft.KeyVault/vaults/keyrotationpolicies/read",
            Self::RotationPoliciesWrite => "Microsoft.KeyVault/vaults/keyrotationpolicies/write",
            Self::SecretsGetSecret => "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            Self::SecretsSetSecret => "Microsoft.KeyVault/vaults/secrets/setSecret/action",
            Self::SecretsReadMetadata => "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            Self::SecretsUpdate => "Microsoft.KeyVault/vaults/secrets/update/action",
            Self::SecretsDelete => "Microsoft.KeyVault/vaults/secrets/delete",
            Self::SecretsBackup => "Microsoft.KeyVault/vaults/secrets/backup/action",
            Self::SecretsRestore => "Microsoft.KeyVault/vaults/secrets/restore/action",
            Self::SecretsRecover => "Microsoft.KeyVault/vaults/secrets/recover/action",
            Self::SecretsPurge => "Microsoft.KeyVault/vaults/secrets/purge/action",
            Self::CertificatesRead => "Microsoft.KeyVault/vaults/certificates/read",
            Self::CertificatesCreate => "Microsoft.KeyVault/vaults/certificates/create/action",
            Self::CertificatesImport => "Microsoft.KeyVault/vaults/certificates/import/action",
            Self::CertificatesUpdate => "Microsoft.KeyVault/vaults/certificates/update/action",
            Self::CertificatesDelete => "Microsoft.KeyVault/vaults/certificates/delete",
            Self::CertificatesBackup => "Microsoft.KeyVault/vaults/certificates/backup/action",
            Self::CertificatesRestore => "Microsoft.KeyVault/vaults/certificates/restore/action",
            Self::CertificatesRecover => "Microsoft.KeyVault/vaults/certificates/recover/action",
            Self::CertificatesPurge => "Microsoft.KeyVault/vaults/certificates/purge/action",
            Self::IssuersRead => "Microsoft.KeyVault/vaults/certificatecas/read",
            Self::IssuersWrite => "Microsoft.KeyVault/vaults/certificatecas/write",
            Self::IssuersDelete => "Microsoft.KeyVault/vaults/certificatecas/delete",
            Self::ContactsWrite => "Microsoft.KeyVault/vaults/certificatecontacts/write",
            Self::VaultsRead => "Microsoft.KeyVault/vaults/read",
            Self::VaultsWrite => "Microsoft.KeyVault/vaults/write",
            Self::VaultsDelete => "Microsoft.KeyVault/vaults/delete",
            Self::AccessPoliciesWrite => "Microsoft.KeyVault/vaults/accessPolicies/write",
            Self::DeletedVaultsRead => "Microsoft.KeyVault/deletedVaults/read",
            Self::DeletedVaultsPurge => "Microsoft.KeyVault/locations/deletedVaults/purge/action",
            Self::AssignmentsRead => "Microsoft.Authorization/roleAssignments/read",
            Self::AssignmentsWrite => "Microsoft.Authorization/roleAssignments/write",
            Self::AssignmentsDelete => "Microsoft.Authorization/roleAssignments/delete",
            Self::RolesRead => "Microsoft.Authorization/roleDefinitions/read",
            Self::RolesWrite => "Microsoft.Authorization/roleDefinitions/write",
            Self::RolesDelete => "Microsoft.Authorization/roleDefinitions/delete",
            Self::IdentitiesRead => "Keyreeve/identities/read",
            Self::IdentitiesWrite => "Keyreeve/identities/write",
            Self::StatusRead => "Keyreeve/status/read",
            Self::AuditLogRead => "Keyreeve/auditLog/read",
        }
    }

    /// The right of that name, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name().eq_ignore_ascii_case(text))
    }

    pub(crate) const fn bit(self) -> u128 {
        1 << self as u32
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a right that no pattern can reach, and against two rights on one
    /// bit, where a role would grant what it does not name.
    #[test]
    fn every_right_is_listed_once_in_order() {
        for (i, right) in Right::ALL.into_iter().enumerate() {
            assert_eq!(right as usize, i, "{right}");
            assert_eq!(Right::parse(&right.name().to_ascii_uppercase()), Some(right));
        }
        assert_eq!(Right::parse("Microsoft.KeyVault/vaults/keys/exfiltrate/action"), None);
    }

    /// Guards against a management right that counts as a data right because it was
    /// put in the wrong half of the enumeration.
    #[test]
    fn data_rights_are_those_on_objects() {
        let objects =
            ["/keys/", "/keyrotationpolicies/", "/secrets/", "/certificates/", "/certificatec"];
        for right in Right::ALL {
            let data = objects.iter().any(|part| right.name().contains(part));
            assert_eq!(right.plane() == Plane::Data, data, "{right}");
        }
    }
}
