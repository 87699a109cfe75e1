//! A private key on its way to a keyhost, as a caller who imports it sends it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyreeve_backend::PrivateKey;
use keyreeve_keyhost::{ImportedKey, Recipient};
use keyreeve_types::{KeySpec, KeyType};
use rustls::crypto::{
    aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE,
    hpke::{Hpke, HpkePublicKey},
};

/// A key that was sealed to the recipient of a keyhost.
pub struct SealedImport {
    recipient: u64,
    encapsulated: Vec<u8>,
    ciphertext: Vec<u8>,
    aad: Vec<u8>,
}

/// Seals `key` (JWK, PEM or PKCS#8) for the name `aad`, as `keys.proto` has it.
///
/// # Panics
///
/// If the recipient's key is no X25519 key.
pub fn seal_import(recipient: &Recipient, aad: &[u8], key: &[u8]) -> SealedImport {
    let to = HpkePublicKey(recipient.public_key.to_vec());
    let (encapsulated, ciphertext) =
        SUITE.seal(b"keyreeve import v1", aad, key, &to).expect("it is an X25519 key");
    let (recipient, encapsulated, aad) = (recipient.id, encapsulated.0, aad.to_vec());
    SealedImport { recipient, encapsulated, ciphertext, aad }
}

impl SealedImport {
    /// As a [`keyreeve_keyhost::Client`] takes it.
    pub fn as_imported(&self) -> ImportedKey<'_> {
        let Self { recipient, encapsulated, ciphertext, aad } = self;
        ImportedKey { recipient: *recipient, encapsulated, ciphertext, aad }
    }
}

/// `private` in an encoding that names its kind, as import demands: what is not
/// PKCS#8 already becomes a JWK.
pub(super) fn encode(spec: KeySpec, private: &PrivateKey) -> Vec<u8> {
    let bytes = private.expose();
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let jwk = match spec.key_type() {
        KeyType::Rsa | KeyType::Ec => return bytes.clone(),
        KeyType::Okp => format!(r#"{{"kty":"OKP","crv":"Ed25519","d":"{text}"}}"#),
        KeyType::Akp => format!(r#"{{"kty":"AKP","alg":"ML-DSA-65","priv":"{text}"}}"#),
        KeyType::Oct => format!(r#"{{"kty":"oct","k":"{text}"}}"#),
    };
    jwk.into_bytes()
}
