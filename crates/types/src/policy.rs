//! What decides whether a key version may be used.
//!
//! The policy is authenticated with the key material (docs/formats.md, "Key
//! policy") and enforced twice: by the service, which gives the caller a clear
//! answer, and by the keyhost, which a subverted front cannot talk round.

use serde::{Deserialize, Serialize};

use crate::{KeyOps, KeySpec, Operation, UnixTime};

/// The rules a key version lives under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPolicy {
    /// What kind of key this is; fixes the algorithms it may run.
    pub spec: KeySpec,
    /// The operations it was made for. Never grows.
    pub made_for: KeyOps,
    /// The operations allowed now: a subset of `made_for`.
    pub ops: KeyOps,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// Not usable before this time (Key Vault `nbf`).
    pub not_before: Option<UnixTime>,
    /// Not usable from this time on (Key Vault `exp`). Verifying, decrypting and
    /// unwrapping what was made before stay allowed.
    pub expires: Option<UnixTime>,
    /// Counts the changes of this policy, from 1. A keyhost that was shown a later
    /// one does not go back to an earlier one.
    pub revision: u32,
}

/// Why a key version may not be used now. Named for what the caller can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// `enabled` is false.
    Disabled,
    /// `not_before` lies in the future.
    NotYetValid,
    /// `expires` has passed, and the operation makes something new.
    Expired,
    /// The operation is not among the key's operations.
    OperationNotAllowed,
}

impl KeyPolicy {
    /// Length of [`KeyPolicy::to_bytes`].
    pub const ENCODED_LEN: usize = 28;

    /// Whether `operation` is allowed at `now`.
    ///
    /// Expiry stops what makes something new (sign, encrypt, wrap) and not what
    /// reads something old (verify, decrypt, unwrap), as in Key Vault.
    pub fn check(&self, operation: Operation, now: UnixTime) -> Result<(), KeyState> {
        if !self.enabled {
            return Err(KeyState::Disabled);
        }
        if !self.ops.contains(operation) {
            return Err(KeyState::OperationNotAllowed);
        }
        if self.not_before.is_some_and(|t| now < t) {
            return Err(KeyState::NotYetValid);
        }
        let makes = matches!(operation, Operation::Sign | Operation::Encrypt | Operation::WrapKey);
        if makes && self.expires.is_some_and(|t| now >= t) {
            return Err(KeyState::Expired);
        }
        Ok(())
    }

    /// The canonical encoding that envelopes authenticate; docs/formats.md draws it.
    pub fn to_bytes(&self) -> [u8; Self::ENCODED_LEN] {
        let flags = u8::from(self.enabled)
            | u8::from(self.not_before.is_some()) << 1
            | u8::from(self.expires.is_some()) << 2;
        let mut bytes = [0; Self::ENCODED_LEN];
        bytes[0] = 1; // encoding version
        bytes[1] = self.spec.code();
        bytes[2] = flags;
        bytes[4..6].copy_from_slice(&self.made_for.bits().to_be_bytes());
        bytes[6..8].copy_from_slice(&self.ops.bits().to_be_bytes());
        bytes[8..16].copy_from_slice(&self.not_before.map_or(0, |t| t.0).to_be_bytes());
        bytes[16..24].copy_from_slice(&self.expires.map_or(0, |t| t.0).to_be_bytes());
        bytes[24..28].copy_from_slice(&self.revision.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> KeyPolicy {
        let ops = KeyOps::of(&[Operation::Sign, Operation::Verify]);
        KeyPolicy {
            spec: KeySpec::EcP256,
            made_for: ops,
            ops,
            enabled: true,
            not_before: Some(UnixTime(100)),
            expires: Some(UnixTime(200)),
            revision: 1,
        }
    }

    /// Guards against an expired signing key that still signs, and against old
    /// signatures that nobody can verify any more.
    #[test]
    fn expiry_stops_signing_but_not_verifying() {
        let policy = policy();
        assert_eq!(policy.check(Operation::Sign, UnixTime(99)), Err(KeyState::NotYetValid));
        assert_eq!(policy.check(Operation::Sign, UnixTime(199)), Ok(()));
        assert_eq!(policy.check(Operation::Sign, UnixTime(200)), Err(KeyState::Expired));
        assert_eq!(policy.check(Operation::Verify, UnixTime(200)), Ok(()));
        assert_eq!(
            policy.check(Operation::Decrypt, UnixTime(150)),
            Err(KeyState::OperationNotAllowed)
        );
    }

    /// Guards against a field left out of the encoding: it would not be authenticated.
    #[test]
    fn every_field_changes_the_encoding() {
        let base = policy();
        let none = KeyOps::NONE;
        let changed = [
            KeyPolicy { spec: KeySpec::EcP384, ..base.clone() },
            KeyPolicy { made_for: none, ..base.clone() },
            KeyPolicy { ops: none, ..base.clone() },
            KeyPolicy { enabled: false, ..base.clone() },
            KeyPolicy { not_before: None, ..base.clone() },
            KeyPolicy { expires: None, ..base.clone() },
            KeyPolicy { revision: 2, ..base.clone() },
        ];
        for other in changed {
            assert_ne!(base.to_bytes(), other.to_bytes(), "{other:?}");
        }
    }
}
