//! What the database lies on: a file, and in tests a disk in memory that fails on
//! demand.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use redb::Database;
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate};
use rustix::io::Errno;

use crate::{OpenFault, open};

/// What is tried for whether there is room, in bytes: more than a small commit takes.
const ROOM: u64 = 256 * 1024;

/// What a database can be opened on once more.
pub(crate) trait Medium: fmt::Debug + Send + Sync {
    /// Opens the database that was there, after a write to it failed for want of
    /// room. The one that failed is closed.
    fn reopen(&self) -> Result<Database, OpenFault>;

    /// Whether it is worth trying to write, as cheaply as can be told.
    fn has_room(&self) -> bool;
}

/// The store's file.
#[derive(Debug)]
pub(crate) struct StoreFile(pub(crate) PathBuf);

impl Medium for StoreFile {
    fn reopen(&self) -> Result<Database, OpenFault> {
        let file = OpenOptions::new().read(true).write(true).open(&self.0)?;
        // A sync that failed leaves pages in memory that are not on the disk and that
        // no later sync writes. What opening checks must be what the disk has: so all
        // that can be written is, and then the kernel lets go of what it holds.
        file.sync_data()?;
        fadvise(&file, 0, None, Advice::DontNeed).map_err(std::io::Error::from)?;
        open::guarded(|| Ok(open::builder().create_file(file)?))
    }

    fn has_room(&self) -> bool {
        let path = open::beside(&self.0, ".room");
        let tried = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let room = match &tried {
            // Not every file system can reserve: then only a write can tell.
            Ok(file) => matches!(
                fallocate(file, FallocateFlags::empty(), 0, ROOM),
                Ok(()) | Err(Errno::OPNOTSUPP)
            ),
            Err(_) => false,
        };
        drop(tried);
        // Should it stay, it is taken over by the next attempt.
        let _ = fs::remove_file(&path);
        room
    }
}
