//! Reading the journal back: all records that were made durable, in order, or what
//! is wrong with it.

use std::io;
use std::path::Path;

use super::frame::{self, MAGIC};
use crate::{Files, Hash, layout};

/// What the journal holds.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Index of the first record; meaningless if there are none.
    pub(crate) first: u64,
    /// The records, from `first` on without a gap.
    pub(crate) entries: Vec<Vec<u8>>,
    /// What is behind the last whole frame.
    pub(crate) tail: Tail,
}

/// What is behind the last whole frame.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Zeros, or nothing.
    #[default]
    Clean,
    /// A write that did not finish; nobody was told that it did.
    Torn,
}

/// Damage: records were there and are no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Something that is not a whole frame is followed by one, in the segment that
    /// begins at this index.
    Frame(u64),
    /// Frames do not follow from each other at this index.
    Gap(u64),
    /// A file in the journal's directory is none of its segments.
    Stranger,
}

/// Reads all segments.
pub(crate) fn read(files: &dyn Files, directory: &Path) -> io::Result<Result<Journal, Damage>> {
    let mut segments = Vec::new();
    for listed in files.list(&layout::journal(directory))? {
        match layout::segment_start(&listed.name) {
            Some(start) => segments.push(start),
            None if listed.name.starts_with(layout::SPARE) => {}
            None => return Ok(Err(Damage::Stranger)),
        }
    }
    segments.sort_unstable();
    let mut journal = Journal::default();
    let mut last: Option<Hash> = None;
    for (i, start) in segments.iter().enumerate() {
        let path = layout::segment(directory, *start);
        let Some(bytes) = files.read(&path)? else { continue };
        if let Err(damage) = journal.take(&bytes, *start, &mut last) {
            return Ok(Err(damage));
        }
        // A segment is followed by another only after its last frame was durable.
        if journal.tail == Tail::Torn && i + 1 < segments.len() {
            return Ok(Err(Damage::Frame(*start)));
        }
    }
    Ok(Ok(journal))
}

impl Journal {
    /// Index of the record after the last one.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn take(&mut self, bytes: &[u8], start: u64, last: &mut Option<Hash>) -> Result<(), Damage> {
        let mut rest = bytes;
        let mut expected = if self.entries.is_empty() { start } else { self.end() };
        if expected != start {
            return Err(Damage::Gap(start));
        }
        while let Some(frame) = frame::parse(rest) {
            if frame.first != expected || last.is_some_and(|last| last != frame.previous) {
                return Err(Damage::Gap(expected));
            }
            if self.entries.is_empty() {
                self.first = frame.first;
            }
            self.entries.extend(frame.entries.iter().map(|entry| entry.to_vec()));
            expected += frame.entries.len() as u64;
            *last = Some(frame.digest);
            rest = &rest[frame.len..];
        }
        if rest.iter().all(|byte| *byte == 0) {
            self.tail = Tail::Clean;
            return Ok(());
        }
        self.tail = Tail::Torn;
        let later = rest
            .windows(MAGIC.len())
            .enumerate()
            .filter(|(_, window)| **window == MAGIC)
            .any(|(at, _)| frame::parse(&rest[at..]).is_some());
        if later { Err(Damage::Frame(start)) } else { Ok(()) }
    }
}
