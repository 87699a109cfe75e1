//! A key as it is stored, without its versions.

use keyreeve_types::{KeyId, Name};
use serde::{Deserialize, Serialize};

use super::{Record, text};

/// The record of a key, under `keys/{vault}/{key}` in lower case. It is what
/// makers of versions contend for: whoever adds one raises `versions`, on the
/// condition that the record is as it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// The key's id, 32 hex digits.
    #[serde(with = "text::plain")]
    pub(crate) id: KeyId,
    /// Its name as it was first written.
    #[serde(with = "text::plain")]
    pub(crate) name: Name,
    /// How many versions were ever made; the number of the latest.
    pub(crate) versions: u32,
    /// When the first version was made, in Unix seconds.
    pub(crate) created: i64,
}

impl Record for KeyRecord {
    fn format(&self) -> u32 {
        self.format
    }
}
