//! Sign.
//!
//! Modules check little: SoftHSM signs an ECDSA digest of any length. So the length
//! is checked here, and what was signed is verified before it leaves: a single faulty
//! signature of RSA gives the key away (Boneh, DeMillo, Lipton 1997), one of Ed25519 as
//! well where the same message is signed twice, and one of ECDSA tells bits of the key if
//! it was the key in memory that was damaged. What computes in this process may be trusted
//! with ECDSA by its profile.

use std::borrow::Cow;

use keyreeve_backend::{Error, InvalidInput};
use keyreeve_types::{KeySpec, KeyType, SignInput, SignatureAlgorithm};

use crate::{
    mechanism,
    profile::Quirks,
    session::{Pkcs11Key, Pkcs11Session},
};

/// Whether signatures of a key of kind `spec` are verified before they leave.
pub(crate) const fn is_verified(spec: KeySpec, quirks: &Quirks) -> bool {
    match spec.key_type() {
        KeyType::Rsa | KeyType::Okp | KeyType::Akp => true,
        KeyType::Ec => quirks.verify_ecdsa,
        KeyType::Oct => false,
    }
}

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
