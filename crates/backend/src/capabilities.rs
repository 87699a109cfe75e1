//! What a backend can do, as data.

use keyreeve_types::{
    EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, Operation, SignatureAlgorithm,
    WrapAlgorithm,
};
use serde::{Deserialize, Serialize};

/// Where a backend's private keys live: those it makes from now on. What it made before
/// under another custody it opens as well, if it is a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Custody {
    /// The backend hands out the private key to be sealed and stored; it is given
    /// back to open it. The software keystore.
    Portable,
    /// The private key stays in the device under its version id. A PKCS#11 slot.
    Resident,
    /// The device hands out the private key wrapped under a key that it keeps, and is
    /// given that back to open it: any device that keeps the same wrapping key opens
    /// it. A PKCS#11 slot of a group. Kinds of key that the device cannot wrap stay
    /// resident.
    Wrapped,
}

/// What a backend can do. Read once, when its keyhost starts.
///
/// `docs/algorithms.md` is generated from this, and the service refuses what is
/// not listed here before it sends a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What the backend calls itself in errors and tables, as `software` or
    /// `SoftHSM 2.6`.
    pub backend: String,
    /// Where its private keys live.
    pub custody: Custody,
    /// Kinds whose new keys leave it wrapped; empty unless [`Custody::Wrapped`].
    pub wrapped: Vec<KeySpec>,
    /// Keys it can generate.
    pub generate: Vec<KeySpec>,
    /// Keys it can import.
    pub import: Vec<KeySpec>,
    /// Signature algorithms it can run, given a key that fits.
    pub sign: Vec<SignatureAlgorithm>,
    /// MAC algorithms.
    pub mac: Vec<MacAlgorithm>,
    /// Algorithms it can decrypt with; AES ones it can encrypt with as well.
    pub decrypt: Vec<EncryptionAlgorithm>,
    /// Algorithms it can unwrap with; AES ones it can wrap with as well.
    pub unwrap: Vec<WrapAlgorithm>,
    /// Whether one AES key may both unwrap and decrypt. False in a token: a key
    /// with `CKA_WRAP` and `CKA_DECRYPT` reads out whatever it can wrap.
    pub wrap_with_decrypt: bool,
}

impl Capabilities {
    /// The operations a key of kind `spec` gets when its maker names none: all
    /// that the kind can do, less wrapping where that excludes decrypting.
    pub fn default_ops(&self, spec: KeySpec) -> KeyOps {
        if spec.is_aes() && !self.wrap_with_decrypt {
            return KeyOps::of(&[Operation::Encrypt, Operation::Decrypt]);
        }
        spec.operations()
    }

    /// Whether a key of kind `spec` may have `ops` together here.
    pub fn allows_ops(&self, spec: KeySpec, ops: KeyOps) -> bool {
        let content = ops.contains(Operation::Encrypt) || ops.contains(Operation::Decrypt);
        let wrapping = ops.contains(Operation::WrapKey) || ops.contains(Operation::UnwrapKey);
        spec.operations().covers(ops)
            && (self.wrap_with_decrypt || !spec.is_aes() || !(content && wrapping))
    }
}
