//! Private keys made elsewhere: parsing them and checking that they are good.
//!
//! A key that comes from outside may be malformed by accident or by intent: a
//! public half of another key, a composite "prime", factors that a known flaw
//! makes guessable. Every such key is refused here, once, before a backend sees
//! it. What passes is turned into the one encoding of
//! [`keyreeve_backend::PrivateKey`].
//!
//! This crate handles private bytes and runs in keyhosts only. What it decodes on
//! the way is wiped. It refuses encrypted PKCS#8, keys by explicit curve
//! parameters, multi-prime RSA, and to correct a key: a wrong part is an error.

mod curve;
mod der;
mod jwk;
mod pem;
mod prime;
mod rsa;
mod seed;
mod weak;

use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_types::{Curve, KeyOps, KeySpec, Secret};

use crate::rsa::RsaParts;

/// Longest input, in bytes. A PEM file of an RSA-4096 key has 3.3 KiB, one of an
/// expanded ML-DSA-65 key 5.6 KiB.
pub const MAX_LEN: usize = 64 * 1024;

/// Parses and checks a private or symmetric key: a JWK (RFC 7517), PKCS#8 as DER
/// or PEM (RFC 5958), or PEM of PKCS#1 (RFC 8017) or SEC 1 (RFC 5915).
///
/// `ops` decides whether a JWK of type `oct` is for HMAC or AES, as
/// [`KeySpec::from_jose`] says; it has no meaning for other keys.
pub fn parse(bytes: &[u8], ops: KeyOps) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    if bytes.len() > MAX_LEN {
        return Err(InvalidInput::TooLong);
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{') => jwk::parse(bytes, ops),
        Some(b'-') => pem::parse(bytes),
        // A SEQUENCE. DER is not trimmed: 0x20 would be part of it.
        Some(0x30) if bytes[0] == 0x30 => der::pkcs8(bytes)?.check(),
        _ => Err(InvalidInput::MalformedKey),
    }
}

/// Checks a key that is in the encoding of [`PrivateKey`] already, as thoroughly
/// as [`parse`] does.
pub fn check(spec: KeySpec, private: &PrivateKey) -> Result<(), InvalidInput> {
    let bytes = private.expose().as_slice();
    if bytes.len() > MAX_LEN {
        return Err(InvalidInput::TooLong);
    }
    let parts = match spec {
        KeySpec::Ed25519 => Parts::Ed25519 { seed: bytes, public: None },
        KeySpec::MlDsa65 => Parts::MlDsa65 { seed: bytes, expanded: None, public: None },
        _ if spec.is_aes() || spec.is_hmac() => {
            let right = spec.bits() == u32::try_from(bytes.len() * 8).ok();
            return if right { Ok(()) } else { Err(InvalidInput::MalformedKey) };
        }
        _ => der::pkcs8(bytes)?,
    };
    let (found, _) = parts.check()?;
    if found == spec { Ok(()) } else { Err(InvalidInput::WrongKeyType) }
}

/// The parts of a key pair as some encoding gave them, not checked yet.
enum Parts<'a> {
    /// RSA with everything that the Chinese remainder theorem needs.
    Rsa(RsaParts<'a>),
    /// A scalar as long as the field, and the public point, 04‖x‖y.
    Ec { curve: Curve, scalar: &'a [u8], point: Option<&'a [u8]> },
    /// The seed of RFC 8032.
    Ed25519 { seed: &'a [u8], public: Option<&'a [u8]> },
    /// The seed of FIPS 204, and the private key made from it.
    MlDsa65 { seed: &'a [u8], expanded: Option<&'a [u8]>, public: Option<&'a [u8]> },
}

impl Parts<'_> {
    fn check(&self) -> Result<(KeySpec, PrivateKey), InvalidInput> {
        match *self {
            Parts::Rsa(ref parts) => rsa::check(parts),
            Parts::Ec { curve, scalar, point } => curve::check(curve, scalar, point),
            Parts::Ed25519 { seed, public } => seed::check_ed25519(seed, public),
            Parts::MlDsa65 { seed, expanded, public } => {
                seed::check_ml_dsa_65(seed, expanded, public)
            }
        }
    }
}

fn private(bytes: &[u8]) -> PrivateKey {
    Secret::new(bytes.to_vec())
}
