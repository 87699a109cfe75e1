//! The tables of the file, and how an entry is written in them.

use keyreeve_store::{Entry, Key, Revision, Value};
use redb::TableDefinition;

/// The format this engine writes, and the only one it reads.
pub(crate) const FORMAT: u64 = 1;

pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(crate) const META_FORMAT: &str = "format";
pub(crate) const META_REVISION: &str = "revision";

pub(crate) const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

const REVISION_BYTES: usize = size_of::<u64>();

/// Writes `revision ‖ value` into `buffer`, replacing what it held.
pub(crate) fn encode(buffer: &mut Vec<u8>, revision: Revision, value: &Value) {
    buffer.clear();
    buffer.extend_from_slice(&revision.0.to_be_bytes());
    buffer.extend_from_slice(value);
}

/// The revision of a stored entry.
pub(crate) fn revision_of(stored: &[u8]) -> Result<Revision, redb::Error> {
    let (revision, _) = split(stored)?;
    Ok(revision)
}

/// A stored entry, copied out.
pub(crate) fn entry(key: Key, stored: &[u8]) -> Result<Entry, redb::Error> {
    let (revision, value) = split(stored)?;
    Ok(Entry { key, value: Value::copy_from_slice(value), revision })
}

fn split(stored: &[u8]) -> Result<(Revision, &[u8]), redb::Error> {
    let (revision, value) = stored
        .split_first_chunk::<REVISION_BYTES>()
        .ok_or_else(|| redb::Error::Corrupted("an entry is too short for its revision".into()))?;
    Ok((Revision(u64::from_be_bytes(*revision)), value))
}
