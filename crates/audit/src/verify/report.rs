//! What a verification found.

use std::fmt;
use std::path::PathBuf;

use crate::Checkpoint;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The signed checkpoint; `None` if there is none that the key signed, and then
    /// nothing else was looked at.
    pub checkpoint: Option<Checkpoint>,
    /// How many records were read and found to be those that were signed.
    pub records: u64,
    /// Records before this index were pruned; that they were is in the log.
    pub minimum_index: u64,
    /// How many records are in the journal only: durable, and not signed yet.
    pub unsigned: u64,
    /// Whether something was being written when the directory was left: a record that
    /// was acknowledged to nobody, a file without its name. A log that was closed has
    /// nothing of the kind.
    pub unfinished: bool,
    /// All that is wrong.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether the log is what was signed.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether the log is what was signed, and was closed in order.
    pub fn is_clean(&self) -> bool {
        self.is_sound() && !self.unfinished && self.unsigned == 0
    }
}

/// A file and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path below the log's directory.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It must be there and is not.
    Missing,
    /// The file system could not read it.
    Unreadable,
    /// It is not what its name says.
    Malformed,
    /// It belongs to no log.
    Stranger,
    /// The checkpoint is not signed by the key.
    Signature,
    /// Its hashes are not those of what it covers.
    Hashes,
    /// The entry with this index is not a record in its one encoding.
    Record(u64),
    /// The tree has another root than the one that was signed.
    Root,
    /// Records were removed, and no record of the log says so.
    Unannounced,
    /// The journal was changed, or lost records, at or after this index.
    Journal(u64),
    /// The checkpoint kept elsewhere is not signed by the key.
    EarlierSignature,
    /// The checkpoint kept elsewhere covers more records: the log was cut.
    Shorter,
    /// The checkpoint kept elsewhere has other records: the log was rewritten.
    Rewritten,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Unreadable => f.write_str("cannot be read"),
            Self::Malformed => f.write_str("damaged"),
            Self::Stranger => f.write_str("does not belong to an audit log"),
            Self::Signature => f.write_str("not signed by the log's key"),
            Self::Hashes => f.write_str("hashes do not match what they cover"),
            Self::Record(index) => write!(f, "entry {index} is not an audit record"),
            Self::Root => f.write_str("the records are not those that were signed"),
            Self::Unannounced => f.write_str("records were removed and no record says so"),
            Self::Journal(index) => write!(f, "damaged from record {index} on"),
            Self::EarlierSignature => {
                f.write_str("the checkpoint kept elsewhere is not signed by the log's key")
            }
            Self::Shorter => f.write_str("the log is shorter than the checkpoint kept elsewhere"),
            Self::Rewritten => {
                f.write_str("the log is not the one that the checkpoint kept elsewhere is of")
            }
        }
    }
}
