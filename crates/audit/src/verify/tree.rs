//! Records against tiles, tiles against each other, the root against the signature.

use super::{Problem, Run};
use crate::tile::TileId;
use crate::tiles::Tiles;
use crate::tree::{FullTile, Tree};
use crate::{Checkpoint, Hash, PRUNE, ReadError, Record};

impl Run<'_> {
    /// Builds the tree once more from the records, or from their hashes where they
    /// were pruned, and compares it with every tile.
    pub(super) fn check_tree(&mut self, checkpoint: &Checkpoint) -> Tree {
        let size = checkpoint.size;
        let tiles = Tiles::new(self.files, self.directory, size);
        let mut tree = Tree::new();
        let mut announced = 0;
        for index in 0..size.div_ceil(256) {
            let Some(leaves) = self.check_bundle(&tiles, size, index, &mut announced) else {
                // Without these leaves nothing further can be told.
                return tree;
            };
            let mut filled = Vec::new();
            for leaf in leaves {
                tree.push(leaf, |tile| filled.push(tile));
            }
            // The level below was compared with the records already.
            for tile in filled.into_iter().filter(|tile| tile.level > 0) {
                self.compare(&tiles, tile);
            }
        }
        for level in 1..tree.level_count() {
            let hashes = tree.partial(level).to_vec();
            if !hashes.is_empty() {
                let index = size >> (8 * (level + 1));
                self.compare(&tiles, FullTile { level: level as u8, index, hashes });
            }
        }
        if tree.root() != checkpoint.root {
            self.fault(crate::layout::CHECKPOINT, Problem::Root);
        }
        if self.report.minimum_index > announced {
            self.fault(crate::layout::MINIMUM_INDEX, Problem::Unannounced);
        }
        tree
    }

    /// The leaves of one bundle, after its records were compared with its tile.
    fn check_bundle(
        &mut self,
        tiles: &Tiles<'_>,
        size: u64,
        index: u64,
        announced: &mut u64,
    ) -> Option<Vec<Hash>> {
        let tile = TileId::in_tree(size, Some(0), index)?;
        let hashes = match tiles.hashes(0, index) {
            Ok(hashes) => Some(hashes),
            Err(error) => {
                self.unreadable(tile, &error);
                None
            }
        };
        let bundle = TileId { level: None, ..tile };
        let pruned = (index + 1) * 256 <= self.report.minimum_index;
        let entries = match tiles.entries(index) {
            Ok(entries) => entries,
            Err(ReadError::Missing(_)) if pruned => return hashes,
            Err(error) => {
                self.unreadable(bundle, &error);
                return hashes;
            }
        };
        let leaves: Vec<_> = entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
        if hashes.is_some_and(|hashes| hashes != leaves) {
            self.fault(bundle.path(), Problem::Hashes);
        }
        for (at, entry) in (index * 256..).zip(&entries) {
            match Record::decode(entry) {
                Ok(record) if record.action.operation == PRUNE => {
                    *announced = (*announced).max(record.number.unwrap_or(0));
                }
                Ok(_) => {}
                Err(_) => self.fault(bundle.path(), Problem::Record(at)),
            }
        }
        self.report.records += entries.len() as u64;
        Some(leaves)
    }

    fn compare(&mut self, tiles: &Tiles<'_>, expected: FullTile) {
        let id = TileId {
            level: Some(expected.level),
            index: expected.index,
            width: expected.hashes.len() as u16,
        };
        match tiles.hashes(expected.level, expected.index) {
            Ok(hashes) if hashes == expected.hashes => {}
            Ok(_) => self.fault(id.path(), Problem::Hashes),
            Err(error) => self.unreadable(id, &error),
        }
    }

    fn unreadable(&mut self, id: TileId, error: &ReadError) {
        let problem = match error {
            ReadError::Missing(_) => Problem::Missing,
            ReadError::Io { .. } => Problem::Unreadable,
            _ => Problem::Malformed,
        };
        self.fault(id.path(), problem);
    }
}
