//! Wrapping a key with AES.

use aes_kw::{KeyInit, KwAes192, KwpAes192};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded};
use keyreeve_backend::{Error, InvalidInput};

use crate::{
    Key,
    key::{AesKey, Kind},
    written::Written,
};

/// Bytes that wrapping adds, and the unit of unpadded wrapping.
const SEMIBLOCK: usize = 8;

pub(crate) fn wrap(
    key: &Key,
    padded: bool,
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let Kind::Aes(key) = key.kind() else { return Err(Error::Unsupported) };
    if plaintext.is_empty() {
        return Err(InvalidInput::Empty.into());
    }
    // RFC 3394 section 2.2.1 begins at two blocks: one has no room for the check.
    if !padded && (plaintext.len() < 2 * SEMIBLOCK || !plaintext.len().is_multiple_of(SEMIBLOCK)) {
        return Err(InvalidInput::NotWholeBlocks.into());
    }
    let len = plaintext.len().next_multiple_of(SEMIBLOCK) + SEMIBLOCK;
    let mut written = Written::zeros(out, len);
    let room = written.bytes();
    let done = match (kek(key), padded) {
        (Some(kek), false) => kek.wrap(plaintext, room).is_ok_and(|w| w.len() == len),
        (Some(kek), true) => kek.wrap_with_padding(plaintext, room).is_ok_and(|w| w.len() == len),
        (None, false) => KwAes192::new_from_slice(key.bytes())
            .is_ok_and(|kek| kek.wrap_key(plaintext, room).is_ok_and(|w| w.len() == len)),
        (None, true) => KwpAes192::new_from_slice(key.bytes())
            .is_ok_and(|kek| kek.wrap_key(plaintext, room).is_ok_and(|w| w.len() == len)),
    };
    if !done {
        return Err(Error::CryptoFailed);
    }
    written.release_all();
    Ok(())
}

/// aws-lc's key for wrapping; `None` for AES-192, which it does not wrap with.
pub(crate) fn kek(key: &AesKey) -> Option<AesKek> {
    let algorithm = match key.bytes().len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    AesKek::new(algorithm, key.bytes()).ok()
}
