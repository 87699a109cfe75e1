//! Tiles: which there are for a tree of a given size, and what their files are called
//! (C2SP tlog-tiles, "Merkle Tree" and "Log entries").

use std::path::PathBuf;

use crate::Hash;

/// Hashes in a full tile, and entries in a full bundle.
pub(crate) const TILE_WIDTH: usize = 256;

/// A file of the tree: a hash tile or an entry bundle, full or partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TileId {
    /// Level of a hash tile; `None` for an entry bundle.
    pub(crate) level: Option<u8>,
    pub(crate) index: u64,
    /// 1 to 256.
    pub(crate) width: u16,
}

impl TileId {
    pub(crate) const fn full(level: Option<u8>, index: u64) -> Self {
        Self { level, index, width: 256 }
    }

    /// The tile at `level` and `index` as it is in a tree of `size` leaves; `None` if
    /// that tree has none there.
    pub(crate) const fn in_tree(size: u64, level: Option<u8>, index: u64) -> Option<Self> {
        let l = match level {
            Some(level) if level < 8 => level,
            Some(_) => return None,
            None => 0,
        };
        let hashes = size >> (8 * l);
        let width = hashes.saturating_sub(index.saturating_mul(256));
        let width = if width > 256 { 256 } else { width as u16 };
        if width == 0 { None } else { Some(Self { level, index, width }) }
    }

    pub(crate) const fn is_full(self) -> bool {
        self.width == 256
    }

    /// The path below the log's directory.
    pub(crate) fn path(self) -> PathBuf {
        let mut path = self.stem();
        if !self.is_full() {
            path.push_str(&format!(".p/{}", self.width));
        }
        path.into()
    }

    /// The directory of the partial forms of this tile.
    pub(crate) fn partials(self) -> PathBuf {
        (self.stem() + ".p").into()
    }

    fn stem(self) -> String {
        let mut stem = match self.level {
            Some(level) => format!("tile/{level}/"),
            None => "tile/entries/".to_owned(),
        };
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for (i, group) in groups.iter().enumerate().rev() {
            stem.push_str(&if i > 0 { format!("x{group:03}/") } else { format!("{group:03}") });
        }
        stem
    }

    /// The tile that a path below the log's directory belongs to; `None` if that is
    /// not the one spelling of a tile's path.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok()?) };
        let (stem, width) = match rest.split_once(".p/") {
            Some((stem, width)) => (stem, width.parse().ok().filter(|w| (1..256).contains(w))?),
            None => (rest, 256),
        };
        let index = stem.split('/').try_fold(0u64, |index, group| {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
        })?;
        let tile = Self { level, index, width };
        (tile.path().to_str() == Some(path)).then_some(tile)
    }
}

/// The bytes of a hash tile.
pub(crate) fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes in a tile's bytes; `None` unless there are exactly `width`.
pub(crate) fn from_bytes(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    if bytes.len() != usize::from(width) * Hash::LEN {
        return None;
    }
    bytes.chunks_exact(Hash::LEN).map(Hash::from_slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against file names that other readers of the format would not find: the
    /// example of the specification, and both forms of each kind.
    #[test]
    fn paths_are_those_of_the_specification() {
        let named = [
            (TileId { level: Some(0), index: 1_234_067, width: 256 }, "tile/0/x001/x234/067"),
            (TileId { level: None, index: 0, width: 256 }, "tile/entries/000"),
            (TileId { level: None, index: 273, width: 112 }, "tile/entries/273.p/112"),
            (TileId { level: Some(2), index: 1000, width: 1 }, "tile/2/x001/000.p/1"),
        ];
        for (tile, path) in named {
            assert_eq!(tile.path().to_str(), Some(path));
            assert_eq!(TileId::parse(path), Some(tile));
        }
        for wrong in [
            "tile/0/x000/001",
            "tile/00/001",
            "tile/0/1",
            "tile/0/001.p/256",
            "tile/0/001.p/0",
            "tile/entries/001.p/01",
            "tile/entries/x001",
            "tile/0/999999999999999999999",
        ] {
            assert_eq!(TileId::parse(wrong), None, "{wrong}");
        }
    }

    /// Guards against tiles that are missing or too wide: the tree of 70,000 leaves that
    /// the specification takes apart, and one whose size is a full tile.
    #[test]
    fn a_tree_has_the_tiles_of_the_specification() {
        let width = |size, level, index| TileId::in_tree(size, Some(level), index).map(|t| t.width);
        assert_eq!(width(70_000, 0, 272), Some(256));
        assert_eq!(width(70_000, 0, 273), Some(112));
        assert_eq!(width(70_000, 0, 274), None);
        assert_eq!(width(70_000, 1, 0), Some(256));
        assert_eq!(width(70_000, 1, 1), Some(17));
        assert_eq!(width(70_000, 2, 0), Some(1));
        assert_eq!(width(70_000, 3, 0), None);
        assert_eq!(width(256, 0, 0), Some(256));
        assert_eq!(width(256, 1, 0), Some(1));
    }
}
