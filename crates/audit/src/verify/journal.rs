//! The journal: it must agree with the tree and go on from it.

use super::{Extension, Problem, Run};
use crate::journal::{self, Damage, Tail};
use crate::tiles::Tiles;
use crate::tree::Tree;
use crate::{Checkpoint, Hash, Record, layout};

impl Run<'_> {
    /// Compares the journal with the tree under the checkpoint, and gives the tiles
    /// that its further records make.
    pub(super) fn check_journal(&mut self, checkpoint: &Checkpoint, mut tree: Tree) -> Extension {
        let mut extension = Extension::new();
        let journal = match journal::read(self.files, self.directory) {
            Ok(Ok(journal)) => journal,
            Ok(Err(damage)) => {
                let problem = match damage {
                    Damage::Frame(index) | Damage::Gap(index) => Problem::Journal(index),
                    Damage::Stranger => Problem::Stranger,
                };
                self.fault(layout::JOURNAL, problem);
                return extension;
            }
            Err(_) => {
                self.fault(layout::JOURNAL, Problem::Unreadable);
                return extension;
            }
        };
        let size = checkpoint.size;
        let torn = journal.tail == Tail::Torn;
        self.report.unfinished |= torn;
        // What is under the checkpoint was durable before: it cannot be unfinished.
        let cut = torn && journal.end() < size;
        if cut || (!journal.entries.is_empty() && journal.first > size) {
            self.fault(layout::JOURNAL, Problem::Journal(journal.end().min(size)));
            return extension;
        }
        if tree.size() != size {
            return extension;
        }
        let tiles = Tiles::new(self.files, self.directory, size);
        let mut tile = (u64::MAX, Vec::new());
        for (index, entry) in (journal.first..).zip(&journal.entries) {
            let leaf = Hash::of_leaf(entry);
            if index < size {
                if tile.0 != index >> 8 {
                    tile = (index >> 8, tiles.hashes(0, index >> 8).unwrap_or_default());
                }
                if tile.1.get((index & 255) as usize) != Some(&leaf) {
                    self.fault(layout::JOURNAL, Problem::Journal(index));
                }
                continue;
            }
            if Record::decode(entry).is_err() {
                self.fault(layout::JOURNAL, Problem::Record(index));
            }
            self.report.unsigned += 1;
            tree.push(leaf, |full| {
                extension.insert((full.level, full.index), full.hashes);
            });
        }
        for level in 0..tree.level_count() {
            let index = tree.size() >> (8 * (level + 1));
            extension.insert((level as u8, index), tree.partial(level).to_vec());
        }
        extension
    }
}
