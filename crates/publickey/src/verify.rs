//! Verifying a signature.

use aws_lc_rs::{digest::Digest, signature::ParsedPublicKey};
use k256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
use keyreeve_backend::{Error, InvalidInput};
use keyreeve_types::{SignInput, SignatureAlgorithm};

use crate::{PublicKey, digest, public_key::Parts};

impl PublicKey {
    /// Whether `signature` is the key's over `input`: the digest or the message, as
    /// [`SignatureAlgorithm::input`] says. ECDSA signatures are r‖s of fixed width.
    ///
    /// A signature of a wrong length or form is just not valid: `Ok(false)`. An
    /// error means that the question made no sense: [`Error::Unsupported`] if the
    /// algorithm does not fit the key, [`InvalidInput::DigestLength`] if the digest
    /// is not as long as its hash.
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        if !algorithm.fits(self.spec) {
            return Err(Error::Unsupported);
        }
        if let SignInput::Digest(hash) = algorithm.input()
            && input.len() != hash.len()
        {
            return Err(InvalidInput::DigestLength.into());
        }
        match &self.parts {
            Parts::Rsa(key) => {
                let key = key.verifying_key(algorithm).ok_or(Error::Unsupported)?;
                Ok(verifies(key, algorithm, input, signature))
            }
            Parts::Ec { key, .. } | Parts::Raw { key, .. } => {
                Ok(verifies(key, algorithm, input, signature))
            }
            Parts::Secp256k1 { key, .. } => Ok(verifies_secp256k1(key, input, signature)),
        }
    }
}

fn verifies(
    key: &ParsedPublicKey,
    algorithm: SignatureAlgorithm,
    input: &[u8],
    signature: &[u8],
) -> bool {
    match algorithm.input() {
        SignInput::Digest(hash) => Digest::import_less_safe(input, digest::of(hash))
            .is_ok_and(|digest| key.verify_digest_sig(&digest, signature).is_ok()),
        SignInput::Message => key.verify_sig(input, signature).is_ok(),
    }
}

/// k256 verifies only the smaller of the two values of s, as Bitcoin does; RFC 8812
/// knows no such rule, so both are accepted here.
fn verifies_secp256k1(key: &VerifyingKey, digest: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|s| key.verify_prehash(digest, &s.normalize_s()).is_ok())
}
