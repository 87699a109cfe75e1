//! Decrypt: RSA and AES.
//!
//! There is one answer to every ciphertext that does not decrypt, and no raw RSA:
//! unpadding outside the token would be Manger's attack all over again.

use cryptoki::mechanism::{Mechanism, aead::GcmParams};
use keyreeve_backend::{Error, InvalidInput, Sealed};
use keyreeve_types::{AesMode, EncryptionAlgorithm, RsaPadding};
use zeroize::Zeroizing;

use crate::{
    encrypt::TAG_LEN,
    mechanism,
    session::{Pkcs11Key, Pkcs11Session},
};

pub(crate) fn decrypt(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    algorithm: EncryptionAlgorithm,
    sealed: Sealed<'_>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec) || !session.capabilities().decrypt.contains(&algorithm) {
        return Err(Error::Unsupported);
    }
    if !sealed.has_lengths_of(algorithm) {
        return Err(InvalidInput::IvOrTagLength.into());
    }
    let ciphertext = sealed.ciphertext;
    let plaintext = match algorithm {
        EncryptionAlgorithm::Rsa(padding) => return rsa(session, key, padding, ciphertext, out),
        EncryptionAlgorithm::Aes(_, AesMode::Gcm) => {
            let mut iv: [u8; 12] = fixed(sealed.iv)?;
            let whole = [ciphertext, sealed.tag].concat();
            session.call_on_ciphertext(|raw| {
                let params = GcmParams::new(&mut iv, sealed.aad, (TAG_LEN as u64 * 8).into())?;
                raw.decrypt(&Mechanism::AesGcm(params), key.handle, &whole).map(Zeroizing::new)
            })?
        }
        EncryptionAlgorithm::Aes(_, mode) => {
            if !ciphertext.len().is_multiple_of(16) {
                return Err(Error::CryptoFailed);
            }
            let mechanism = match (mode, ciphertext.is_empty()) {
                (AesMode::CbcPad, true) => return Err(Error::CryptoFailed),
                (_, true) => return Ok(()),
                (AesMode::CbcPad, false) => Mechanism::AesCbcPad(fixed(sealed.iv)?),
                (_, false) => Mechanism::AesCbc(fixed(sealed.iv)?),
            };
            session.call_on_ciphertext(|raw| {
                raw.decrypt(&mechanism, key.handle, ciphertext).map(Zeroizing::new)
            })?
        }
    };
    out.extend_from_slice(&plaintext);
    Ok(())
}

/// RSA, for decrypting and for unwrapping alike.
pub(crate) fn rsa(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    padding: RsaPadding,
    ciphertext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let modulus = key.spec.bits().map_or(0, |bits| bits as usize / 8);
    if ciphertext.len() != modulus {
        return Err(Error::CryptoFailed);
    }
    let mechanism = mechanism::rsa(padding);
    let plaintext = session.call_on_ciphertext(|raw| {
        raw.decrypt(&mechanism, key.handle, ciphertext).map(Zeroizing::new)
    })?;
    out.extend_from_slice(&plaintext);
    Ok(())
}

fn fixed<const N: usize>(iv: &[u8]) -> Result<[u8; N], Error> {
    iv.try_into().map_err(|_| InvalidInput::IvOrTagLength.into())
}
