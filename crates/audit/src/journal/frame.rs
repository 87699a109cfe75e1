//! One frame: a batch of records, with the hash of the frame before and its own.
//!
//! ```text
//!  0        4        8         12            20         52       84
//! ┌────────┬────────┬─────────┬─────────────┬──────────┬────────┬───────────────┐
//! │ magic  │ length │ records │ first index │ previous │ digest │ entry bundle  │
//! └────────┴────────┴─────────┴─────────────┴──────────┴────────┴───────────────┘
//! digest = SHA-256(bytes 0..52 ‖ bytes 84..)
//! ```

use keyreeve_tlog::sha256;

use crate::{Hash, bundle};

/// Not UTF-8, so that it is in no record.
pub(super) const MAGIC: [u8; 4] = [0xff, b'K', b'J', 1];

pub(super) const HEADER: usize = 84;

/// Most bytes of records in one frame.
pub(crate) const MAX_BATCH: usize = 256 * 1024;

/// A frame that was read and whose digest holds.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) first: u64,
    pub(super) previous: Hash,
    pub(super) digest: Hash,
    pub(super) entries: Vec<&'a [u8]>,
    pub(super) len: usize,
}

/// Builds the frame of the records in `bundle`, and gives its digest.
pub(crate) fn frame(bundle: &[u8], records: u32, first: u64, previous: &Hash) -> (Vec<u8>, Hash) {
    let mut bytes = Vec::with_capacity(HEADER + bundle.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(bundle.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&records.to_be_bytes());
    bytes.extend_from_slice(&first.to_be_bytes());
    bytes.extend_from_slice(&previous.0);
    // The digest is over what is around it; its place is filled afterwards.
    bytes.extend_from_slice(bundle);
    let digest = sha256(&bytes);
    bytes.splice(52..52, digest.0);
    (bytes, digest)
}

/// Reads the frame at the start of `bytes`; `None` if there is no whole one.
pub(super) fn parse(bytes: &[u8]) -> Option<Frame<'_>> {
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
    let mut covered = bytes[..52].to_vec();
    covered.extend_from_slice(body);
    if sha256(&covered).0 != digest {
        return None;
    }
    Some(Frame {
        first: u64::from_be_bytes(*first),
        previous: Hash::from_slice(previous)?,
        digest: Hash::from_slice(digest)?,
        entries: bundle::split(body, u32::from_be_bytes(*records) as usize)?,
        len: HEADER + length,
    })
}
