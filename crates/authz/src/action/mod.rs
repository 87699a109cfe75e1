//! Actions: what a caller asks of the service, one for each operation.
//!
//! An action is asked of one kind of resource, and in `rule.rs` stands which rights or,
//! in a vault with access policies, which permissions allow it.

mod rule;

use std::fmt;

pub(crate) use rule::Rule;

/// What a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Read how the service and its processes are.
    GetStatus,
    /// Read the audit log, its checkpoint and proofs of its records.
    ReadAuditLog,
    /// Make a vault, in the role model. Giving it access policies takes [`Action::SetAccessPolicies`] as well.
    CreateVault,
    /// Read a vault.
    GetVault,
    /// List the vaults.
    ListVaults,
    /// Change a vault, its network rules included.
    UpdateVault,
    /// Delete a vault; it can be recovered.
    DeleteVault,
    /// Read a deleted vault.
    GetDeletedVault,
    /// List the deleted vaults.
    ListDeletedVaults,
    /// Recover a deleted vault.
    RecoverVault,
    /// Destroy a deleted vault and every key in it.
    PurgeVault,
    /// Change access policies of a vault, or switch it between roles and access policies.
    SetAccessPolicies,
    /// Read the roles.
    ListRoles,
    /// Make or change a custom role.
    WriteRole,
    /// Delete a custom role.
    DeleteRole,
    /// Read the role assignments at a scope.
    ListAssignments,
    /// Assign a role. Decided by [`may_assign`](crate::may_assign).
    CreateAssignment,
    /// Take an assignment away. Decided by [`may_unassign`](crate::may_unassign).
    DeleteAssignment,
    /// Read principals and what is known of their credentials.
    ListIdentities,
    /// Make or change a principal; issue or revoke a credential.
    WriteIdentity,
    /// Make a key, or a version of it.
    CreateKey,
    /// Take a key made elsewhere.
    ImportKey,
    /// Read what to seal a key to.
    GetImportRecipient,
    /// Read a key: its attributes and its public half.
    GetKey,
    /// List the keys of a vault.
    ListKeys,
    /// List the versions of a key.
    ListKeyVersions,
    /// Change a version's attributes.
    UpdateKey,
    /// Make a version like the latest.
    RotateKey,
    /// Read when a key rotates.
    GetRotationPolicy,
    /// Set when a key rotates.
    SetRotationPolicy,
    /// Delete a key; it can be recovered.
    DeleteKey,
    /// Read a deleted key.
    GetDeletedKey,
    /// List the deleted keys of a vault.
    ListDeletedKeys,
    /// Recover a deleted key.
    RecoverKey,
    /// Destroy a deleted key.
    PurgeKey,
    /// Read a key as a sealed backup.
    BackupKey,
    /// Restore a key; the name is inside the backup.
    RestoreKey,
    /// Release a key to an attested environment.
    ReleaseKey,
    /// Sign.
    Sign,
    /// Verify a signature.
    Verify,
    /// Encrypt.
    Encrypt,
    /// Decrypt.
    Decrypt,
    /// Wrap a key.
    WrapKey,
    /// Unwrap a key.
    UnwrapKey,
    /// Make a data key and wrap it.
    GenerateDataKey,
    /// Re-encrypt: the key that opens.
    ReEncryptFrom,
    /// Re-encrypt: the key that seals.
    ReEncryptTo,
    /// Compute a MAC.
    Mac,
    /// Verify a MAC.
    VerifyMac,
    /// Sign a JWT.
    SignJwt,
    /// Read public keys as a JWK set, of a vault or of one key.
    GetJwks,
    /// Draw random bytes from a vault's backend.
    RandomBytes,
    /// Set a secret: a new version.
    SetSecret,
    /// Read the value of a secret.
    GetSecret,
    /// Change a version's attributes.
    UpdateSecret,
    /// List the secrets of a vault, without values.
    ListSecrets,
    /// List the versions of a secret, without values.
    ListSecretVersions,
    /// Delete a secret; it can be recovered.
    DeleteSecret,
    /// Read a deleted secret, without its value.
    GetDeletedSecret,
    /// List the deleted secrets of a vault.
    ListDeletedSecrets,
    /// Recover a deleted secret.
    RecoverSecret,
    /// Destroy a deleted secret.
    PurgeSecret,
    /// Read a secret as a sealed backup.
    BackupSecret,
    /// Restore a secret; the name is inside the backup.
    RestoreSecret,
    /// Make a certificate, or a version of it.
    CreateCertificate,
    /// Complete a pending certificate.
    MergeCertificate,
    /// Take a certificate and its key.
    ImportCertificate,
    /// Read a certificate, its policy, or its pending operation.
    GetCertificate,
    /// List the certificates of a vault.
    ListCertificates,
    /// List the versions of a certificate.
    ListCertificateVersions,
    /// Change attributes, the policy, or a pending operation.
    UpdateCertificate,
    /// Delete a certificate; it can be recovered.
    DeleteCertificate,
    /// Read a deleted certificate.
    GetDeletedCertificate,
    /// List the deleted certificates of a vault.
    ListDeletedCertificates,
    /// Recover a deleted certificate.
    RecoverCertificate,
    /// Destroy a deleted certificate.
    PurgeCertificate,
    /// Read a certificate as a sealed backup.
    BackupCertificate,
    /// Restore a certificate; the name is inside the backup.
    RestoreCertificate,
    /// Read, set or delete the contacts of a vault.
    ManageContacts,
    /// Read an issuer of certificates.
    GetIssuer,
    /// List the issuers of certificates.
    ListIssuers,
    /// Set or change an issuer of certificates.
    SetIssuer,
    /// Delete an issuer of certificates.
    DeleteIssuer,
}

impl Action {
    /// Every action, in their order.
    pub const ALL: [Self; 83] = [
        Self::GetStatus,
        Self::ReadAuditLog,
        Self::CreateVault,
        Self::GetVault,
        Self::ListVaults,
        Self::UpdateVault,
        Self::DeleteVault,
        Self::GetDeletedVault,
        Self::ListDeletedVaults,
        Self::RecoverVault,
        Self::PurgeVault,
        Self::SetAccessPolicies,
        Self::ListRoles,
        Self::WriteRole,
        Self::DeleteRole,
        Self::ListAssignments,
        Self::CreateAssignment,
        Self::DeleteAssignment,
        Self::ListIdentities,
        Self::WriteIdentity,
        Self::CreateKey,
        Self::ImportKey,
        Self::GetImportRecipient,
        Self::GetKey,
        Self::ListKeys,
        Self::ListKeyVersions,
        Self::UpdateKey,
        Self::RotateKey,
        Self::GetRotationPolicy,
        Self::SetRotationPolicy,
        Self::DeleteKey,
        Self::GetDeletedKey,
        Self::ListDeletedKeys,
        Self::RecoverKey,
        Self::PurgeKey,
        Self::BackupKey,
        Self::RestoreKey,
        Self::ReleaseKey,
        Self::Sign,
        Self::Verify,
        Self::Encrypt,
        Self::Decrypt,
        Self::WrapKey,
        Self::UnwrapKey,
        Self::GenerateDataKey,
        Self::ReEncryptFrom,
        Self::ReEncryptTo,
        Self::Mac,
        Self::VerifyMac,
        Self::SignJwt,
        Self::GetJwks,
        Self::RandomBytes,
        Self::SetSecret,
        Self::GetSecret,
        Self::UpdateSecret,
        Self::ListSecrets,
        Self::ListSecretVersions,
        Self::DeleteSecret,
        Self::GetDeletedSecret,
        Self::ListDeletedSecrets,
        Self::RecoverSecret,
        Self::PurgeSecret,
        Self::BackupSecret,
        Self::RestoreSecret,
        Self::CreateCertificate,
        Self::MergeCertificate,
        Self::ImportCertificate,
        Self::GetCertificate,
        Self::ListCertificates,
        Self::ListCertificateVersions,
        Self::UpdateCertificate,
        Self::DeleteCertificate,
        Self::GetDeletedCertificate,
        Self::ListDeletedCertificates,
        Self::RecoverCertificate,
        Self::PurgeCertificate,
        Self::BackupCertificate,
        Self::RestoreCertificate,
        Self::ManageContacts,
        Self::GetIssuer,
        Self::ListIssuers,
        Self::SetIssuer,
        Self::DeleteIssuer,
    ];

    /// Its name, as in the code and in the table of docs/roles.md.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GetStatus => "GetStatus",
            Self::ReadAuditLog => "ReadAuditLog",
            Self::CreateVault => "CreateVault",
            Self::GetVault => "GetVault",
            Self::ListVaults => "ListVaults",
            Self::UpdateVault => "UpdateVault",
            Self::DeleteVault => "DeleteVault",
            Self::GetDeletedVault => "GetDeletedVault",
            Self::ListDeletedVaults => "ListDeletedVaults",
            Self::RecoverVault => "RecoverVault",
            Self::PurgeVault => "PurgeVault",
            Self::SetAccessPolicies => "SetAccessPolicies",
            Self::ListRoles => "ListRoles",
            Self::WriteRole => "WriteRole",
            Self::DeleteRole => "DeleteRole",
            Self::ListAssignments => "ListAssignments",
            Self::CreateAssignment => "CreateAssignment",
            Self::DeleteAssignment => "DeleteAssignment",
            Self::ListIdentities => "ListIdentities",
            Self::WriteIdentity => "WriteIdentity",
            Self::CreateKey => "CreateKey",
            Self::ImportKey => "ImportKey",
            Self::GetImportRecipient => "GetImportRecipient",
            Self::GetKey => "GetKey",
            Self::ListKeys => "ListKeys",
            Self::ListKeyVersions => "ListKeyVersions",
            Self::UpdateKey => "UpdateKey",
            Self::RotateKey => "RotateKey",
            Self::GetRotationPolicy => "GetRotationPolicy",
            Self::SetRotationPolicy => "SetRotationPolicy",
            Self::DeleteKey => "DeleteKey",
            Self::GetDeletedKey => "GetDeletedKey",
            Self::ListDeletedKeys => "ListDeletedKeys",
            Self::RecoverKey => "RecoverKey",
            Self::PurgeKey => "PurgeKey",
            Self::BackupKey => "BackupKey",
            Self::RestoreKey => "RestoreKey",
            Self::ReleaseKey => "ReleaseKey",
            Self::Sign => "Sign",
            Self::Verify => "Verify",
            Self::Encrypt => "Encrypt",
            Self::Decrypt => "Decrypt",
            Self::WrapKey => "WrapKey",
            Self::UnwrapKey => "UnwrapKey",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::ReEncryptFrom => "ReEncryptFrom",
            Self::ReEncryptTo => "ReEncryptTo",
            Self::Mac => "Mac",
            Self::VerifyMac => "VerifyMac",
            Self::SignJwt => "SignJwt",
            Self::GetJwks => "GetJwks",
            Self::RandomBytes => "RandomBytes",
            Self::SetSecret => "SetSecret",
            Self::GetSecret => "GetSecret",
            Self::UpdateSecret => "UpdateSecret",
            Self::ListSecrets => "ListSecrets",
            Self::ListSecretVersions => "ListSecretVersions",
            Self::DeleteSecret => "DeleteSecret",
            Self::GetDeletedSecret => "GetDeletedSecret",
            Self::ListDeletedSecrets => "ListDeletedSecrets",
            Self::RecoverSecret => "RecoverSecret",
            Self::PurgeSecret => "PurgeSecret",
            Self::BackupSecret => "BackupSecret",
            Self::RestoreSecret => "RestoreSecret",
            Self::CreateCertificate => "CreateCertificate",
            Self::MergeCertificate => "MergeCertificate",
            Self::ImportCertificate => "ImportCertificate",
            Self::GetCertificate => "GetCertificate",
            Self::ListCertificates => "ListCertificates",
            Self::ListCertificateVersions => "ListCertificateVersions",
            Self::UpdateCertificate => "UpdateCertificate",
            Self::DeleteCertificate => "DeleteCertificate",
            Self::GetDeletedCertificate => "GetDeletedCertificate",
            Self::ListDeletedCertificates => "ListDeletedCertificates",
            Self::RecoverCertificate => "RecoverCertificate",
            Self::PurgeCertificate => "PurgeCertificate",
            Self::BackupCertificate => "BackupCertificate",
            Self::RestoreCertificate => "RestoreCertificate",
            Self::ManageContacts => "ManageContacts",
            Self::GetIssuer => "GetIssuer",
            Self::ListIssuers => "ListIssuers",
            Self::SetIssuer => "SetIssuer",
            Self::DeleteIssuer => "DeleteIssuer",
        }
    }

    /// The action of that name, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an action that the matrix of roles and actions passes over.
    #[test]
    fn every_action_is_listed_once_in_order() {
        for (i, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(action as usize, i, "{action}");
            assert_eq!(Action::parse(&action.name().to_ascii_lowercase()), Some(action));
        }
    }
}
