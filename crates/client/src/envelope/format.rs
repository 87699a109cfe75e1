//! The bytes of an envelope.
//!
//! ```text
//! offset      length  what
//! 0           4       magic "KRE" and the format version, 0x01
//! 4           2       W, length of the wrapped data key, big endian, 1 to 8192
//! 6           W       wrapped data key: a serialised keyreeve.v1.Ciphertext
//! 6 + W       32      salt
//! 38 + W      32      key commitment
//! 70 + W      n       ciphertext, as long as the plaintext
//! 70 + W + n  16      GCM tag
//! ```
//!
//! The header is everything before the ciphertext. Key and commitment are HKDF-SHA-512
//! of the data key with the salt and the info `keyreeve envelope v1` ‖ header up to
//! the salt. AES-256-GCM takes the nonce zero, since the key is used once, and the
//! header ‖ additional data as its associated data; the header's length is in it, so
//! the two cannot be shifted into each other.
//!
//! It refuses to say what was wrong with bytes that do not open.

use aws_lc_rs::aead::{Aad, Nonce};
use zeroize::Zeroize;

use crate::{
    Error, Plaintext,
    one_time_key::{COMMITMENT, OneTimeKey, SALT, TAG, crypto_library},
};

const MAGIC: &[u8; 4] = b"KRE\x01";
const INFO: &[u8] = b"keyreeve envelope v1";
const PREFIX: usize = 6;
/// Longest wrapped data key taken: an RSA-4096 one with the longest names has room.
const MAX_WRAPPED: usize = 8192;

/// An envelope taken apart; nothing in it is trusted yet.
pub(crate) struct Parts<'a> {
    /// The wrapped data key.
    pub(crate) wrapped: &'a [u8],
    header: &'a [u8],
    salt: &'a [u8; SALT],
    commitment: &'a [u8],
    ciphertext: &'a [u8],
}

/// Seals `plaintext`. `salt` must be fresh.
pub(crate) fn seal(
    data_key: &[u8],
    wrapped: &[u8],
    salt: &[u8; SALT],
    plaintext: &[u8],
    additional_data: &[u8],
) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(wrapped.len()).ok().filter(|_| wrapped.len() <= MAX_WRAPPED);
    let length = length.ok_or_else(|| Error::bad_answer("a wrapped key of sensible length"))?;
    let header_len = PREFIX + wrapped.len() + SALT + COMMITMENT;
    let mut out = Vec::with_capacity(header_len + plaintext.len() + TAG);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(wrapped);
    let key = OneTimeKey::derive(data_key, salt, &[INFO, &out])?;
    out.extend_from_slice(salt);
    out.extend_from_slice(key.commitment());

    let aad = [&out, additional_data].concat();
    out.extend_from_slice(plaintext);
    match key.aead.seal_in_place_separate_tag(nonce(), Aad::from(&aad), &mut out[header_len..]) {
        Ok(tag) => out.extend_from_slice(tag.as_ref()),
        Err(_) => {
            out.zeroize();
            return Err(crypto_library());
        }
    }
    Ok(out)
}

/// Takes an envelope apart.
pub(crate) fn parse(sealed: &[u8]) -> Result<Parts<'_>, Error> {
    take_apart(sealed).ok_or_else(Error::decryption_failed)
}

fn take_apart(sealed: &[u8]) -> Option<Parts<'_>> {
    let rest = sealed.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > MAX_WRAPPED {
        return None;
    }
    let (wrapped, rest) = rest.split_at_checked(length)?;
    let (salt, rest) = rest.split_first_chunk::<SALT>()?;
    let (commitment, ciphertext) = rest.split_at_checked(COMMITMENT)?;
    let header = &sealed[..sealed.len() - ciphertext.len()];
    (ciphertext.len() >= TAG).then_some(Parts { wrapped, header, salt, commitment, ciphertext })
}

impl Parts<'_> {
    /// Opens it with the data key behind [`Parts::wrapped`].
    pub(crate) fn open(&self, data_key: &[u8], additional_data: &[u8]) -> Result<Plaintext, Error> {
        let bound = &self.header[..PREFIX + self.wrapped.len()];
        let key = OneTimeKey::derive(data_key, self.salt, &[INFO, bound])?;
        if !key.is_committed_to(self.commitment) {
            return Err(Error::decryption_failed());
        }
        let aad = [self.header, additional_data].concat();
        let mut buffer = zeroize::Zeroizing::new(self.ciphertext.to_vec());
        let length = key
            .aead
            .open_in_place(nonce(), Aad::from(&aad), &mut buffer)
            .map_err(|_| Error::decryption_failed())?
            .len();
        buffer.truncate(length);
        Ok(Plaintext::new(std::mem::take(&mut *buffer)))
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DATA_KEY: [u8; 32] = [0x42; 32];
    const SALT_BYTES: [u8; SALT] = [0x17; SALT];

    fn sealed(plaintext: &[u8], aad: &[u8]) -> Vec<u8> {
        seal(&DATA_KEY, b"wrapped key", &SALT_BYTES, plaintext, aad).expect("it seals")
    }

    fn open(sealed: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        parse(sealed).ok()?.open(&DATA_KEY, aad).ok().map(|plaintext| plaintext.to_vec())
    }

    /// Guards against any byte of an envelope that is not authenticated.
    #[test]
    fn every_flipped_bit_is_noticed() {
        let good = sealed(b"attack at dawn", b"aad");
        assert_eq!(open(&good, b"aad").as_deref(), Some(&b"attack at dawn"[..]));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&bad, b"aad"), None, "bit {bit}");
        }
    }

    /// Guards against an envelope that opens after being cut or extended.
    #[test]
    fn every_truncation_and_extension_is_noticed() {
        let good = sealed(b"attack at dawn", b"");
        for length in 0..good.len() {
            assert_eq!(open(&good[..length], b""), None, "cut to {length}");
        }
        assert_eq!(open(&[&good[..], b"\0"].concat(), b""), None);
    }

    /// Guards against associated data that counts for nothing, or that can be traded
    /// against the header.
    #[test]
    fn additional_data_must_match() {
        let good = sealed(b"x", b"customer 42");
        assert_eq!(open(&good, b"customer 43"), None);
        assert_eq!(open(&good, b""), None);
    }

    /// Guards against an error that tells an attacker which check failed.
    #[test]
    fn all_failures_read_the_same() {
        let good = sealed(b"x", b"");
        let mut tag = good.clone();
        *tag.last_mut().expect("not empty") ^= 1;
        let mut commitment = good.clone();
        commitment[6 + 11 + 32] ^= 1;
        let message = |bytes: &[u8]| match parse(bytes) {
            Ok(parts) => parts.open(&DATA_KEY, b"").expect_err("it is damaged").to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(message(&tag), message(&commitment));
        assert_eq!(message(&tag), message(b"nonsense"));
    }

    /// Guards against a change of the format that goes unnoticed: the first bytes of
    /// a fixed envelope, drawn in the documentation.
    #[test]
    fn the_layout_is_as_drawn() {
        let bytes = sealed(b"abc", b"");
        assert_eq!(&bytes[..6], b"KRE\x01\x00\x0b");
        assert_eq!(&bytes[6..17], b"wrapped key");
        assert_eq!(&bytes[17..49], &SALT_BYTES);
        assert_eq!(bytes.len(), 6 + 11 + 32 + 32 + 3 + 16);
    }

    proptest! {
        /// Guards against data that does not come back as it went in.
        #[test]
        fn what_is_sealed_opens(plaintext: Vec<u8>, aad: Vec<u8>, salt: [u8; 32]) {
            let bytes = seal(&DATA_KEY, b"w", &salt, &plaintext, &aad).expect("it seals");
            prop_assert_eq!(open(&bytes, &aad), Some(plaintext));
        }

        /// Guards against a parser that panics.
        #[test]
        fn arbitrary_bytes_do_not_open(tail: Vec<u8>) {
            prop_assert_eq!(open(&tail, b""), None);
            prop_assert_eq!(open(&[&MAGIC[..], &tail].concat(), b""), None);
        }
    }
}
