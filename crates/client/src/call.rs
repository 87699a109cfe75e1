//! What can be called: each request knows its method, its answer, and whether it is
//! safe to send twice.

use std::borrow::BorrowMut;

use prost::Message;

use crate::v1::{self, operation::Request as Op, operation_result::Result as Outcome};

/// A request of the interface. Implemented for all of them, and only here.
pub trait Call: Message + Clone + sealed::Sealed + 'static {
    /// Its answer.
    type Response: Message + Default + 'static;

    /// The gRPC method.
    const PATH: &'static str;

    /// Whether sending it again does no harm: true for what reads, and for operations
    /// with keys, which change nothing; false for what makes or changes something.
    const SAFE_TO_REPEAT: bool;
}

/// A request that can be part of a batch or a stream.
pub trait Operation: Call {
    /// As one item of a batch or stream.
    fn into_operation(self) -> v1::Operation;

    /// Its answer, if `outcome` is one to this kind of request.
    fn response_of(outcome: Outcome) -> Option<Self::Response>;
}

/// Answers, by the names the .proto files give them.
mod answers {
    pub(super) use crate::v1::*;

    /// `google.protobuf.Empty`.
    pub(super) type Empty = ();
}

mod sealed {
    /// Keeps the list below the only one.
    pub trait Sealed {}
}

/// One line per method, so that the table can be read against the .proto files.
macro_rules! calls {
    ($($service:literal { $($method:literal: $request:ident => $response:ident, $safe:literal;)* })*) => {
        $($(
            impl sealed::Sealed for v1::$request {}
            impl Call for v1::$request {
                type Response = answers::$response;
                const PATH: &'static str = concat!("/keyreeve.v1.", $service, "/", $method);
                const SAFE_TO_REPEAT: bool = $safe;
            }
        )*)*
    };
}

macro_rules! operations {
    ($($request:ident as $variant:ident;)*) => {
        $(
            impl Operation for v1::$request {
                fn into_operation(self) -> v1::Operation {
                    v1::Operation { request: Some(Op::$variant(self.into())) }
                }

                fn response_of(outcome: Outcome) -> Option<Self::Response> {
                    match outcome {
                        // By itself or boxed: the .proto file does not say which.
                        Outcome::$variant(mut response) => {
                            let response: &mut Self::Response = response.borrow_mut();
                            Some(std::mem::take(response))
                        }
                        _ => None,
                    }
                }
            }
        )*
    };
}

calls! {
    "VaultService" {
        "CreateVault": CreateVaultRequest => Vault, false;
        "GetVault": GetVaultRequest => Vault, true;
        "ListVaults": ListVaultsRequest => ListVaultsResponse, true;
    }
    "KeyService" {
        "CreateKey": CreateKeyRequest => Key, false;
        "GetImportRecipient": GetImportRecipientRequest => ImportRecipient, true;
        "ImportKey": ImportKeyRequest => Key, false;
        "GetKey": GetKeyRequest => Key, true;
        "ListKeys": ListKeysRequest => ListKeysResponse, true;
        "ListKeyVersions": ListKeyVersionsRequest => ListKeyVersionsResponse, true;
        "UpdateKey": UpdateKeyRequest => Key, false;
        "RotateKey": RotateKeyRequest => Key, false;
    }
    "CryptoService" {
        "Sign": SignRequest => SignResponse, true;
        "Verify": VerifyRequest => VerifyResponse, true;
        "Encrypt": EncryptRequest => EncryptResponse, true;
        "Decrypt": DecryptRequest => DecryptResponse, true;
        "WrapKey": WrapKeyRequest => WrapKeyResponse, true;
        "UnwrapKey": UnwrapKeyRequest => UnwrapKeyResponse, true;
        "GenerateDataKey": GenerateDataKeyRequest => GenerateDataKeyResponse, true;
        "ReEncrypt": ReEncryptRequest => ReEncryptResponse, true;
        "Mac": MacRequest => MacResponse, true;
        "VerifyMac": VerifyMacRequest => VerifyMacResponse, true;
        "RandomBytes": RandomBytesRequest => RandomBytesResponse, true;
        "Batch": BatchRequest => BatchResponse, true;
        "SignJwt": SignJwtRequest => SignJwtResponse, true;
        "GetJwks": GetJwksRequest => GetJwksResponse, true;
    }
    "AccessService" {
        "WhoAmI": WhoAmIRequest => WhoAmIResponse, true;
        "CreateRole": CreateRoleRequest => Role, false;
        "GetRole": GetRoleRequest => Role, true;
        "ListRoles": ListRolesRequest => ListRolesResponse, true;
        "UpdateRole": UpdateRoleRequest => Role, false;
        "DeleteRole": DeleteRoleRequest => Empty, false;
        "CreateAssignment": CreateAssignmentRequest => Assignment, false;
        "GetAssignment": GetAssignmentRequest => Assignment, true;
        "ListAssignments": ListAssignmentsRequest => ListAssignmentsResponse, true;
        "DeleteAssignment": DeleteAssignmentRequest => Empty, false;
        "GetVaultAccess": GetVaultAccessRequest => VaultAccess, true;
        "UpdateVaultAccess": UpdateVaultAccessRequest => VaultAccess, false;
        "UpdateNetworkRules": UpdateNetworkRulesRequest => VaultAccess, false;
    }
    "AuditService" {
        "GetAuditCheckpoint": GetAuditCheckpointRequest => AuditCheckpoint, true;
        "GetAuditProof": GetAuditProofRequest => AuditProof, true;
    }
    "IdentityService" {
        "CreatePrincipal": CreatePrincipalRequest => Principal, false;
        "GetPrincipal": GetPrincipalRequest => Principal, true;
        "ListPrincipals": ListPrincipalsRequest => ListPrincipalsResponse, true;
        "UpdatePrincipal": UpdatePrincipalRequest => Principal, true;
        "DeletePrincipal": DeletePrincipalRequest => DeletePrincipalResponse, false;
        "AddClientSecret": AddClientSecretRequest => AddClientSecretResponse, false;
        "AddCertificate": AddCertificateRequest => Principal, false;
        "AddFederatedCredential": AddFederatedCredentialRequest => Principal, false;
        "RemoveCredential": RemoveCredentialRequest => Principal, false;
        "CreateToken": CreateTokenRequest => CreateTokenResponse, false;
        "ListTokens": ListTokensRequest => ListTokensResponse, true;
        "RevokeToken": RevokeTokenRequest => Token, true;
    }
    "StatusService" {
        "GetStatus": GetStatusRequest => Status, true;
    }
}

operations! {
    SignRequest as Sign;
    VerifyRequest as Verify;
    EncryptRequest as Encrypt;
    DecryptRequest as Decrypt;
    WrapKeyRequest as WrapKey;
    UnwrapKeyRequest as UnwrapKey;
    GenerateDataKeyRequest as GenerateDataKey;
    ReEncryptRequest as ReEncrypt;
    MacRequest as Mac;
    VerifyMacRequest as VerifyMac;
    RandomBytesRequest as RandomBytes;
    SignJwtRequest as SignJwt;
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::FileDescriptorSet;

    /// Guards against a typing error in the table: every method of the interface is
    /// in it, with the path, the request and the answer the .proto files give.
    #[test]
    fn the_table_agrees_with_the_interface() {
        let set = FileDescriptorSet::decode(keyreeve_proto::FILE_DESCRIPTOR_SET)
            .expect("a descriptor set");
        let source = include_str!("call.rs");
        let mut methods = 0;
        for file in set.file.iter().filter(|f| f.package() == "keyreeve.v1") {
            for service in &file.service {
                let (_, section) = source
                    .split_once(&format!("\n    {:?} {{", service.name()))
                    .unwrap_or_else(|| panic!("{} is missing", service.name()));
                let section = section.split("\n    }").next().unwrap_or_default();
                for method in service.method.iter().filter(|m| !m.client_streaming()) {
                    let bare = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
                    let line = format!(
                        "{:?}: {} => {}, ",
                        method.name(),
                        bare(method.input_type()),
                        bare(method.output_type())
                    );
                    assert!(
                        method.server_streaming() || section.contains(&line),
                        "{line} is missing"
                    );
                    methods += 1;
                }
            }
        }
        assert_eq!(methods, 54);
    }

    /// Guards against a second key or version made by a retry.
    #[test]
    fn what_makes_or_changes_something_is_never_repeated() {
        const { assert!(!v1::CreateVaultRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::CreateKeyRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::ImportKeyRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::UpdateKeyRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::RotateKeyRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::CreateAssignmentRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::DeleteAssignmentRequest::SAFE_TO_REPEAT) };
        const { assert!(!v1::UpdateVaultAccessRequest::SAFE_TO_REPEAT) };
    }
}
