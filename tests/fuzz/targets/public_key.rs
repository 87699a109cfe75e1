//! Public keys: `SubjectPublicKeyInfo`.
//!
//! A key has one encoding: what is taken is written again as it came, in PEM as well.

use keyreeve_publickey::PublicKey;
use keyreeve_types::KeySpec;

use super::{Target, keys};

pub(super) const TARGET: Target = Target { name: "public_key", max_len: 2048, seeds, run };

fn seeds() -> Vec<Vec<u8>> {
    [
        KeySpec::EcP256,
        KeySpec::EcP384,
        KeySpec::EcP521,
        KeySpec::EcSecp256k1,
        KeySpec::Ed25519,
        KeySpec::MlDsa65,
        KeySpec::Rsa2048,
    ]
    .map(|spec| keys::make(spec).public)
    .to_vec()
}

fn run(input: &[u8]) {
    let Ok(key) = PublicKey::from_spki(input) else { return };
    assert_eq!(key.spki(), input, "a second encoding of a {} key", key.spec());
    assert!(key.pem().ends_with("-----END PUBLIC KEY-----\n"));
    let jwk = key.jwk("kid", key.spec().operations());
    assert_eq!(jwk["kty"], key.spec().key_type().name());
}
