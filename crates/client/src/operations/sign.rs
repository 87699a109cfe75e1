//! Sign and Verify.

use bytes::Bytes;

use super::Key;
use crate::{Error, v1};

/// A signature and the version that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// As JWS has it: r‖s for ECDSA.
    pub bytes: Bytes,
    /// `vaults/{vault}/keys/{key}/versions/{version}`.
    pub version_name: String,
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Key {
    /// Signs a message of at most 64 KiB. `algorithm` is RS256, RS384, RS512, PS256,
    /// PS384, PS512, ES256, ES384, ES512, ES256K, EdDSA or ML-DSA-65.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` if the key's kind, state or backend does not allow it.
    pub async fn sign(
        &self,
        algorithm: &str,
        message: impl AsRef<[u8]>,
    ) -> Result<Signature, Error> {
        let message = Bytes::copy_from_slice(message.as_ref());
        self.sign_input(algorithm, v1::sign_request::Input::Message(message)).await
    }

    /// Signs a digest made with the algorithm's hash. Not for EdDSA and ML-DSA-65.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the digest is not of the hash's length.
    pub async fn sign_digest(
        &self,
        algorithm: &str,
        digest: impl AsRef<[u8]>,
    ) -> Result<Signature, Error> {
        let digest = Bytes::copy_from_slice(digest.as_ref());
        self.sign_input(algorithm, v1::sign_request::Input::Digest(digest)).await
    }

    /// Whether `signature` is one over `message`, by this key.
    ///
    /// # Errors
    /// As for [`Key::sign`]; a signature that does not match is no error.
    pub async fn verify(
        &self,
        algorithm: &str,
        message: impl AsRef<[u8]>,
        signature: impl AsRef<[u8]>,
    ) -> Result<bool, Error> {
        let message = Bytes::copy_from_slice(message.as_ref());
        self.verify_input(algorithm, v1::verify_request::Input::Message(message), signature).await
    }

    /// Whether `signature` is one over what has this digest, by this key.
    ///
    /// # Errors
    /// As for [`Key::sign_digest`]; a signature that does not match is no error.
    pub async fn verify_digest(
        &self,
        algorithm: &str,
        digest: impl AsRef<[u8]>,
        signature: impl AsRef<[u8]>,
    ) -> Result<bool, Error> {
        let digest = Bytes::copy_from_slice(digest.as_ref());
        self.verify_input(algorithm, v1::verify_request::Input::Digest(digest), signature).await
    }

    async fn sign_input(
        &self,
        algorithm: &str,
        input: v1::sign_request::Input,
    ) -> Result<Signature, Error> {
        let answer = self
            .client()
            .call(v1::SignRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                input: Some(input),
            })
            .await?;
        Ok(Signature { bytes: answer.signature, version_name: answer.version_name })
    }

    async fn verify_input(
        &self,
        algorithm: &str,
        input: v1::verify_request::Input,
        signature: impl AsRef<[u8]>,
    ) -> Result<bool, Error> {
        let answer = self
            .client()
            .call(v1::VerifyRequest {
                name: self.resource_name()?.to_owned(),
                algorithm: algorithm.to_owned(),
                input: Some(input),
                signature: Bytes::copy_from_slice(signature.as_ref()),
            })
            .await?;
        Ok(answer.valid)
    }
}
