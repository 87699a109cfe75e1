//! One lawful call of every method: what it needs is there, and what it makes is put
//! back, so that the next call finds things as this one did.

use std::str::FromStr;

use keyreeve_grpc::{
    Method,
    v1::{
        AddCertificateRequest, AddClientSecretRequest, AddFederatedCredentialRequest, Assignment,
        BatchRequest, Ciphertext, CreateAssignmentRequest, CreateKeyRequest,
        CreatePrincipalRequest, CreateRoleRequest, CreateTokenRequest, CreateVaultRequest,
        DecryptRequest, DeleteAssignmentRequest, DeletePrincipalRequest, DeleteRoleRequest,
        EncryptRequest, FederatedCredential, GenerateDataKeyRequest, GetAssignmentRequest,
        GetAuditCheckpointRequest, GetAuditProofRequest, GetImportRecipientRequest, GetJwksRequest,
        GetKeyRequest, GetPrincipalRequest, GetRoleRequest, GetStatusRequest,
        GetVaultAccessRequest, GetVaultRequest, Holder, ImportKeyRequest, Key,
        ListAssignmentsRequest, ListKeyVersionsRequest, ListKeysRequest, ListPrincipalsRequest,
        ListRolesRequest, ListTokensRequest, ListVaultsRequest, MacRequest, NetworkRules,
        Principal, QueryAuditRecordsRequest, RandomBytesRequest, ReEncryptRequest,
        RemoveCredentialRequest, RevokeTokenRequest, Role, RotateKeyRequest, SealedKey,
        SignJwtRequest, StreamRequest, Token, UnwrapKeyRequest, UpdateKeyRequest,
        UpdateNetworkRulesRequest, UpdatePrincipalRequest, UpdateRoleRequest,
        UpdateVaultAccessRequest, VaultAccess, VerifyMacRequest, VerifyRequest, WhoAmIRequest,
        WrapKeyRequest, audit_service_client::AuditServiceClient,
        crypto_service_client::CryptoServiceClient, operation_result::Result as Outcome, principal,
        token, verify_request,
    },
};
use keyreeve_proto::codec::MessageCodec;
use prost::{Message, Name};
use prost_types::{FieldMask, Timestamp};
use tonic::{
    Code, Status,
    client::Grpc,
    codegen::{http::uri::PathAndQuery, tokio_stream},
    service::Routes,
};

use crate::{called_by, operation, sign};

/// Where a call is made: a vault, and a prefix of the names of the keys in it.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) vault: &'static str,
    pub(crate) keys: &'static str,
}

/// What a call reads, changes or deletes, and one that it makes.
pub(crate) const ROLE: &str = "11111111-1111-4111-8111-111111111111";
const NEW_ROLE: &str = "22222222-2222-4222-8222-222222222222";
const ASSIGNMENT: &str = "33333333-3333-4333-8333-333333333333";
const NEW_ASSIGNMENT: &str = "44444444-4444-4444-8444-444444444444";
const READER: &str = "roles/21090545-7ca7-4776-b22c-e363652d74d2";

/// A principal that is not there, and a credential.
const NOBODY: &str = "principals/55555555-5555-4555-8555-555555555555";
const NO_CREDENTIAL: &str = "66666666666666666666666666666666";
/// In Unix seconds.
const IN_2090: i64 = 3_800_000_000;

impl Place {
    fn vault(self) -> String {
        format!("vaults/{}", self.vault)
    }

    fn access(self) -> String {
        format!("vaults/{}/access", self.vault)
    }

    fn key(self, name: &str) -> String {
        format!("vaults/{}/keys/{}{name}", self.vault, self.keys)
    }
}

/// Calls `method` there as the bearer of the token `who`.
pub(crate) async fn call(
    routes: &Routes,
    who: &str,
    method: Method,
    place: Place,
) -> Result<(), Status> {
    prepare(routes, method, place).await;
    let outcome = once(routes, who, method, place).await;
    put_back(routes, method).await;
    outcome
}

async fn prepare(routes: &Routes, method: Method, place: Place) {
    let root = Root(routes);
    match method {
        Method::GetAssignment | Method::DeleteAssignment => {
            root.ask(Method::CreateAssignment, assignment(ASSIGNMENT, place)).await;
        }
        Method::UpdateRole | Method::DeleteRole => {
            root.ask(Method::CreateRole, role(ROLE, "Old")).await;
        }
        _ => {}
    }
}

async fn put_back(routes: &Routes, method: Method) {
    let root = Root(routes);
    let unassign = |id: &str| DeleteAssignmentRequest { name: format!("assignments/{id}") };
    let drop = |id: &str| DeleteRoleRequest { name: format!("roles/{id}"), etag: String::new() };
    match method {
        Method::GetAssignment => root.ask(Method::DeleteAssignment, unassign(ASSIGNMENT)).await,
        Method::CreateAssignment => {
            root.ask(Method::DeleteAssignment, unassign(NEW_ASSIGNMENT)).await;
        }
        Method::UpdateRole => root.ask(Method::DeleteRole, drop(ROLE)).await,
        Method::CreateRole => root.ask(Method::DeleteRole, drop(NEW_ROLE)).await,
        _ => {}
    }
}

/// Whoever may do everything; that what it asks for is there already is no matter.
struct Root<'a>(&'a Routes);

impl Root<'_> {
    async fn ask<R: Message + Name + Default + 'static>(&self, method: Method, message: R) {
        let outcome = send(self.0, "tests", method, message).await;
        let code = outcome.map_or_else(|status| status.code(), |()| Code::Ok);
        assert!(
            matches!(code, Code::Ok | Code::AlreadyExists | Code::NotFound),
            "{method:?} {code:?}"
        );
    }
}

async fn once(routes: &Routes, who: &str, method: Method, place: Place) -> Result<(), Status> {
    macro_rules! send {
        ($message:expr) => {
            send(routes, who, method, $message).await
        };
    }
    let (ec, aes, mac) = (place.key("ec"), place.key("aes"), place.key("mac"));
    let (parent, message) = (place.vault(), b"message".as_slice());
    match method {
        Method::WhoAmI => send!(WhoAmIRequest {}),
        Method::CreateRole => send!(role(NEW_ROLE, "New")),
        Method::GetRole => send!(GetRoleRequest { name: READER.to_owned() }),
        Method::ListRoles => send!(ListRolesRequest::default()),
        Method::UpdateRole => send!(UpdateRoleRequest {
            role: Some(Role {
                name: format!("roles/{ROLE}"),
                title: "Newer".into(),
                ..Role::default()
            }),
            update_mask: mask("title"),
        }),
        Method::DeleteRole => {
            send!(DeleteRoleRequest { name: format!("roles/{ROLE}"), etag: String::new() })
        }
        Method::CreateAssignment => send!(assignment(NEW_ASSIGNMENT, place)),
        Method::GetAssignment => {
            send!(GetAssignmentRequest { name: format!("assignments/{ASSIGNMENT}") })
        }
        Method::ListAssignments => send!(ListAssignmentsRequest {
            scope: format!("/{}", place.vault()),
            ..ListAssignmentsRequest::default()
        }),
        Method::DeleteAssignment => {
            send!(DeleteAssignmentRequest { name: format!("assignments/{ASSIGNMENT}") })
        }
        Method::GetVaultAccess => send!(GetVaultAccessRequest { name: place.access() }),
        Method::UpdateVaultAccess => send!(UpdateVaultAccessRequest {
            vault_access: Some(VaultAccess { name: place.access(), ..VaultAccess::default() }),
            update_mask: mask("access_policies"),
        }),
        Method::UpdateNetworkRules => send!(UpdateNetworkRulesRequest {
            name: place.access(),
            network_rules: Some(NetworkRules::default()),
            etag: String::new(),
        }),
        Method::Sign => send!(sign(&ec)),
        Method::Verify => send!(VerifyRequest {
            name: ec,
            algorithm: "ES256".into(),
            input: Some(verify_request::Input::Message(message.into())),
            signature: vec![1; 64].into(),
        }),
        Method::Encrypt => {
            send!(EncryptRequest {
                name: aes,
                plaintext: message.into(),
                ..EncryptRequest::default()
            })
        }
        Method::Decrypt => send!(DecryptRequest {
            name: aes.clone(),
            ciphertext: Some(sealed(&aes, "A256GCM")),
            additional_data: Default::default(),
        }),
        Method::WrapKey => {
            send!(WrapKeyRequest { name: aes, algorithm: String::new(), key: vec![1; 16].into() })
        }
        Method::UnwrapKey => send!(UnwrapKeyRequest {
            name: aes.clone(),
            wrapped_key: Some(sealed(&aes, "A256GCM")),
            additional_data: Default::default(),
        }),
        Method::GenerateDataKey => {
            send!(GenerateDataKeyRequest { name: aes, ..GenerateDataKeyRequest::default() })
        }
        Method::ReEncrypt => send!(ReEncryptRequest {
            ciphertext: Some(sealed(&aes, "A256GCM")),
            destination_name: aes,
            ..ReEncryptRequest::default()
        }),
        Method::Mac => {
            send!(MacRequest { name: mac, algorithm: "HS256".into(), message: message.into() })
        }
        Method::VerifyMac => send!(VerifyMacRequest {
            name: mac,
            algorithm: "HS256".into(),
            message: message.into(),
            mac: vec![1; 32].into(),
        }),
        Method::RandomBytes => send!(RandomBytesRequest { parent, size: 16 }),
        Method::Batch => {
            let request = BatchRequest { operations: vec![operation(&ec)] };
            let mut crypto = CryptoServiceClient::new(routes.clone());
            let results = crypto.batch(called_by(who, request)).await?.into_inner().results;
            of_operation(results.into_iter().next().and_then(|result| result.result))
        }
        Method::Stream => {
            let request = StreamRequest { id: 1, operation: Some(operation(&ec)) };
            let requests = called_by(who, tokio_stream::once(request));
            let mut crypto = CryptoServiceClient::new(routes.clone());
            let mut answers = crypto.stream(requests).await?.into_inner();
            let result = answers.message().await?.and_then(|answer| answer.result);
            of_operation(result.and_then(|result| result.result))
        }
        Method::SignJwt => send!(SignJwtRequest {
            name: ec,
            algorithm: "ES256".into(),
            claims: "{}".into(),
            ..SignJwtRequest::default()
        }),
        Method::GetJwks => send!(GetJwksRequest { parent }),
        Method::CreateKey => send!(CreateKeyRequest {
            parent,
            key_id: format!("{}made", place.keys),
            key: Some(ec_key()),
        }),
        Method::GetImportRecipient => send!(GetImportRecipientRequest { parent }),
        Method::ImportKey => send!(ImportKeyRequest {
            parent,
            key_id: format!("{}taken", place.keys),
            key: Some(ec_key()),
            sealed_key: Some(SealedKey {
                recipient_id: "00".into(),
                encapsulated_key: vec![1; 65].into(),
                ciphertext: vec![1; 64].into(),
            }),
        }),
        Method::GetKey => send!(GetKeyRequest { name: ec }),
        Method::ListKeys => send!(ListKeysRequest { parent, ..ListKeysRequest::default() }),
        Method::ListKeyVersions => {
            send!(ListKeyVersionsRequest { parent: ec, ..ListKeyVersionsRequest::default() })
        }
        Method::UpdateKey => send!(UpdateKeyRequest {
            key: Some(Key { name: ec, ..Key::default() }),
            update_mask: mask("tags"),
        }),
        Method::RotateKey => send!(RotateKeyRequest { name: place.key("rotating") }),
        Method::QueryAuditRecords => {
            let request = called_by(who, QueryAuditRecordsRequest::default());
            AuditServiceClient::new(routes.clone()).query_audit_records(request).await.map(drop)
        }
        Method::GetAuditCheckpoint => send!(GetAuditCheckpointRequest {}),
        // No log has as many.
        Method::GetAuditProof => send!(GetAuditProofRequest { index: i64::MAX }),
        Method::CreatePrincipal => {
            let kind = principal::Kind::ManagedIdentity.into();
            let made = Principal { display_name: "made".into(), kind, ..Principal::default() };
            send!(CreatePrincipalRequest { principal: Some(made) })
        }
        Method::GetPrincipal => send!(GetPrincipalRequest { name: NOBODY.to_owned() }),
        Method::ListPrincipals => send!(ListPrincipalsRequest::default()),
        Method::UpdatePrincipal => send!(UpdatePrincipalRequest {
            principal: Some(Principal { name: NOBODY.to_owned(), ..Principal::default() }),
            update_mask: mask("disabled"),
        }),
        Method::DeletePrincipal => send!(DeletePrincipalRequest { name: NOBODY.to_owned() }),
        Method::AddClientSecret => {
            let expire_time = Some(Timestamp { seconds: IN_2090, nanos: 0 });
            send!(AddClientSecretRequest { parent: NOBODY.to_owned(), expire_time })
        }
        Method::AddCertificate => {
            send!(AddCertificateRequest { parent: NOBODY.to_owned(), certificate: message.into() })
        }
        Method::AddFederatedCredential => send!(AddFederatedCredentialRequest {
            parent: NOBODY.to_owned(),
            federated: Some(FederatedCredential {
                issuer: "https://issuer.example".into(),
                subject: "s".into(),
                audience: "a".into(),
            }),
        }),
        Method::RemoveCredential => send!(RemoveCredentialRequest {
            parent: NOBODY.to_owned(),
            credential_id: NO_CREDENTIAL.to_owned(),
        }),
        Method::CreateToken => {
            let owner = Some(token::Owner::Bearer("somebody".into()));
            let expire_time = Some(Timestamp { seconds: IN_2090, nanos: 0 });
            send!(CreateTokenRequest {
                token: Some(Token { owner, expire_time, ..Token::default() })
            })
        }
        Method::ListTokens => send!(ListTokensRequest::default()),
        Method::RevokeToken => {
            send!(RevokeTokenRequest { name: format!("tokens/{NO_CREDENTIAL}") })
        }
        Method::GetStatus => send!(GetStatusRequest {}),
        Method::CreateVault => {
            send!(CreateVaultRequest { vault_id: place.vault.to_owned(), vault: None })
        }
        Method::GetVault => send!(GetVaultRequest { name: parent }),
        Method::ListVaults => send!(ListVaultsRequest::default()),
    }
}

/// Sends one message and looks at nothing but how it ended.
async fn send<R: Message + 'static>(
    routes: &Routes,
    who: &str,
    method: Method,
    message: R,
) -> Result<(), Status> {
    let path = format!("/keyreeve.v1.{}/{}", method.service(), method.name());
    let path = PathAndQuery::from_str(&path).expect("a path");
    let mut grpc = Grpc::new(routes.clone());
    grpc.ready().await.map_err(|_| Status::internal("not ready"))?;
    // Any answer reads as a message without fields.
    let codec = MessageCodec::<R, ()>::default();
    grpc.unary(called_by(who, message), path, codec).await.map(drop)
}

fn of_operation(outcome: Option<Outcome>) -> Result<(), Status> {
    match outcome.expect("a result") {
        Outcome::Error(error) => Err(Status::new(Code::from(error.code), error.message)),
        _ => Ok(()),
    }
}

fn assignment(id: &str, place: Place) -> CreateAssignmentRequest {
    let principal = Holder { kind: "user".into(), name: "somebody".into(), issuer: "x".into() };
    let assignment = Assignment {
        role: READER.to_owned(),
        principal: Some(principal),
        scope: format!("/{}", place.vault()),
        ..Assignment::default()
    };
    CreateAssignmentRequest { assignment_id: id.to_owned(), assignment: Some(assignment) }
}

fn role(id: &str, title: &str) -> CreateRoleRequest {
    let actions = vec!["Microsoft.KeyVault/vaults/read".to_owned()];
    let role = Role { title: title.to_owned(), actions, ..Role::default() };
    CreateRoleRequest { role_id: id.to_owned(), role: Some(role) }
}

fn ec_key() -> Key {
    Key { key_type: "EC".into(), curve: "P-256".into(), ..Key::default() }
}

/// What no key sealed.
fn sealed(key: &str, algorithm: &str) -> Ciphertext {
    Ciphertext {
        version_name: key.to_owned(),
        algorithm: algorithm.to_owned(),
        iv: vec![0; 12].into(),
        ciphertext: vec![0; 16].into(),
        tag: vec![0; 16].into(),
    }
}

fn mask(path: &str) -> Option<FieldMask> {
    Some(FieldMask { paths: vec![path.to_owned()] })
}

/// Not needed by a call, but by whoever makes the keys of a place.
pub(crate) fn keys_of(place: Place) -> [CreateKeyRequest; 4] {
    let made = |name: &str, key: Key| CreateKeyRequest {
        parent: place.vault(),
        key_id: format!("{}{name}", place.keys),
        key: Some(key),
    };
    let oct = |operations: &[&str]| Key {
        key_type: "oct".into(),
        size: 256,
        operations: operations.iter().map(|&o| o.to_owned()).collect(),
        ..Key::default()
    };
    [
        made("ec", ec_key()),
        made("rotating", ec_key()),
        made("aes", oct(&[])),
        made("mac", oct(&["sign", "verify"])),
    ]
}
