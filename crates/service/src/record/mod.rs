//! What is stored: one JSON document per vault, key and key version, per role,
//! assignment and vault policy, and per principal and token.
//!
//! Every document carries `format`. A reader refuses a format or a field it does
//! not know rather than drop what it does not understand. `tests/golden` pins the
//! documents byte by byte; a change there is a change of the stored format.
//!
//! Nothing in a record is secret: key material and vault keys are sealed, and of tokens
//! and client secrets, which have 256 random bits, only the SHA-256 is there.

mod access;
mod key;
mod principal;
mod text;
mod token;
mod vault;
mod version;

use std::fmt;

pub(crate) use access::{AssignmentRecord, HeadRecord, RoleRecord, VaultPolicyRecord};
pub(crate) use key::KeyRecord;
pub(crate) use principal::{CertificateRecord, FederatedRecord, PrincipalRecord, SecretRecord};
pub(crate) use token::{OwnerRecord, TokenRecord};
pub(crate) use vault::VaultRecord;
pub(crate) use version::VersionRecord;

use serde::{Serialize, de::DeserializeOwned};

/// The format written now.
pub(crate) const FORMAT: u32 = 1;

/// A kind of record.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// Its `format` member.
    fn format(&self) -> u32;
}

/// Serialises `record`.
pub(crate) fn encode(record: &impl Record) -> Result<Vec<u8>, Unreadable> {
    serde_json::to_vec(record).map_err(|e| Unreadable(e.to_string()))
}

/// Parses a stored document.
pub(crate) fn decode<R: Record>(bytes: &[u8]) -> Result<R, Unreadable> {
    let record: R = serde_json::from_slice(bytes).map_err(|e| Unreadable(e.to_string()))?;
    if record.format() != FORMAT {
        return Err(Unreadable(format!("format {} is not known here", record.format())));
    }
    Ok(record)
}

/// A stored record does not parse. The text is for the operator and holds nothing
/// of the record but positions and names of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use keyreeve_types::{KeyOps, Operation, UnixTime};

    use super::*;

    fn reads_and_writes<R: Record>(golden: &str) -> R {
        let record: R = decode(golden.as_bytes()).expect(
            "a record of this format must stay readable; if it has to change, raise FORMAT and \
             keep reading the old one",
        );
        let written = encode(&record).expect("a record that was read");
        assert_eq!(String::from_utf8(written).expect("JSON"), golden, "written differently now");
        record
    }

    /// Guards against a stored format that changes without anybody meaning it: a
    /// renamed variant is enough.
    #[test]
    fn records_are_written_as_ever() {
        let vault: VaultRecord = reads_and_writes(include_str!("../../tests/golden/vault.json"));
        assert_eq!((vault.name.as_str(), &vault.vault_key[..]), ("Prod", &[1, 2, 3][..]));
        let key: KeyRecord = reads_and_writes(include_str!("../../tests/golden/key.json"));
        assert_eq!(key.versions, 2);
        let version: VersionRecord =
            reads_and_writes(include_str!("../../tests/golden/version.json"));
        let policy = version.policy();
        assert_eq!(policy.ops, KeyOps::of(&[Operation::Decrypt]));
        assert_eq!(policy.expires, Some(UnixTime(1_800_000_000)));
        assert_eq!((policy.revision, policy.enabled), (3, false));
        let principal: PrincipalRecord =
            reads_and_writes(include_str!("../../tests/golden/principal.json"));
        assert_eq!(principal.secrets[0].sha256, [7; 32]);
        let token: TokenRecord = reads_and_writes(include_str!("../../tests/golden/token.json"));
        assert_eq!(token.revoked, Some(1_700_000_100));
    }

    /// Guards against the same of what decides access, and against a record that says
    /// something else once it was read.
    #[test]
    fn records_of_access_are_written_as_ever() {
        let role: RoleRecord = reads_and_writes(include_str!("../../tests/golden/role.json"));
        let again = RoleRecord::new(
            &role.to_role().expect("a role"),
            UnixTime(role.created),
            UnixTime(role.updated),
        );
        assert_eq!(encode(&again).ok(), encode(&role).ok());
        let assignment: AssignmentRecord =
            reads_and_writes(include_str!("../../tests/golden/assignment.json"));
        let read = assignment.to_assignment().expect("an assignment");
        assert_eq!((read.holder.issuer(), read.configured), (Some("corp"), false));
        let again = AssignmentRecord::new(&read, UnixTime(assignment.created));
        assert_eq!(encode(&again).ok(), encode(&assignment).ok());
        let policy: VaultPolicyRecord =
            reads_and_writes(include_str!("../../tests/golden/vault-policy.json"));
        let read = policy.to_policy().expect("a policy");
        let again = VaultPolicyRecord::new(&policy.vault, &read, UnixTime(policy.updated));
        assert_eq!(encode(&again).ok(), encode(&policy).ok());
    }

    /// Guards against a newer record that an older reader takes for what it is not.
    #[test]
    fn what_is_not_understood_is_refused() {
        let golden = include_str!("../../tests/golden/key.json");
        let newer = golden.replace("\"format\":1", "\"format\":2");
        assert!(decode::<KeyRecord>(newer.as_bytes()).is_err());
        let wider = golden.replace("\"format\":1", "\"format\":1,\"exportable\":true");
        assert!(decode::<KeyRecord>(wider.as_bytes()).is_err());
        for cut in 0..golden.len() {
            assert!(decode::<KeyRecord>(&golden.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }
}
