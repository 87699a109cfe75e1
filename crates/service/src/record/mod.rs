//! What is stored: one JSON document per vault, key and key version.
//!
//! Every document carries `format`. A reader refuses a format or a field it does
//! not know rather than drop what it does not understand. `tests/golden` pins the
//! documents byte by byte; a change there is a change of the stored format.
//!
//! Nothing in a record is secret: key material and vault keys are sealed.

mod key;
mod text;
mod vault;
mod version;

use std::fmt;

pub(crate) use key::KeyRecord;
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
