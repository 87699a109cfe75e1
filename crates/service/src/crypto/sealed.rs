//! Something sealed under a key, on its way out and back in.

use std::sync::Arc;

use bytes::Bytes;
use keyreeve_keyhost::Ciphertext;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeySpec, KeyType, Operation, RsaPadding, WrapAlgorithm,
};

use crate::{Error, KeyVersion, name::KeyName};

/// What an operation sealed.
#[derive(Debug)]
pub struct Sealed {
    /// Under which version.
    pub version: Arc<KeyVersion>,
    /// How.
    pub algorithm: &'static str,
    /// Nonce or initialisation vector; empty for RSA and key wrap.
    pub iv: Bytes,
    /// The ciphertext.
    pub ciphertext: Bytes,
    /// GCM's tag; otherwise empty.
    pub tag: Bytes,
}

/// What a caller wants opened.
#[derive(Clone, Copy)]
pub struct SealedRef<'a> {
    /// The key it says it is sealed under.
    pub key: Option<KeyName<'a>>,
    /// Nonce or initialisation vector.
    pub iv: &'a [u8],
    /// The ciphertext.
    pub ciphertext: &'a [u8],
    /// GCM's tag.
    pub tag: &'a [u8],
}

/// How a data key is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKeyAlgorithm {
    /// As WrapKey does.
    Wrap(WrapAlgorithm),
    /// As Encrypt does. GCM only.
    Content(EncryptionAlgorithm),
}

impl Sealed {
    pub(crate) fn new(
        version: Arc<KeyVersion>,
        algorithm: &'static str,
        sealed: Ciphertext,
    ) -> Self {
        let Ciphertext { iv, ciphertext, tag } = sealed;
        Self { version, algorithm, iv, ciphertext, tag }
    }

    /// A ciphertext without other parts: of RSA or key wrap.
    pub(crate) fn bare(
        version: Arc<KeyVersion>,
        algorithm: &'static str,
        ciphertext: impl Into<Bytes>,
    ) -> Self {
        let ciphertext = ciphertext.into();
        Self { version, algorithm, iv: Bytes::new(), ciphertext, tag: Bytes::new() }
    }
}

impl<'a> SealedRef<'a> {
    /// Which key opens it: the one in the request, which must be that of the
    /// ciphertext, or the ciphertext's own.
    pub(crate) fn key(&self, requested: Option<KeyName<'a>>) -> Result<KeyName<'a>, Error> {
        match (requested, self.key) {
            (Some(requested), Some(own)) => {
                let other_version = matches!(
                    (requested.version(), own.version()), (Some(a), Some(b)) if a != b
                );
                if !requested.same_key(own) || other_version {
                    return Err(Error::invalid("name", "name is not the key of the ciphertext"));
                }
                Ok(requested.or_version(own.version()))
            }
            (Some(key), None) | (None, Some(key)) => Ok(key),
            (None, None) => Err(Error::invalid("name", "name the key, here or in the ciphertext")),
        }
    }
}

/// How to encrypt under `version` when the caller does not say.
pub(crate) fn default_encryption(version: &KeyVersion) -> Result<EncryptionAlgorithm, Error> {
    let spec = version.spec();
    match spec.key_type() {
        KeyType::Rsa => Ok(EncryptionAlgorithm::Rsa(RsaPadding::Oaep256)),
        KeyType::Oct if spec.is_aes() => Ok(EncryptionAlgorithm::Aes(spec, AesMode::Gcm)),
        _ => Err(cannot_seal(spec)),
    }
}

/// How to wrap under `version` when the caller does not say.
pub(crate) fn default_wrapping(version: &KeyVersion) -> Result<WrapAlgorithm, Error> {
    let spec = version.spec();
    match spec.key_type() {
        KeyType::Rsa => Ok(WrapAlgorithm::Rsa(RsaPadding::Oaep256)),
        KeyType::Oct if spec.is_aes() => Ok(WrapAlgorithm::AesKwp),
        _ => Err(cannot_seal(spec)),
    }
}

/// How to seal a data key under `version` when the caller does not say: the first
/// it may use of AES-KWP, GCM and RSA-OAEP-256.
pub(crate) fn default_data_key(version: &KeyVersion) -> Result<DataKeyAlgorithm, Error> {
    let wraps = version.policy().ops.contains(Operation::WrapKey);
    if version.spec().is_aes() && !wraps {
        return default_encryption(version).map(DataKeyAlgorithm::Content);
    }
    default_wrapping(version).map(DataKeyAlgorithm::Wrap)
}

fn cannot_seal(spec: KeySpec) -> Error {
    Error::precondition(
        "WRONG_KEY_TYPE",
        format!("a key of kind {spec} neither encrypts nor wraps"),
    )
}
