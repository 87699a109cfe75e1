//! Key material as it crosses the contract.

use keyreeve_types::{KeyOps, Secret};

/// A private or secret key in the clear, in the one encoding each kind has here:
/// PKCS#8 DER (RFC 5958; version 1, no attributes) for RSA and EC; the 32-byte
/// seed for Ed25519 and for ML-DSA-65; the raw bytes for AES and HMAC.
///
/// It exists in a keyhost only.
pub type PrivateKey = Secret<Vec<u8>>;

/// Where the private half of a new key went.
pub enum Material {
    /// Here it is; the caller seals and stores it.
    Portable(PrivateKey),
    /// Here it is, wrapped by a key that never leaves the device; the caller seals and
    /// stores it.
    Wrapped {
        /// The private key as the device wraps it (RFC 5649): PKCS#8 DER for RSA, EC and
        /// EdDSA, the raw bytes for AES and HMAC.
        blob: Vec<u8>,
        /// What the key was made for: the usage flags it is opened with.
        made_for: KeyOps,
    },
    /// It stays in the device, under the version id it was made with.
    Resident,
}

/// A key that was just generated or imported, open and ready for use.
pub struct NewKey<K> {
    /// The opened key.
    pub key: K,
    /// Where the private half is.
    pub material: Material,
    /// The public half: `SubjectPublicKeyInfo` DER (RFC 5280). `None` for AES and HMAC.
    pub public: Option<Vec<u8>>,
}
