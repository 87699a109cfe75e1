//! The verifier: reads every byte of a log's directory and believes none of it but
//! what the log's key signed.
//!
//! It needs the directory, or a copy, and the public key. A checkpoint that was kept
//! elsewhere makes it stronger: then it also shows whether the log was rewritten or
//! cut since. It changes nothing and takes no lock; a log that is being written is
//! best copied first.

mod journal;
mod report;
mod strays;
mod tree;

use std::path::{Path, PathBuf};

pub use report::{Fault, Problem, Report};

use crate::tiles::Tiles;
use crate::{Checkpoint, DiskFiles, Files, Hash, VerifierKey, layout, retention};
use keyreeve_tlog as tlog;

/// More faults than this are not listed one by one.
const MAX_FAULTS: usize = 1000;

/// Verifies the log in `directory` with its public key and, if there is one, a
/// checkpoint of it that was kept elsewhere (the signed note).
pub fn verify(directory: &Path, key: &VerifierKey, earlier: Option<&[u8]>) -> Report {
    let files = DiskFiles;
    let mut run = Run { files: &files, directory, report: Report::default() };
    run.verify(key, earlier);
    run.report
}

/// One verification under way.
struct Run<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    report: Report,
}

impl Run<'_> {
    fn verify(&mut self, key: &VerifierKey, earlier: Option<&[u8]>) {
        let Some(note) = self.read(layout::CHECKPOINT.into()) else {
            return self.fault(layout::CHECKPOINT, Problem::Missing);
        };
        let Ok(checkpoint) = Checkpoint::open(&note, key) else {
            return self.fault(layout::CHECKPOINT, Problem::Signature);
        };
        self.report.checkpoint = Some(checkpoint.clone());
        match retention::minimum_index(self.files, self.directory) {
            Ok(minimum) => self.report.minimum_index = minimum.unwrap_or(0),
            Err(_) => self.fault(layout::MINIMUM_INDEX, Problem::Malformed),
        }
        let tree = self.check_tree(&checkpoint);
        let extension = self.check_journal(&checkpoint, tree);
        self.check_strays(&checkpoint, &extension);
        if let Some(earlier) = earlier {
            self.check_earlier(&checkpoint, key, earlier);
        }
    }

    /// Whether the log goes on from a checkpoint that was kept elsewhere.
    fn check_earlier(&mut self, checkpoint: &Checkpoint, key: &VerifierKey, earlier: &[u8]) {
        let path = layout::CHECKPOINT;
        let Ok(earlier) = Checkpoint::open(earlier, key) else {
            return self.fault(path, Problem::EarlierSignature);
        };
        if earlier.size > checkpoint.size {
            return self.fault(path, Problem::Shorter);
        }
        let tiles = Tiles::new(self.files, self.directory, checkpoint.size);
        match tlog::root(&tiles, 0, earlier.size) {
            Ok(root) if root == earlier.root => {}
            Ok(_) => self.fault(path, Problem::Rewritten),
            Err(_) => self.fault(path, Problem::Missing),
        }
    }

    /// Reads a file; that it cannot be read is a fault, that it is not there is not.
    fn read(&mut self, path: PathBuf) -> Option<Vec<u8>> {
        match self.files.read(&self.directory.join(&path)) {
            Ok(bytes) => bytes,
            Err(_) => {
                self.fault(path, Problem::Unreadable);
                None
            }
        }
    }

    fn fault(&mut self, path: impl Into<PathBuf>, problem: Problem) {
        if self.report.faults.len() < MAX_FAULTS {
            self.report.faults.push(Fault { path: path.into(), problem });
        }
    }
}

/// The tiles that the journal's records would make, beyond the checkpoint.
type Extension = std::collections::HashMap<(u8, u64), Vec<Hash>>;
