//! The calls, one for each thing a keyhost can be asked.

use bytes::Bytes;
use keyreeve_backend::Sealed;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyPolicy, MacAlgorithm, RsaPadding, SignatureAlgorithm, VaultId,
    WrapAlgorithm,
};
use zeroize::Zeroizing;

use super::{CallError, Client, queue::Lane};
use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{DataKeySeal, Encrypted, KeyRef, Opening, Request, Response, SealedImport},
    key::{Binding, SealedKey},
};

/// A version that was just made, imported or put under new rules.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// Its rules, as they were sealed; they say what kind of key it is.
    pub policy: KeyPolicy,
    /// Its material, sealed.
    pub sealed: Vec<u8>,
    /// SubjectPublicKeyInfo, DER. `None` for AES and HMAC, and after new rules.
    pub public: Option<Vec<u8>>,
}

/// A private key, sealed to a keyhost's import recipient.
#[derive(Debug, Clone, Copy)]
pub struct ImportedKey<'a> {
    /// Which recipient.
    pub recipient: u64,
    /// HPKE encapsulated key.
    pub encapsulated: &'a [u8],
    /// HPKE ciphertext.
    pub ciphertext: &'a [u8],
    /// HPKE associated data.
    pub aad: &'a [u8],
}

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
    /// Makes the key of a new vault and returns it sealed; empty where the backend
    /// keeps keys itself.
    pub async fn create_vault_key(
        &self,
        vault: VaultId,
        deadline: Deadline,
    ) -> Result<Vec<u8>, CallError> {
        self.call_without_key(Lane::Heavy, Request::CreateVaultKey(vault), deadline, bytes).await
    }

    /// Makes a key of `policy.spec` for `policy.made_for`.
    pub async fn generate(
        &self,
        binding: Binding,
        policy: &KeyPolicy,
        vault_key: &[u8],
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let request = Request::Generate { binding, policy: policy.clone(), vault_key };
        self.call_without_key(Lane::Slow, request, deadline, new_version).await
    }

    /// Takes an imported key. Unless `any_spec`, it must be of `policy.spec`. Where
    /// `policy.made_for` is empty it becomes all that the kind and the backend allow.
    pub async fn import(
        &self,
        binding: Binding,
        policy: &KeyPolicy,
        any_spec: bool,
        vault_key: &[u8],
        key: ImportedKey<'_>,
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let ImportedKey { recipient, encapsulated, ciphertext, aad } = key;
        let sealed = SealedImport { recipient, encapsulated, ciphertext, aad };
        let policy = policy.clone();
        let request = Request::Import { binding, policy, any_spec, vault_key, sealed };
        self.call_without_key(Lane::Slow, request, deadline, new_version).await
    }

    /// Seals a key under new rules, whose revision must be the next.
    pub async fn reseal(
        &self,
        key: &SealedKey,
        policy: &KeyPolicy,
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let request = Request::Reseal { opening: key.opening(), policy: policy.clone() };
        self.call_without_key(Lane::Heavy, request, deadline, new_version).await
    }

    /// Destroys a key that lives in the backend, and confirms that it is gone.
    pub async fn destroy(&self, key: &SealedKey, deadline: Deadline) -> Result<(), CallError> {
        let request = Request::Destroy { opening: key.opening() };
        self.call_without_key(Lane::Slow, request, deadline, |_, response| match response {
            Response::Done => Ok(()),
            _ => Err(CallError::Protocol),
        })
        .await
    }

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
                let request = request(DataKeySeal::Rsa { padding, public });
                self.call_without_key(Lane::Light, request, deadline, data_key).await
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
        self.call_without_key(Lane::Light, Request::Random { size }, deadline, secret).await
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

fn bytes(_: &Body, response: Response<'_>) -> Result<Vec<u8>, CallError> {
    match response {
        Response::Bytes(bytes) => Ok(bytes.to_vec()),
        _ => Err(CallError::Protocol),
    }
}

fn secret(body: &Body, response: Response<'_>) -> Result<Zeroizing<Vec<u8>>, CallError> {
    bytes(body, response).map(Zeroizing::new)
}

fn new_version(_: &Body, response: Response<'_>) -> Result<NewVersion, CallError> {
    match response {
        Response::Key { policy, sealed, public } => Ok(NewVersion {
            policy,
            sealed: sealed.to_vec(),
            public: (!public.is_empty()).then(|| public.to_vec()),
        }),
        _ => Err(CallError::Protocol),
    }
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
