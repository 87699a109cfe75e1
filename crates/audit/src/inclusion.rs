//! Proofs that one record is in the log, which anybody can check with the log's
//! public key and nothing else (C2SP tlog-proof).

use std::fmt;
use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use keyreeve_tlog as tlog;

use crate::{
    Checkpoint, DiskFiles, Files as _, Hash, ReadError, VerifierKey, layout, tiles::Tiles,
};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Longest path: a tree has at most 2⁶⁴ leaves.
const MAX_PATH: usize = 64;

/// That a record is in the log: its index, the way to the root, and a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The record's index.
    pub index: u64,
    /// The siblings on the way up, the leaf's first (RFC 6962 section 2.1.1).
    pub path: Vec<Hash>,
    /// The signed checkpoint, as it is in the log's directory.
    pub checkpoint: String,
}

/// Makes the proof for record `index`, from the directory of a log.
///
/// # Errors
/// [`ReadError`] if the record is not under the checkpoint, or what is needed of the
/// tree is missing or damaged: the proof is checked before it is given out.
pub fn prove(directory: &Path, key: &VerifierKey, index: u64) -> Result<InclusionProof, ReadError> {
    let files = DiskFiles;
    let path = directory.join(layout::CHECKPOINT);
    let note = match files.read(&path) {
        Ok(Some(note)) => note,
        Ok(None) => return Err(ReadError::Missing(layout::CHECKPOINT.into())),
        Err(error) => return Err(ReadError::Io { path, error }),
    };
    let checkpoint = Checkpoint::open(&note, key).map_err(|_| ReadError::Checkpoint)?;
    if index >= checkpoint.size {
        return Err(ReadError::NotThere(index));
    }
    let tiles = Tiles::new(&files, directory, checkpoint.size);
    let path = tlog::inclusion(&tiles, index, checkpoint.size)?;
    let tile = tiles.hashes(0, index >> 8)?;
    let leaf = tile.get((index & 255) as usize).ok_or(ReadError::NotThere(index))?;
    if !tlog::check_inclusion(*leaf, index, checkpoint.size, checkpoint.root, &path) {
        return Err(ReadError::Malformed("tile".into()));
    }
    let checkpoint = String::from_utf8(note).map_err(|_| ReadError::Checkpoint)?;
    Ok(InclusionProof { index, path, checkpoint })
}

impl InclusionProof {
    /// Whether `entry`, byte for byte, is the record at this index of the log whose
    /// key is `key`. Gives the checkpoint it is under.
    ///
    /// # Errors
    /// [`BadProof`] if anything at all is wrong.
    pub fn check(&self, entry: &[u8], key: &VerifierKey) -> Result<Checkpoint, BadProof> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key).map_err(|_| BadProof)?;
        let leaf = Hash::of_leaf(entry);
        let holds =
            tlog::check_inclusion(leaf, self.index, checkpoint.size, checkpoint.root, &self.path);
        if holds { Ok(checkpoint) } else { Err(BadProof) }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`BadProof`] if it is none. That says nothing yet of what it proves.
    pub fn parse(text: &str) -> Result<Self, BadProof> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(BadProof)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(BadProof);
        }
        // Extra data vouches for nothing, and nothing here asks for it.
        lines.next_if(|line| line.starts_with("extra "));
        let digits = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(BadProof)?;
        let index: u64 = digits.parse().map_err(|_| BadProof)?;
        let path = lines
            .take(MAX_PATH + 1)
            .map(|line| BASE64_STANDARD.decode(line).ok().and_then(|b| Hash::from_slice(&b)))
            .collect::<Option<Vec<_>>>()
            .ok_or(BadProof)?;
        if path.len() > MAX_PATH || index.to_string() != digits {
            return Err(BadProof);
        }
        Ok(Self { index, path, checkpoint: checkpoint.to_owned() })
    }
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", BASE64_STANDARD.encode(hash.0))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// The proof does not prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadProof;

impl fmt::Display for BadProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a proof that this record is in this log")
    }
}

impl std::error::Error for BadProof {}
