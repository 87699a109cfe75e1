//! Files that are either not there or whole: written under another name, synced,
//! renamed, and then made durable together with their directories.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Files, layout};

/// Writes groups of files into a log's directory.
pub(crate) struct AtomicFiles {
    directory: PathBuf,
    /// Directories known to be there, names and all.
    known: HashSet<PathBuf>,
}

impl AtomicFiles {
    /// For the log in `directory`, which is there. Clears what an earlier writer left
    /// unfinished.
    pub(crate) fn new(files: &dyn Files, directory: &Path) -> io::Result<Self> {
        let new = directory.join(layout::NEW);
        files.create_directory(&new)?;
        for left in files.list(&new)? {
            files.remove(&new.join(left.name))?;
        }
        Ok(Self { directory: directory.to_owned(), known: HashSet::new() })
    }

    /// Writes all of `group` (paths below the directory, and contents). All are
    /// durable when this returns; before that, any of them may be there.
    pub(crate) fn write(
        &mut self,
        files: &dyn Files,
        group: &[(PathBuf, Vec<u8>)],
    ) -> io::Result<()> {
        let mut touched = BTreeSet::new();
        for (path, _) in group {
            self.make_parents(files, path, &mut touched)?;
        }
        let mut written = Vec::with_capacity(group.len());
        for (i, (path, bytes)) in group.iter().enumerate() {
            let new = self.directory.join(layout::NEW).join(i.to_string());
            let mut file = files.create(&new)?;
            file.write_at(0, bytes)?;
            written.push((file, new, path));
        }
        // Written first and synced together, they share the file system's own commits.
        for (file, ..) in &mut written {
            file.sync()?;
        }
        for (_, new, path) in &written {
            files.rename(new, &self.directory.join(path))?;
        }
        for directory in touched {
            files.sync_directory(&directory)?;
        }
        Ok(())
    }

    /// Replaces one file, which nobody else writes.
    pub(crate) fn replace(
        files: &dyn Files,
        directory: &Path,
        path: &Path,
        bytes: &[u8],
    ) -> io::Result<()> {
        let new = directory.join(layout::NEW).join(layout::MINIMUM_INDEX);
        let mut file = files.create(&new)?;
        file.write_at(0, bytes)?;
        file.sync()?;
        files.rename(&new, path)?;
        files.sync_directory(directory)
    }

    fn make_parents(
        &mut self,
        files: &dyn Files,
        path: &Path,
        touched: &mut BTreeSet<PathBuf>,
    ) -> io::Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        let parent = self.directory.join(parent);
        if !self.known.contains(&parent) {
            files.create_directory(&parent)?;
            // Their own names have to last as well.
            let above = parent.ancestors().skip(1).take_while(|a| a.starts_with(&self.directory));
            touched.extend(above.map(Path::to_owned));
            self.known.insert(parent.clone());
        }
        touched.insert(parent);
        Ok(())
    }

    /// Forgets a directory that was removed.
    pub(crate) fn forget(&mut self, directory: &Path) {
        self.known.remove(directory);
    }
}
