//! The bytes of a sealed file.
//!
//! ```text
//! offset   length  what
//! 0        4       magic "KRS" and the format version, 0x01
//! 4        1       B, binary logarithm of the segment size S, 6 to 24 (20: 1 MiB)
//! 5        2       W, length of the wrapped data key, big endian, 1 to 8192
//! 7        W       wrapped data key: a serialised keyreeve.v1.Ciphertext
//! 7 + W    32      salt
//! 39 + W   32      key commitment
//! 71 + W           segments, each its ciphertext followed by its 16-byte GCM tag
//! ```
//!
//! Every segment but the last holds S bytes of plaintext; the last holds 1 to S, or
//! none if the file is empty. Segment i has the nonce 0x000000 ‖ i (8 bytes, big
//! endian) ‖ 0x01 if it is the last, 0x00 otherwise. Key and commitment are
//! HKDF-SHA-512 of the data key with the salt and the info `keyreeve file v1` ‖ header
//! up to the salt: a changed header gives another key, and the commitment tells.

use std::io::Read;

use aws_lc_rs::aead::Nonce;

use super::fill;
use crate::{
    Error,
    one_time_key::{COMMITMENT, OneTimeKey, SALT, crypto_library},
};

/// 1 MiB: large enough to amortise a call to the file system, small beside any
/// memory limit.
pub(super) const DEFAULT_SEGMENT_BITS: u8 = 20;

const MAGIC: &[u8; 4] = b"KRS\x01";
const INFO: &[u8] = b"keyreeve file v1";
const PREFIX: usize = 7;
const SEGMENT_BITS: std::ops::RangeInclusive<u8> = 6..=24;
const MAX_WRAPPED: usize = 8192;

/// What comes before the segments.
pub(super) struct Header {
    segment_bits: u8,
    /// The wrapped data key.
    pub(super) wrapped: Vec<u8>,
    salt: [u8; SALT],
    commitment: [u8; COMMITMENT],
}

impl Header {
    /// A header for a new file, and the key for its segments. `salt` must be fresh.
    pub(super) fn make(
        data_key: &[u8],
        wrapped: &[u8],
        salt: [u8; SALT],
        segment_bits: u8,
    ) -> Result<(Self, OneTimeKey), Error> {
        if !(1..=MAX_WRAPPED).contains(&wrapped.len()) {
            return Err(Error::bad_answer("a wrapped key of sensible length"));
        }
        let mut header =
            Self { segment_bits, wrapped: wrapped.to_vec(), salt, commitment: [0; COMMITMENT] };
        let key = header.derive(data_key)?;
        header.commitment = *key.commitment();
        Ok((header, key))
    }

    /// Reads a header; nothing in it is trusted yet.
    pub(super) fn read(reader: &mut impl Read) -> Result<Self, Error> {
        let mut prefix = [0; PREFIX];
        exactly(reader, &mut prefix)?;
        let [a, b, c, d, segment_bits, high, low] = prefix;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let lawful = [a, b, c, d] == *MAGIC
            && SEGMENT_BITS.contains(&segment_bits)
            && (1..=MAX_WRAPPED).contains(&length);
        if !lawful {
            return Err(Error::decryption_failed());
        }
        let mut header = Self {
            segment_bits,
            wrapped: vec![0; length],
            salt: [0; SALT],
            commitment: [0; COMMITMENT],
        };
        exactly(reader, &mut header.wrapped)?;
        exactly(reader, &mut header.salt)?;
        exactly(reader, &mut header.commitment)?;
        Ok(header)
    }

    /// The key for the segments, if `data_key` is the one that the header was made
    /// with.
    pub(super) fn open(&self, data_key: &[u8]) -> Result<OneTimeKey, Error> {
        let key = self.derive(data_key)?;
        if key.is_committed_to(&self.commitment) {
            Ok(key)
        } else {
            Err(Error::decryption_failed())
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        [&self.bound()[..], &self.salt, &self.commitment].concat()
    }

    /// S, bytes of plaintext in a full segment.
    pub(super) fn segment_size(&self) -> usize {
        1 << self.segment_bits
    }

    fn derive(&self, data_key: &[u8]) -> Result<OneTimeKey, Error> {
        OneTimeKey::derive(data_key, &self.salt, &[INFO, &self.bound()])
    }

    /// The header up to the salt.
    fn bound(&self) -> Vec<u8> {
        let length = u16::try_from(self.wrapped.len()).expect("at most MAX_WRAPPED");
        [MAGIC, &[self.segment_bits][..], &length.to_be_bytes(), &self.wrapped].concat()
    }
}

/// The nonce of segment `index`.
pub(super) fn nonce(index: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

/// The segment after `index`. NIST SP 800-38D bounds a key to 2^32 calls.
pub(super) fn next(index: u64) -> Result<u64, Error> {
    if index >= u64::from(u32::MAX) { Err(crypto_library()) } else { Ok(index + 1) }
}

fn exactly(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), Error> {
    if fill(reader, buffer)? == buffer.len() { Ok(()) } else { Err(Error::decryption_failed()) }
}
