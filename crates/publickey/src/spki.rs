//! `SubjectPublicKeyInfo`: reading what we support, writing one form of each.
//!
//! It reads no compressed points, no curves by parameters and no RSA-PSS key
//! type: each would be a second encoding of a key that already has one.

use ::spki::{
    AlgorithmIdentifier, ObjectIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef,
    der::{
        Decode, Encode,
        asn1::{AnyRef, BitStringRef},
    },
};
use keyreeve_backend::InvalidInput;
use keyreeve_types::Curve;
use pkcs1::RsaPublicKeyRef;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");

const CURVES: [(Curve, ObjectIdentifier); 4] = [
    (Curve::P256, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    (Curve::P384, ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    (Curve::P521, ObjectIdentifier::new_unwrap("1.3.132.0.35")),
    (Curve::Secp256k1, ObjectIdentifier::new_unwrap("1.3.132.0.10")),
];

/// What a `SubjectPublicKeyInfo` says, not checked yet.
pub(crate) enum Parsed<'a> {
    Rsa { n: &'a [u8], e: &'a [u8] },
    Ec(Curve, &'a [u8]),
    Ed25519(&'a [u8]),
    MlDsa65(&'a [u8]),
}

/// Reads DER, all of it.
pub(crate) fn parse(der: &[u8]) -> Result<Parsed<'_>, InvalidInput> {
    let malformed = |_| InvalidInput::MalformedKey;
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
    let bits = info.subject_public_key.as_bytes().ok_or(InvalidInput::MalformedKey)?;
    let parameters = info.algorithm.parameters;
    match (info.algorithm.oid, parameters) {
        (RSA, Some(p)) if p == AnyRef::NULL => {
            let key = RsaPublicKeyRef::try_from(bits).map_err(|_| InvalidInput::MalformedKey)?;
            Ok(Parsed::Rsa { n: key.modulus.as_bytes(), e: key.public_exponent.as_bytes() })
        }
        (EC, Some(name)) => {
            let oid: ObjectIdentifier = name.decode_as().map_err(malformed)?;
            let curve = CURVES.iter().find(|(_, named)| *named == oid);
            curve.map(|(c, _)| Parsed::Ec(*c, bits)).ok_or(InvalidInput::WrongKeyType)
        }
        (ED25519, None) => Ok(Parsed::Ed25519(bits)),
        (ML_DSA_65, None) => Ok(Parsed::MlDsa65(bits)),
        (RSA | EC | ED25519 | ML_DSA_65, _) => Err(InvalidInput::MalformedKey),
        _ => Err(InvalidInput::WrongKeyType),
    }
}

pub(crate) fn rsa(pkcs1: &[u8]) -> Result<Vec<u8>, InvalidInput> {
    write(RSA, Some(AnyRef::NULL), pkcs1)
}

pub(crate) fn ec(curve: Curve, point: &[u8]) -> Result<Vec<u8>, InvalidInput> {
    let named = CURVES.iter().find(|(c, _)| *c == curve).map(|(_, oid)| oid);
    write(EC, named.map(AnyRef::from), point)
}

pub(crate) fn ed25519(bytes: &[u8]) -> Result<Vec<u8>, InvalidInput> {
    write(ED25519, None, bytes)
}

pub(crate) fn ml_dsa_65(bytes: &[u8]) -> Result<Vec<u8>, InvalidInput> {
    write(ML_DSA_65, None, bytes)
}

fn write(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    key: &[u8],
) -> Result<Vec<u8>, InvalidInput> {
    let malformed = |_| InvalidInput::MalformedKey;
    let algorithm = AlgorithmIdentifier { oid, parameters };
    let subject_public_key = BitStringRef::from_bytes(key).map_err(malformed)?;
    SubjectPublicKeyInfo { algorithm, subject_public_key }.to_der().map_err(malformed)
}
