//! What can go wrong: on opening, on appending, on reading.

use std::path::PathBuf;
use std::{fmt, io};

use crate::SigningError;

/// Why a log cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another part of this one, writes to it.
    InUse,
    /// The file system failed.
    Io {
        /// The file or directory concerned.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// What is there is not what was signed, or not all of it. Nothing was changed:
    /// keep the directory as evidence, and start a log in another.
    Contradiction(Contradiction),
    /// No checkpoint could be signed.
    Signing(SigningError),
}

/// How the files of a log contradict its checkpoint or each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Contradiction {
    /// There are records, but no checkpoint.
    NoCheckpoint,
    /// The checkpoint is not one that the log's key signed.
    Checkpoint,
    /// Tiles or records are missing that the checkpoint covers.
    MissingTiles,
    /// Tiles do not lead to the root that was signed, or records not to the tiles.
    Tree,
    /// The journal is damaged, or has a gap, at or after this index.
    Journal(u64),
    /// The journal says another thing about a record under the checkpoint.
    Rewritten(u64),
}

/// The log has stopped. Nothing is recorded any more until it is opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// What it was doing.
    pub doing: &'static str,
    /// What went wrong.
    pub kind: io::ErrorKind,
}

/// Why records cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The file system failed.
    Io {
        /// The file or directory concerned.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A file is missing that must be there.
    Missing(PathBuf),
    /// A file is not what its name says.
    Malformed(PathBuf),
    /// The checkpoint is not one that the log's key signed.
    Checkpoint,
    /// The record was pruned, or is not under the checkpoint.
    NotThere(u64),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("the audit log is being written by another process"),
            Self::Io { path, error } => write!(f, "audit log: {}: {error}", path.display()),
            Self::Contradiction(what) => write!(
                f,
                "the audit log was changed or lost records: {what}. Keep the directory as \
                 evidence, verify it, and start a log in another"
            ),
            Self::Signing(error) => write!(f, "audit log: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCheckpoint => f.write_str("there are records, but no checkpoint"),
            Self::Checkpoint => f.write_str("the checkpoint is not signed by the log's key"),
            Self::MissingTiles => f.write_str("tiles under the checkpoint are missing"),
            Self::Tree => f.write_str("the tiles are not those that were signed"),
            Self::Journal(index) => write!(f, "the journal is damaged from record {index} on"),
            Self::Rewritten(index) => write!(f, "the journal has another record {index}"),
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the audit log has stopped: {}: {}. Nothing that needs a record is done until the \
             log is opened again; make room or replace the disk first",
            self.doing, self.kind
        )
    }
}

impl std::error::Error for Stopped {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "audit log: {}: {error}", path.display()),
            Self::Missing(path) => write!(f, "audit log: {} is missing", path.display()),
            Self::Malformed(path) => write!(f, "audit log: {} is damaged", path.display()),
            Self::Checkpoint => f.write_str("the checkpoint is not signed by the log's key"),
            Self::NotThere(index) => {
                write!(f, "record {index} was pruned or is not under the checkpoint yet")
            }
        }
    }
}

impl std::error::Error for ReadError {}
