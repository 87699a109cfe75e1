//! One frame: a batch of records, with the hash of the frame before and its own.
//!
//! ```text
//!  0        4        8         12            20         52       84
//! ┌────────┬────────┬─────────┬─────────────┬──────────┬────────┬───────────────┐
//! │ magic  │ length │ records │ first index │ previous │ digest │ entry bundle  │
//! └────────┴────────┴─────────┴─────────────┴──────────┴────────┴───────────────┘
//! digest = SHA-256(bytes 0..52 ‖ hash of each entry, RFC 6962 section 2.1)
//! ```
//!
//! The hashes stand for the entries: they are there already, whoever wrote them.

use keyreeve_tlog::sha256;

use crate::{Hash, bundle, sheaf::Sheaf};

/// Not UTF-8, so that it is in no record.
pub(super) const MAGIC: [u8; 4] = [0xff, b'K', b'J', 2];

const HEADER: usize = 84;
/// Where the digest is, up to the end of the header.
const DIGEST_AT: usize = 52;

/// Most bytes of records in one frame.
pub(crate) const MAX_BATCH: usize = 256 * 1024;

/// A frame that is being filled. Its buffers are used again.
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// What the digest is over: the header without it, and the hashes.
    covered: Vec<u8>,
}

impl Default for Frame {
    fn default() -> Self {
        Self { bytes: vec![0; HEADER], covered: vec![0; DIGEST_AT] }
    }
}

impl Frame {
    pub(crate) fn has_room_for(&self, sheaf: &Sheaf) -> bool {
        self.bytes.len() - HEADER + sheaf.bundle().len() <= MAX_BATCH
    }

    pub(crate) fn push(&mut self, sheaf: &Sheaf) {
        self.bytes.extend_from_slice(sheaf.bundle());
        self.covered.extend(sheaf.leaves().iter().flat_map(|leaf| leaf.0));
    }

    /// How many records it has.
    pub(crate) const fn records(&self) -> u64 {
        ((self.covered.len() - DIGEST_AT) / Hash::LEN) as u64
    }

    /// The frame, whose first record has the index `first`, and its digest.
    pub(crate) fn finish(&mut self, first: u64, previous: &Hash) -> (&[u8], Hash) {
        let (length, records) = ((self.bytes.len() - HEADER) as u32, self.records() as u32);
        let header = &mut self.bytes[..HEADER];
        header[..4].copy_from_slice(&MAGIC);
        header[4..8].copy_from_slice(&length.to_be_bytes());
        header[8..12].copy_from_slice(&records.to_be_bytes());
        header[12..20].copy_from_slice(&first.to_be_bytes());
        header[20..DIGEST_AT].copy_from_slice(&previous.0);
        self.covered[..DIGEST_AT].copy_from_slice(&header[..DIGEST_AT]);
        let digest = sha256(&self.covered);
        header[DIGEST_AT..].copy_from_slice(&digest.0);
        (&self.bytes, digest)
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.covered.truncate(DIGEST_AT);
    }
}

/// A frame that was read and whose digest holds.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) first: u64,
    pub(super) previous: Hash,
    pub(super) digest: Hash,
    pub(super) entries: Vec<&'a [u8]>,
    pub(super) len: usize,
}

/// Reads the frame at the start of `bytes`; `None` if there is no whole one.
pub(super) fn parse(bytes: &[u8]) -> Option<Found<'_>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (records, rest) = rest.split_first_chunk::<4>()?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (previous, rest) = rest.split_at_checked(Hash::LEN)?;
    let (digest, rest) = rest.split_at_checked(Hash::LEN)?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_BATCH {
        return None;
    }
    let body = rest.get(..length)?;
    let entries = bundle::split(body, u32::from_be_bytes(*records) as usize)?;
    let mut covered = bytes[..DIGEST_AT].to_vec();
    covered.extend(entries.iter().flat_map(|entry| Hash::of_leaf(entry).0));
    if sha256(&covered).0 != digest {
        return None;
    }
    Some(Found {
        first: u64::from_be_bytes(*first),
        previous: Hash::from_slice(previous)?,
        digest: Hash::from_slice(digest)?,
        entries,
        len: HEADER + length,
    })
}
