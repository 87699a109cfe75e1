//! The services, put together, with the limits on what they read.

use keyreeve_proto::v1::{
    access_service_server::AccessServiceServer, audit_service_server::AuditServiceServer,
    crypto_service_server::CryptoServiceServer, identity_service_server::IdentityServiceServer,
    key_service_server::KeyServiceServer, status_service_server::StatusServiceServer,
    vault_service_server::VaultServiceServer,
};
use keyreeve_service::Service;
use tonic::service::Routes;

use crate::{
    access::AccessDoor,
    audit::AuditDoor,
    crypto::CryptoDoor,
    identity::IdentityDoor,
    keys::KeyDoor,
    status::{StatusDoor, StatusSource},
    vaults::VaultDoor,
};

/// Longest request with operations, in bytes: a batch of 256 with 16 KiB each.
const MAX_CRYPTO_REQUEST: usize = 4 * 1024 * 1024;

/// Longest request about access, in bytes: 1024 access policies with long names.
const MAX_ACCESS_REQUEST: usize = 1024 * 1024;

/// Longest request about vaults and keys, in bytes.
const MAX_ADMIN_REQUEST: usize = 256 * 1024;

/// The operations alone, for one runtime: to be called without a router on the way.
pub fn crypto_service(service: &Service) -> CryptoServiceServer<CryptoDoor> {
    CryptoServiceServer::new(CryptoDoor::new(service.clone()))
        .max_decoding_message_size(MAX_CRYPTO_REQUEST)
}

/// All services, for one runtime. Health and reflection are the server's to add.
pub fn routes(service: &Service, status: StatusSource) -> Routes {
    let crypto = crypto_service(service);
    let keys = KeyServiceServer::new(KeyDoor::new(service.clone()))
        .max_decoding_message_size(MAX_ADMIN_REQUEST);
    let vaults = VaultServiceServer::new(VaultDoor::new(service.clone()))
        .max_decoding_message_size(MAX_ADMIN_REQUEST);
    let status = StatusServiceServer::new(StatusDoor::new(service.clone(), status))
        .max_decoding_message_size(MAX_ADMIN_REQUEST);
    let access = AccessServiceServer::new(AccessDoor::new(service.clone()))
        .max_decoding_message_size(MAX_ACCESS_REQUEST);
    let audit = AuditServiceServer::new(AuditDoor::new(service.clone()))
        .max_decoding_message_size(MAX_ADMIN_REQUEST);
    let identities = IdentityServiceServer::new(IdentityDoor::new(service.clone()))
        .max_decoding_message_size(MAX_ADMIN_REQUEST);
    Routes::new(crypto)
        .add_service(keys)
        .add_service(vaults)
        .add_service(identities)
        .add_service(access)
        .add_service(status)
        .add_service(audit)
}
