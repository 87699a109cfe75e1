//! The contract itself.

use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, RsaPadding, SignatureAlgorithm,
    VersionId, WrapAlgorithm,
};

use crate::{Capabilities, Error, Material, NewKey, PrivateKey};

/// Holds private keys and uses them.
///
/// An implementation MUST be usable from many threads through one [`Session`]
/// each, and MUST NOT share a session between threads. It MUST NOT log, print or
/// return key material other than as [`Material::Portable`].
pub trait KeyBackend: Send + Sync + 'static {
    /// An opened key: parsed, or found in the token. Opening is the expensive part
    /// and its result is cached; a clone is cheap and names the same key. Dropping
    /// the last clone MUST wipe what it held in memory.
    type Key: Clone + Send + Sync + 'static;

    /// What one thread works through.
    type Session: Session<Key = Self::Key>;

    /// What this backend can do. Constant while the process lives.
    fn capabilities(&self) -> &Capabilities;

    /// Opens a session for the calling thread. It need not be `Send`.
    fn open_session(&self) -> Result<Self::Session, Error>;
}

/// One thread's way into a backend.
///
/// Operations append their result to `out`, which the caller empties and, where it
/// holds a secret, wipes. On an error nothing of a result MUST remain in `out`.
///
/// The caller MUST only ask for what [`Capabilities`] lists and for an algorithm
/// that fits the key; what it asks beyond that is answered with
/// [`Error::Unsupported`], never with a panic.
///
/// After [`Error::SessionFailed`] the caller MUST drop the session and open a new
/// one before it tries again, and MUST open its keys anew if the key is then
/// missing.
pub trait Session {
    /// See [`KeyBackend::Key`].
    type Key;

    /// Generates a key of kind `spec`, for `ops` only. A resident one becomes a token
    /// object under `id`; if one of that id and kind is there already, that one is
    /// returned, so that a repeated call makes one key.
    fn generate(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
    ) -> Result<NewKey<Self::Key>, Error>;

    /// Takes a key made elsewhere, which passed the checks of
    /// `keyreeve_import`. In a device it is kept as if generated there.
    fn import(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
        private: PrivateKey,
    ) -> Result<NewKey<Self::Key>, Error>;

    /// Opens a stored key: parses `material`, has the device unwrap it, or finds `id`
    /// in the device. [`Error::CorruptKey`] if the material is not what it was, or is
    /// wrapped under a key that this device does not have.
    fn open(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        material: Material,
    ) -> Result<Self::Key, Error>;

    /// Destroys a resident key and confirms that it is gone. Nothing to do for one
    /// that is stored elsewhere.
    fn destroy(&mut self, id: VersionId, spec: KeySpec) -> Result<(), Error>;

    /// Signs `input`: the digest or the message, as
    /// [`SignatureAlgorithm::input`] says. ECDSA signatures are r‖s. An RSA
    /// signature MUST have been verified before it is returned.
    fn sign(
        &mut self,
        key: &Self::Key,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error>;

    /// Computes the whole tag of `message`.
    fn mac(
        &mut self,
        key: &Self::Key,
        algorithm: MacAlgorithm,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error>;

    /// Encrypts with AES under a fresh random nonce (GCM: 12 bytes) or
    /// initialisation vector (CBC: 16), which the backend draws itself. `aad` MUST
    /// be empty for CBC. The ciphertext is as long as the plaintext, or padded.
    fn encrypt(
        &mut self,
        key: &Self::Key,
        mode: AesMode,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Encrypted, Error>;

    /// Decrypts with RSA or AES. Every failure that depends on the ciphertext is
    /// [`Error::CryptoFailed`].
    fn decrypt(
        &mut self,
        key: &Self::Key,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error>;

    /// Wraps the bytes of another key with AES-KW (`padded` false, RFC 3394) or
    /// AES-KWP (`padded` true, RFC 5649).
    fn wrap(
        &mut self,
        key: &Self::Key,
        padded: bool,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error>;

    /// Unwraps with RSA, AES-KW or AES-KWP. Every failure that depends on the
    /// wrapped bytes is [`Error::CryptoFailed`].
    fn unwrap(
        &mut self,
        key: &Self::Key,
        algorithm: WrapAlgorithm,
        wrapped: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error>;

    /// Fills `out` with random bytes from the backend's own generator.
    fn random(&mut self, out: &mut [u8]) -> Result<(), Error>;

    /// Proves that the backend does its work, by a signature of a key of its own that is
    /// verified outside it. A device says that it is well while it is not, and answers
    /// a caller's garbage as it does its own death: this tells them apart.
    ///
    /// # Errors
    ///
    /// Whatever the signature failed with; [`Error::FaultyResult`] if it does not
    /// verify. Then nothing the backend says can be relied on.
    fn check(&mut self) -> Result<(), Error>;
}

/// What [`Session::encrypt`] made beside the ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encrypted {
    iv: [u8; 16],
    iv_len: u8,
    tag: [u8; 16],
    tag_len: u8,
}

impl Encrypted {
    /// The result of GCM.
    pub const fn gcm(nonce: [u8; 12], tag: [u8; 16]) -> Self {
        let mut iv = [0; 16];
        let mut i = 0;
        while i < nonce.len() {
            iv[i] = nonce[i];
            i += 1;
        }
        Self { iv, iv_len: 12, tag, tag_len: 16 }
    }

    /// The result of CBC, which has no tag.
    pub const fn cbc(iv: [u8; 16]) -> Self {
        Self { iv, iv_len: 16, tag: [0; 16], tag_len: 0 }
    }

    /// The nonce or initialisation vector.
    pub fn iv(&self) -> &[u8] {
        &self.iv[..usize::from(self.iv_len)]
    }

    /// The authentication tag; empty for CBC.
    pub fn tag(&self) -> &[u8] {
        &self.tag[..usize::from(self.tag_len)]
    }
}

/// What [`Session::decrypt`] takes. `iv`, `aad` and `tag` are empty for RSA.
#[derive(Debug, Clone, Copy)]
pub struct Sealed<'a> {
    /// Nonce or initialisation vector.
    pub iv: &'a [u8],
    /// Associated data; empty for CBC.
    pub aad: &'a [u8],
    /// Ciphertext.
    pub ciphertext: &'a [u8],
    /// Authentication tag; empty for CBC.
    pub tag: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// An RSA ciphertext, which has no other parts.
    pub const fn rsa(ciphertext: &'a [u8]) -> Self {
        Self { iv: &[], aad: &[], ciphertext, tag: &[] }
    }

    /// Whether the parts have the lengths that `algorithm` demands.
    pub const fn has_lengths_of(&self, algorithm: EncryptionAlgorithm) -> bool {
        match algorithm {
            EncryptionAlgorithm::Rsa(
                RsaPadding::Oaep | RsaPadding::Oaep256 | RsaPadding::Pkcs1V15,
            ) => self.iv.is_empty() && self.aad.is_empty() && self.tag.is_empty(),
            EncryptionAlgorithm::Aes(_, AesMode::Gcm) => {
                self.iv.len() == 12 && self.tag.len() == 16
            }
            EncryptionAlgorithm::Aes(_, AesMode::Cbc | AesMode::CbcPad) => {
                self.iv.len() == 16 && self.aad.is_empty() && self.tag.is_empty()
            }
        }
    }
}
