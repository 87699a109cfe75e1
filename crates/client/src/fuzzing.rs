//! What is private to this crate and opens what others may have made, for the fuzz
//! targets of `tests/fuzz`. Only there: nothing of it is part of the crate's
//! interface.

use crate::envelope::format;
pub use crate::sealed_file::fuzzing::{open_file, seal_file};

/// Opens an envelope with the data key that it holds wrapped.
pub fn open_envelope(data_key: &[u8], additional_data: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let opened = format::parse(sealed).and_then(|parts| parts.open(data_key, additional_data));
    opened.ok().map(|plaintext| plaintext.to_vec())
}

/// Makes an envelope; `None` for a wrapped key that is too long.
pub fn seal_envelope(
    data_key: &[u8],
    wrapped: &[u8],
    salt: &[u8; 32],
    plaintext: &[u8],
    additional_data: &[u8],
) -> Option<Vec<u8>> {
    format::seal(data_key, wrapped, salt, plaintext, additional_data).ok()
}
