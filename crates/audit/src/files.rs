//! The few things the log asks of a file system, and the file system.
//!
//! A trait, so that tests can fail any one of them: what the log promises it
//! promises for the case that a write, a sync or a rename goes wrong.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// A file system, seen from the log.
///
/// A failed call MUST NOT be reported as done. The log stops at the first error, so
/// an implementation need not keep a state in which going on makes sense.
pub trait Files: Send + Sync {
    /// The whole content of a file; `None` if there is none.
    ///
    /// # Errors
    /// Any other failure to read it.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// The names in a directory; none if there is no directory.
    ///
    /// # Errors
    /// Any other failure to read it.
    fn list(&self, directory: &Path) -> io::Result<Vec<Listed>>;

    /// Makes a directory and those above it; one that is there is fine.
    ///
    /// # Errors
    /// The failure to make it.
    fn create_directory(&self, directory: &Path) -> io::Result<()>;

    /// Makes an empty file, or empties one, to be written.
    ///
    /// # Errors
    /// The failure to make it.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>>;

    /// Gives a file another name, in place of what has that name.
    ///
    /// # Errors
    /// The failure to rename it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The failure to remove it.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// The failure to remove it.
    fn remove_directory(&self, directory: &Path) -> io::Result<()>;

    /// Makes names in a directory durable.
    ///
    /// # Errors
    /// The failure to do so.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
}

/// A file that is being written.
pub trait Writable: Send {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// The failure to write; how much was written is unknown.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable, and of the metadata what reading it back takes.
    ///
    /// # Errors
    /// The failure to do so; what is durable is unknown.
    fn sync(&mut self) -> io::Result<()>;
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name, without the directory's.
    pub name: String,
    /// Whether it is a directory itself.
    pub is_directory: bool,
}

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        absent_is_none(fs::read(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for entry in absent_is_none(fs::read_dir(directory))?.into_iter().flatten() {
            let entry = entry?;
            listed.push(Listed {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_directory: entry.file_type()?.is_dir(),
            });
        }
        Ok(listed)
    }

    fn create_directory(&self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Box::new(DiskFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        fs::remove_dir(directory)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

struct DiskFile(File);

impl Writable for DiskFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
