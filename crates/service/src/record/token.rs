//! A bearer token that Keyreeve issued, as it is stored: everything but the token.

use serde::{Deserialize, Serialize};

use super::{Record, text};

/// The record of a token, under `tokens/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// 32 hex digits.
    pub(crate) id: String,
    /// SHA-256 of its characters.
    #[serde(with = "text::base64url")]
    pub(crate) sha256: Vec<u8>,
    /// Whom it proves.
    pub(crate) owner: OwnerRecord,
    /// When it was issued, in Unix seconds.
    pub(crate) created: i64,
    /// From when on it proves nothing, in Unix seconds.
    pub(crate) expires: i64,
    /// When it was revoked, in Unix seconds. Never taken back.
    pub(crate) revoked: Option<i64>,
}

/// Whom a token proves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum OwnerRecord {
    /// A principal that Keyreeve keeps, by its id.
    Principal(String),
    /// Its bearer, by a name.
    Name(String),
}

impl Record for TokenRecord {
    fn format(&self) -> u32 {
        self.format
    }
}
