//! What a caller hands in, checked: lengths, and the step from a message to what
//! an algorithm takes.

use keyreeve_publickey::{Hash, digest};
use keyreeve_types::{SignInput, SignatureAlgorithm};

use crate::{Error, settings::MAX_PAYLOAD};

/// How much longer a ciphertext may be than its plaintext: a block of padding, or
/// what key wrap adds.
const MAX_OVERHEAD: usize = 64;

/// Longest additional data, in bytes.
const MAX_ADDITIONAL_DATA: usize = 16 * 1024;

/// What is signed or verified.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// The message.
    Message(&'a [u8]),
    /// Its digest, by the algorithm's hash.
    Digest(&'a [u8]),
}

/// Content as a signature algorithm takes it.
pub(crate) enum Prepared<'a> {
    Hashed(Hash),
    AsIs(&'a [u8]),
}

impl<'a> Content<'a> {
    /// Hashes a message, where the algorithm signs its digest; checks the length of
    /// a digest.
    pub(crate) fn prepare(self, algorithm: SignatureAlgorithm) -> Result<Prepared<'a>, Error> {
        match (self, algorithm.input()) {
            (Self::Message(message), input) => {
                payload("message", message)?;
                Ok(match input {
                    SignInput::Digest(hash) => Prepared::Hashed(digest(hash, message)),
                    SignInput::Message => Prepared::AsIs(message),
                })
            }
            (Self::Digest(value), SignInput::Digest(hash)) if value.len() == hash.len() => {
                Ok(Prepared::AsIs(value))
            }
            (Self::Digest(value), SignInput::Digest(hash)) => Err(Error::invalid(
                "digest",
                format!(
                    "{algorithm} takes a digest of {} bytes, not of {}",
                    hash.len(),
                    value.len()
                ),
            )),
            (Self::Digest(_), SignInput::Message) => Err(Error::invalid(
                "digest",
                format!("{algorithm} takes the message, not a digest of it"),
            )),
        }
    }
}

impl AsRef<[u8]> for Prepared<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Hashed(hash) => hash.as_ref(),
            Self::AsIs(bytes) => bytes,
        }
    }
}

/// Checks the length of a plaintext or message.
pub(crate) fn payload(field: &'static str, bytes: &[u8]) -> Result<(), Error> {
    at_most(MAX_PAYLOAD, field, bytes)
}

/// Checks the length of a ciphertext or wrapped key.
pub(crate) fn ciphertext(field: &'static str, bytes: &[u8]) -> Result<(), Error> {
    at_most(MAX_PAYLOAD + MAX_OVERHEAD, field, bytes)
}

/// Checks additional data: only where `authenticated`, and not too long.
pub(crate) fn additional_data(
    field: &'static str,
    bytes: &[u8],
    authenticated: bool,
) -> Result<(), Error> {
    if !bytes.is_empty() && !authenticated {
        return Err(Error::invalid(field, "only GCM takes additional data"));
    }
    at_most(MAX_ADDITIONAL_DATA, field, bytes)
}

fn at_most(limit: usize, field: &'static str, bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() <= limit {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!(
            "{field} has {} bytes and may have {limit}; for more, sign a digest, or encrypt \
             yourself with a key from GenerateDataKey",
            bytes.len()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a digest that is signed as if it were another hash's.
    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        let es256 = SignatureAlgorithm::Es256;
        assert!(Content::Digest(&[0; 32]).prepare(es256).is_ok());
        for len in [0, 31, 33, 48, 64] {
            assert!(Content::Digest(&vec![0; len]).prepare(es256).is_err(), "{len}");
        }
        assert!(Content::Digest(&[0; 32]).prepare(SignatureAlgorithm::EdDsa).is_err());
    }

    /// Guards against a message that is signed without having been hashed.
    #[test]
    fn a_message_is_hashed_where_the_algorithm_signs_a_digest() {
        let prepared = Content::Message(b"abc").prepare(SignatureAlgorithm::Es256).expect("fits");
        assert_eq!(
            prepared.as_ref()[..4],
            [0xba, 0x78, 0x16, 0xbf],
            "SHA-256 of abc, FIPS 180-4 example"
        );
        let prepared = Content::Message(b"abc").prepare(SignatureAlgorithm::EdDsa).expect("fits");
        assert_eq!(prepared.as_ref(), b"abc");
    }
}
