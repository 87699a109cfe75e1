//! A key version as the front holds it: described, sealed, and of no use without
//! a keyhost.

use std::{fmt, sync::Arc};

use keyreeve_types::{KeyId, KeyPolicy, VaultId, VersionId};
use serde::{Deserialize, Serialize};

/// Which version of which key in which vault. Part of what an envelope
/// authenticates, so that a blob moved to another record does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The vault.
    pub vault: VaultId,
    /// The key.
    pub key: KeyId,
    /// The version.
    pub version: VersionId,
}

/// The second byte of a sealed key: where its private half is. In an envelope of the
/// software keystore.
pub(crate) const PORTABLE: u8 = 1;
/// In the slot that made it.
pub(crate) const RESIDENT: u8 = 2;
/// Wrapped, for any slot that has the wrapping key.
pub(crate) const WRAPPED: u8 = 3;
/// Wrapped, and vouched for by the one slot that made it.
pub(crate) const LONE: u8 = 4;

/// A key version with everything a keyhost needs to open it.
#[derive(Clone)]
pub struct SealedKey {
    /// What it is.
    pub binding: Binding,
    /// The rules it lives under, authenticated with it.
    pub policy: KeyPolicy,
    /// The vault's key, sealed under the root key. Empty where the backend keeps
    /// keys itself.
    pub vault_key: Arc<[u8]>,
    /// The key material, sealed (docs/formats.md, "Sealed key").
    pub sealed: Arc<[u8]>,
    /// The slot that made it, where only that one has it; `None` if that is not known.
    pub slot: Option<Arc<str>>,
}

/// Which audit log of an installation: each node has one, and begins another where
/// it finds none. Random, so that a log that begins anew is not taken for the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogId([u8; 8]);

impl LogId {
    /// The id of these bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The name of the log and of its key: `keyreeve.audit/<deployment>/<log>`, both
    /// in hex.
    pub(crate) fn origin(&self, deployment: &[u8; 16]) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("{ORIGIN}{}/{}", hex(deployment), hex(&self.0))
    }

    /// The log that is called so; `None` if it is not one of Keyreeve's.
    pub fn of_origin(origin: &str) -> Option<Self> {
        let (deployment, log) = origin.strip_prefix(ORIGIN)?.split_once('/')?;
        let lawful =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if deployment.len() != 32 || log.len() != 16 || !lawful(deployment) || !lawful(log) {
            return None;
        }
        u64::from_str_radix(log, 16).ok().map(|id| Self(id.to_be_bytes()))
    }
}

/// How the names of logs begin.
const ORIGIN: &str = "keyreeve.audit/";

impl SealedKey {
    /// Whether only the slot that made the key can use it.
    pub(crate) fn is_bound_to_slot(&self) -> bool {
        matches!(self.sealed.get(1), Some(&(RESIDENT | LONE)))
    }
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedKey").field("binding", &self.binding).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a log that is not found again by its name, after which a second
    /// one would begin.
    #[test]
    fn a_log_is_found_by_its_name() {
        let log = LogId::from_bytes([0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff]);
        let origin = log.origin(&[0xab; 16]);
        assert_eq!(origin, format!("keyreeve.audit/{}/00010203fcfdfeff", "ab".repeat(16)));
        assert_eq!(LogId::of_origin(&origin), Some(log));
        for other in ["", "keyreeve.audit/", &origin[..origin.len() - 1], &origin.to_uppercase()] {
            assert_eq!(LogId::of_origin(other), None, "{other}");
        }
    }
}
