//! Sealed files in memory, for [`crate::fuzzing`].

use super::{Step, format::Header, opening, sealing};

/// Opens the bytes of a sealed file with the data key that it holds wrapped.
pub fn open_file(data_key: &[u8], mut sealed: &[u8]) -> Option<Vec<u8>> {
    let header = Header::read(&mut sealed).ok()?;
    let key = header.open(data_key).ok()?;
    let mut plaintext = Vec::new();
    opening::open(&header, &key, sealed, &mut plaintext, |_| Step::Continue).ok()?;
    Some(plaintext)
}

/// Makes the bytes of a sealed file in segments of 2 to the power of `segment_bits`
/// bytes; `None` for a wrapped key that is too long.
pub fn seal_file(
    data_key: &[u8],
    wrapped: &[u8],
    salt: [u8; 32],
    segment_bits: u8,
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    let (header, key) = Header::make(data_key, wrapped, salt, segment_bits).ok()?;
    let mut sealed = Vec::new();
    sealing::seal(&header, &key, plaintext, &mut sealed, |_| Step::Continue).ok()?;
    Some(sealed)
}
