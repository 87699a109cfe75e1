//! WrapKey, UnwrapKey and GenerateDataKey.

use bytes::Bytes;

use super::Key;
use crate::{Error, Plaintext, v1};

impl Key {
    /// Encrypts the bytes of another key: AES-KWP for an AES key, RSA-OAEP-256 for an
    /// RSA key.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` if the key's kind, state or backend does not allow it.
    pub async fn wrap(&self, key: impl AsRef<[u8]>) -> Result<v1::Ciphertext, Error> {
        self.wrap_with("", key).await
    }

    /// The same with an algorithm of choice, as `A256KW` or `RSA-OAEP`.
    ///
    /// # Errors
    /// As for [`Key::wrap`].
    pub async fn wrap_with(
        &self,
        algorithm: &str,
        key: impl AsRef<[u8]>,
    ) -> Result<v1::Ciphertext, Error> {
        let answer = self
            .client()
            .call(v1::WrapKeyRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                key: Bytes::copy_from_slice(key.as_ref()),
            })
            .await?;
        answer.wrapped_key.ok_or_else(|| Error::bad_answer("a wrapped key"))
    }

    /// Decrypts what [`Key::wrap`] or [`Key::generate_data_key`] made.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the one message "decryption failed", whatever was
    /// wrong.
    pub async fn unwrap(&self, wrapped_key: &v1::Ciphertext) -> Result<Plaintext, Error> {
        let answer = self
            .client()
            .call(v1::UnwrapKeyRequest {
                name: self.resource_name()?.to_owned(),
                wrapped_key: Some(wrapped_key.clone()),
                additional_data: Bytes::new(),
            })
            .await?;
        Ok(answer.key.into())
    }

    /// A fresh random key of `size` bytes (1 to 1024), in the clear and wrapped.
    ///
    /// # Errors
    /// As for [`Key::wrap`].
    pub async fn generate_data_key(
        &self,
        size: usize,
    ) -> Result<(Plaintext, v1::Ciphertext), Error> {
        let answer = self.client().call(self.data_key_request(size, false)?).await?;
        let wrapped = answer.wrapped_key.ok_or_else(|| Error::bad_answer("a wrapped key"))?;
        Ok((answer.key.into(), wrapped))
    }

    /// The same, wrapped only: the key itself stays in the backend.
    ///
    /// # Errors
    /// As for [`Key::wrap`].
    pub async fn generate_wrapped_data_key(&self, size: usize) -> Result<v1::Ciphertext, Error> {
        let answer = self.client().call(self.data_key_request(size, true)?).await?;
        answer.wrapped_key.ok_or_else(|| Error::bad_answer("a wrapped key"))
    }

    fn data_key_request(
        &self,
        size: usize,
        wrapped_only: bool,
    ) -> Result<v1::GenerateDataKeyRequest, Error> {
        Ok(v1::GenerateDataKeyRequest {
            name: self.resource_name()?.to_owned(),
            size: i32::try_from(size).unwrap_or(i32::MAX),
            wrapped_only,
            ..Default::default()
        })
    }
}
