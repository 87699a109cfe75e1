//! From plaintext to segments.

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
    one_time_key::{OneTimeKey, crypto_library},
};

/// Writes the header and all segments. Returns the length of the input.
pub(super) fn seal(
    header: &Header,
    key: &OneTimeKey,
    mut input: impl BufRead,
    mut output: impl Write,
    mut progress: impl FnMut(u64) -> Step,
) -> Result<u64, Error> {
    output.write_all(&header.to_bytes()).map_err(|error| writing(&error))?;
    let mut segment = Zeroizing::new(vec![0; header.segment_size()]);
    let (mut index, mut done) = (0, 0);
    loop {
        let length = fill(&mut input, &mut segment)?;
        let last = length < segment.len() || is_at_end(&mut input)?;
        let plaintext = &mut segment[..length];
        let tag = key
            .aead
            .seal_in_place_separate_tag(nonce(index, last), Aad::empty(), plaintext)
            .map_err(|_| crypto_library())?;
        output
            .write_all(plaintext)
            .and_then(|()| output.write_all(tag.as_ref()))
            .map_err(|error| writing(&error))?;
        done += length as u64;
        if progress(done) == Step::Stop {
            return Err(stopped());
        }
        if last {
            return Ok(done);
        }
        index = next(index)?;
    }
}
