//! What each method asks the gate for.
//!
//! The gate decides by what the service asks it; this table says what that is for each
//! method, and a test calls every method and compares. A method without a line does not
//! compile: the enumeration is made from `proto/`.

use keyreeve_authz::Action;
use keyreeve_proto::Method;

/// What a method takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The action, on what the request names.
    For(Action),
    /// Both, each on a key of its own.
    Both(Action, Action),
    /// Nothing but that the network rules of the vault admit where it comes from.
    Public(Action),
    /// That the caller is known.
    Proof,
    /// What each of the operations in it takes.
    Each,
}

/// The line of `method`.
pub const fn asks(method: Method) -> Asks {
    use Asks::{Both, Each, For, Proof, Public};
    match method {
        Method::WhoAmI => Proof,
        Method::GetRole | Method::ListRoles => For(Action::ListRoles),
        Method::CreateRole | Method::UpdateRole => For(Action::WriteRole),
        Method::DeleteRole => For(Action::DeleteRole),
        Method::CreateAssignment => For(Action::CreateAssignment),
        Method::DeleteAssignment => For(Action::DeleteAssignment),
        Method::GetAssignment | Method::ListAssignments => For(Action::ListAssignments),
        Method::GetVaultAccess => For(Action::GetVault),
        Method::UpdateVaultAccess => For(Action::SetAccessPolicies),
        Method::UpdateNetworkRules => For(Action::UpdateVault),

        Method::Sign => For(Action::Sign),
        Method::Verify => For(Action::Verify),
        Method::Encrypt => For(Action::Encrypt),
        Method::Decrypt => For(Action::Decrypt),
        Method::WrapKey => For(Action::WrapKey),
        Method::UnwrapKey => For(Action::UnwrapKey),
        Method::GenerateDataKey => For(Action::GenerateDataKey),
        Method::ReEncrypt => Both(Action::ReEncryptFrom, Action::ReEncryptTo),
        Method::Mac => For(Action::Mac),
        Method::VerifyMac => For(Action::VerifyMac),
        Method::RandomBytes => For(Action::RandomBytes),
        Method::Batch | Method::Stream => Each,
        Method::SignJwt => For(Action::SignJwt),
        Method::GetJwks => Public(Action::GetJwks),

        Method::CreateKey => For(Action::CreateKey),
        Method::GetImportRecipient => For(Action::GetImportRecipient),
        Method::ImportKey => For(Action::ImportKey),
        Method::GetKey => For(Action::GetKey),
        Method::ListKeys => For(Action::ListKeys),
        Method::ListKeyVersions => For(Action::ListKeyVersions),
        Method::UpdateKey => For(Action::UpdateKey),
        Method::RotateKey => For(Action::RotateKey),

        Method::QueryAuditRecords | Method::GetAuditCheckpoint | Method::GetAuditProof => {
            For(Action::ReadAuditLog)
        }

        Method::GetPrincipal | Method::ListPrincipals | Method::ListTokens => {
            For(Action::ListIdentities)
        }
        Method::CreatePrincipal
        | Method::UpdatePrincipal
        | Method::DeletePrincipal
        | Method::AddClientSecret
        | Method::AddCertificate
        | Method::AddFederatedCredential
        | Method::RemoveCredential
        | Method::CreateToken
        | Method::RevokeToken => For(Action::WriteIdentity),

        Method::GetStatus => For(Action::GetStatus),

        Method::CreateVault => For(Action::CreateVault),
        Method::GetVault => For(Action::GetVault),
        Method::ListVaults => For(Action::ListVaults),
    }
}
