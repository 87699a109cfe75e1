//! A vault as it is stored.

use keyreeve_types::{Name, VaultId};
use serde::{Deserialize, Serialize};

use super::{Record, text};
use crate::Tier;

/// The record of a vault, under `vaults/{name in lower case}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// The vault's id, 32 hex digits.
    #[serde(with = "text::plain")]
    pub(crate) id: VaultId,
    /// Its name as it was first written.
    #[serde(with = "text::plain")]
    pub(crate) name: Name,
    /// `standard` or `premium`.
    pub(crate) tier: Tier,
    /// Which backend holds its keys.
    pub(crate) backend: String,
    /// The vault's key, sealed under the root key (docs/formats.md); empty where
    /// the backend keeps keys itself.
    #[serde(with = "text::base64url")]
    pub(crate) vault_key: Vec<u8>,
    /// When it was made, in Unix seconds.
    pub(crate) created: i64,
}

impl Record for VaultRecord {
    fn format(&self) -> u32 {
        self.format
    }
}
