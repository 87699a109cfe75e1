//! Keys that are a seed: Ed25519 and ML-DSA-65.

use aws_lc_rs::{
    encoding::AsRawBytes,
    signature::{Ed25519KeyPair, KeyPair, ML_DSA_65_SIGNING, PqdsaKeyPair},
};
use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_types::KeySpec;

use crate::private;

/// Length of both seeds, in bytes (RFC 8032 section 5.1.5, FIPS 204 algorithm 1).
const SEED_LEN: usize = 32;

pub(crate) fn check_ed25519(
    seed: &[u8],
    public: Option<&[u8]>,
) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    let malformed = InvalidInput::MalformedKey;
    if seed.len() != SEED_LEN {
        return Err(malformed);
    }
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| malformed)?;
    if public.is_some_and(|public| public != pair.public_key().as_ref()) {
        return Err(malformed);
    }
    Ok((KeySpec::Ed25519, private(seed)))
}

pub(crate) fn check_ml_dsa_65(
    seed: &[u8],
    expanded: Option<&[u8]>,
    public: Option<&[u8]>,
) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    let malformed = InvalidInput::MalformedKey;
    if seed.len() != SEED_LEN {
        return Err(malformed);
    }
    let pair = PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, seed).map_err(|_| malformed)?;
    let made = pair.private_key().as_raw_bytes().map_err(|_| malformed)?;
    let expands = expanded.is_none_or(|expanded| expanded == made.as_ref());
    let belongs = public.is_none_or(|public| public == pair.public_key().as_ref());
    if !expands || !belongs {
        return Err(malformed);
    }
    Ok((KeySpec::MlDsa65, private(seed)))
}
