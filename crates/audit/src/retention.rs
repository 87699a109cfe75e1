//! Retention: removing old entry bundles and nothing else (C2SP tlog-tiles,
//! "Pruning").
//!
//! Hash tiles stay, so that the tree, every later record and every old proof stay
//! verifiable. How far was pruned is in the file `minimum-index`, and in a record of
//! the log itself: a verifier believes the file only if a record says so, or else
//! anybody could remove records and write the file.

use std::path::Path;
use std::{fmt, io};

use crate::atomic::AtomicFiles;
use crate::record::{Kind, Object};
use crate::{CheckpointError, Files, Record, Stopped, Word, layout, tile::TileId};

/// The operation of records that announce a prune. Their number is the minimum index.
pub const PRUNE: Word = Word::new("PruneAuditLog");

/// The record that allows a prune up to `minimum`.
pub(crate) fn authorise(mut record: Record, minimum: u64) -> Record {
    record.action.operation = PRUNE;
    record.action.object = Object::of_kind(Kind::AuditLog);
    record.number = Some(minimum);
    record
}

/// Records the minimum index and removes the bundles before it.
pub(crate) fn prune(files: &dyn Files, directory: &Path, minimum: u64) -> io::Result<()> {
    let recorded = minimum_index(files, directory)?.unwrap_or(0);
    let minimum = minimum.max(recorded);
    if minimum > recorded {
        let bytes = format!("{minimum}\n").into_bytes();
        let path = directory.join(layout::MINIMUM_INDEX);
        AtomicFiles::replace(files, directory, &path, &bytes)?;
    }
    // The oldest go first, so that wherever this is cut short, all that are gone come
    // before all that are left.
    let bundle = |index| directory.join(TileId::full(None, index).path());
    let end = minimum / 256;
    let mut first = end;
    while first > 0 && files.read(&bundle(first - 1))?.is_some() {
        first -= 1;
    }
    for index in first..end {
        files.remove(&bundle(index))?;
    }
    Ok(())
}

/// The minimum index on record; `None` if the log was never pruned.
pub(crate) fn minimum_index(files: &dyn Files, directory: &Path) -> io::Result<Option<u64>> {
    let Some(bytes) = files.read(&directory.join(layout::MINIMUM_INDEX))? else {
        return Ok(None);
    };
    let parsed = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
        .and_then(|digits| digits.parse::<u64>().ok())
        .filter(|index| format!("{index}\n").as_bytes() == bytes && index % 256 == 0);
    parsed.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Why a prune did not finish.
#[derive(Debug)]
pub enum PruneError {
    /// It could not be recorded: the log has stopped.
    Stopped(Stopped),
    /// Its record is not under a checkpoint yet; nothing was removed.
    Checkpoint(CheckpointError),
    /// A file could not be removed.
    Io(io::Error),
}

impl fmt::Display for PruneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stopped) => stopped.fmt(f),
            Self::Checkpoint(error) => error.fmt(f),
            Self::Io(error) => write!(f, "pruning the audit log: {error}"),
        }
    }
}

impl std::error::Error for PruneError {}
