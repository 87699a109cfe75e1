//! Decrypting with RSA and AES.
//!
//! Whatever is wrong with a ciphertext, the answer is one: a wrong length, a wrong
//! tag and wrong padding cannot be told apart by it.

use aws_lc_rs::{
    aead::{Aad, Nonce},
    cipher::DecryptionContext,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256},
};
use keyreeve_backend::{Error, InvalidInput, Sealed};
use keyreeve_types::{AesMode, EncryptionAlgorithm, RsaPadding};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

use crate::{
    Key,
    key::{AesKey, Kind},
    rsa_key::RsaKey,
    written::Written,
};

const BLOCK: usize = 16;

pub(crate) fn decrypt(
    key: &Key,
    algorithm: EncryptionAlgorithm,
    sealed: Sealed<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec()) {
        return Err(Error::Unsupported);
    }
    if !sealed.has_lengths_of(algorithm) {
        return Err(InvalidInput::IvOrTagLength.into());
    }
    match (key.kind(), algorithm) {
        (Kind::Rsa(key), EncryptionAlgorithm::Rsa(padding)) => {
            decrypt_rsa(key, padding, sealed.ciphertext, out)
        }
        (Kind::Aes(key), EncryptionAlgorithm::Aes(_, AesMode::Gcm)) => gcm(key, sealed, out),
        (Kind::Aes(key), EncryptionAlgorithm::Aes(_, AesMode::Cbc)) => {
            cbc(key, sealed, out)?.release_all();
            Ok(())
        }
        (Kind::Aes(key), EncryptionAlgorithm::Aes(_, AesMode::CbcPad)) => {
            let mut written = cbc(key, sealed, out)?;
            let len = unpadded_len(written.bytes()).ok_or(Error::CryptoFailed)?;
            written.release(len);
            Ok(())
        }
        _ => Err(Error::Unsupported),
    }
}

/// Decrypts with RSA; unwrapping a key does the same.
pub(crate) fn decrypt_rsa(
    key: &RsaKey,
    padding: RsaPadding,
    ciphertext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let mut written = Written::zeros(out, key.pair().public_modulus_len());
    let room = written.bytes();
    let plaintext = match padding {
        RsaPadding::Oaep => {
            key.oaep().and_then(|k| k.decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, room, None).ok())
        }
        RsaPadding::Oaep256 => {
            key.oaep().and_then(|k| k.decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, room, None).ok())
        }
        RsaPadding::Pkcs1V15 => key.pkcs1_v15().and_then(|k| k.decrypt(ciphertext, room).ok()),
    };
    let len = plaintext.map(|p| p.len()).ok_or(Error::CryptoFailed)?;
    written.release(len);
    Ok(())
}

fn gcm(key: &AesKey, sealed: Sealed<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let nonce = Nonce::try_assume_unique_for_key(sealed.iv).map_err(|_| Error::CryptoFailed)?;
    let mut written = Written::zeros(out, sealed.ciphertext.len());
    key.gcm()
        .open_separate_gather(
            nonce,
            Aad::from(sealed.aad),
            sealed.ciphertext,
            sealed.tag,
            written.bytes(),
        )
        .map_err(|_| Error::CryptoFailed)?;
    written.release_all();
    Ok(())
}

fn cbc<'o>(key: &AesKey, sealed: Sealed<'_>, out: &'o mut Vec<u8>) -> Result<Written<'o>, Error> {
    let iv: [u8; BLOCK] = sealed.iv.try_into().map_err(|_| Error::CryptoFailed)?;
    if !sealed.ciphertext.len().is_multiple_of(BLOCK) {
        return Err(Error::CryptoFailed);
    }
    let mut written = Written::copy_of(out, sealed.ciphertext, 0);
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    key.cbc_decrypting()
        .and_then(|k| k.decrypt(written.bytes(), context).ok())
        .ok_or(Error::CryptoFailed)?;
    Ok(written)
}

/// Length without the padding of RFC 5652 section 6.3. Looks at the whole last
/// block whatever the padding says, so that the time taken tells nothing more than
/// the answer does.
fn unpadded_len(plaintext: &[u8]) -> Option<usize> {
    let last = plaintext.last_chunk::<BLOCK>()?;
    let count = last[BLOCK - 1];
    let mut good = !count.ct_eq(&0) & count.ct_lt(&(BLOCK as u8 + 1));
    for (from_end, byte) in last.iter().rev().enumerate() {
        let is_padding = (from_end as u8).ct_lt(&count);
        let right = byte.ct_eq(&count);
        good &= Choice::conditional_select(&Choice::from(1), &right, is_padding);
    }
    bool::from(good).then(|| plaintext.len() - usize::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against padding that is accepted without being looked at in full.
    #[test]
    fn only_whole_padding_is_removed() {
        let block = |tail: &[u8]| {
            let mut block = vec![9; BLOCK - tail.len()];
            block.extend_from_slice(tail);
            block
        };
        assert_eq!(unpadded_len(&block(&[1])), Some(15));
        assert_eq!(unpadded_len(&block(&[3, 3, 3])), Some(13));
        assert_eq!(unpadded_len(&[16; 32]), Some(16));
        assert_eq!(unpadded_len(&block(&[3, 2, 3])), None);
        assert_eq!(unpadded_len(&block(&[0])), None);
        assert_eq!(unpadded_len(&[17; 32]), None);
        assert_eq!(unpadded_len(&[]), None);
    }
}
