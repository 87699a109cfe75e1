//! Encrypt, Decrypt and ReEncrypt.

use bytes::Bytes;

use super::Key;
use crate::{Error, Plaintext, v1};

impl Key {
    /// Encrypts at most 64 KiB with the key's own algorithm: GCM for an AES key,
    /// RSA-OAEP-256 for an RSA key. `additional_data` is authenticated (GCM only) and
    /// needed again to decrypt; empty for none.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` if the key's kind, state or backend does not allow it.
    pub async fn encrypt(
        &self,
        plaintext: impl AsRef<[u8]>,
        additional_data: impl AsRef<[u8]>,
    ) -> Result<v1::Ciphertext, Error> {
        self.encrypt_with("", plaintext, additional_data).await
    }

    /// The same with an algorithm of choice, as `A256CBCPAD` or `RSA-OAEP`.
    ///
    /// # Errors
    /// As for [`Key::encrypt`].
    pub async fn encrypt_with(
        &self,
        algorithm: &str,
        plaintext: impl AsRef<[u8]>,
        additional_data: impl AsRef<[u8]>,
    ) -> Result<v1::Ciphertext, Error> {
        let answer = self
            .client()
            .call(v1::EncryptRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                plaintext: Bytes::copy_from_slice(plaintext.as_ref()),
                additional_data: Bytes::copy_from_slice(additional_data.as_ref()),
            })
            .await?;
        answer.ciphertext.ok_or_else(|| Error::bad_answer("a ciphertext"))
    }

    /// Decrypts what [`Key::encrypt`] made under any version of this key.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the one message "decryption failed", whatever was
    /// wrong.
    pub async fn decrypt(
        &self,
        ciphertext: &v1::Ciphertext,
        additional_data: impl AsRef<[u8]>,
    ) -> Result<Plaintext, Error> {
        let answer = self
            .client()
            .call(v1::DecryptRequest {
                name: self.resource_name()?.to_owned(),
                ciphertext: Some(ciphertext.clone()),
                additional_data: Bytes::copy_from_slice(additional_data.as_ref()),
            })
            .await?;
        Ok(answer.plaintext.into())
    }

    /// Encrypts under this key what is encrypted under another, inside the service.
    ///
    /// # Errors
    /// As for [`Key::decrypt`] and [`Key::encrypt`].
    pub async fn re_encrypt(
        &self,
        ciphertext: &v1::Ciphertext,
        additional_data: impl AsRef<[u8]>,
        new_additional_data: impl AsRef<[u8]>,
    ) -> Result<v1::Ciphertext, Error> {
        let answer = self
            .client()
            .call(v1::ReEncryptRequest {
                ciphertext: Some(ciphertext.clone()),
                additional_data: Bytes::copy_from_slice(additional_data.as_ref()),
                destination_name: self.resource_name()?.to_owned(),
                destination_algorithm: String::new(),
                destination_additional_data: Bytes::copy_from_slice(new_additional_data.as_ref()),
            })
            .await?;
        answer.ciphertext.ok_or_else(|| Error::bad_answer("a ciphertext"))
    }
}
