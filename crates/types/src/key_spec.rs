//! Which kinds of key exist: `kty`, `crv` and sizes by their JOSE names
//! (RFC 7518 section 6, RFC 8037, RFC 8812; `AKP` for ML-DSA).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{KeyOps, Operation};

/// A kind of key. The discriminant is the code authenticated in envelopes and
/// sent in frames: append, never reorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeySpec {
    /// RSA with a 2048-bit modulus.
    Rsa2048,
    /// RSA with a 3072-bit modulus.
    Rsa3072,
    /// RSA with a 4096-bit modulus.
    Rsa4096,
    /// EC on P-256.
    EcP256,
    /// EC on P-384.
    EcP384,
    /// EC on P-521.
    EcP521,
    /// EC on secp256k1.
    EcSecp256k1,
    /// Edwards curve key Ed25519 (RFC 8037).
    Ed25519,
    /// AES with a 128-bit key.
    Aes128,
    /// AES with a 192-bit key.
    Aes192,
    /// AES with a 256-bit key.
    Aes256,
    /// HMAC with a 256-bit key.
    Hmac256,
    /// HMAC with a 384-bit key.
    Hmac384,
    /// HMAC with a 512-bit key.
    Hmac512,
    /// ML-DSA-65 (FIPS 204).
    MlDsa65,
}

/// JOSE `kty`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// Elliptic curve, Weierstrass.
    Ec,
    /// Octet key pair (Edwards curves).
    Okp,
    /// Octet sequence: a symmetric key.
    Oct,
    /// Algorithm key pair: one algorithm per key, as ML-DSA.
    Akp,
}

/// JOSE `crv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// secp256k1 (RFC 8812).
    Secp256k1,
}

impl Curve {
    /// Length of a coordinate and of a scalar, in bytes.
    pub const fn field_len(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }
}

impl KeyType {
    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Okp => "OKP",
            Self::Oct => "oct",
            Self::Akp => "AKP",
        }
    }
}

impl KeySpec {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 15] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EcP256,
        Self::EcP384,
        Self::EcP521,
        Self::EcSecp256k1,
        Self::Ed25519,
        Self::Aes128,
        Self::Aes192,
        Self::Aes256,
        Self::Hmac256,
        Self::Hmac384,
        Self::Hmac512,
        Self::MlDsa65,
    ];

    /// The code in envelopes.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The JOSE key type.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => KeyType::Rsa,
            Self::EcP256 | Self::EcP384 | Self::EcP521 | Self::EcSecp256k1 => KeyType::Ec,
            Self::Ed25519 => KeyType::Okp,
            Self::MlDsa65 => KeyType::Akp,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => KeyType::Oct,
            Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => KeyType::Oct,
        }
    }

    /// The curve of an EC key.
    pub const fn curve(self) -> Option<Curve> {
        match self {
            Self::EcP256 => Some(Curve::P256),
            Self::EcP384 => Some(Curve::P384),
            Self::EcP521 => Some(Curve::P521),
            Self::EcSecp256k1 => Some(Curve::Secp256k1),
            _ => None,
        }
    }

    /// The JOSE `crv`, which Ed25519 has as well.
    pub const fn crv(self) -> Option<&'static str> {
        match self {
            Self::Ed25519 => Some("Ed25519"),
            _ => match self.curve() {
                Some(curve) => Some(curve.name()),
                None => None,
            },
        }
    }

    /// RSA modulus or symmetric key length in bits; `None` where the curve or
    /// algorithm fixes it.
    pub const fn bits(self) -> Option<u32> {
        match self {
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            Self::Aes128 => Some(128),
            Self::Aes192 => Some(192),
            Self::Aes256 | Self::Hmac256 => Some(256),
            Self::Hmac384 => Some(384),
            Self::Hmac512 => Some(512),
            _ => None,
        }
    }

    /// Whether the key is AES.
    pub const fn is_aes(self) -> bool {
        matches!(self, Self::Aes128 | Self::Aes192 | Self::Aes256)
    }

    /// Whether the key is for HMAC.
    pub const fn is_hmac(self) -> bool {
        matches!(self, Self::Hmac256 | Self::Hmac384 | Self::Hmac512)
    }

    /// Every operation a key of this kind could do.
    pub const fn operations(self) -> KeyOps {
        use Operation::{Decrypt, Encrypt, Sign, UnwrapKey, Verify, WrapKey};
        match self.key_type() {
            KeyType::Rsa => KeyOps::of(&[Sign, Verify, Encrypt, Decrypt, WrapKey, UnwrapKey]),
            KeyType::Ec | KeyType::Okp | KeyType::Akp => KeyOps::of(&[Sign, Verify]),
            KeyType::Oct if self.is_aes() => KeyOps::of(&[Encrypt, Decrypt, WrapKey, UnwrapKey]),
            KeyType::Oct => KeyOps::of(&[Sign, Verify]),
        }
    }

    /// The kind that a caller describes as `kty`, `crv`, `size` in bits and
    /// operations. An `oct` key is for HMAC when its operations are only sign and
    /// verify, and for AES otherwise: one key is never both.
    pub fn from_jose(
        kty: &str,
        crv: Option<&str>,
        size: Option<u32>,
        ops: KeyOps,
    ) -> Result<Self, UnsupportedKeySpec> {
        let mac = !ops.is_empty() && Self::Hmac256.operations().covers(ops);
        match (kty, crv, size) {
            ("RSA", None, None | Some(2048)) => Ok(Self::Rsa2048),
            ("RSA", None, Some(3072)) => Ok(Self::Rsa3072),
            ("RSA", None, Some(4096)) => Ok(Self::Rsa4096),
            ("EC", Some("P-256"), None) => Ok(Self::EcP256),
            ("EC", Some("P-384"), None) => Ok(Self::EcP384),
            ("EC", Some("P-521"), None) => Ok(Self::EcP521),
            ("EC", Some("secp256k1" | "P-256K"), None) => Ok(Self::EcSecp256k1),
            ("OKP", Some("Ed25519"), None) => Ok(Self::Ed25519),
            ("AKP", None | Some("ML-DSA-65"), None) => Ok(Self::MlDsa65),
            ("oct", None, None | Some(256)) if mac => Ok(Self::Hmac256),
            ("oct", None, Some(384)) if mac => Ok(Self::Hmac384),
            ("oct", None, Some(512)) if mac => Ok(Self::Hmac512),
            ("oct", None, Some(128)) if !mac => Ok(Self::Aes128),
            ("oct", None, Some(192)) if !mac => Ok(Self::Aes192),
            ("oct", None, None | Some(256)) if !mac => Ok(Self::Aes256),
            _ => Err(UnsupportedKeySpec),
        }
    }
}

impl fmt::Display for KeySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "RSA-2048",
            Self::Rsa3072 => "RSA-3072",
            Self::Rsa4096 => "RSA-4096",
            Self::EcP256 => "EC P-256",
            Self::EcP384 => "EC P-384",
            Self::EcP521 => "EC P-521",
            Self::EcSecp256k1 => "EC secp256k1",
            Self::Ed25519 => "OKP Ed25519",
            Self::Aes128 => "AES-128",
            Self::Aes192 => "AES-192",
            Self::Aes256 => "AES-256",
            Self::Hmac256 => "HMAC-256",
            Self::Hmac384 => "HMAC-384",
            Self::Hmac512 => "HMAC-512",
            Self::MlDsa65 => "ML-DSA-65",
        })
    }
}

/// No supported kind of key has this `kty`, `crv` and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsupportedKeySpec;

impl fmt::Display for UnsupportedKeySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "unsupported key; use RSA with size 2048, 3072 or 4096; EC with crv P-256, P-384, \
             P-521 or secp256k1; OKP with crv Ed25519; oct with size 128, 192 or 256 (for sign \
             and verify only: 256, 384 or 512); or AKP with crv ML-DSA-65",
        )
    }
}

impl std::error::Error for UnsupportedKeySpec {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a reordered enum, which would misread every stored policy.
    #[test]
    fn codes_are_their_position() {
        for (i, spec) in KeySpec::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(spec.code()), i);
        }
        assert_eq!(KeySpec::MlDsa65.code(), 14);
    }

    /// Guards against an AES key that also computes MACs.
    #[test]
    fn oct_keys_are_aes_or_hmac_by_their_operations() {
        let mac = KeyOps::of(&[Operation::Sign, Operation::Verify]);
        assert_eq!(KeySpec::from_jose("oct", None, Some(256), mac), Ok(KeySpec::Hmac256));
        assert_eq!(KeySpec::from_jose("oct", None, Some(256), KeyOps::NONE), Ok(KeySpec::Aes256));
        assert!(KeySpec::from_jose("oct", None, Some(128), mac).is_err());
        assert!(KeySpec::from_jose("RSA", None, Some(1024), KeyOps::NONE).is_err());
    }
}
