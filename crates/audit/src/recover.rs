//! What an earlier writer left behind, judged before anything is changed.
//!
//! The checkpoint's signature is checked, the right edge of the tree is read and must
//! lead to the signed root, the records of the unfinished bundle must hash to their
//! tile, and the journal must go on from there without a gap. What contradicts is
//! refused; what was being written when the machine stopped, and was acknowledged to
//! nobody, is left behind.

use std::path::Path;

use crate::journal::{self, Damage};
use crate::tree::{Tree, level_count};
use crate::{
    Checkpoint, Contradiction, Files, Hash, OpenError, ReadError, VerifierKey, bundle, layout,
    tiles::Tiles,
};

/// A log as it was left.
pub(crate) struct Recovered {
    /// `None` if there is no log yet.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The same, as a signed note.
    pub(crate) note: String,
    /// The tree under the checkpoint.
    pub(crate) tree: Tree,
    /// Its entry bundle that is not full.
    pub(crate) bundle: Vec<u8>,
    /// Records that are durable and not under the checkpoint, in order.
    pub(crate) journaled: Vec<Vec<u8>>,
}

pub(crate) fn recover(
    files: &dyn Files,
    directory: &Path,
    key: &VerifierKey,
) -> Result<Recovered, OpenError> {
    let path = directory.join(layout::CHECKPOINT);
    let note = files.read(&path).map_err(|error| OpenError::Io { path, error })?;
    let path = layout::journal(directory);
    let journal = journal::read(files, directory)
        .map_err(|error| OpenError::Io { path, error })?
        .map_err(|damage| match damage {
            Damage::Frame(index) | Damage::Gap(index) => Contradiction::Journal(index),
            Damage::Stranger => Contradiction::Journal(0),
        })
        .map_err(OpenError::Contradiction)?;
    let Some(note) = note else {
        let path = directory.join("tile");
        let tiles = files.list(&path).map_err(|error| OpenError::Io { path, error })?;
        if !tiles.is_empty() || !journal.entries.is_empty() {
            return Err(OpenError::Contradiction(Contradiction::NoCheckpoint));
        }
        return Ok(Recovered {
            checkpoint: None,
            note: String::new(),
            tree: Tree::new(),
            bundle: Vec::new(),
            journaled: Vec::new(),
        });
    };
    let checkpoint = Checkpoint::open(&note, key)
        .map_err(|_| OpenError::Contradiction(Contradiction::Checkpoint))?;
    let tiles = Tiles::new(files, directory, checkpoint.size);
    let tree = edge(&tiles, &checkpoint)?;
    let bundle = unfinished_bundle(&tiles, &tree)?;
    let journaled = beyond(&tiles, &checkpoint, &journal)?;
    // It opened as a note, so it is text.
    let note =
        String::from_utf8(note).map_err(|_| OpenError::Contradiction(Contradiction::Checkpoint))?;
    Ok(Recovered { checkpoint: Some(checkpoint), note, tree, bundle, journaled })
}

/// The right edge of the tree, which must lead to the signed root.
fn edge(tiles: &Tiles<'_>, checkpoint: &Checkpoint) -> Result<Tree, OpenError> {
    let size = checkpoint.size;
    let mut levels = Vec::new();
    for level in 0..level_count(size) {
        let (hashes, index) = (size >> (8 * level), size >> (8 * (level + 1)));
        levels.push(match hashes % 256 {
            0 => Vec::new(),
            _ => tiles.hashes(level as u8, index).map_err(refuse)?,
        });
    }
    Tree::resume(size, levels)
        .filter(|tree| tree.root() == checkpoint.root)
        .ok_or(OpenError::Contradiction(Contradiction::Tree))
}

fn unfinished_bundle(tiles: &Tiles<'_>, tree: &Tree) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    if !tree.partial(0).is_empty() {
        let entries = tiles.entries(tree.size() >> 8).map_err(refuse)?;
        if entries.iter().map(|entry| Hash::of_leaf(entry)).ne(tree.partial(0).iter().copied()) {
            return Err(OpenError::Contradiction(Contradiction::Tree));
        }
        for entry in &entries {
            bundle::push(&mut bytes, entry);
        }
    }
    Ok(bytes)
}

/// The journal's records from the checkpoint on; those before must be the same that
/// the tree has.
fn beyond(
    tiles: &Tiles<'_>,
    checkpoint: &Checkpoint,
    journal: &journal::Journal,
) -> Result<Vec<Vec<u8>>, OpenError> {
    if !journal.entries.is_empty() && journal.first > checkpoint.size {
        return Err(OpenError::Contradiction(Contradiction::Journal(checkpoint.size)));
    }
    let mut tile = (u64::MAX, Vec::new());
    let mut journaled = Vec::new();
    for (index, entry) in (journal.first..).zip(&journal.entries) {
        if index >= checkpoint.size {
            journaled.push(entry.clone());
            continue;
        }
        if tile.0 != index >> 8 {
            tile = (index >> 8, tiles.hashes(0, index >> 8).map_err(refuse)?);
        }
        if tile.1.get((index & 255) as usize) != Some(&Hash::of_leaf(entry)) {
            return Err(OpenError::Contradiction(Contradiction::Rewritten(index)));
        }
    }
    Ok(journaled)
}

fn refuse(error: ReadError) -> OpenError {
    match error {
        ReadError::Io { path, error } => OpenError::Io { path, error },
        ReadError::Missing(_) | ReadError::NotThere(_) => {
            OpenError::Contradiction(Contradiction::MissingTiles)
        }
        ReadError::Malformed(_) | ReadError::Checkpoint => {
            OpenError::Contradiction(Contradiction::Tree)
        }
    }
}
