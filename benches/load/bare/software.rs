//! The software keystore without a keyhost, and verifying without a front.

use anyhow::{Result, ensure};
use keyreeve_backend::{Error, KeyBackend, NewKey, Session};
use keyreeve_backend_software::{Key, SoftwareBackend, SoftwareSession};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{AesMode, KeySpec, SignatureAlgorithm, VersionId};

use super::Operation;
use crate::{row::PLAINTEXT, work::digest};

pub(super) fn sign_p256() -> Result<Operation> {
    sign(KeySpec::EcP256, SignatureAlgorithm::Es256)
}

pub(super) fn sign_rsa2048() -> Result<Operation> {
    sign(KeySpec::Rsa2048, SignatureAlgorithm::Rs256)
}

pub(super) fn verify_p256() -> Result<Operation> {
    let (mut session, NewKey { key, public, .. }) = new_key(KeySpec::EcP256)?;
    let public = PublicKey::from_spki(&public.unwrap_or_default()).map_err(Error::from)?;
    let mut signed = Vec::new();
    for n in 0..16 {
        let mut signature = Vec::new();
        session.sign(&key, SignatureAlgorithm::Es256, &digest(0, n), &mut signature)?;
        signed.push((digest(0, n), signature));
    }
    Ok(Box::new(move |n| {
        let (digest, signature) = &signed[n as usize % signed.len()];
        ensure!(public.verify(SignatureAlgorithm::Es256, digest, signature)?, "a false negative");
        Ok(())
    }))
}

pub(super) fn encrypt_gcm() -> Result<Operation> {
    let (mut session, NewKey { key, .. }) = new_key(KeySpec::Aes256)?;
    let plaintext = vec![0xa5; PLAINTEXT];
    let mut out = Vec::new();
    Ok(Box::new(move |_| {
        out.clear();
        session.encrypt(&key, AesMode::Gcm, &[], &plaintext, &mut out)?;
        ensure!(out.len() == PLAINTEXT, "a ciphertext of {} bytes", out.len());
        Ok(())
    }))
}

fn sign(spec: KeySpec, algorithm: SignatureAlgorithm) -> Result<Operation> {
    let (mut session, NewKey { key, public, .. }) = new_key(spec)?;
    let public = PublicKey::from_spki(&public.unwrap_or_default()).map_err(Error::from)?;
    let mut out = Vec::new();
    session.sign(&key, algorithm, &digest(0, 0), &mut out)?;
    ensure!(public.verify(algorithm, &digest(0, 0), &out)?, "a signature does not verify");
    Ok(Box::new(move |n| {
        out.clear();
        session.sign(&key, algorithm, &digest(0, n), &mut out)?;
        ensure!(!out.is_empty(), "an empty signature");
        Ok(())
    }))
}

fn new_key(spec: KeySpec) -> Result<(SoftwareSession, NewKey<Key>)> {
    let mut session = SoftwareBackend::new().open_session()?;
    let key = session.generate(VersionId::from_bytes([0; 16]), spec, spec.operations())?;
    Ok((session, key))
}
