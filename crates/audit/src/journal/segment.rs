//! A segment that is being written.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Files, Writable};

/// Zeros are written in pieces of this many bytes.
const PIECE: usize = 256 * 1024;

/// A journal file, zeroed and synced, and how far it is written.
pub(crate) struct Segment {
    file: Box<dyn Writable>,
    path: PathBuf,
    room: u64,
    written: u64,
}

impl Segment {
    /// Makes the segment `path` of `room` bytes, with its name durable.
    pub(crate) fn create(files: &dyn Files, path: &Path, room: u64) -> io::Result<Self> {
        let mut file = files.create(path)?;
        let zeros = vec![0; PIECE];
        let mut offset = 0;
        while offset < room {
            let piece = (room - offset).min(PIECE as u64);
            file.write_at(offset, &zeros[..piece as usize])?;
            offset += piece;
        }
        file.sync()?;
        if let Some(directory) = path.parent() {
            files.sync_directory(directory)?;
        }
        Ok(Self { file, path: path.to_owned(), room, written: 0 })
    }

    /// Gives the segment, which nothing was written to yet, its final name.
    pub(crate) fn rename(&mut self, files: &dyn Files, to: &Path) -> io::Result<()> {
        files.rename(&self.path, to)?;
        if let Some(directory) = to.parent() {
            files.sync_directory(directory)?;
        }
        self.path = to.to_owned();
        Ok(())
    }

    pub(crate) const fn has_room_for(&self, bytes: usize) -> bool {
        self.written + bytes as u64 <= self.room
    }

    /// Appends a frame. Durable when this returns.
    pub(crate) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.file.write_at(self.written, frame)?;
        self.file.sync()?;
        self.written += frame.len() as u64;
        Ok(())
    }
}
