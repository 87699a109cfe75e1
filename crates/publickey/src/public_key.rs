//! The type: a public key that was checked, with everything parsed that verifying
//! needs.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ML_DSA_65,
    ParsedPublicKey, VerificationAlgorithm,
};
use k256::ecdsa::VerifyingKey;
use keyreeve_backend::InvalidInput;
use keyreeve_types::{Curve, KeySpec};

use crate::{rsa::RsaPublicKey, spki};

/// A public key of a kind that Keyreeve supports, valid and parsed.
///
/// Whichever constructor made it, [`PublicKey::spki`] is the one DER encoding of
/// the key: RSA with NULL parameters (RFC 8017), EC points uncompressed with a
/// named curve (RFC 5480), Ed25519 (RFC 8410), ML-DSA-65 (RFC 9881).
pub struct PublicKey {
    pub(crate) spec: KeySpec,
    pub(crate) spki: Vec<u8>,
    pub(crate) parts: Parts,
}

/// The parsed key, by what runs it.
pub(crate) enum Parts {
    /// RSA keeps one parsed form per algorithm.
    Rsa(Box<RsaPublicKey>),
    /// NIST curves. `point` is 04‖x‖y.
    Ec { key: ParsedPublicKey, point: Vec<u8> },
    /// secp256k1, which k256 runs three times as fast as aws-lc.
    Secp256k1 { key: VerifyingKey, point: Vec<u8> },
    /// Ed25519 and ML-DSA-65, whose public keys are plain bytes.
    Raw { key: ParsedPublicKey, bytes: Vec<u8> },
}

impl PublicKey {
    /// Parses `SubjectPublicKeyInfo` DER (RFC 5280 section 4.1.2.7).
    pub fn from_spki(der: &[u8]) -> Result<Self, InvalidInput> {
        match spki::parse(der)? {
            spki::Parsed::Rsa { n, e } => Self::from_rsa(n, e),
            spki::Parsed::Ec(curve, point) => Self::from_ec_point(curve, point),
            spki::Parsed::Ed25519(bytes) => Self::from_ed25519(bytes),
            spki::Parsed::MlDsa65(bytes) => Self::from_ml_dsa_65(bytes),
        }
    }

    /// An RSA key from modulus and exponent, big-endian; leading zeros are ignored.
    pub fn from_rsa(n: &[u8], e: &[u8]) -> Result<Self, InvalidInput> {
        let (spec, key) = RsaPublicKey::new(n, e)?;
        let spki = spki::rsa(key.pkcs1())?;
        Ok(Self { spec, spki, parts: Parts::Rsa(Box::new(key)) })
    }

    /// An EC key from its uncompressed point, 04‖x‖y (SEC 1 section 2.3.3).
    pub fn from_ec_point(curve: Curve, point: &[u8]) -> Result<Self, InvalidInput> {
        if point.len() != 1 + 2 * curve.field_len() || point[0] != 4 {
            return Err(InvalidInput::MalformedKey);
        }
        let (spec, algorithm): (_, &'static dyn VerificationAlgorithm) = match curve {
            Curve::P256 => (KeySpec::EcP256, &ECDSA_P256_SHA256_FIXED),
            Curve::P384 => (KeySpec::EcP384, &ECDSA_P384_SHA384_FIXED),
            Curve::P521 => (KeySpec::EcP521, &ECDSA_P521_SHA512_FIXED),
            Curve::Secp256k1 => return Self::from_secp256k1_point(point),
        };
        let key =
            ParsedPublicKey::new(algorithm, point).map_err(|_| InvalidInput::PointNotOnCurve)?;
        let spki = spki::ec(curve, point)?;
        Ok(Self { spec, spki, parts: Parts::Ec { key, point: point.to_vec() } })
    }

    fn from_secp256k1_point(point: &[u8]) -> Result<Self, InvalidInput> {
        let key =
            VerifyingKey::from_sec1_bytes(point).map_err(|_| InvalidInput::PointNotOnCurve)?;
        let spki = spki::ec(Curve::Secp256k1, point)?;
        let parts = Parts::Secp256k1 { key, point: point.to_vec() };
        Ok(Self { spec: KeySpec::EcSecp256k1, spki, parts })
    }

    /// An Ed25519 key from its 32 bytes (RFC 8032 section 5.1.5).
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, InvalidInput> {
        if bytes.len() != 32 {
            return Err(InvalidInput::MalformedKey);
        }
        let key =
            ParsedPublicKey::new(&ED25519, bytes).map_err(|_| InvalidInput::PointNotOnCurve)?;
        let parts = Parts::Raw { key, bytes: bytes.to_vec() };
        Ok(Self { spec: KeySpec::Ed25519, spki: spki::ed25519(bytes)?, parts })
    }

    /// An ML-DSA-65 key from its 1952 bytes (FIPS 204 algorithm 22).
    pub fn from_ml_dsa_65(bytes: &[u8]) -> Result<Self, InvalidInput> {
        if bytes.len() != 1952 {
            return Err(InvalidInput::MalformedKey);
        }
        let key =
            ParsedPublicKey::new(&ML_DSA_65, bytes).map_err(|_| InvalidInput::MalformedKey)?;
        let parts = Parts::Raw { key, bytes: bytes.to_vec() };
        Ok(Self { spec: KeySpec::MlDsa65, spki: spki::ml_dsa_65(bytes)?, parts })
    }

    /// What kind of key this is.
    pub const fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The key as `SubjectPublicKeyInfo` DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The key as PEM, `BEGIN PUBLIC KEY` (RFC 7468 section 13), with line feeds.
    pub fn pem(&self) -> String {
        let lines = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", self.spki.as_slice()), lines)
    }
}

/// Two keys are equal if their encodings are.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const P256_G: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                          4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    fn base_point() -> Vec<u8> {
        let digits: Vec<u8> = P256_G.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| {
            let text = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(text, 16).expect("hex")
        };
        std::iter::once(4).chain(digits.chunks(2).map(byte)).collect()
    }

    /// Guards against an encoding that we write and cannot read.
    #[test]
    fn an_encoded_key_parses_to_itself() {
        let key = PublicKey::from_ec_point(Curve::P256, &base_point()).expect("a valid point");
        let again = PublicKey::from_spki(key.spki()).expect("our own encoding");
        assert_eq!(again, key);
        assert_eq!(again.spec(), KeySpec::EcP256);
        assert!(key.pem().starts_with("-----BEGIN PUBLIC KEY-----\n"));
    }

    /// Guards against an invalid-curve attack: a point that is on no curve of ours.
    #[test]
    fn a_point_off_the_curve_is_refused() {
        let mut point = base_point();
        point[64] ^= 1;
        for curve in [Curve::P256, Curve::Secp256k1] {
            assert_eq!(
                PublicKey::from_ec_point(curve, &point).err(),
                Some(InvalidInput::PointNotOnCurve)
            );
        }
    }

    /// Guards against bytes after the key, which would make two encodings of one key.
    #[test]
    fn trailing_bytes_are_refused() {
        let key = PublicKey::from_ec_point(Curve::P256, &base_point()).expect("a valid point");
        let mut der = key.spki().to_vec();
        der.push(0);
        assert_eq!(PublicKey::from_spki(&der).err(), Some(InvalidInput::MalformedKey));
    }

    /// Guards against RSA sizes and exponents outside what verifying is safe and fast for.
    #[test]
    fn rsa_outside_the_limits_is_refused() {
        let unsupported = Some(InvalidInput::UnsupportedRsaKey);
        let n = |bytes: usize| vec![0xff; bytes];
        assert!(PublicKey::from_rsa(&n(256), &[1, 0, 1]).is_ok());
        assert_eq!(PublicKey::from_rsa(&n(128), &[1, 0, 1]).err(), unsupported);
        assert_eq!(PublicKey::from_rsa(&n(1024), &[1, 0, 1]).err(), unsupported);
        assert_eq!(PublicKey::from_rsa(&n(256), &[3]).err(), unsupported);
        assert_eq!(PublicKey::from_rsa(&n(256), &[1, 0, 2]).err(), unsupported);
        assert_eq!(PublicKey::from_rsa(&n(256), &[1, 0, 0, 0, 1]).err(), unsupported);
        assert_eq!(PublicKey::from_rsa(&[], &[]).err(), unsupported);
    }

    proptest! {
        /// Guards against a parser that panics on hostile DER.
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = PublicKey::from_spki(&bytes);
        }

        /// Guards against a panic behind a valid beginning.
        #[test]
        fn a_damaged_key_never_panics(at in 0usize..91, to in any::<u8>()) {
            let key = PublicKey::from_ec_point(Curve::P256, &base_point()).expect("valid");
            let mut der = key.spki().to_vec();
            der[at] = to;
            if let Ok(parsed) = PublicKey::from_spki(&der) {
                prop_assert_eq!(parsed.spki(), &der[..]);
            }
        }
    }
}
