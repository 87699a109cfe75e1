//! An output that appears under its name when it is complete, or not at all.
//!
//! It is written beside its final place, under a name of its own and readable by its
//! owner only, made durable and then renamed. Whatever goes wrong before removes it.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::writing;
use crate::{Error, Fault};

pub(super) struct Output {
    file: NamedTempFile,
    path: PathBuf,
    replace: bool,
}

impl Output {
    /// Fails at once if something is in the way.
    pub(super) fn create(path: &Path, replace: bool) -> Result<Self, Error> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(in_the_way(path));
        }
        let file = tempfile::Builder::new()
            .prefix(".keyreeve-")
            .tempfile_in(directory(path))
            .map_err(|error| {
                Error::new(
                    Fault::Environment,
                    format!("{} cannot be written: {error}", path.display()),
                    "check the directory and its permissions",
                )
            })?;
        Ok(Self { file, path: path.to_owned(), replace })
    }

    /// Writes with `write`, and gives the file its name if that succeeds.
    pub(super) fn write(
        mut self,
        write: impl FnOnce(&mut File) -> Result<u64, Error>,
    ) -> Result<u64, Error> {
        let length = write(self.file.as_file_mut())?;
        self.file.as_file().sync_all().map_err(|error| writing(&error))?;
        let named = if self.replace {
            self.file.persist(&self.path)
        } else {
            self.file.persist_noclobber(&self.path)
        };
        named.map_err(|failed| match failed.error.kind() {
            io::ErrorKind::AlreadyExists => in_the_way(&self.path),
            _ => writing(&failed.error),
        })?;
        // The name is durable with its directory; some file systems cannot sync one.
        if let Ok(directory) = File::open(directory(&self.path)) {
            let _ = directory.sync_all();
        }
        Ok(length)
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn in_the_way(path: &Path) -> Error {
    Error::new(
        Fault::Environment,
        format!("{} exists", path.display()),
        "choose another output, or allow it to be replaced",
    )
}
