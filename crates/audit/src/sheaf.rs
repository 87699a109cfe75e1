//! Records that travel together: their entries as a bundle has them, and their hashes.
//!
//! A sheaf is what passes from who records to the writer, from there to the publisher,
//! and back to nobody: a record is encoded into it once, and copied once, into the
//! frame.

use crate::{Hash, Record};

/// Records, in their order.
#[derive(Default)]
pub(crate) struct Sheaf {
    bundle: Vec<u8>,
    leaves: Vec<Hash>,
}

impl Sheaf {
    /// One record alone.
    pub(crate) fn of(record: &Record) -> Self {
        let mut sheaf = Self::default();
        sheaf.push(record);
        sheaf
    }

    /// Encodes and hashes a record, so that the writer, who is one for all, need not.
    pub(crate) fn push(&mut self, record: &Record) {
        let start = self.bundle.len();
        self.bundle.extend_from_slice(&[0; 2]);
        record.encode_into(&mut self.bundle);
        let entry = &self.bundle[start + 2..];
        let len = u16::try_from(entry.len()).expect("a record is shorter than MAX_ENTRY");
        self.leaves.push(Hash::of_leaf(entry));
        self.bundle[start..start + 2].copy_from_slice(&len.to_be_bytes());
    }

    /// How many records.
    pub(crate) const fn len(&self) -> usize {
        self.leaves.len()
    }

    /// The entries, each behind its length (C2SP tlog-tiles, "Log entries").
    pub(crate) fn bundle(&self) -> &[u8] {
        &self.bundle
    }

    /// The hash of each entry.
    pub(crate) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// Each record behind its length, with its hash.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], Hash)> {
        let mut rest = &self.bundle[..];
        self.leaves.iter().map_while(move |leaf| {
            let (len, _) = rest.split_first_chunk::<2>()?;
            let (entry, after) =
                rest.split_at_checked(2 + usize::from(u16::from_be_bytes(*len)))?;
            rest = after;
            Some((entry, *leaf))
        })
    }
}
