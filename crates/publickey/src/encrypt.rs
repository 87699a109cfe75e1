//! Encrypting to an RSA key.

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256};
use keyreeve_backend::{Error, InvalidInput};
use keyreeve_types::RsaPadding;

use crate::{PublicKey, public_key::Parts};

impl PublicKey {
    /// Encrypts `plaintext` to an RSA key and appends the ciphertext, as long as
    /// the modulus, to `out`. The OAEP label is empty.
    ///
    /// [`Error::Unsupported`] for a key that is not RSA;
    /// [`InvalidInput::TooLong`] above [`RsaPadding::max_plaintext`].
    pub fn encrypt(
        &self,
        padding: RsaPadding,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Parts::Rsa(key) = &self.parts else { return Err(Error::Unsupported) };
        let modulus_len = key.n().len();
        if plaintext.len() > padding.max_plaintext(modulus_len) {
            return Err(InvalidInput::TooLong.into());
        }
        let start = out.len();
        out.resize(start + modulus_len, 0);
        let room = &mut out[start..];
        let written = match padding {
            RsaPadding::Oaep => {
                key.oaep().and_then(|k| k.encrypt(&OAEP_SHA1_MGF1SHA1, plaintext, room, None).ok())
            }
            RsaPadding::Oaep256 => key
                .oaep()
                .and_then(|k| k.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext, room, None).ok()),
            RsaPadding::Pkcs1V15 => key.pkcs1_v15().and_then(|k| k.encrypt(plaintext, room).ok()),
        };
        let complete = written.is_some_and(|c| c.len() == modulus_len);
        if !complete {
            out.truncate(start);
            return Err(Error::CryptoFailed);
        }
        Ok(())
    }
}
