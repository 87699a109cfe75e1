//! What a new key is to be.

use std::{collections::HashMap, time::SystemTime};

use crate::v1;

/// A key to make, by its kind: `NewKey::ec("P-256")`.
#[derive(Debug, Clone, Default)]
pub struct NewKey(v1::Key);

impl NewKey {
    /// RSA with a modulus of 2048, 3072 or 4096 bits.
    pub fn rsa(bits: i32) -> Self {
        Self::of("RSA", "", bits)
    }

    /// An elliptic curve: `P-256`, `P-384`, `P-521` or `secp256k1`.
    pub fn ec(curve: &str) -> Self {
        Self::of("EC", curve, 0)
    }

    /// Ed25519.
    pub fn ed25519() -> Self {
        Self::of("OKP", "Ed25519", 0)
    }

    /// A symmetric key. AES has 128, 192 or 256 bits; for HMAC say so with
    /// [`NewKey::operations`].
    pub fn oct(bits: i32) -> Self {
        Self::of("oct", "", bits)
    }

    /// ML-DSA-65.
    pub fn ml_dsa_65() -> Self {
        Self::of("AKP", "ML-DSA-65", 0)
    }

    /// What it may do, by RFC 7517 names. All that its kind allows, unless set.
    #[must_use]
    pub fn operations<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.operations = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// Made, but not to be used yet.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.0.enabled = Some(false);
        self
    }

    /// Not usable before. Whole seconds count.
    #[must_use]
    pub fn not_before(mut self, time: SystemTime) -> Self {
        self.0.not_before_time = Some(time.into());
        self
    }

    /// Makes nothing new from then on. Whole seconds count.
    #[must_use]
    pub fn expires(mut self, time: SystemTime) -> Self {
        self.0.expire_time = Some(time.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.0.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    fn of(key_type: &str, curve: &str, size: i32) -> Self {
        Self(v1::Key {
            key_type: key_type.to_owned(),
            curve: curve.to_owned(),
            size,
            tags: HashMap::new(),
            ..Default::default()
        })
    }
}

impl From<NewKey> for v1::Key {
    fn from(new: NewKey) -> Self {
        new.0
    }
}
