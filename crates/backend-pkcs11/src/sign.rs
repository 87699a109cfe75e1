//! Sign.
//!
//! Modules check little: SoftHSM signs an ECDSA digest of any length. So the length
//! is checked here, and an RSA signature is verified before it leaves, since a single
//! faulty one gives the key away (Boneh, DeMillo, Lipton 1997).

use std::borrow::Cow;

use keyreeve_backend::{Error, InvalidInput};
use keyreeve_types::{SignInput, SignatureAlgorithm};

use crate::{
    mechanism,
    session::{Pkcs11Key, Pkcs11Session},
};

pub(crate) fn sign(
    session: &mut Pkcs11Session,
    key: &Pkcs11Key,
    algorithm: SignatureAlgorithm,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec) || !session.capabilities().sign.contains(&algorithm) {
        return Err(Error::Unsupported);
    }
    if let SignInput::Digest(digest) = algorithm.input()
        && input.len() != digest.len()
    {
        return Err(InvalidInput::DigestLength.into());
    }
    let sign = mechanism::sign(algorithm).ok_or(Error::Unsupported)?;
    let data: Cow<'_, [u8]> = if sign.prefix.is_empty() {
        Cow::Borrowed(input)
    } else {
        Cow::Owned([sign.prefix, input].concat())
    };
    let signature = session.call(|raw| raw.sign(&sign.mechanism, key.handle, &data))?;
    let sound = match (&key.verifier, key.spec.curve()) {
        (Some(verifier), _) => matches!(verifier.verify(algorithm, input, &signature), Ok(true)),
        (None, Some(curve)) => signature.len() == 2 * curve.field_len(),
        (None, None) => signature.len() == 64,
    };
    if !sound {
        return Err(Error::FaultyResult);
    }
    out.extend_from_slice(&signature);
    Ok(())
}
