//! Wrap: AES-KW (RFC 3394) and AES-KWP (RFC 5649) over bytes the caller holds.
//!
//! `C_WrapKey` wraps an object, so the bytes become one for the time of the call: a
//! session object that no other session outlives and that may do nothing else.

use keyreeve_backend::{Error, InvalidInput};
use keyreeve_types::WrapAlgorithm;

use crate::{
    session::{Pkcs11Key, Pkcs11Session},
    template,
};

pub(crate) fn wrap(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    padded: bool,
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let algorithm = if padded { WrapAlgorithm::AesKwp } else { WrapAlgorithm::AesKw(key.spec) };
    if !key.spec.is_aes() || !session.capabilities().unwrap.contains(&algorithm) {
        return Err(Error::Unsupported);
    }
    if plaintext.is_empty() {
        return Err(InvalidInput::Empty.into());
    }
    if !padded && (plaintext.len() < 16 || !plaintext.len().is_multiple_of(8)) {
        return Err(InvalidInput::NotWholeBlocks.into());
    }
    let mechanism = session.key_wrap(padded).ok_or(Error::Unsupported)?;
    let template = template::to_be_wrapped(plaintext.to_vec());
    let wrapped = session.call(|raw| {
        let object = raw.create_object(&template.0)?;
        let wrapped = raw.wrap_key(&mechanism, key.handle, object);
        raw.destroy_object(object)?;
        wrapped
    })?;
    // The binding returns the buffer as long as it was asked for, not as it was filled.
    let expected = plaintext.len().next_multiple_of(8) + 8;
    let wrapped = wrapped.get(..expected).ok_or(Error::FaultyResult)?;
    out.extend_from_slice(wrapped);
    Ok(())
}
