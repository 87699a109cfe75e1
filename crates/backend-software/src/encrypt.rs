//! Encrypting with AES.

use aws_lc_rs::{
    aead::{Aad, Nonce},
    cipher::EncryptionContext,
    iv::FixedLength,
};
use keyreeve_backend::{Encrypted, Error, InvalidInput};
use keyreeve_types::AesMode;

use crate::{
    Key,
    key::{AesKey, Kind},
    random::random,
    written::Written,
};

const BLOCK: usize = 16;

pub(crate) fn encrypt(
    key: &Key,
    mode: AesMode,
    aad: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<Encrypted, Error> {
    let Kind::Aes(key) = key.kind() else { return Err(Error::Unsupported) };
    match mode {
        AesMode::Gcm => gcm(key, aad, plaintext, out),
        // Associated data that nothing would authenticate.
        AesMode::Cbc | AesMode::CbcPad if !aad.is_empty() => Err(Error::Unsupported),
        AesMode::Cbc if !plaintext.len().is_multiple_of(BLOCK) => {
            Err(InvalidInput::NotWholeBlocks.into())
        }
        AesMode::Cbc => cbc(key, plaintext, 0, out),
        AesMode::CbcPad => cbc(key, plaintext, BLOCK - plaintext.len() % BLOCK, out),
    }
}

fn gcm(key: &AesKey, aad: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<Encrypted, Error> {
    let (mut nonce, mut tag) = ([0; 12], [0; 16]);
    random(&mut nonce)?;
    let mut written = Written::zeros(out, plaintext.len());
    key.gcm()
        .seal_out_of_place_scatter(
            Nonce::from(&nonce),
            Aad::from(aad),
            plaintext,
            written.bytes(),
            &[],
            &mut tag,
        )
        .map_err(|_| Error::CryptoFailed)?;
    written.release_all();
    Ok(Encrypted::gcm(nonce, tag))
}

/// `padding` bytes of that value follow the plaintext (RFC 5652 section 6.3).
fn cbc(
    key: &AesKey,
    plaintext: &[u8],
    padding: usize,
    out: &mut Vec<u8>,
) -> Result<Encrypted, Error> {
    let mut iv = [0; BLOCK];
    random(&mut iv)?;
    let mut written = Written::copy_of(out, plaintext, padding);
    written.append(padding as u8, padding);
    let context = EncryptionContext::Iv128(FixedLength::from(&iv));
    key.cbc_encrypting()
        .and_then(|k| k.less_safe_encrypt(written.bytes(), context).ok())
        .ok_or(Error::CryptoFailed)?;
    written.release_all();
    Ok(Encrypted::cbc(iv))
}
