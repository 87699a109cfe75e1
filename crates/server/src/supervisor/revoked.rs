//! The file with the lists of revoked client certificates: handed to the front whenever it
//! has become another one.
//!
//! The front cannot open files, and a file that is replaced is another one to the kernel.
//! So it is opened here and not read: what is in it comes from outside.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
};

use crate::config::ClientCaConfig;

/// The file, and which one the front has.
pub(super) struct Revoked {
    path: Option<PathBuf>,
    seen: Option<Stamp>,
}

/// Device, inode, length and time of the last change in seconds and nanoseconds.
type Stamp = (u64, u64, u64, i64, i64);

impl Revoked {
    /// To be made before a front is started, which then reads the file itself.
    pub(super) fn new(config: Option<&ClientCaConfig>) -> Self {
        let mut revoked = Self { path: config.and_then(|ca| ca.crl.clone()), seen: None };
        revoked.seen = revoked.stamp();
        revoked
    }

    /// The file, if it is another one than before. One that is gone is no other: what was
    /// revoked stays so.
    pub(super) fn changed(&mut self) -> Option<File> {
        let stamp = self.stamp()?;
        if self.seen == Some(stamp) {
            return None;
        }
        let file = File::open(self.path.as_ref()?).ok()?;
        self.seen = Some(stamp);
        Some(file)
    }

    fn stamp(&self) -> Option<Stamp> {
        let found = fs::metadata(self.path.as_ref()?).ok()?;
        Some((found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
    }
}
