//! Making a key.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{EcdsaKeyPair, RsaKeyPair},
};
use k256::{ecdsa::SigningKey, pkcs8::EncodePrivateKey};
use keyreeve_backend::{Error, Material, NewKey, PrivateKey};
use keyreeve_types::{KeySpec, Secret};
use zeroize::Zeroizing;

use crate::{
    Key,
    key::{Kind, ec_algorithm},
    random::random,
    rsa_key::RsaKey,
};

/// Generates a key of kind `spec`. RSA-4096 takes seconds.
pub(crate) fn generate(spec: KeySpec) -> Result<NewKey<Key>, Error> {
    let (key, private) = match spec {
        KeySpec::Rsa2048 => rsa(spec, KeySize::Rsa2048)?,
        KeySpec::Rsa3072 => rsa(spec, KeySize::Rsa3072)?,
        KeySpec::Rsa4096 => rsa(spec, KeySize::Rsa4096)?,
        KeySpec::EcP256 | KeySpec::EcP384 | KeySpec::EcP521 => ec(spec)?,
        KeySpec::EcSecp256k1 => secp256k1()?,
        KeySpec::Ed25519 | KeySpec::MlDsa65 => bytes(spec, 32)?,
        KeySpec::Aes128 => bytes(spec, 16)?,
        KeySpec::Aes192 => bytes(spec, 24)?,
        KeySpec::Aes256 | KeySpec::Hmac256 => bytes(spec, 32)?,
        KeySpec::Hmac384 => bytes(spec, 48)?,
        KeySpec::Hmac512 => bytes(spec, 64)?,
    };
    let public = key.public()?;
    Ok(NewKey { key, material: Material::Portable(private), public })
}

fn rsa(spec: KeySpec, size: KeySize) -> Result<(Key, PrivateKey), Error> {
    let pair = RsaKeyPair::generate(size).map_err(|_| failed("RSA"))?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed("RSA"))?;
    let private = Secret::new(pkcs8.as_ref().to_vec());
    Ok((Key::from_kind(spec, Kind::Rsa(Box::new(RsaKey::new(pair)?))), private))
}

fn ec(spec: KeySpec) -> Result<(Key, PrivateKey), Error> {
    let algorithm = ec_algorithm(spec).ok_or(Error::Unsupported)?;
    let pair = EcdsaKeyPair::generate(algorithm).map_err(|_| failed("EC"))?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| failed("EC"))?;
    let private = Secret::new(pkcs8.as_ref().to_vec());
    Ok((Key::from_kind(spec, Kind::Ec(pair)), private))
}

/// Draws 32 bytes until they are a scalar: from 1 to the order of the group, which
/// all but one in 2^127 draws are.
fn secp256k1() -> Result<(Key, PrivateKey), Error> {
    let mut scalar = Zeroizing::new([0; 32]);
    let key = loop {
        random(&mut *scalar)?;
        if let Ok(key) = SigningKey::from_slice(&*scalar) {
            break key;
        }
    };
    let pkcs8 = key.to_pkcs8_der().map_err(|_| failed("secp256k1"))?;
    let private = Secret::new(pkcs8.as_bytes().to_vec());
    Ok((Key::from_kind(KeySpec::EcSecp256k1, Kind::Secp256k1(key)), private))
}

/// Keys that are random bytes: AES, HMAC, and the seeds of Ed25519 and ML-DSA-65.
fn bytes(spec: KeySpec, len: usize) -> Result<(Key, PrivateKey), Error> {
    let mut private = Secret::new(vec![0; len]);
    random(private.expose_mut())?;
    Ok((Key::parse(spec, &private)?, private))
}

fn failed(what: &str) -> Error {
    Error::DeviceFailed(format!("{what} key generation failed"))
}
