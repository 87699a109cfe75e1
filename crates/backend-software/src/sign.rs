//! Signing.

use aws_lc_rs::{
    digest::{Digest as Imported, SHA256, SHA384, SHA512},
    signature::{
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
        RSA_PSS_SHA512, RsaSignatureEncoding,
    },
};
use k256::ecdsa::{Signature, signature::hazmat::PrehashSigner};
use keyreeve_backend::{Error, InvalidInput};
use keyreeve_types::{Digest, SignInput, SignatureAlgorithm};

use crate::{Key, key::Kind, rsa_key::RsaKey, written::Written};

/// Length of an ML-DSA-65 signature (FIPS 204 table 2).
const ML_DSA_65_LEN: usize = 3309;

pub(crate) fn sign(
    key: &Key,
    algorithm: SignatureAlgorithm,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if !algorithm.fits(key.spec()) {
        return Err(Error::Unsupported);
    }
    match (key.kind(), algorithm.input()) {
        (Kind::Rsa(rsa), SignInput::Digest(hash)) => {
            sign_rsa(rsa, algorithm, import(hash, input)?, input, out)
        }
        (Kind::Ec(pair), SignInput::Digest(hash)) => {
            let signature = pair.sign_digest(&import(hash, input)?).map_err(failed)?;
            out.extend_from_slice(signature.as_ref());
            Ok(())
        }
        (Kind::Secp256k1(key), SignInput::Digest(hash)) => {
            import(hash, input)?;
            let signature: Signature = key.sign_prehash(input).map_err(failed)?;
            out.extend_from_slice(&signature.to_bytes());
            Ok(())
        }
        (Kind::Ed25519(pair), SignInput::Message) => {
            out.extend_from_slice(pair.try_sign(input).map_err(failed)?.as_ref());
            Ok(())
        }
        (Kind::MlDsa65(pair), SignInput::Message) => {
            let mut written = Written::zeros(out, ML_DSA_65_LEN);
            pair.sign(input, written.bytes()).map_err(failed)?;
            written.release_all();
            Ok(())
        }
        _ => Err(Error::Unsupported),
    }
}

fn sign_rsa(
    key: &RsaKey,
    algorithm: SignatureAlgorithm,
    digest: Imported,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let encoding = encoding(algorithm).ok_or(Error::Unsupported)?;
    let mut written = Written::zeros(out, key.pair().public_modulus_len());
    key.pair().sign_digest(encoding, &digest, written.bytes()).map_err(failed)?;
    if !key.public().verify(algorithm, input, written.bytes())? {
        return Err(Error::FaultyResult);
    }
    written.release_all();
    Ok(())
}

fn import(hash: Digest, digest: &[u8]) -> Result<Imported, InvalidInput> {
    let algorithm = match hash {
        Digest::Sha256 => &SHA256,
        Digest::Sha384 => &SHA384,
        Digest::Sha512 => &SHA512,
    };
    Imported::import_less_safe(digest, algorithm).map_err(|_| InvalidInput::DigestLength)
}

fn encoding(algorithm: SignatureAlgorithm) -> Option<&'static RsaSignatureEncoding> {
    Some(match algorithm {
        SignatureAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
        SignatureAlgorithm::Rs384 => &RSA_PKCS1_SHA384,
        SignatureAlgorithm::Rs512 => &RSA_PKCS1_SHA512,
        SignatureAlgorithm::Ps256 => &RSA_PSS_SHA256,
        SignatureAlgorithm::Ps384 => &RSA_PSS_SHA384,
        SignatureAlgorithm::Ps512 => &RSA_PSS_SHA512,
        _ => return None,
    })
}

fn failed<E>(_: E) -> Error {
    Error::DeviceFailed("the library refused to sign".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{rsa::KeySize, signature::RsaKeyPair};
    use keyreeve_types::KeySpec;

    /// Guards against a wrong RSA signature leaving: one is enough to factor the key.
    #[test]
    fn an_rsa_signature_that_does_not_verify_is_withheld() {
        let new = || {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a new key");
            RsaKey::new(pair).expect("a good key")
        };
        let faulty =
            Key::from_kind(KeySpec::Rsa2048, Kind::Rsa(Box::new(new().with_public_half_of(new()))));
        for algorithm in [SignatureAlgorithm::Rs256, SignatureAlgorithm::Ps256] {
            let mut out = b"before".to_vec();
            let answer = sign(&faulty, algorithm, &[7; 32], &mut out);
            assert_eq!(answer, Err(Error::FaultyResult));
            assert_eq!(out, b"before");
        }
    }
}
