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
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedKey").field("binding", &self.binding).finish_non_exhaustive()
    }
}
