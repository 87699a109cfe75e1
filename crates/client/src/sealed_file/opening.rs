//! From segments to plaintext. Nothing is written of a segment that is not authentic.

use std::io::{BufRead, Write};

use aws_lc_rs::aead::Aad;
use zeroize::Zeroizing;

use super::{
    Step, fill,
    format::{Header, next, nonce},
    is_at_end, stopped, writing,
};
use crate::{
    Error,
    one_time_key::{OneTimeKey, TAG},
};

/// Reads all segments after the header. Returns the length of the output, which is
/// whole and authentic only if this succeeds.
pub(super) fn open(
    header: &Header,
    key: &OneTimeKey,
    mut input: impl BufRead,
    mut output: impl Write,
    mut progress: impl FnMut(u64) -> Step,
) -> Result<u64, Error> {
    let mut segment = Zeroizing::new(vec![0; header.segment_size() + TAG]);
    let (mut index, mut read, mut written) = (0, header.to_bytes().len() as u64, 0);
    loop {
        let length = fill(&mut input, &mut segment)?;
        let last = length < segment.len() || is_at_end(&mut input)?;
        let plaintext = key
            .aead
            .open_in_place(nonce(index, last), Aad::empty(), &mut segment[..length])
            .map_err(|_| Error::decryption_failed())?;
        // One file has one sealed form: an empty segment only where there is no other.
        if plaintext.is_empty() && index > 0 {
            return Err(Error::decryption_failed());
        }
        output.write_all(plaintext).map_err(|error| writing(&error))?;
        read += length as u64;
        written += plaintext.len() as u64;
        if progress(read) == Step::Stop {
            return Err(stopped());
        }
        if last {
            return Ok(written);
        }
        index = next(index)?;
    }
}
