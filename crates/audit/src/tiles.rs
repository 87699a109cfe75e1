//! Reading the tree's files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use crate::tile::{self, TileId};
use crate::{Files, Hash, ReadError, bundle, tree::perfect_root};
use keyreeve_tlog::Subtrees;

/// The tiles of a tree of a given size, in a directory.
pub(crate) struct Tiles<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    size: u64,
    /// The tile last read, for each level.
    last: RefCell<HashMap<u8, (u64, Vec<Hash>)>>,
}

impl<'a> Tiles<'a> {
    pub(crate) fn new(files: &'a dyn Files, directory: &'a Path, size: u64) -> Self {
        Self { files, directory, size, last: RefCell::default() }
    }

    /// The hashes of a tile, as many as this tree has there.
    pub(crate) fn hashes(&self, level: u8, index: u64) -> Result<Vec<Hash>, ReadError> {
        let Some(id) = TileId::in_tree(self.size, Some(level), index) else {
            return Ok(Vec::new());
        };
        let (bytes, found) = self.bytes(id)?;
        let mut hashes = tile::from_bytes(&bytes, found.width)
            .ok_or_else(|| ReadError::Malformed(found.path()))?;
        hashes.truncate(id.width.into());
        Ok(hashes)
    }

    /// The entries of a bundle, as many as this tree has there.
    pub(crate) fn entries(&self, index: u64) -> Result<Vec<Vec<u8>>, ReadError> {
        let Some(id) = TileId::in_tree(self.size, None, index) else { return Ok(Vec::new()) };
        let (bytes, found) = self.bytes(id)?;
        let entries = bundle::split(&bytes, found.width.into())
            .ok_or_else(|| ReadError::Malformed(found.path()))?;
        Ok(entries.into_iter().take(id.width.into()).map(<[u8]>::to_vec).collect())
    }

    /// The file of a tile. A partial one may have been removed since it became full.
    fn bytes(&self, id: TileId) -> Result<(Vec<u8>, TileId), ReadError> {
        for candidate in [id, TileId::full(id.level, id.index)] {
            let path = self.directory.join(candidate.path());
            match self.files.read(&path) {
                Ok(Some(bytes)) => return Ok((bytes, candidate)),
                Ok(None) => {}
                Err(error) => return Err(ReadError::Io { path, error }),
            }
        }
        Err(ReadError::Missing(id.path()))
    }
}

impl Subtrees for Tiles<'_> {
    type Error = ReadError;

    fn perfect(&self, level: u32, index: u64) -> Result<Hash, ReadError> {
        let (tile_level, inside) = ((level / 8) as u8, level % 8);
        let first = index << inside;
        let (tile, offset) = (first / 256, (first % 256) as usize);
        let mut last = self.last.borrow_mut();
        if last.get(&tile_level).is_none_or(|(index, _)| *index != tile) {
            last.insert(tile_level, (tile, self.hashes(tile_level, tile)?));
        }
        last.get(&tile_level)
            .and_then(|(_, hashes)| hashes.get(offset..offset + (1 << inside)))
            .map(perfect_root)
            .ok_or_else(|| ReadError::Missing(TileId::full(Some(tile_level), tile).path()))
    }
}
