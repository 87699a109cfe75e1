//! The calls, one for each thing a keyhost can be asked.

use bytes::Bytes;
use keyreeve_backend::Sealed;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, MacAlgorithm, RsaPadding, SignatureAlgorithm, WrapAlgorithm,
};
use zeroize::Zeroizing;

use super::{CallError, Client, Way, queue::Lane};
use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{DataKeySeal, Encrypted, KeyRef, Opening, Request, Response},
    key::SealedKey,
};

/// What AES encryption, or wrapping a data key, made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphertext {
    /// Nonce or initialisation vector; empty for key wrap and RSA.
    pub iv: Bytes,
    /// The ciphertext.
    pub ciphertext: Bytes,
    /// The tag; empty but for GCM.
    pub tag: Bytes,
}

/// A data key.
pub struct DataKey {
    /// In the clear; empty if only the wrapped one was asked for.
    pub key: Zeroizing<Vec<u8>>,
    /// Sealed.
    pub sealed: Ciphertext,
}

/// How a data key is to be sealed.
#[derive(Debug, Clone, Copy)]
pub enum DataKeyAlgorithm<'a> {
    /// AES-KW, or AES-KWP if `padded`.
    Wrap {
        /// RFC 5649 rather than RFC 3394.
        padded: bool,
    },
    /// AES-GCM.
    Gcm {
        /// Associated data.
        aad: &'a [u8],
    },
    /// To an RSA public key.
    Rsa {
        /// The padding.
        padding: RsaPadding,
        /// SubjectPublicKeyInfo, DER.
        public_spki: &'a [u8],
    },
}

impl SealedKey {
    /// The slot that alone serves it, if there is one and it is known.
    pub(super) fn slot(&self) -> Option<&str> {
        self.slot.as_deref().filter(|_| self.is_bound_to_slot())
    }

    pub(super) const fn key_ref(&self) -> KeyRef {
        KeyRef { version: self.binding.version, revision: self.policy.revision }
    }

    pub(super) fn opening(&self) -> Opening<'_> {
        Opening {
            binding: self.binding,
            policy: self.policy.clone(),
            vault_key: &self.vault_key,
            sealed: &self.sealed,
        }
    }
}

impl Client {
    /// Signs the digest or the message, as the algorithm takes it.
    pub fn sign<'k>(
        &'k self,
        key: &'k SealedKey,
        algorithm: SignatureAlgorithm,
        input: &'k [u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Bytes, CallError>> {
        let request = move |key| Request::Sign { key, algorithm, input };
        self.call_with_key(key, request, deadline, shared)
    }

    /// Computes a tag.
    pub fn mac<'k>(
        &'k self,
        key: &'k SealedKey,
        algorithm: MacAlgorithm,
        message: &'k [u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Bytes, CallError>> {
        let request = move |key| Request::Mac { key, algorithm, message };
        self.call_with_key(key, request, deadline, shared)
    }

    /// Computes a tag and compares it, in constant time, with `tag`.
    pub fn verify_mac<'k>(
        &'k self,
        key: &'k SealedKey,
        algorithm: MacAlgorithm,
        message: &'k [u8],
        tag: &'k [u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<bool, CallError>> {
        let request = move |key| Request::VerifyMac { key, algorithm, message, tag };
        self.call_with_key(key, request, deadline, |_, response| match response {
            Response::Matches(matches) => Ok(matches),
            _ => Err(CallError::Protocol),
        })
    }

    /// Encrypts with AES.
    pub fn encrypt<'k>(
        &'k self,
        key: &'k SealedKey,
        mode: AesMode,
        aad: &'k [u8],
        plaintext: &'k [u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Ciphertext, CallError>> {
        let request = move |key| Request::Encrypt { key, mode, aad, plaintext };
        self.call_with_key(key, request, deadline, |body, response| match response {
            Response::Encrypted(parts) => Ok(Ciphertext::shared(body, parts)),
            _ => Err(CallError::Protocol),
        })
    }

    /// Decrypts.
    pub fn decrypt<'k>(
        &'k self,
        key: &'k SealedKey,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'k>,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, CallError>> {
        let Sealed { iv, aad, ciphertext, tag } = sealed;
        let request = move |key| Request::Decrypt { key, algorithm, iv, aad, ciphertext, tag };
        self.call_with_key(key, request, deadline, secret)
    }

    /// Wraps with AES-KW, or AES-KWP if `padded`.
    pub fn wrap<'k>(
        &'k self,
        key: &'k SealedKey,
        padded: bool,
        plaintext: &'k [u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Bytes, CallError>> {
        let request = move |key| Request::Wrap { key, padded, plaintext };
        self.call_with_key(key, request, deadline, shared)
    }

    /// Unwraps.
    pub fn unwrap<'k>(
        &'k self,
        key: &'k SealedKey,
        algorithm: WrapAlgorithm,
        wrapped: &'k [u8],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, CallError>> {
        let request = move |key| Request::Unwrap { key, algorithm, wrapped };
        self.call_with_key(key, request, deadline, secret)
    }

    /// Draws a data key of `size` bytes and seals it. `key` is the sealing key, and
    /// is not needed for RSA.
    pub async fn generate_data_key(
        &self,
        key: Option<&SealedKey>,
        algorithm: DataKeyAlgorithm<'_>,
        size: u16,
        wrapped_only: bool,
        deadline: Deadline,
    ) -> Result<DataKey, CallError> {
        let request = |under| Request::GenerateDataKey { under, size, wrapped_only };
        match (algorithm, key) {
            (DataKeyAlgorithm::Rsa { padding, public_spki: public }, _) => {
                let request = || request(DataKeySeal::Rsa { padding, public });
                let way = Way { lane: Lane::Light, deadline, can_move: true };
                let (made, _) = self.call_without_key(None, way, request, data_key).await?;
                Ok(made)
            }
            (DataKeyAlgorithm::Wrap { padded }, Some(sealing)) => {
                let request = |key| request(DataKeySeal::Wrap { key, padded });
                self.call_with_key(sealing, request, deadline, data_key).await
            }
            (DataKeyAlgorithm::Gcm { aad }, Some(sealing)) => {
                let request = |key| request(DataKeySeal::Gcm { key, aad });
                self.call_with_key(sealing, request, deadline, data_key).await
            }
            (DataKeyAlgorithm::Wrap { .. } | DataKeyAlgorithm::Gcm { .. }, None) => {
                Err(CallError::WrongAlgorithm)
            }
        }
    }

    /// Draws random bytes.
    pub async fn random(
        &self,
        size: u16,
        deadline: Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, CallError> {
        let way = Way { lane: Lane::Light, deadline, can_move: true };
        let request = || Request::Random { size };
        self.call_without_key(None, way, request, secret).await.map(|(drawn, _)| drawn)
    }
}

impl Ciphertext {
    fn shared(body: &Body, parts: Encrypted<'_>) -> Self {
        let Encrypted { iv, ciphertext, tag } = parts;
        Self { iv: body.share(iv), ciphertext: body.share(ciphertext), tag: body.share(tag) }
    }
}

fn shared(body: &Body, response: Response<'_>) -> Result<Bytes, CallError> {
    match response {
        Response::Bytes(bytes) => Ok(body.share(bytes)),
        _ => Err(CallError::Protocol),
    }
}

pub(super) fn bytes(_: &Body, response: Response<'_>) -> Result<Vec<u8>, CallError> {
    match response {
        Response::Bytes(bytes) => Ok(bytes.to_vec()),
        _ => Err(CallError::Protocol),
    }
}

fn secret(body: &Body, response: Response<'_>) -> Result<Zeroizing<Vec<u8>>, CallError> {
    bytes(body, response).map(Zeroizing::new)
}

fn data_key(body: &Body, response: Response<'_>) -> Result<DataKey, CallError> {
    match response {
        Response::DataKey { key, sealed } => Ok(DataKey {
            key: Zeroizing::new(key.to_vec()),
            sealed: Ciphertext::shared(body, sealed),
        }),
        _ => Err(CallError::Protocol),
    }
}
