//! From a data key and a fresh salt: a key that seals one thing once, and a
//! commitment to it.
//!
//! AES-GCM alone does not commit to its key: one ciphertext can be made to open
//! under two keys. And a random 96-bit nonce would bound how often a data key may be
//! used. HKDF-SHA-512 (RFC 5869) over the data key with a 32-byte salt gives 64
//! bytes: 32 of AES-256 key, used with nonces that count from zero, and 32 of
//! commitment, stored and compared before anything is decrypted.

use aws_lc_rs::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    constant_time::verify_slices_are_equal,
    hkdf::{HKDF_SHA512, KeyType, Salt},
};
use zeroize::Zeroizing;

use crate::{Error, Fault};

/// Bytes of the salt, which must be fresh for everything sealed.
pub(crate) const SALT: usize = 32;
/// Bytes of the commitment.
pub(crate) const COMMITMENT: usize = 32;
/// Bytes of GCM's tag.
pub(crate) const TAG: usize = 16;

/// A key for one envelope or one file.
pub(crate) struct OneTimeKey {
    pub(crate) aead: LessSafeKey,
    commitment: [u8; COMMITMENT],
}

impl OneTimeKey {
    /// `context` names the format and holds what must not be changed without notice.
    pub(crate) fn derive(
        data_key: &[u8],
        salt: &[u8; SALT],
        context: &[&[u8]],
    ) -> Result<Self, Error> {
        let mut okm = Zeroizing::new([0_u8; 32 + COMMITMENT]);
        let prk = Salt::new(HKDF_SHA512, salt).extract(data_key);
        prk.expand(context, Okm(okm.len()))
            .and_then(|expanded| expanded.fill(&mut okm[..]))
            .map_err(|_| crypto_library())?;
        let (key, tail) = okm.split_at(32);
        let mut commitment = [0; COMMITMENT];
        commitment.copy_from_slice(tail);
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| crypto_library())?;
        Ok(Self { aead: LessSafeKey::new(key), commitment })
    }

    /// To be stored beside what is sealed. It says nothing of the key.
    pub(crate) fn commitment(&self) -> &[u8; COMMITMENT] {
        &self.commitment
    }

    /// Whether this is the key that `stored` was made with.
    pub(crate) fn is_committed_to(&self, stored: &[u8]) -> bool {
        verify_slices_are_equal(&self.commitment, stored).is_ok()
    }
}

/// A fresh salt.
pub(crate) fn fresh_salt() -> Result<[u8; SALT], Error> {
    let mut salt = [0; SALT];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| crypto_library())?;
    Ok(salt)
}

/// The cryptographic library refused what it never refuses.
pub(crate) fn crypto_library() -> Error {
    Error::new(
        Fault::Environment,
        "the cryptographic library failed",
        "check that the operating system gives random bytes and memory",
    )
}

#[derive(Clone, Copy)]
struct Okm(usize);

impl KeyType for Okm {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against sealed data that a later release cannot open: HKDF-SHA-512 of
    /// fixed inputs, computed with Python's hmac module.
    #[test]
    fn derivation_is_pinned() {
        let key = OneTimeKey::derive(&[7; 32], &[9; 32], &[b"context ", b"v1"]).expect("a key");
        let hex: String = key.commitment().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "6a6d840a913c235bf49e871c3ad232e9a8ac0dca26e1540c18d81c46e3156647");
        assert!(key.is_committed_to(key.commitment()));
        assert!(!key.is_committed_to(&key.commitment()[..31]));
    }

    /// Guards against one key for two things: salt, context and data key all count.
    #[test]
    fn every_input_changes_the_key() {
        let base = OneTimeKey::derive(&[7; 32], &[9; 32], &[b"c"]).expect("a key");
        for (data_key, salt, context) in [(8, 9, b"c"), (7, 8, b"c"), (7, 9, b"d")] {
            let other = OneTimeKey::derive(&[data_key; 32], &[salt; 32], &[context]);
            assert!(!base.is_committed_to(other.expect("a key").commitment()));
        }
    }
}
