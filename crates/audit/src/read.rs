//! Reading records back, by index, in order.
//!
//! Only what is under a signed checkpoint is read: a record that is shown can be
//! proven. A log that is being written may be read at the same time; what is
//! appended shows up with the next checkpoint, within a second.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use crate::{
    Checkpoint, DiskFiles, Files as _, Hash, InclusionProof, Query, ReadError, Record, VerifierKey,
    layout, retention, tiles::Tiles,
};

/// Reads the log in a directory.
#[derive(Debug)]
pub struct Reader {
    directory: PathBuf,
    key: VerifierKey,
    checkpoint: Checkpoint,
    note: String,
}

/// A record and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes, which the log's hashes are over: one line of JSON without the end.
    pub bytes: Vec<u8>,
    /// What they say.
    pub record: Record,
}

impl Reader {
    /// Opens the log in `directory` for reading.
    ///
    /// # Errors
    /// [`ReadError`] if there is none, or its checkpoint is not signed by `key`.
    pub fn open(directory: &Path, key: &VerifierKey) -> Result<Self, ReadError> {
        let (checkpoint, note) = checkpoint(directory, key)?;
        Ok(Self { directory: directory.to_owned(), key: key.clone(), checkpoint, note })
    }

    /// The checkpoint up to which records are read.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The same, as the signed note that it is in the directory.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The log's public key.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The proof that record `index` is in the log.
    ///
    /// # Errors
    /// As [`prove`](crate::prove).
    pub fn prove(&self, index: u64) -> Result<InclusionProof, ReadError> {
        crate::prove(&self.directory, &self.key, index)
    }

    /// The last `count` records that match `query`, none before `from`, in order.
    ///
    /// # Errors
    /// [`ReadError`] if a record cannot be read.
    pub fn last(&self, count: usize, from: u64, query: &Query) -> Result<Vec<Entry>, ReadError> {
        let mut found = VecDeque::new();
        let first = from.max(self.start()?) >> 8;
        for bundle in (first..self.end().div_ceil(256)).rev() {
            for entry in self.bundle(bundle)?.into_iter().rev() {
                if entry.index >= from && query.matches(&entry.record) {
                    found.push_front(entry);
                }
                if found.len() >= count {
                    return Ok(found.into());
                }
            }
        }
        Ok(found.into())
    }

    /// The index after the last record: where following the log begins.
    pub const fn end(&self) -> u64 {
        self.checkpoint.size
    }

    /// Looks for a later checkpoint, and gives the end.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn refresh(&mut self) -> Result<u64, ReadError> {
        (self.checkpoint, self.note) = checkpoint(&self.directory, &self.key)?;
        Ok(self.end())
    }

    /// Index of the first record that was not pruned.
    ///
    /// # Errors
    /// [`ReadError`] if that cannot be read.
    pub fn start(&self) -> Result<u64, ReadError> {
        retention::minimum_index(&DiskFiles, &self.directory)
            .map(|minimum| minimum.unwrap_or(0))
            .map_err(|error| ReadError::Io {
                path: self.directory.join(layout::MINIMUM_INDEX),
                error,
            })
    }

    /// The records from `from` on, up to the checkpoint, that match `query`. An error
    /// ends it.
    pub fn records<'r>(
        &'r self,
        from: u64,
        query: &'r Query,
    ) -> impl Iterator<Item = Result<Entry, ReadError>> + 'r {
        let mut failed = false;
        (from >> 8..self.end().div_ceil(256))
            .flat_map(move |bundle| match self.bundle(bundle) {
                Ok(entries) => entries.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
            .filter(move |entry| {
                entry.as_ref().map_or(true, |e| e.index >= from && query.matches(&e.record))
            })
            .take_while(move |entry| {
                let go_on = !failed;
                failed = entry.is_err();
                go_on
            })
    }

    /// The index of the first bundle's first record that is not older than `time_us`, a
    /// multiple of 256 (or the end): what is before it was all recorded earlier.
    ///
    /// # Errors
    /// [`ReadError`] if a record cannot be read.
    pub fn first_bundle_since(&self, time_us: u64) -> Result<u64, ReadError> {
        let (mut low, mut high) = (self.start()? / 256, self.end() / 256);
        // A bundle is old if its last record is: times only ever grow, but for clocks
        // that are set back, and then more is kept.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle * 256 + 255)?.record.time_us < time_us {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low * 256)
    }

    /// One record.
    ///
    /// # Errors
    /// [`ReadError::NotThere`] if it was pruned or is not under the checkpoint.
    pub fn record(&self, index: u64) -> Result<Entry, ReadError> {
        if index >= self.end() || index < self.start()? {
            return Err(ReadError::NotThere(index));
        }
        let mut entries = self.bundle(index >> 8)?;
        let at = (index & 255) as usize;
        if at < entries.len() {
            Ok(entries.swap_remove(at))
        } else {
            Err(ReadError::NotThere(index))
        }
    }

    /// The records of one bundle, which must hash to its tile.
    fn bundle(&self, bundle: u64) -> Result<Vec<Entry>, ReadError> {
        let tiles = Tiles::new(&DiskFiles, &self.directory, self.end());
        let hashes = tiles.hashes(0, bundle)?;
        let entries = tiles.entries(bundle)?;
        if entries.len() != hashes.len() {
            return Err(ReadError::Malformed(self.directory.clone()));
        }
        (bundle * 256..)
            .zip(entries.into_iter().zip(hashes))
            .map(|(index, (bytes, hash))| {
                let record = Record::decode(&bytes).ok().filter(|_| Hash::of_leaf(&bytes) == hash);
                let record = record.ok_or_else(|| ReadError::Malformed(self.directory.clone()))?;
                Ok(Entry { index, bytes, record })
            })
            .collect()
    }
}

fn checkpoint(directory: &Path, key: &VerifierKey) -> Result<(Checkpoint, String), ReadError> {
    let path = directory.join(layout::CHECKPOINT);
    match DiskFiles.read(&path) {
        Ok(Some(note)) => {
            let checkpoint = Checkpoint::open(&note, key).map_err(|_| ReadError::Checkpoint)?;
            let note = String::from_utf8(note).map_err(|_| ReadError::Checkpoint)?;
            Ok((checkpoint, note))
        }
        Ok(None) => Err(ReadError::Missing(path)),
        Err(error) => Err(ReadError::Io { path, error }),
    }
}
