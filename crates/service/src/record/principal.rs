//! A principal that Keyreeve keeps, as it is stored.

use keyreeve_authz::PrincipalKind;
use serde::{Deserialize, Serialize};

use super::{Record, text};

/// The record of a principal, under `principals/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// Its id, a GUID in lower case. Roles are assigned to it, never to a name.
    pub(crate) id: String,
    /// `service-principal` or `managed-identity`.
    #[serde(with = "kind")]
    pub(crate) kind: PrincipalKind,
    /// What people call it.
    pub(crate) display_name: String,
    /// Whether its credentials prove anything.
    pub(crate) enabled: bool,
    /// When it was made, in Unix seconds.
    pub(crate) created: i64,
    /// Its client secrets.
    pub(crate) secrets: Vec<SecretRecord>,
    /// Its certificates.
    pub(crate) certificates: Vec<CertificateRecord>,
    /// The tokens of others that prove it.
    pub(crate) federated: Vec<FederatedRecord>,
}

/// A client secret, of which the hash is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRecord {
    /// 32 hex digits.
    pub(crate) id: String,
    /// SHA-256 of its characters.
    #[serde(with = "text::base64url")]
    pub(crate) sha256: Vec<u8>,
    /// When it was made, in Unix seconds.
    pub(crate) created: i64,
    /// From when on it proves nothing, in Unix seconds.
    pub(crate) expires: i64,
}

/// A certificate whose key signs client assertions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateRecord {
    /// 32 hex digits.
    pub(crate) id: String,
    /// SHA-256 of its DER.
    #[serde(with = "text::base64url")]
    pub(crate) thumbprint: Vec<u8>,
    /// Its `SubjectPublicKeyInfo` in DER.
    #[serde(with = "text::base64url")]
    pub(crate) public_key: Vec<u8>,
    /// When it was added, in Unix seconds.
    pub(crate) created: i64,
    /// From when on it proves nothing, in Unix seconds.
    pub(crate) expires: i64,
}

/// Whose tokens prove the principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FederatedRecord {
    /// 32 hex digits.
    pub(crate) id: String,
    /// The token's `iss`.
    pub(crate) issuer: String,
    /// Its `sub`.
    pub(crate) subject: String,
    /// What must be in its `aud`.
    pub(crate) audience: String,
    /// When it was added, in Unix seconds.
    pub(crate) created: i64,
}

impl Record for PrincipalRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

/// The kinds that Keyreeve keeps, by their names.
mod kind {
    use keyreeve_authz::PrincipalKind;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(kind: &PrincipalKind, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(kind.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<PrincipalKind, D::Error> {
        match PrincipalKind::parse(&String::deserialize(d)?) {
            Some(kind @ (PrincipalKind::ServicePrincipal | PrincipalKind::ManagedIdentity)) => {
                Ok(kind)
            }
            _ => Err(D::Error::custom("not a kind of principal that is kept")),
        }
    }
}
