//! Unwrap: RSA by decrypting; AES-KW and AES-KWP into a session object whose value
//! is read and which is then destroyed.

use cryptoki::object::{Attribute, AttributeType};
use keyreeve_backend::Error;
use keyreeve_types::WrapAlgorithm;
use zeroize::Zeroizing;

use crate::{
    decrypt,
    session::{Pkcs11Key, Pkcs11Session},
    template,
};

pub(crate) fn unwrap(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    algorithm: WrapAlgorithm,
    wrapped: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec) || !session.capabilities().unwrap.contains(&algorithm) {
        return Err(Error::Unsupported);
    }
    let (padded, shortest) = match algorithm {
        WrapAlgorithm::Rsa(padding) => return decrypt::rsa(session, key, padding, wrapped, out),
        WrapAlgorithm::AesKw(_) => (false, 24),
        WrapAlgorithm::AesKwp => (true, 16),
    };
    if wrapped.len() < shortest || !wrapped.len().is_multiple_of(8) {
        return Err(Error::CryptoFailed);
    }
    let mechanism = session.key_wrap(padded).ok_or(Error::Unsupported)?;
    let plaintext = session.call_on_ciphertext(|raw| {
        let object = raw.unwrap_key(&mechanism, key.handle, wrapped, &template::unwrapped())?;
        let value = raw.get_attributes(object, &[AttributeType::Value]);
        raw.destroy_object(object)?;
        Ok(value?.into_iter().find_map(|attribute| match attribute {
            Attribute::Value(value) => Some(Zeroizing::new(value)),
            _ => None,
        }))
    })?;
    let plaintext = plaintext.ok_or(Error::CryptoFailed)?;
    // Padding hides 1 to 8 bytes of the blocks; without it every byte is the key's.
    let blocks = wrapped.len() - 8;
    let fits = if padded {
        (1..=blocks).contains(&plaintext.len()) && plaintext.len() + 8 > blocks
    } else {
        plaintext.len() == blocks
    };
    if !fits {
        return Err(Error::CryptoFailed);
    }
    out.extend_from_slice(&plaintext);
    Ok(())
}
