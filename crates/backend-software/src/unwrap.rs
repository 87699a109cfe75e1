//! Unwrapping a key with RSA or AES.

use aes_kw::{KeyInit, KwAes192, KwpAes192};
use aws_lc_rs::key_wrap::{KeyWrap, KeyWrapPadded};
use keyreeve_backend::Error;
use keyreeve_types::WrapAlgorithm;

use crate::{
    Key,
    decrypt::decrypt_rsa,
    key::{AesKey, Kind},
    wrap::kek,
    written::Written,
};

pub(crate) fn unwrap(
    key: &Key,
    algorithm: WrapAlgorithm,
    wrapped: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec()) {
        return Err(Error::Unsupported);
    }
    match (key.kind(), algorithm) {
        (Kind::Rsa(key), WrapAlgorithm::Rsa(padding)) => decrypt_rsa(key, padding, wrapped, out),
        (Kind::Aes(key), WrapAlgorithm::AesKw(_)) => aes(key, false, wrapped, out),
        (Kind::Aes(key), WrapAlgorithm::AesKwp) => aes(key, true, wrapped, out),
        _ => Err(Error::Unsupported),
    }
}

fn aes(key: &AesKey, padded: bool, wrapped: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let shortest = if padded { 16 } else { 24 };
    if wrapped.len() < shortest || !wrapped.len().is_multiple_of(8) {
        return Err(Error::CryptoFailed);
    }
    let mut written = Written::zeros(out, wrapped.len());
    let room = written.bytes();
    let len = match (kek(key), padded) {
        (Some(kek), false) => kek.unwrap(wrapped, room).ok().map(|k| k.len()),
        (Some(kek), true) => kek.unwrap_with_padding(wrapped, room).ok().map(|k| k.len()),
        (None, false) => KwAes192::new_from_slice(key.bytes())
            .ok()
            .and_then(|kek| kek.unwrap_key(wrapped, room).ok().map(|k| k.len())),
        (None, true) => KwpAes192::new_from_slice(key.bytes())
            .ok()
            .and_then(|kek| kek.unwrap_key(wrapped, room).ok().map(|k| k.len())),
    };
    written.release(len.ok_or(Error::CryptoFailed)?);
    Ok(())
}
