//! Encrypt: with AES in a keyhost, to an RSA public key here.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_backend::Error as BackendError;
use keyreeve_keyhost::Deadline;
use keyreeve_types::{AesMode, EncryptionAlgorithm, RsaPadding};

use super::{Sealed, input, sealed};
use crate::{
    Caller, Error, KeyVersion, Service,
    gate::{Ask, Permit},
    name::KeyName,
    usable::{UsablePublicKey, Use},
};

/// A request to encrypt.
#[derive(Clone, Copy)]
pub struct Encrypt<'a> {
    /// Under which key.
    pub key: KeyName<'a>,
    /// How; `None` for GCM or RSA-OAEP-256, by the kind of key.
    pub algorithm: Option<EncryptionAlgorithm>,
    /// What.
    pub plaintext: &'a [u8],
    /// Authenticated and not encrypted; GCM only.
    pub additional_data: &'a [u8],
}

impl Service {
    /// Encrypts.
    pub async fn encrypt(
        &self,
        caller: &Caller,
        request: Encrypt<'_>,
        deadline: Deadline,
    ) -> Result<Sealed, Error> {
        self.run(
            caller,
            Ask::key(Action::Encrypt, request.key),
            deadline,
            move |permit| async move { self.seal(&permit, request, deadline).await },
        )
        .await
    }

    /// Encrypts, once the gate has let an operation pass.
    pub(crate) async fn seal(
        &self,
        permit: &Permit,
        request: Encrypt<'_>,
        deadline: Deadline,
    ) -> Result<Sealed, Error> {
        let Encrypt { key, algorithm, plaintext, additional_data } = request;
        let version = self.find(permit, key)?;
        let algorithm = match algorithm {
            Some(algorithm) => algorithm,
            None => sealed::default_encryption(&version)?,
        };
        input::payload("plaintext", plaintext)?;
        let mode = match algorithm {
            EncryptionAlgorithm::Rsa(padding) => {
                input::additional_data("additional_data", additional_data, false)?;
                let key = self.check_public(version, Use::Encrypt(algorithm))?;
                let ciphertext = to_public(&key, padding, plaintext, "plaintext")?;
                return Ok(Sealed::bare(key.into_version(), algorithm.name(), ciphertext));
            }
            EncryptionAlgorithm::Aes(_, mode) => mode,
        };
        input::additional_data("additional_data", additional_data, mode == AesMode::Gcm)?;
        self.seal_with_aes(version, algorithm, mode, additional_data, plaintext, deadline).await
    }

    async fn seal_with_aes(
        &self,
        version: Arc<KeyVersion>,
        algorithm: EncryptionAlgorithm,
        mode: AesMode,
        additional_data: &[u8],
        plaintext: &[u8],
        deadline: Deadline,
    ) -> Result<Sealed, Error> {
        let key = self.check(version, Use::Encrypt(algorithm))?;
        let made = key
            .client()
            .encrypt(key.sealed(), mode, additional_data, plaintext, deadline)
            .await
            .map_err(|e| key.failed(e, "plaintext"))?;
        Ok(Sealed::new(key.into_version(), algorithm.name(), made))
    }
}

/// Encrypts to an RSA public key. `field` is where the request carries `plaintext`.
pub(crate) fn to_public(
    key: &UsablePublicKey,
    padding: RsaPadding,
    plaintext: &[u8],
    field: &'static str,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    match key.public()?.encrypt(padding, plaintext, &mut out) {
        Ok(()) => Ok(out),
        Err(BackendError::InvalidInput(why)) => Err(Error::invalid(field, why.to_string())),
        Err(other) => Err(Error::internal("ENCRYPT_FAILED", other.to_string())),
    }
}
