//! The one envelope.
//!
//! ```text
//!  0        1        2                34                66              …
//! ┌────────┬────────┬────────────────┬─────────────────┬───────────────┬─────────┐
//! │ format │ suite  │ salt           │ commitment      │ ciphertext    │ tag     │
//! │ 1      │ 1      │ 32             │ 32              │ = plaintext   │ 16      │
//! └────────┴────────┴────────────────┴─────────────────┴───────────────┴─────────┘
//! ```
//!
//! Suite 1: HKDF-SHA-512 over the wrapping key, with the salt and the label
//! `keyreeve envelope v1`, gives a 32-byte AES-256-GCM key that is used once, with
//! an all-zero nonce, and the 32-byte commitment, which is compared before anything
//! is decrypted. So nonces need no bookkeeping, the number of envelopes under one
//! wrapping key has no practical limit, and a ciphertext opens under one key only.
//! Format and suite are in front of the associated data.
//!
//! It refuses to choose: there is one suite, and whoever opens an envelope says
//! what it must be bound to.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, rand,
};
use keyreeve_types::Secret;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const SUITE: u8 = 1;
const SALT: std::ops::Range<usize> = 2..34;
const COMMITMENT: std::ops::Range<usize> = 34..66;
const HEADER: usize = 66;
const TAG: usize = 16;

/// How much longer an envelope is than its plaintext, in bytes.
pub const OVERHEAD: usize = HEADER + TAG;

/// The envelope does not open: another key, other associated data, or altered
/// bytes. Which of them is not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFailed;

/// Seals `plaintext` under a 32-byte wrapping key, bound to `aad`.
///
/// # Panics
///
/// Never in practice: only if the system's random generator fails, and then no key
/// may be made.
pub fn seal(wrapping: &[u8; 32], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut envelope = vec![0; HEADER];
    envelope[0] = FORMAT;
    envelope[1] = SUITE;
    rand::fill(&mut envelope[SALT]).expect("the system's random generator works");
    let (key, commitment) = derive(wrapping, &envelope[SALT]);
    envelope[COMMITMENT].copy_from_slice(&commitment);

    let mut body = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG));
    body.extend_from_slice(plaintext);
    key.seal_in_place_append_tag(nonce(), Aad::from(bind(aad)), &mut *body)
        .expect("AES-GCM takes less than 64 GiB");
    envelope.extend_from_slice(&body);
    envelope
}

/// Opens what [`seal`] made.
pub fn open(
    wrapping: &[u8; 32],
    aad: &[u8],
    envelope: &[u8],
) -> Result<Secret<Vec<u8>>, OpenFailed> {
    if envelope.len() < OVERHEAD || envelope[0] != FORMAT || envelope[1] != SUITE {
        return Err(OpenFailed);
    }
    let (key, commitment) = derive(wrapping, &envelope[SALT]);
    if !bool::from(commitment[..].ct_eq(&envelope[COMMITMENT])) {
        return Err(OpenFailed);
    }
    let mut body = Zeroizing::new(envelope[HEADER..].to_vec());
    let plaintext =
        key.open_in_place(nonce(), Aad::from(bind(aad)), &mut body).map_err(|_| OpenFailed)?;
    Ok(Secret::new(plaintext.to_vec()))
}

/// Length of the envelope at the start of `bytes` whose plaintext has `len` bytes.
pub const fn sealed_len(len: usize) -> usize {
    len + OVERHEAD
}

fn bind(aad: &[u8]) -> Vec<u8> {
    [&[FORMAT, SUITE], aad].concat()
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn derive(wrapping: &[u8; 32], salt: &[u8]) -> (LessSafeKey, [u8; 32]) {
    let mut okm = Zeroizing::new([0; 64]);
    expand(wrapping, salt, &[b"keyreeve envelope v1"], &mut *okm);
    let key = UnboundKey::new(&AES_256_GCM, &okm[..32]).expect("32 bytes are an AES-256 key");
    let mut commitment = [0; 32];
    commitment.copy_from_slice(&okm[32..]);
    (LessSafeKey::new(key), commitment)
}

/// HKDF-SHA-512 (RFC 5869), filling `okm`.
pub(crate) fn expand(ikm: &[u8], salt: &[u8], info: &[&[u8]], okm: &mut [u8]) {
    struct Len(usize);
    impl hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    hkdf::Salt::new(hkdf::HKDF_SHA512, salt)
        .extract(ikm)
        .expand(info, Len(okm.len()))
        .and_then(|filled| filled.fill(okm))
        .expect("HKDF-SHA-512 gives up to 16320 bytes");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Guards against an envelope that opens although something of it, its key or
    /// its binding has changed.
    #[test]
    fn an_envelope_opens_only_as_it_was_sealed() {
        let (key, other) = ([1; 32], [2; 32]);
        let envelope = seal(&key, b"aad", b"a private key");
        assert_eq!(envelope.len(), sealed_len(13));
        let opened = open(&key, b"aad", &envelope).map(|s| s.expose().clone());
        assert_eq!(opened.as_deref(), Ok(&b"a private key"[..]));

        assert!(open(&other, b"aad", &envelope).is_err());
        assert!(open(&key, b"aae", &envelope).is_err());
        for bit in 0..envelope.len() * 8 {
            let mut flipped = envelope.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"aad", &flipped).is_err(), "bit {bit}");
        }
        for len in 0..envelope.len() {
            assert!(open(&key, b"aad", &envelope[..len]).is_err(), "length {len}");
        }
    }

    /// Guards against two envelopes that share a one-time key.
    #[test]
    fn sealing_twice_gives_two_envelopes() {
        let (one, two) = (seal(&[1; 32], b"", b"x"), seal(&[1; 32], b"", b"x"));
        assert_ne!(one[SALT], two[SALT]);
    }

    proptest! {
        /// Guards against a parser that panics on what a store may hand it.
        #[test]
        fn arbitrary_bytes_do_not_open(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(open(&[1; 32], b"", &bytes).is_err());
        }
    }
}
