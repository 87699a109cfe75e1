//! RSA public keys: one parsed form per algorithm, made when first used.
//!
//! aws-lc ties a parsed key to a padding and a hash. Most keys verify with one
//! algorithm only, so each form is made once, on first use, and kept.

use std::sync::OnceLock;

use aws_lc_rs::{
    rsa::{OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey},
    signature::{
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, RsaParameters,
    },
};
use keyreeve_backend::InvalidInput;
use keyreeve_types::{KeySpec, SignatureAlgorithm};
use pkcs1::{RsaPublicKeyRef, UintRef, der::Encode};

/// A checked RSA public key.
pub(crate) struct RsaPublicKey {
    /// `RSAPublicKey` DER (RFC 8017 appendix A.1.1).
    pkcs1: Vec<u8>,
    n: Vec<u8>,
    e: Vec<u8>,
    verifying: [OnceLock<ParsedPublicKey>; 6],
    oaep: OnceLock<OaepPublicEncryptingKey>,
    pkcs1_v15: OnceLock<Pkcs1PublicEncryptingKey>,
}

impl RsaPublicKey {
    /// Checks sizes: a modulus of 2048, 3072 or 4096 bits, odd; an odd exponent
    /// from 65537 to 2^32. A larger exponent makes verifying slow and buys nothing;
    /// a smaller one is where padding flaws become forgeries.
    pub(crate) fn new(n: &[u8], e: &[u8]) -> Result<(KeySpec, Self), InvalidInput> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let spec = match (n.len(), n.first()) {
            (256, Some(0x80..)) => KeySpec::Rsa2048,
            (384, Some(0x80..)) => KeySpec::Rsa3072,
            (512, Some(0x80..)) => KeySpec::Rsa4096,
            _ => return Err(InvalidInput::UnsupportedRsaKey),
        };
        let exponent = (e.len() <= 4).then(|| e.iter().fold(0, |v, b| v << 8 | u64::from(*b)));
        let even = n[n.len() - 1] & 1 == 0;
        if even || !exponent.is_some_and(|e| e >= 65537 && e & 1 == 1) {
            return Err(InvalidInput::UnsupportedRsaKey);
        }
        let pkcs1 = encode(n, e).map_err(|_| InvalidInput::MalformedKey)?;
        let key = Self {
            n: n.to_vec(),
            e: e.to_vec(),
            verifying: Default::default(),
            oaep: OnceLock::new(),
            pkcs1_v15: OnceLock::new(),
            pkcs1,
        };
        match key.verifying_key(SignatureAlgorithm::Rs256) {
            Some(_) => Ok((spec, key)),
            None => Err(InvalidInput::MalformedKey),
        }
    }

    pub(crate) fn pkcs1(&self) -> &[u8] {
        &self.pkcs1
    }

    pub(crate) fn n(&self) -> &[u8] {
        &self.n
    }

    pub(crate) fn e(&self) -> &[u8] {
        &self.e
    }

    /// The key, parsed for an RSA `algorithm`; `None` for another one.
    pub(crate) fn verifying_key(&self, algorithm: SignatureAlgorithm) -> Option<&ParsedPublicKey> {
        let (slot, parameters) = parameters(algorithm)?;
        get_or_make(&self.verifying[slot], || ParsedPublicKey::new(parameters, &self.pkcs1).ok())
    }

    pub(crate) fn oaep(&self) -> Option<&OaepPublicEncryptingKey> {
        get_or_make(&self.oaep, || OaepPublicEncryptingKey::new(self.encrypting_key()?).ok())
    }

    pub(crate) fn pkcs1_v15(&self) -> Option<&Pkcs1PublicEncryptingKey> {
        get_or_make(&self.pkcs1_v15, || Pkcs1PublicEncryptingKey::new(self.encrypting_key()?).ok())
    }

    fn encrypting_key(&self) -> Option<PublicEncryptingKey> {
        let (n, e) = (self.n.as_slice(), self.e.as_slice());
        aws_lc_rs::signature::RsaPublicKeyComponents { n, e }.try_into().ok()
    }
}

fn parameters(algorithm: SignatureAlgorithm) -> Option<(usize, &'static RsaParameters)> {
    Some(match algorithm {
        SignatureAlgorithm::Rs256 => (0, &RSA_PKCS1_2048_8192_SHA256),
        SignatureAlgorithm::Rs384 => (1, &RSA_PKCS1_2048_8192_SHA384),
        SignatureAlgorithm::Rs512 => (2, &RSA_PKCS1_2048_8192_SHA512),
        SignatureAlgorithm::Ps256 => (3, &RSA_PSS_2048_8192_SHA256),
        SignatureAlgorithm::Ps384 => (4, &RSA_PSS_2048_8192_SHA384),
        SignatureAlgorithm::Ps512 => (5, &RSA_PSS_2048_8192_SHA512),
        _ => return None,
    })
}

fn get_or_make<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Option<T>) -> Option<&T> {
    match cell.get() {
        Some(made) => Some(made),
        None => {
            let made = make()?;
            Some(cell.get_or_init(|| made))
        }
    }
}

fn encode(n: &[u8], e: &[u8]) -> pkcs1::der::Result<Vec<u8>> {
    let (modulus, public_exponent) = (UintRef::new(n)?, UintRef::new(e)?);
    RsaPublicKeyRef { modulus, public_exponent }.to_der()
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    &bytes[zeros..]
}
