//! A principal that Keyreeve keeps, in memory.

use keyreeve_authz::{Principal, PrincipalKind, Subject};
use keyreeve_publickey::PublicKey;
use keyreeve_store::Revision;
use keyreeve_types::UnixTime;

use crate::record::{PrincipalRecord, Unreadable};

/// A service principal or a managed identity, with what proves it.
#[derive(Debug)]
pub struct Account {
    pub(crate) record: PrincipalRecord,
    pub(crate) revision: Revision,
    pub(crate) subject: Subject,
    secrets: Vec<ClientSecret>,
    certificates: Vec<CertificateCredential>,
    federated: Vec<FederatedCredential>,
}

/// A client secret, of which the hash is known.
#[derive(Debug)]
pub struct ClientSecret {
    /// 32 hex digits.
    pub id: String,
    /// SHA-256 of its characters.
    pub sha256: [u8; 32],
    /// When it was made.
    pub created: UnixTime,
    /// From when on it proves nothing.
    pub expires: UnixTime,
}

/// A certificate whose key signs client assertions.
#[derive(Debug)]
pub struct CertificateCredential {
    /// 32 hex digits.
    pub id: String,
    /// SHA-256 of its DER.
    pub thumbprint: [u8; 32],
    /// Its key.
    pub key: PublicKey,
    /// When it was added.
    pub created: UnixTime,
    /// From when on it proves nothing.
    pub expires: UnixTime,
}

/// Whose tokens prove the principal: all three must be equal, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederatedCredential {
    /// 32 hex digits.
    pub id: String,
    /// The token's `iss`.
    pub issuer: String,
    /// Its `sub`.
    pub subject: String,
    /// What must be in its `aud`.
    pub audience: String,
    /// When it was added.
    pub created: UnixTime,
}

impl Account {
    pub(super) fn new(record: PrincipalRecord, revision: Revision) -> Result<Self, Unreadable> {
        let bad = |what: &str| Unreadable(what.to_owned());
        let hash = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| bad("not a SHA-256"));
        let secrets = record.secrets.iter().map(|secret| {
            Ok(ClientSecret {
                id: secret.id.clone(),
                sha256: hash(&secret.sha256)?,
                created: UnixTime(secret.created),
                expires: UnixTime(secret.expires),
            })
        });
        let certificates = record.certificates.iter().map(|one| {
            Ok(CertificateCredential {
                id: one.id.clone(),
                thumbprint: hash(&one.thumbprint)?,
                key: PublicKey::from_spki(&one.public_key).map_err(|_| bad("not a public key"))?,
                created: UnixTime(one.created),
                expires: UnixTime(one.expires),
            })
        });
        let federated = record.federated.iter().map(|one| FederatedCredential {
            id: one.id.clone(),
            issuer: one.issuer.clone(),
            subject: one.subject.clone(),
            audience: one.audience.clone(),
            created: UnixTime(one.created),
        });
        let principal = Principal::new(record.kind, None, &record.id);
        let subject = principal.map_err(|e| bad(&e.to_string()))?;
        Ok(Self {
            secrets: secrets.collect::<Result<_, Unreadable>>()?,
            certificates: certificates.collect::<Result<_, Unreadable>>()?,
            federated: federated.collect(),
            subject: Subject::new(subject, []).map_err(|e| bad(&e.to_string()))?,
            record,
            revision,
        })
    }

    /// Its id, a GUID in lower case. Roles are assigned to it.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Whether it is a service principal or a managed identity.
    pub fn kind(&self) -> PrincipalKind {
        self.record.kind
    }

    /// What people call it.
    pub fn display_name(&self) -> &str {
        &self.record.display_name
    }

    /// Whether its credentials prove anything.
    pub fn enabled(&self) -> bool {
        self.record.enabled
    }

    /// When it was made.
    pub fn created(&self) -> UnixTime {
        UnixTime(self.record.created)
    }

    /// Its client secrets.
    pub fn secrets(&self) -> &[ClientSecret] {
        &self.secrets
    }

    /// Its certificates.
    pub fn certificates(&self) -> &[CertificateCredential] {
        &self.certificates
    }

    /// The tokens of others that prove it.
    pub fn federated(&self) -> &[FederatedCredential] {
        &self.federated
    }

    /// It, as one who asks.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
}
