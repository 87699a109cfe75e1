//! The right edge of the Merkle tree: all that is needed to append to it and to
//! know its root, however long it grew.
//!
//! For each tile level it holds the hashes of the one tile that is not full. A tile
//! that fills up is handed out, and its hash moves one level up. What it holds is at
//! most 255 hashes for each of eight levels.

use crate::{Hash, tile::TILE_WIDTH};

/// The edge of a tree of [`Tree::size`] leaves.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

/// A tile that has just become full.
#[derive(Debug, Clone)]
pub(crate) struct FullTile {
    pub(crate) level: u8,
    pub(crate) index: u64,
    pub(crate) hashes: Vec<Hash>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up the edge of a tree of `size` leaves: for each level from 0, the
    /// hashes of its partial tile. `None` if their number does not fit the size.
    pub(crate) fn resume(size: u64, levels: Vec<Vec<Hash>>) -> Option<Self> {
        let fits = levels.len() == level_count(size)
            && levels
                .iter()
                .enumerate()
                .all(|(level, hashes)| hashes.len() as u64 == (size >> (8 * level)) % 256);
        fits.then_some(Self { size, levels })
    }

    /// How many leaves it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf, without a look at the tiles it fills.
    pub fn append(&mut self, leaf: Hash) {
        self.push(leaf, |_| {});
    }

    /// Appends a leaf and hands out the tiles it fills, lowest level first.
    pub(crate) fn push(&mut self, leaf: Hash, mut filled: impl FnMut(FullTile)) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            self.levels[level].push(hash);
            if self.levels[level].len() < TILE_WIDTH {
                break;
            }
            let hashes = std::mem::replace(&mut self.levels[level], Vec::with_capacity(TILE_WIDTH));
            hash = perfect_root(&hashes);
            let index = self.size >> (8 * (level + 1));
            filled(FullTile { level: level as u8, index, hashes });
        }
        self.size += 1;
    }

    /// The hashes of the tile at `level` that is not full; empty if there is none.
    pub(crate) fn partial(&self, level: usize) -> &[Hash] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// How many levels of tiles there are.
    pub(crate) fn level_count(&self) -> usize {
        level_count(self.size)
    }

    /// The root (RFC 6962 section 2.1).
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        // From the smallest perfect subtree on the right to the largest on the left.
        for hashes in &self.levels {
            let mut end = hashes.len();
            while end > 0 {
                let width = 1 << end.trailing_zeros();
                let subtree = perfect_root(&hashes[end - width..end]);
                root = Some(root.map_or(subtree, |right| Hash::of_node(&subtree, &right)));
                end -= width;
            }
        }
        root.unwrap_or_else(Hash::of_empty_tree)
    }
}

/// How many tile levels a tree of `size` leaves has.
pub(crate) const fn level_count(size: u64) -> usize {
    let mut levels = 0;
    while levels < 8 && size >> (8 * levels) > 0 {
        levels += 1;
    }
    levels
}

/// The root over `hashes`, whose number is a power of two.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    debug_assert!(hashes.len().is_power_of_two());
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| Hash::of_node(&pair[0], &pair[1])).collect();
    }
    row[0]
}
