//! Frames: what the front and a keyhost say to each other.
//!
//! A packet on the socket holds one or more frames, each a four-byte big-endian
//! length and that many bytes; docs/formats.md draws them. The body is postcard:
//! compact, without allocation, and byte slices are borrowed from the packet. A
//! frame is trusted by neither side: the keyhost's parser is what stands between a
//! subverted front and the keys, and is fuzzed.
//!
//! Frames are spoken between processes of one build, started together; they are
//! no stable format and are never stored.

use keyreeve_backend::{Capabilities, Error};
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyPolicy, KeyState, MacAlgorithm, RsaPadding,
    SignatureAlgorithm, VaultId, VersionId, WrapAlgorithm,
};
use serde::{Deserialize, Serialize};
use serde_bytes::Bytes;

use crate::key::{Binding, LogId};

/// Longest packet, in bytes. A frame with 64 KiB of payload and the largest sealed
/// key fits, and so does the kernel's default socket buffer around it.
pub const MAX_PACKET: usize = 128 * 1024;

/// Longest payload of one operation, in bytes.
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// Most operations that travel together, in a packet or a frame. One worker does them
/// from end to end, so more would keep the others idle.
pub const MAX_TOGETHER: usize = 16;

/// A request on its way to a keyhost.
#[derive(Debug, Serialize, Deserialize)]
pub struct RequestFrame<'a> {
    /// Returned with the response.
    pub id: u64,
    /// Which of the front's reply sockets to answer on.
    pub shard: u8,
    /// Microseconds since the machine started (`CLOCK_MONOTONIC`) after which
    /// nobody waits for the answer.
    pub deadline_us: u64,
    /// What to open the key from, when it is not open yet.
    #[serde(borrow)]
    pub opening: Option<Opening<'a>>,
    /// What to do.
    #[serde(borrow)]
    pub request: Request<'a>,
}

/// A key in a request: which version, and which revision of its policy the front
/// goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRef {
    /// The version.
    pub version: VersionId,
    /// [`KeyPolicy::revision`].
    pub revision: u32,
}

/// See [`crate::SealedKey`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opening<'a> {
    /// What it is.
    pub binding: Binding,
    /// The rules it lives under.
    pub policy: KeyPolicy,
    /// The vault's sealed key.
    #[serde(with = "serde_bytes", borrow)]
    pub vault_key: &'a [u8],
    /// The sealed key material.
    #[serde(with = "serde_bytes", borrow)]
    pub sealed: &'a [u8],
}

/// What a keyhost can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Say what you are.
    Describe,
    /// Make the key of a new vault.
    CreateVaultKey(VaultId),
    /// Make a key.
    Generate {
        /// Its future identity.
        binding: Binding,
        /// Its rules.
        policy: KeyPolicy,
        /// The vault's sealed key.
        #[serde(with = "serde_bytes", borrow)]
        vault_key: &'a [u8],
    },
    /// Take a key that was sealed to this keyhost's import recipient.
    Import {
        /// Its future identity.
        binding: Binding,
        /// Its rules. Where `made_for` is empty, it becomes all that the kind and the
        /// backend allow.
        policy: KeyPolicy,
        /// Whether a key of another kind than `policy.spec` is welcome as well.
        any_spec: bool,
        /// The vault's sealed key.
        #[serde(with = "serde_bytes", borrow)]
        vault_key: &'a [u8],
        /// The key.
        #[serde(borrow)]
        sealed: SealedImport<'a>,
    },
    /// Authenticate a key's material under new rules.
    Reseal {
        /// The key as it is.
        #[serde(borrow)]
        opening: Opening<'a>,
        /// Its new rules.
        policy: KeyPolicy,
    },
    /// Open a key and do nothing with it: to show that it opens here.
    Open {
        /// The key as it is.
        #[serde(borrow)]
        opening: Opening<'a>,
    },
    /// Have the backend's canary sign.
    Check,
    /// Destroy a key that lives in the backend.
    Destroy {
        /// The key as it is.
        #[serde(borrow)]
        opening: Opening<'a>,
    },
    /// Sign a digest or message.
    Sign {
        /// The key.
        key: KeyRef,
        /// How.
        algorithm: SignatureAlgorithm,
        /// The digest or message.
        #[serde(with = "serde_bytes", borrow)]
        input: &'a [u8],
    },
    /// Sign several, one after the other.
    SignEach {
        /// The key.
        key: KeyRef,
        /// How.
        algorithm: SignatureAlgorithm,
        /// The digests or messages, at most [`MAX_TOGETHER`].
        #[serde(borrow)]
        inputs: Vec<&'a Bytes>,
    },
    /// Compute a MAC.
    Mac {
        /// The key.
        key: KeyRef,
        /// How.
        algorithm: MacAlgorithm,
        /// The message.
        #[serde(with = "serde_bytes", borrow)]
        message: &'a [u8],
    },
    /// Compute a MAC and compare.
    VerifyMac {
        /// The key.
        key: KeyRef,
        /// How.
        algorithm: MacAlgorithm,
        /// The message.
        #[serde(with = "serde_bytes", borrow)]
        message: &'a [u8],
        /// The tag to compare with.
        #[serde(with = "serde_bytes", borrow)]
        tag: &'a [u8],
    },
    /// Encrypt with AES.
    Encrypt {
        /// The key.
        key: KeyRef,
        /// The mode.
        mode: AesMode,
        /// Associated data.
        #[serde(with = "serde_bytes", borrow)]
        aad: &'a [u8],
        /// The plaintext.
        #[serde(with = "serde_bytes", borrow)]
        plaintext: &'a [u8],
    },
    /// Decrypt.
    Decrypt {
        /// The key.
        key: KeyRef,
        /// How.
        algorithm: EncryptionAlgorithm,
        /// Nonce or initialisation vector.
        #[serde(with = "serde_bytes", borrow)]
        iv: &'a [u8],
        /// Associated data.
        #[serde(with = "serde_bytes", borrow)]
        aad: &'a [u8],
        /// The ciphertext.
        #[serde(with = "serde_bytes", borrow)]
        ciphertext: &'a [u8],
        /// The tag.
        #[serde(with = "serde_bytes", borrow)]
        tag: &'a [u8],
    },
    /// Wrap with AES-KW, or AES-KWP if `padded`.
    Wrap {
        /// The key.
        key: KeyRef,
        /// RFC 5649 rather than RFC 3394.
        padded: bool,
        /// The bytes to wrap.
        #[serde(with = "serde_bytes", borrow)]
        plaintext: &'a [u8],
    },
    /// Unwrap.
    Unwrap {
        /// The key.
        key: KeyRef,
        /// How.
        algorithm: WrapAlgorithm,
        /// The wrapped bytes.
        #[serde(with = "serde_bytes", borrow)]
        wrapped: &'a [u8],
    },
    /// Draw a data key and seal it.
    GenerateDataKey {
        /// How to seal it.
        #[serde(borrow)]
        under: DataKeySeal<'a>,
        /// Its length in bytes.
        size: u16,
        /// Leave the data key out of the response.
        wrapped_only: bool,
    },
    /// Draw random bytes.
    Random {
        /// How many.
        size: u16,
    },
    /// Say which key the checkpoints of an audit log are signed with.
    AuditKey(LogId),
    /// Sign a checkpoint of an audit log.
    SignCheckpoint {
        /// Which log.
        log: LogId,
        /// What the proof begins with.
        #[serde(borrow)]
        previous: PreviousCheckpoint<'a>,
        /// How many records the log has.
        size: u64,
        /// The root over all of them.
        root: [u8; 32],
        /// That it goes on from `previous`: hashes, one after the other.
        #[serde(with = "serde_bytes", borrow)]
        proof: &'a [u8],
    },
}

/// The checkpoint that another one goes on from.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum PreviousCheckpoint<'a> {
    /// There is none: the log begins.
    Nothing,
    /// One that this key signed: the signed note.
    Signed(#[serde(with = "serde_bytes", borrow)] &'a [u8]),
    /// The last one that this keyhost signed since it started.
    Remembered,
}

/// A private key sealed to a keyhost's import recipient: HPKE, as `keys.proto` has it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SealedImport<'a> {
    /// Which recipient it is sealed to.
    pub recipient: u64,
    /// Encapsulated key.
    #[serde(with = "serde_bytes", borrow)]
    pub encapsulated: &'a [u8],
    /// Ciphertext.
    #[serde(with = "serde_bytes", borrow)]
    pub ciphertext: &'a [u8],
    /// Associated data: the key's name.
    #[serde(with = "serde_bytes", borrow)]
    pub aad: &'a [u8],
}

impl Request<'_> {
    /// The key that the request is about to use.
    pub(crate) const fn key(&self) -> Option<KeyRef> {
        match self {
            Self::Sign { key, .. }
            | Self::SignEach { key, .. }
            | Self::Mac { key, .. }
            | Self::VerifyMac { key, .. }
            | Self::Encrypt { key, .. }
            | Self::Decrypt { key, .. }
            | Self::Wrap { key, .. }
            | Self::Unwrap { key, .. }
            | Self::GenerateDataKey {
                under: DataKeySeal::Wrap { key, .. } | DataKeySeal::Gcm { key, .. },
                ..
            } => Some(*key),
            Self::Describe
            | Self::CreateVaultKey(_)
            | Self::Generate { .. }
            | Self::Import { .. }
            | Self::Reseal { .. }
            | Self::Open { .. }
            | Self::Check
            | Self::Destroy { .. }
            | Self::GenerateDataKey { under: DataKeySeal::Rsa { .. }, .. }
            | Self::Random { .. }
            | Self::AuditKey(_)
            | Self::SignCheckpoint { .. } => None,
        }
    }

    /// How many operations it asks for.
    pub(crate) fn operations(&self) -> usize {
        if let Self::SignEach { inputs, .. } = self { inputs.len() } else { 1 }
    }
}

/// How a data key is sealed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum DataKeySeal<'a> {
    /// With AES key wrap.
    Wrap {
        /// The key.
        key: KeyRef,
        /// RFC 5649 rather than RFC 3394.
        padded: bool,
    },
    /// With AES-GCM.
    Gcm {
        /// The key.
        key: KeyRef,
        /// Associated data.
        #[serde(with = "serde_bytes", borrow)]
        aad: &'a [u8],
    },
    /// To an RSA public key, which is no secret and comes along.
    Rsa {
        /// The padding.
        padding: RsaPadding,
        /// SubjectPublicKeyInfo, DER.
        #[serde(with = "serde_bytes", borrow)]
        public: &'a [u8],
    },
}

/// A response on its way back.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResponseFrame<'a> {
    /// That of the request.
    pub id: u64,
    /// What became of it.
    #[serde(borrow)]
    pub response: Response<'a>,
}

/// What a keyhost can answer.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response<'a> {
    /// The backend failed.
    Failed(Error),
    /// The key is not open here: send it along.
    NotOpen,
    /// The front goes by an older policy than the keyhost has seen.
    Stale,
    /// The key's policy does not allow it.
    NotAllowed(KeyState),
    /// The algorithm does not fit the key.
    WrongAlgorithm,
    /// New rules that would grant what the key was not made for.
    PolicyWidens,
    /// The key was sealed to a recipient that is not current.
    WrongRecipient,
    /// The deadline passed before the work began.
    TooLate,
    /// The frame does not parse, or asks for what this keyhost does not do.
    Malformed,
    /// Done; nothing to return.
    Done,
    /// Whether a tag matched.
    Matches(bool),
    /// A signature, tag, plaintext, wrapped key, sealed vault key or random bytes; or
    /// several signatures of one length, end to end.
    Bytes(#[serde(with = "serde_bytes", borrow)] &'a [u8]),
    /// What AES encryption made.
    Encrypted(#[serde(borrow)] Encrypted<'a>),
    /// A data key.
    DataKey {
        /// In the clear; empty if it was not asked for.
        #[serde(with = "serde_bytes", borrow)]
        key: &'a [u8],
        /// Sealed. Key wrap and RSA have neither nonce nor tag.
        #[serde(borrow)]
        sealed: Encrypted<'a>,
    },
    /// A new or resealed key.
    Key {
        /// Its rules, as sealed.
        policy: KeyPolicy,
        /// Its material, sealed.
        #[serde(with = "serde_bytes", borrow)]
        sealed: &'a [u8],
        /// SubjectPublicKeyInfo, DER; empty for AES and HMAC.
        #[serde(with = "serde_bytes", borrow)]
        public: &'a [u8],
    },
    /// What the keyhost is.
    Description(Box<Description>),
    /// The checkpoint is not proven to go on from the last one.
    Inconsistent,
    /// The checkpoint has to go on from one of this size, which was signed since the
    /// keyhost started.
    SignedLater(u64),
}

/// Ciphertext with its parts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Encrypted<'a> {
    /// Nonce or initialisation vector.
    #[serde(with = "serde_bytes", borrow)]
    pub iv: &'a [u8],
    /// The ciphertext.
    #[serde(with = "serde_bytes", borrow)]
    pub ciphertext: &'a [u8],
    /// The tag.
    #[serde(with = "serde_bytes", borrow)]
    pub tag: &'a [u8],
}

/// What a keyhost is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// What its backend can do.
    pub capabilities: Capabilities,
    /// Its import recipient.
    pub recipient: Recipient,
    /// What protects it, as the kernel reports it.
    pub protections: Vec<Protection>,
}

/// Whom to seal an imported key to; new with every start of the keyhost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Tells one start from another.
    pub id: u64,
    /// X25519 public key.
    pub public_key: [u8; 32],
}

/// One protection of a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// As `seccomp`.
    pub name: String,
    /// Whether the kernel says so.
    pub in_force: bool,
    /// Why not, or how far.
    pub detail: String,
}
