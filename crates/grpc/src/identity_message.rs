//! Principals and tokens, as the interface shows them.

use keyreeve_authz::PrincipalKind;
use keyreeve_proto::v1::{
    Credential, FederatedCredential, Principal, Token,
    credential::{ClientCertificate, ClientSecret, Kind as CredentialKind},
    principal::Kind,
    token::Owner,
};
use keyreeve_service::{Account, IssuedToken, TokenOwner};
use keyreeve_types::UnixTime;

use crate::timestamp;

pub(crate) fn principal_to_proto(account: &Account) -> Principal {
    let kind = match account.kind() {
        PrincipalKind::ManagedIdentity => Kind::ManagedIdentity,
        _ => Kind::ServicePrincipal,
    };
    let secrets = account.secrets().iter().map(|one| {
        let kind = CredentialKind::ClientSecret(ClientSecret {});
        credential(&one.id, one.created, Some(one.expires), kind)
    });
    let certificates = account.certificates().iter().map(|one| {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let kind =
            CredentialKind::Certificate(ClientCertificate { thumbprint: hex(&one.thumbprint) });
        credential(&one.id, one.created, Some(one.expires), kind)
    });
    let federated = account.federated().iter().map(|one| {
        let kind = CredentialKind::Federated(FederatedCredential {
            issuer: one.issuer.clone(),
            subject: one.subject.clone(),
            audience: one.audience.clone(),
        });
        credential(&one.id, one.created, None, kind)
    });
    Principal {
        name: format!("principals/{}", account.id()),
        display_name: account.display_name().to_owned(),
        kind: kind.into(),
        disabled: !account.enabled(),
        create_time: Some(timestamp::to_proto(account.created())),
        credentials: secrets.chain(certificates).chain(federated).collect(),
    }
}

pub(crate) fn token_to_proto(token: &IssuedToken) -> Token {
    let owner = match token.owner() {
        TokenOwner::Principal(id) => Owner::Principal(format!("principals/{id}")),
        TokenOwner::Name(name) => Owner::Bearer(name.to_owned()),
    };
    Token {
        name: format!("tokens/{}", token.id()),
        owner: Some(owner),
        create_time: Some(timestamp::to_proto(token.created())),
        expire_time: Some(timestamp::to_proto(token.expires())),
        revoke_time: token.revoked().map(timestamp::to_proto),
    }
}

fn credential(
    id: &str,
    created: UnixTime,
    expires: Option<UnixTime>,
    kind: CredentialKind,
) -> Credential {
    Credential {
        id: id.to_owned(),
        create_time: Some(timestamp::to_proto(created)),
        expire_time: expires.map(timestamp::to_proto),
        kind: Some(kind),
    }
}
