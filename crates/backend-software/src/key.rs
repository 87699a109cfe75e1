//! The opened key: parsed once, shared by its clones, wiped with the last.
//!
//! aws-lc wipes what it frees, and so do k256 and aes-kw; raw bytes that stay
//! beside a parsed key are in a `Secret`.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, LessSafeKey, UnboundKey},
    cipher::{self, DecryptingKey, EncryptingKey, UnboundCipherKey},
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair, ML_DSA_65_SIGNING, PqdsaKeyPair,
    },
};
use k256::ecdsa::SigningKey;
use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{Curve, KeySpec, MacAlgorithm, Secret};

use crate::rsa_key::RsaKey;

/// An opened key of the software keystore.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    spec: KeySpec,
    kind: Kind,
}

/// The parsed key, by what runs it.
pub(crate) enum Kind {
    Rsa(Box<RsaKey>),
    Ec(EcdsaKeyPair),
    Secp256k1(SigningKey),
    Ed25519(Ed25519KeyPair),
    MlDsa65(PqdsaKeyPair),
    Aes(Box<AesKey>),
    Hmac(Box<HmacKey>),
}

impl Key {
    /// Parses private key bytes in the encoding of [`PrivateKey`], and checks that
    /// they are of kind `spec`.
    pub(crate) fn parse(spec: KeySpec, private: &PrivateKey) -> Result<Self, InvalidInput> {
        let bytes = private.expose().as_slice();
        let malformed = InvalidInput::MalformedKey;
        let kind = match spec {
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
                Kind::Rsa(Box::new(RsaKey::parse(spec, bytes)?))
            }
            KeySpec::EcP256 | KeySpec::EcP384 | KeySpec::EcP521 | KeySpec::EcSecp256k1 => {
                parse_ec(spec, bytes)?
            }
            KeySpec::Ed25519 if bytes.len() == 32 => Ed25519KeyPair::from_seed_unchecked(bytes)
                .map(Kind::Ed25519)
                .map_err(|_| malformed)?,
            KeySpec::MlDsa65 => PqdsaKeyPair::from_seed(&ML_DSA_65_SIGNING, bytes)
                .map(Kind::MlDsa65)
                .map_err(|_| malformed)?,
            _ if spec.bits() != u32::try_from(bytes.len() * 8).ok() => return Err(malformed),
            _ if spec.is_hmac() => Kind::Hmac(Box::new(HmacKey::new(spec, bytes))),
            _ => Kind::Aes(Box::new(AesKey::new(bytes).ok_or(malformed)?)),
        };
        Ok(Self::from_kind(spec, kind))
    }

    pub(crate) fn from_kind(spec: KeySpec, kind: Kind) -> Self {
        Self(Arc::new(Inner { spec, kind }))
    }

    pub(crate) fn spec(&self) -> KeySpec {
        self.0.spec
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The public half as `SubjectPublicKeyInfo` DER; `None` for AES and HMAC.
    pub(crate) fn public(&self) -> Result<Option<Vec<u8>>, InvalidInput> {
        let public = match &self.0.kind {
            Kind::Rsa(key) => return Ok(Some(key.public().spki().to_vec())),
            Kind::Ec(pair) => {
                let curve = self.0.spec.curve().ok_or(InvalidInput::WrongKeyType)?;
                PublicKey::from_ec_point(curve, pair.public_key().as_ref())?
            }
            Kind::Secp256k1(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                PublicKey::from_ec_point(Curve::Secp256k1, point.as_bytes())?
            }
            Kind::Ed25519(pair) => PublicKey::from_ed25519(pair.public_key().as_ref())?,
            Kind::MlDsa65(pair) => PublicKey::from_ml_dsa_65(pair.public_key().as_ref())?,
            Kind::Aes(_) | Kind::Hmac(_) => return Ok(None),
        };
        Ok(Some(public.spki().to_vec()))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.0.spec)
    }
}

/// aws-lc's name for signing on a NIST curve.
pub(crate) fn ec_algorithm(spec: KeySpec) -> Option<&'static EcdsaSigningAlgorithm> {
    Some(match spec {
        KeySpec::EcP256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        KeySpec::EcP384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        KeySpec::EcP521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => return None,
    })
}

fn parse_ec(spec: KeySpec, pkcs8: &[u8]) -> Result<Kind, InvalidInput> {
    let malformed = InvalidInput::MalformedKey;
    match ec_algorithm(spec) {
        Some(algorithm) => {
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map(Kind::Ec).map_err(|_| malformed)
        }
        None => {
            use k256::pkcs8::DecodePrivateKey;
            SigningKey::from_pkcs8_der(pkcs8).map(Kind::Secp256k1).map_err(|_| malformed)
        }
    }
}

/// An AES key: its bytes, and a key schedule per mode, made when first used.
pub(crate) struct AesKey {
    bytes: Secret<Vec<u8>>,
    gcm: LessSafeKey,
    encrypting: OnceLock<EncryptingKey>,
    decrypting: OnceLock<DecryptingKey>,
}

impl AesKey {
    fn new(bytes: &[u8]) -> Option<Self> {
        let algorithm = match bytes.len() {
            16 => &AES_128_GCM,
            24 => &AES_192_GCM,
            _ => &AES_256_GCM,
        };
        Some(Self {
            gcm: LessSafeKey::new(UnboundKey::new(algorithm, bytes).ok()?),
            bytes: Secret::new(bytes.to_vec()),
            encrypting: OnceLock::new(),
            decrypting: OnceLock::new(),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.expose()
    }

    pub(crate) fn gcm(&self) -> &LessSafeKey {
        &self.gcm
    }

    pub(crate) fn cbc_encrypting(&self) -> Option<&EncryptingKey> {
        get_or_make(&self.encrypting, || EncryptingKey::cbc(self.cipher_key()?).ok())
    }

    pub(crate) fn cbc_decrypting(&self) -> Option<&DecryptingKey> {
        get_or_make(&self.decrypting, || DecryptingKey::cbc(self.cipher_key()?).ok())
    }

    fn cipher_key(&self) -> Option<UnboundCipherKey> {
        let algorithm = match self.bytes().len() {
            16 => &cipher::AES_128,
            24 => &cipher::AES_192,
            _ => &cipher::AES_256,
        };
        UnboundCipherKey::new(algorithm, self.bytes()).ok()
    }
}

/// An HMAC key, prepared for each hash that it is long enough for.
pub(crate) struct HmacKey([Option<hmac::Key>; 3]);

impl HmacKey {
    fn new(spec: KeySpec, bytes: &[u8]) -> Self {
        let prepare = |algorithm: MacAlgorithm| {
            let hash = match algorithm {
                MacAlgorithm::Hs256 => hmac::HMAC_SHA256,
                MacAlgorithm::Hs384 => hmac::HMAC_SHA384,
                MacAlgorithm::Hs512 => hmac::HMAC_SHA512,
            };
            algorithm.fits(spec).then(|| hmac::Key::new(hash, bytes))
        };
        Self(MacAlgorithm::ALL.map(prepare))
    }

    pub(crate) fn prepared(&self, algorithm: MacAlgorithm) -> Option<&hmac::Key> {
        self.0[algorithm as usize].as_ref()
    }
}

/// The value of `cell`, made by `make` if it is not there yet.
pub(crate) fn get_or_make<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Option<T>) -> Option<&T> {
    match cell.get() {
        Some(made) => Some(made),
        None => {
            let made = make()?;
            Some(cell.get_or_init(|| made))
        }
    }
}
