//! Algorithms, by their JOSE names (RFC 7518, RFC 8037, RFC 8812).
//!
//! One type per use, so that a signature algorithm cannot be asked to encrypt.
//! Each knows which keys it fits. Codes in frames follow declaration order:
//! append, never reorder.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Curve, KeySpec, KeyType};

/// A SHA-2 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

#[expect(clippy::len_without_is_empty, reason = "no digest is empty")]
impl Digest {
    /// Length of the digest in bytes.
    pub const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// What a signature algorithm takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInput {
    /// The digest of the message; who holds the message may hash it anywhere.
    Digest(Digest),
    /// The message itself: the algorithm hashes it in its own way.
    Message,
}

/// A digital signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with the same, salt as long as the digest.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256; the signature is r‖s, 64 bytes.
    Es256,
    /// ECDSA on P-384 with SHA-384; 96 bytes.
    Es384,
    /// ECDSA on P-521 with SHA-512; 132 bytes.
    Es512,
    /// ECDSA on secp256k1 with SHA-256; 64 bytes.
    Es256K,
    /// Ed25519 (RFC 8037); 64 bytes.
    EdDsa,
    /// ML-DSA-65 (FIPS 204), empty context; 3309 bytes.
    MlDsa65,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 12] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Es256K,
        Self::EdDsa,
        Self::MlDsa65,
    ];

    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Es256K => "ES256K",
            Self::EdDsa => "EdDSA",
            Self::MlDsa65 => "ML-DSA-65",
        }
    }

    /// What it signs: a digest of the message, or the message.
    pub const fn input(self) -> SignInput {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Es256K => {
                SignInput::Digest(Digest::Sha256)
            }
            Self::Rs384 | Self::Ps384 | Self::Es384 => SignInput::Digest(Digest::Sha384),
            Self::Rs512 | Self::Ps512 | Self::Es512 => SignInput::Digest(Digest::Sha512),
            Self::EdDsa | Self::MlDsa65 => SignInput::Message,
        }
    }

    /// Whether a key of kind `spec` can run it.
    pub const fn fits(self, spec: KeySpec) -> bool {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                matches!(spec.key_type(), KeyType::Rsa)
            }
            Self::Es256 => matches!(spec.curve(), Some(Curve::P256)),
            Self::Es384 => matches!(spec.curve(), Some(Curve::P384)),
            Self::Es512 => matches!(spec.curve(), Some(Curve::P521)),
            Self::Es256K => matches!(spec.curve(), Some(Curve::Secp256k1)),
            Self::EdDsa => matches!(spec, KeySpec::Ed25519),
            Self::MlDsa65 => matches!(spec, KeySpec::MlDsa65),
        }
    }
}

/// A message authentication code (RFC 7518 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MacAlgorithm {
    /// HMAC with SHA-256; a 32-byte tag.
    Hs256,
    /// HMAC with SHA-384; a 48-byte tag.
    Hs384,
    /// HMAC with SHA-512; a 64-byte tag.
    Hs512,
}

impl MacAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Hs256, Self::Hs384, Self::Hs512];

    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The hash inside; its length is that of the tag.
    pub const fn digest(self) -> Digest {
        match self {
            Self::Hs256 => Digest::Sha256,
            Self::Hs384 => Digest::Sha384,
            Self::Hs512 => Digest::Sha512,
        }
    }

    /// Whether a key of kind `spec` can run it: at least as long as the digest
    /// (RFC 7518 section 3.2).
    pub const fn fits(self, spec: KeySpec) -> bool {
        match spec.bits() {
            Some(bits) => spec.is_hmac() && bits as usize >= self.digest().len() * 8,
            None => false,
        }
    }
}

/// RSA encryption padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RsaPadding {
    /// RSAES-OAEP with SHA-1 and MGF1-SHA-1: `RSA-OAEP`.
    Oaep,
    /// RSAES-OAEP with SHA-256 and MGF1-SHA-256: `RSA-OAEP-256`.
    Oaep256,
    /// RSAES-PKCS1-v1_5: `RSA1_5`, refused unless the configuration allows it.
    Pkcs1V15,
}

impl RsaPadding {
    /// Every padding.
    pub const ALL: [Self; 3] = [Self::Oaep, Self::Oaep256, Self::Pkcs1V15];

    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oaep => "RSA-OAEP",
            Self::Oaep256 => "RSA-OAEP-256",
            Self::Pkcs1V15 => "RSA1_5",
        }
    }

    /// Longest plaintext for a modulus of `modulus_len` bytes (RFC 8017 section 7).
    pub const fn max_plaintext(self, modulus_len: usize) -> usize {
        match self {
            Self::Oaep => modulus_len - 2 * 20 - 2,
            Self::Oaep256 => modulus_len - 2 * 32 - 2,
            Self::Pkcs1V15 => modulus_len - 11,
        }
    }
}

/// A mode of AES for content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AesMode {
    /// GCM: a 96-bit nonce made by the service, a 128-bit tag. `A256GCM`.
    Gcm,
    /// CBC without padding: whole blocks only, not authenticated. `A256CBC`.
    Cbc,
    /// CBC with PKCS#7 padding, not authenticated. `A256CBCPAD`.
    CbcPad,
}

/// An algorithm that encrypts content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EncryptionAlgorithm {
    /// RSA to the public key.
    Rsa(RsaPadding),
    /// AES with a key of exactly this kind, in this mode.
    Aes(KeySpec, AesMode),
}

impl EncryptionAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 12] = {
        use AesMode::{Cbc, CbcPad, Gcm};
        use KeySpec::{Aes128, Aes192, Aes256};
        [
            Self::Rsa(RsaPadding::Oaep),
            Self::Rsa(RsaPadding::Oaep256),
            Self::Rsa(RsaPadding::Pkcs1V15),
            Self::Aes(Aes128, Gcm),
            Self::Aes(Aes192, Gcm),
            Self::Aes(Aes256, Gcm),
            Self::Aes(Aes128, Cbc),
            Self::Aes(Aes192, Cbc),
            Self::Aes(Aes256, Cbc),
            Self::Aes(Aes128, CbcPad),
            Self::Aes(Aes192, CbcPad),
            Self::Aes(Aes256, CbcPad),
        ]
    };

    /// The name, as JOSE and Key Vault have it.
    pub const fn name(self) -> &'static str {
        use AesMode::{Cbc, CbcPad, Gcm};
        match self {
            Self::Rsa(padding) => padding.name(),
            Self::Aes(KeySpec::Aes128, Gcm) => "A128GCM",
            Self::Aes(KeySpec::Aes192, Gcm) => "A192GCM",
            Self::Aes(_, Gcm) => "A256GCM",
            Self::Aes(KeySpec::Aes128, Cbc) => "A128CBC",
            Self::Aes(KeySpec::Aes192, Cbc) => "A192CBC",
            Self::Aes(_, Cbc) => "A256CBC",
            Self::Aes(KeySpec::Aes128, CbcPad) => "A128CBCPAD",
            Self::Aes(KeySpec::Aes192, CbcPad) => "A192CBCPAD",
            Self::Aes(_, CbcPad) => "A256CBCPAD",
        }
    }

    /// Whether a key of kind `spec` can run it.
    pub fn fits(self, spec: KeySpec) -> bool {
        match self {
            Self::Rsa(_) => spec.key_type() == KeyType::Rsa,
            Self::Aes(size, _) => spec == size,
        }
    }
}

/// An algorithm that wraps another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WrapAlgorithm {
    /// RSA to the public key.
    Rsa(RsaPadding),
    /// AES Key Wrap (RFC 3394) with a key of exactly this kind: `A256KW`. Takes
    /// whole 8-byte blocks, at least two.
    AesKw(KeySpec),
    /// AES Key Wrap with Padding (RFC 5649): `AES-KWP`, with an AES key of any
    /// size. Takes 1 byte or more.
    AesKwp,
}

impl WrapAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 7] = [
        Self::Rsa(RsaPadding::Oaep),
        Self::Rsa(RsaPadding::Oaep256),
        Self::Rsa(RsaPadding::Pkcs1V15),
        Self::AesKw(KeySpec::Aes128),
        Self::AesKw(KeySpec::Aes192),
        Self::AesKw(KeySpec::Aes256),
        Self::AesKwp,
    ];

    /// The name, as JOSE has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa(padding) => padding.name(),
            Self::AesKw(KeySpec::Aes128) => "A128KW",
            Self::AesKw(KeySpec::Aes192) => "A192KW",
            Self::AesKw(_) => "A256KW",
            Self::AesKwp => "AES-KWP",
        }
    }

    /// Whether a key of kind `spec` can run it.
    pub fn fits(self, spec: KeySpec) -> bool {
        match self {
            Self::Rsa(_) => spec.key_type() == KeyType::Rsa,
            Self::AesKw(size) => spec == size,
            Self::AesKwp => spec.is_aes(),
        }
    }
}

/// No algorithm of this use has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown algorithm for this operation; docs/algorithms.md lists them")
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl FromStr for SignatureAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or(UnknownAlgorithm)
    }
}

impl FromStr for MacAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or(UnknownAlgorithm)
    }
}

impl FromStr for EncryptionAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or(UnknownAlgorithm)
    }
}

impl FromStr for WrapAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|a| a.name() == name).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for EncryptionAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for WrapAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a name that parses to another algorithm than it prints.
    #[test]
    fn names_are_unique_and_parse_back() {
        for a in SignatureAlgorithm::ALL {
            assert_eq!(a.name().parse(), Ok(a));
        }
        for a in MacAlgorithm::ALL {
            assert_eq!(a.name().parse(), Ok(a));
        }
        for a in EncryptionAlgorithm::ALL {
            assert_eq!(a.name().parse(), Ok(a));
        }
        for a in WrapAlgorithm::ALL {
            assert_eq!(a.name().parse(), Ok(a));
        }
        assert_eq!("es256".parse::<SignatureAlgorithm>(), Err(UnknownAlgorithm));
        assert_eq!("none".parse::<SignatureAlgorithm>(), Err(UnknownAlgorithm));
    }

    /// Guards against a short HMAC key under a long hash (RFC 7518 section 3.2).
    #[test]
    fn an_hmac_key_is_at_least_as_long_as_its_tag() {
        assert!(MacAlgorithm::Hs256.fits(KeySpec::Hmac512));
        assert!(!MacAlgorithm::Hs512.fits(KeySpec::Hmac384));
        assert!(!MacAlgorithm::Hs256.fits(KeySpec::Aes256));
    }
}
