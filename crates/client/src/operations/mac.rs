//! Mac and VerifyMac.

use bytes::Bytes;

use super::Key;
use crate::{Error, v1};

impl Key {
    /// Computes a MAC over at most 64 KiB. `algorithm` is HS256, HS384 or HS512.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` if the key's kind, state or backend does not allow it.
    pub async fn mac(&self, algorithm: &str, message: impl AsRef<[u8]>) -> Result<Bytes, Error> {
        let answer = self
            .client()
            .call(v1::MacRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                message: Bytes::copy_from_slice(message.as_ref()),
            })
            .await?;
        Ok(answer.mac)
    }

    /// Whether `mac` is that of `message` under this key.
    ///
    /// # Errors
    /// As for [`Key::mac`]; a MAC that does not match is no error.
    pub async fn verify_mac(
        &self,
        algorithm: &str,
        message: impl AsRef<[u8]>,
        mac: impl AsRef<[u8]>,
    ) -> Result<bool, Error> {
        let answer = self
            .client()
            .call(v1::VerifyMacRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                message: Bytes::copy_from_slice(message.as_ref()),
                mac: Bytes::copy_from_slice(mac.as_ref()),
            })
            .await?;
        Ok(answer.valid)
    }
}
