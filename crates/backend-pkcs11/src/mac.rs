//! Mac: HMAC over a generic secret.

use keyreeve_backend::Error;
use keyreeve_types::MacAlgorithm;

use crate::{
    mechanism,
    session::{Pkcs11Key, Pkcs11Session},
};

pub(crate) fn mac(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    algorithm: MacAlgorithm,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec) || !session.capabilities().mac.contains(&algorithm) {
        return Err(Error::Unsupported);
    }
    let mechanism = mechanism::mac(algorithm);
    let tag = session.call(|raw| raw.sign(&mechanism, key.handle, message))?;
    if tag.len() != algorithm.digest().len() {
        return Err(Error::FaultyResult);
    }
    out.extend_from_slice(&tag);
    Ok(())
}
