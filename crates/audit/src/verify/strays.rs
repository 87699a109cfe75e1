//! Every other file: partial tiles of earlier checkpoints, tiles beyond the last one,
//! and what has no business there.

use std::path::{Path, PathBuf};

use super::{Extension, Problem, Run};
use crate::tile::{self, TileId};
use crate::tiles::Tiles;
use crate::{Checkpoint, Hash, bundle, layout};

/// Deeper than any tile's path.
const MAX_DEPTH: usize = 12;

impl Run<'_> {
    pub(super) fn check_strays(&mut self, checkpoint: &Checkpoint, extension: &Extension) {
        for (name, is_directory) in self.list(PathBuf::new()) {
            match (&*name, is_directory) {
                (layout::CHECKPOINT | layout::MINIMUM_INDEX, false) => {}
                (layout::LOCK, false) => {
                    if self.read(name.clone().into()).is_some_and(|bytes| !bytes.is_empty()) {
                        self.fault(name, Problem::Malformed);
                    }
                }
                (layout::JOURNAL, true) => self.check_spares(),
                (layout::NEW, true) => {
                    self.report.unfinished |= !self.list(layout::NEW.into()).is_empty();
                }
                ("tile", true) => {
                    let tiles = Tiles::new(self.files, self.directory, checkpoint.size);
                    self.walk("tile".into(), 0, &tiles, checkpoint.size, extension);
                }
                _ => self.fault(name, Problem::Stranger),
            }
        }
    }

    /// Segments that are kept ready hold nothing.
    fn check_spares(&mut self) {
        for (name, _) in self.list(layout::JOURNAL.into()) {
            let path = Path::new(layout::JOURNAL).join(&name);
            if name.starts_with(layout::SPARE)
                && self.read(path.clone()).is_some_and(|bytes| bytes.iter().any(|b| *b != 0))
            {
                self.fault(path, Problem::Malformed);
            }
        }
    }

    fn walk(
        &mut self,
        directory: PathBuf,
        depth: usize,
        tiles: &Tiles<'_>,
        size: u64,
        extension: &Extension,
    ) {
        if depth > MAX_DEPTH {
            return self.fault(directory, Problem::Stranger);
        }
        for (name, is_directory) in self.list(directory.clone()) {
            let path = directory.join(name);
            if is_directory {
                self.walk(path, depth + 1, tiles, size, extension);
                continue;
            }
            let Some(id) = path.to_str().and_then(TileId::parse) else {
                self.fault(path, Problem::Stranger);
                continue;
            };
            // The tiles of the signed tree itself were compared with its records.
            if TileId::in_tree(size, id.level, id.index) != Some(id) {
                self.check_stray(id, tiles, extension);
            }
        }
    }

    /// A tile that is not one of the signed tree's must be the beginning of one, or
    /// of one that the journal's records make.
    fn check_stray(&mut self, id: TileId, tiles: &Tiles<'_>, extension: &Extension) {
        let level = id.level.unwrap_or(0);
        let expected = match extension.get(&(level, id.index)) {
            Some(hashes) => hashes.clone(),
            None => tiles.hashes(level, id.index).unwrap_or_default(),
        };
        let Some(expected) = expected.get(..id.width.into()) else {
            return self.fault(id.path(), Problem::Stranger);
        };
        let Some(bytes) = self.read(id.path()) else { return };
        let found = match id.level {
            Some(_) => tile::from_bytes(&bytes, id.width),
            None => bundle::split(&bytes, id.width.into())
                .map(|entries| entries.into_iter().map(Hash::of_leaf).collect()),
        };
        match found {
            Some(found) if found == expected => {}
            Some(_) => self.fault(id.path(), Problem::Hashes),
            None => self.fault(id.path(), Problem::Malformed),
        }
    }

    fn list(&mut self, directory: PathBuf) -> Vec<(String, bool)> {
        match self.files.list(&self.directory.join(&directory)) {
            Ok(listed) => listed.into_iter().map(|l| (l.name, l.is_directory)).collect(),
            Err(_) => {
                self.fault(directory, Problem::Unreadable);
                Vec::new()
            }
        }
    }
}
