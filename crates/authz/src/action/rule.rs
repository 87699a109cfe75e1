//! The table: what each action is asked of, and what allows it.
//!
//! The rights are those that Azure documents for the operation, and so are the
//! permissions. Where Key Vault has no such operation, a comment says why the right is
//! the one it is. One of the rights, or one of the permissions, suffices.

use crate::{
    Action, Permission as P, Permissions, Plane, Resource, Right as R, Rights,
    resource::{CERTIFICATE, KEY, SECRET, SERVICE, VAULT},
};

/// What an action takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    targets: u8,
    rights: Rights,
    permissions: Permissions,
}

impl Action {
    /// Any of these allows it, in a vault with roles.
    pub const fn rights(self) -> Rights {
        self.rule().rights
    }

    /// Any of these allows it, in a vault with access policies. None for an action of
    /// management, which goes by roles everywhere.
    pub const fn permissions(self) -> Permissions {
        self.rule().permissions
    }

    /// Whether it acts on data or is management.
    pub fn plane(self) -> Plane {
        match self.rule().is_data() {
            true => Plane::Data,
            false => Plane::Management,
        }
    }

    pub(crate) const fn rule(self) -> Rule {
        RULES[self as usize]
    }

    /// Its line of the table.
    const fn line(self) -> Rule {
        match self {
            // The service.
            Self::GetStatus => rule(SERVICE, &[R::StatusRead], &[]),
            // Azure keeps its log outside Key Vault, so none of its roles reads it.
            Self::ReadAuditLog => rule(SERVICE, &[R::AuditLogRead], &[]),

            // Vaults.
            Self::CreateVault => rule(VAULT, &[R::VaultsWrite], &[]),
            Self::GetVault => rule(VAULT, &[R::VaultsRead], &[]),
            Self::ListVaults => rule(SERVICE, &[R::VaultsRead], &[]),
            Self::UpdateVault => rule(VAULT, &[R::VaultsWrite], &[]),
            Self::DeleteVault => rule(VAULT, &[R::VaultsDelete], &[]),
            Self::GetDeletedVault => rule(VAULT, &[R::DeletedVaultsRead], &[]),
            Self::ListDeletedVaults => rule(SERVICE, &[R::DeletedVaultsRead], &[]),
            // Azure recovers a vault by writing it (`createMode: recover`).
            Self::RecoverVault => rule(VAULT, &[R::VaultsWrite], &[]),
            Self::PurgeVault => rule(VAULT, &[R::DeletedVaultsPurge], &[]),
            Self::SetAccessPolicies => rule(VAULT, &[R::AccessPoliciesWrite], &[]),

            // Roles and identities.
            Self::ListRoles => rule(SERVICE, &[R::RolesRead], &[]),
            Self::WriteRole => rule(SERVICE, &[R::RolesWrite], &[]),
            Self::DeleteRole => rule(SERVICE, &[R::RolesDelete], &[]),
            Self::ListAssignments => rule(ANY, &[R::AssignmentsRead], &[]),
            Self::CreateAssignment => rule(ANY, &[R::AssignmentsWrite], &[]),
            Self::DeleteAssignment => rule(ANY, &[R::AssignmentsDelete], &[]),
            Self::ListIdentities => rule(SERVICE, &[R::IdentitiesRead], &[]),
            Self::WriteIdentity => rule(SERVICE, &[R::IdentitiesWrite], &[]),

            // Keys.
            Self::CreateKey => rule(KEY, &[R::KeysCreate], &[P::KeysCreate]),
            Self::ImportKey => rule(KEY, &[R::KeysImport], &[P::KeysImport]),
            // Of no use but to import.
            Self::GetImportRecipient => rule(VAULT, &[R::KeysImport], &[P::KeysImport]),
            Self::GetKey => rule(KEY, &[R::KeysRead], &[P::KeysGet]),
            Self::ListKeys => rule(VAULT, &[R::KeysRead], &[P::KeysList]),
            Self::ListKeyVersions => rule(KEY, &[R::KeysRead], &[P::KeysList]),
            Self::UpdateKey => rule(KEY, &[R::KeysUpdate], &[P::KeysUpdate]),
            Self::RotateKey => rule(KEY, &[R::KeysRotate], &[P::KeysRotate]),
            Self::GetRotationPolicy => {
                rule(KEY, &[R::RotationPoliciesRead], &[P::KeysGetRotationPolicy])
            }
            Self::SetRotationPolicy => {
                rule(KEY, &[R::RotationPoliciesWrite], &[P::KeysSetRotationPolicy])
            }
            Self::DeleteKey => rule(KEY, &[R::KeysDelete], &[P::KeysDelete]),
            Self::GetDeletedKey => rule(KEY, &[R::KeysRead], &[P::KeysGet]),
            Self::ListDeletedKeys => rule(VAULT, &[R::KeysRead], &[P::KeysList]),
            Self::RecoverKey => rule(KEY, &[R::KeysRecover], &[P::KeysRecover]),
            Self::PurgeKey => rule(KEY, &[R::KeysPurge], &[P::KeysPurge]),
            Self::BackupKey => rule(KEY, &[R::KeysBackup], &[P::KeysBackup]),
            Self::RestoreKey => rule(VAULT, &[R::KeysRestore], &[P::KeysRestore]),
            Self::ReleaseKey => rule(KEY, &[R::KeysRelease], &[P::KeysRelease]),

            // What keys are for.
            Self::Sign => rule(KEY, &[R::KeysSign], &[P::KeysSign]),
            // Whoever may read the public key can verify without us.
            Self::Verify => rule(KEY, &[R::KeysVerify, R::KeysRead], &[P::KeysVerify]),
            // Not with `keys/read`, which Azure lets suffice for a public key: whether the key
            // is one is not known when this is decided.
            Self::Encrypt => rule(KEY, &[R::KeysEncrypt], &[P::KeysEncrypt]),
            Self::Decrypt => rule(KEY, &[R::KeysDecrypt], &[P::KeysDecrypt]),
            // As with Encrypt, reading the key does not suffice.
            Self::WrapKey => rule(KEY, &[R::KeysWrap], &[P::KeysWrapKey]),
            Self::UnwrapKey => rule(KEY, &[R::KeysUnwrap], &[P::KeysUnwrapKey]),
            // A wrap whose input we draw. Who may wrap could draw it as well; UnwrapKey opens
            // it.
            Self::GenerateDataKey => rule(KEY, &[R::KeysWrap], &[P::KeysWrapKey]),
            // The one who asks does not see the plaintext, but could by choosing the other
            // key.
            Self::ReEncryptFrom => rule(KEY, &[R::KeysDecrypt], &[P::KeysDecrypt]),
            // Makes a ciphertext under this key, as Encrypt does.
            Self::ReEncryptTo => rule(KEY, &[R::KeysEncrypt], &[P::KeysEncrypt]),
            // RFC 7517 section 4.3 calls computing a MAC `sign`.
            Self::Mac => rule(KEY, &[R::KeysSign], &[P::KeysSign]),
            // RFC 7517 section 4.3 calls it `verify`. Reading does not suffice: the key is
            // secret.
            Self::VerifyMac => rule(KEY, &[R::KeysVerify], &[P::KeysVerify]),
            // A signature over an input in a given form.
            Self::SignJwt => rule(KEY, &[R::KeysSign], &[P::KeysSign]),
            // The public half, as GetKey shows it.
            Self::GetJwks => rule(VAULT | KEY, &[R::KeysRead], &[P::KeysGet]),
            // Key Vault has no right for it (a Managed HSM does). It touches no key but costs
            // the backend time, so whoever may make something new with the keys of the vault
            // may draw.
            Self::RandomBytes => rule(
                VAULT,
                &[R::KeysEncrypt, R::KeysWrap, R::KeysSign],
                &[P::KeysEncrypt, P::KeysWrapKey, P::KeysSign],
            ),

            // Secrets.
            Self::SetSecret => rule(SECRET, &[R::SecretsSetSecret], &[P::SecretsSet]),
            Self::GetSecret => rule(SECRET, &[R::SecretsGetSecret], &[P::SecretsGet]),
            Self::UpdateSecret => rule(SECRET, &[R::SecretsUpdate], &[P::SecretsSet]),
            Self::ListSecrets => rule(VAULT, &[R::SecretsReadMetadata], &[P::SecretsList]),
            Self::ListSecretVersions => rule(SECRET, &[R::SecretsReadMetadata], &[P::SecretsList]),
            Self::DeleteSecret => rule(SECRET, &[R::SecretsDelete], &[P::SecretsDelete]),
            Self::GetDeletedSecret => rule(SECRET, &[R::SecretsReadMetadata], &[P::SecretsGet]),
            Self::ListDeletedSecrets => rule(VAULT, &[R::SecretsReadMetadata], &[P::SecretsList]),
            Self::RecoverSecret => rule(SECRET, &[R::SecretsRecover], &[P::SecretsRecover]),
            Self::PurgeSecret => rule(SECRET, &[R::SecretsPurge], &[P::SecretsPurge]),
            Self::BackupSecret => rule(SECRET, &[R::SecretsBackup], &[P::SecretsBackup]),
            Self::RestoreSecret => rule(VAULT, &[R::SecretsRestore], &[P::SecretsRestore]),

            // Certificates.
            Self::CreateCertificate => {
                rule(CERTIFICATE, &[R::CertificatesCreate], &[P::CertificatesCreate])
            }
            Self::MergeCertificate => {
                rule(CERTIFICATE, &[R::CertificatesCreate], &[P::CertificatesCreate])
            }
            Self::ImportCertificate => {
                rule(CERTIFICATE, &[R::CertificatesImport], &[P::CertificatesImport])
            }
            Self::GetCertificate => {
                rule(CERTIFICATE, &[R::CertificatesRead], &[P::CertificatesGet])
            }
            Self::ListCertificates => rule(VAULT, &[R::CertificatesRead], &[P::CertificatesList]),
            Self::ListCertificateVersions => {
                rule(CERTIFICATE, &[R::CertificatesRead], &[P::CertificatesList])
            }
            Self::UpdateCertificate => {
                rule(CERTIFICATE, &[R::CertificatesUpdate], &[P::CertificatesUpdate])
            }
            Self::DeleteCertificate => {
                rule(CERTIFICATE, &[R::CertificatesDelete], &[P::CertificatesDelete])
            }
            Self::GetDeletedCertificate => {
                rule(CERTIFICATE, &[R::CertificatesRead], &[P::CertificatesGet])
            }
            Self::ListDeletedCertificates => {
                rule(VAULT, &[R::CertificatesRead], &[P::CertificatesList])
            }
            Self::RecoverCertificate => {
                rule(CERTIFICATE, &[R::CertificatesRecover], &[P::CertificatesRecover])
            }
            Self::PurgeCertificate => {
                rule(CERTIFICATE, &[R::CertificatesPurge], &[P::CertificatesPurge])
            }
            Self::BackupCertificate => {
                rule(CERTIFICATE, &[R::CertificatesBackup], &[P::CertificatesBackup])
            }
            Self::RestoreCertificate => {
                rule(VAULT, &[R::CertificatesRestore], &[P::CertificatesRestore])
            }
            Self::ManageContacts => {
                rule(VAULT, &[R::ContactsWrite], &[P::CertificatesManageContacts])
            }
            Self::GetIssuer => rule(
                VAULT,
                &[R::IssuersRead],
                &[P::CertificatesGetIssuers, P::CertificatesManageIssuers],
            ),
            Self::ListIssuers => rule(
                VAULT,
                &[R::IssuersRead],
                &[
                    P::CertificatesListIssuers,
                    P::CertificatesGetIssuers,
                    P::CertificatesManageIssuers,
                ],
            ),
            Self::SetIssuer => rule(VAULT, &[R::IssuersWrite], &[P::CertificatesSetIssuers]),
            Self::DeleteIssuer => rule(
                VAULT,
                &[R::IssuersDelete],
                &[P::CertificatesDeleteIssuers, P::CertificatesManageIssuers],
            ),
        }
    }
}

/// The table, worked out when this is compiled: every decision reads it.
static RULES: [Rule; Action::ALL.len()] = {
    let mut rules = [rule(0, &[], &[]); Action::ALL.len()];
    let mut i = 0;
    while i < rules.len() {
        rules[i] = Action::ALL[i].line();
        i += 1;
    }
    rules
};

const ANY: u8 = SERVICE | VAULT | KEY | SECRET | CERTIFICATE;

const fn rule(targets: u8, rights: &[R], permissions: &[P]) -> Rule {
    Rule { targets, rights: Rights::of(rights), permissions: Permissions::of(permissions) }
}

impl Rule {
    /// Whether the action can be asked of `resource`.
    pub(crate) const fn fits(self, resource: &Resource<'_>) -> bool {
        self.targets & resource.bit() != 0
    }

    pub(crate) const fn rights(self) -> Rights {
        self.rights
    }

    pub(crate) const fn permissions(self) -> Permissions {
        self.permissions
    }

    pub(crate) fn is_data(self) -> bool {
        self.permissions != Permissions::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an action that takes a right of the other plane, through which
    /// managing would open data, and against one that no right allows.
    #[test]
    fn an_action_takes_rights_of_one_plane() {
        for action in Action::ALL {
            let data = action.rights().intersects(Rights::on(Plane::Data));
            let management = action.rights().intersects(Rights::on(Plane::Management));
            assert!(data != management, "{action}");
            assert_eq!(data, action.plane() == Plane::Data, "{action}");
            assert_eq!(data, action.rule().is_data(), "{action} in a vault with access policies");
        }
    }

    /// Guards against a permission of one kind of object that allows an action on
    /// another, as listing secrets by a permission on keys.
    #[test]
    fn permissions_are_of_the_kind_the_action_is_about() {
        for action in Action::ALL {
            let collections: Vec<_> = action.permissions().iter().map(|p| p.kind()).collect();
            assert!(collections.windows(2).all(|pair| pair[0] == pair[1]), "{action}");
            for right in action.rights().iter().filter(|r| r.plane() == Plane::Data) {
                let about = match right.name() {
                    name if name.contains("/secrets/") => crate::ObjectKind::Secret,
                    name if name.contains("/certificate") => crate::ObjectKind::Certificate,
                    _ => crate::ObjectKind::Key,
                };
                assert_eq!(collections.first(), Some(&about), "{action}");
            }
        }
    }

    /// Guards against a right or permission that a role can grant and that allows
    /// nothing: somebody would be told it does.
    #[test]
    fn every_right_and_permission_allows_something() {
        for right in R::ALL {
            assert!(Action::ALL.iter().any(|a| a.rights().contains(right)), "{right}");
        }
        for permission in P::ALL {
            let used = Action::ALL.iter().any(|a| a.permissions().contains(permission));
            assert!(used, "{permission}");
        }
    }
}
