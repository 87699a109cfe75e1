//! Encrypt: AES, under a nonce or initialisation vector drawn here.
//!
//! SoftHSM takes any nonce, the empty one too, and would use one twice. So no caller
//! ever supplies it.

use cryptoki::mechanism::{Mechanism, aead::GcmParams};
use keyreeve_backend::{Encrypted, Error, InvalidInput};
use keyreeve_types::{AesMode, EncryptionAlgorithm};

use crate::{
    random,
    session::{Pkcs11Key, Pkcs11Session},
};

/// Length of the GCM tag in bytes.
pub(crate) const TAG_LEN: usize = 16;

pub(crate) fn encrypt(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    mode: AesMode,
    aad: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<Encrypted, Error> {
    let algorithm = EncryptionAlgorithm::Aes(key.spec, mode);
    if !key.spec.is_aes() || !session.capabilities().decrypt.contains(&algorithm) {
        return Err(Error::Unsupported);
    }
    match mode {
        AesMode::Gcm => gcm(session, key, aad, plaintext, out),
        AesMode::Cbc | AesMode::CbcPad if !aad.is_empty() => Err(Error::Unsupported),
        AesMode::Cbc if !plaintext.len().is_multiple_of(16) => {
            Err(InvalidInput::NotWholeBlocks.into())
        }
        AesMode::Cbc => cbc(session, key, Mechanism::AesCbc, plaintext, out),
        AesMode::CbcPad => cbc(session, key, Mechanism::AesCbcPad, plaintext, out),
    }
}

fn gcm(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    aad: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<Encrypted, Error> {
    let mut nonce = [0; 12];
    random::random(session, &mut nonce)?;
    let mut iv = nonce;
    let sealed = session.call(|raw| {
        let params = GcmParams::new(&mut iv, aad, (TAG_LEN as u64 * 8).into())?;
        raw.encrypt(&Mechanism::AesGcm(params), key.handle, plaintext)
    })?;
    // A module that drew a nonce of its own would have written it into `iv`.
    match sealed.split_last_chunk::<TAG_LEN>() {
        Some((ciphertext, tag)) if ciphertext.len() == plaintext.len() => {
            out.extend_from_slice(ciphertext);
            Ok(Encrypted::gcm(iv, *tag))
        }
        _ => Err(Error::FaultyResult),
    }
}

fn cbc(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    mechanism: fn([u8; 16]) -> Mechanism<'static>,
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<Encrypted, Error> {
    let mut iv = [0; 16];
    random::random(session, &mut iv)?;
    // Nothing encrypts to nothing, which not every module agrees with.
    let mechanism = mechanism(iv);
    if plaintext.is_empty() && matches!(mechanism, Mechanism::AesCbc(_)) {
        return Ok(Encrypted::cbc(iv));
    }
    let ciphertext = session.call(|raw| raw.encrypt(&mechanism, key.handle, plaintext))?;
    out.extend_from_slice(&ciphertext);
    Ok(Encrypted::cbc(iv))
}
