//! Private keys in DER: PKCS#8, PKCS#1 and SEC 1. Nothing is copied: the parts
//! point into the input.

use keyreeve_backend::InvalidInput;
use keyreeve_types::Curve;
use pkcs1::RsaPrivateKeyRef;
use pkcs8::{
    ObjectIdentifier, PrivateKeyInfoRef,
    der::{
        Decode, Reader, SliceReader,
        asn1::{AnyRef, OctetStringRef},
    },
};
use sec1::{EcParameters, EcPrivateKey};

use crate::{Parts, rsa::RsaParts};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");

/// The curves, by their object identifiers (RFC 5480, SEC 2).
pub(crate) const CURVES: [(Curve, ObjectIdentifier); 4] = [
    (Curve::P256, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    (Curve::P384, ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    (Curve::P521, ObjectIdentifier::new_unwrap("1.3.132.0.35")),
    (Curve::Secp256k1, ObjectIdentifier::new_unwrap("1.3.132.0.10")),
];

/// PKCS#8, `PrivateKeyInfo` and `OneAsymmetricKey` (RFC 5958).
pub(crate) fn pkcs8(der: &[u8]) -> Result<Parts<'_>, InvalidInput> {
    let malformed = InvalidInput::MalformedKey;
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| malformed)?;
    let key = info.private_key.as_bytes();
    let public = match info.public_key {
        Some(bits) => Some(bits.as_bytes().ok_or(malformed)?),
        None => None,
    };
    match (info.algorithm.oid, info.algorithm.parameters) {
        (RSA, Some(none)) if none == AnyRef::NULL => pkcs1(key),
        (EC, Some(name)) => ec(key, Some(name.decode_as().map_err(|_| malformed)?), public),
        (ED25519, None) => {
            let seed = <&OctetStringRef>::from_der(key).map_err(|_| malformed)?;
            Ok(Parts::Ed25519 { seed: seed.as_bytes(), public })
        }
        (ML_DSA_65, None) => ml_dsa_65(key, public),
        (RSA | EC | ED25519 | ML_DSA_65, _) => Err(malformed),
        _ => Err(InvalidInput::WrongKeyType),
    }
}

/// PKCS#1, `RSAPrivateKey` (RFC 8017 appendix A.1.2), of two primes.
pub(crate) fn pkcs1(der: &[u8]) -> Result<Parts<'_>, InvalidInput> {
    let key = RsaPrivateKeyRef::from_der(der).map_err(|_| InvalidInput::MalformedKey)?;
    if key.other_prime_infos.is_some() {
        return Err(InvalidInput::UnsupportedRsaKey);
    }
    Ok(Parts::Rsa(RsaParts {
        n: key.modulus.as_bytes(),
        e: key.public_exponent.as_bytes(),
        d: key.private_exponent.as_bytes(),
        p: key.prime1.as_bytes(),
        q: key.prime2.as_bytes(),
        dp: key.exponent1.as_bytes(),
        dq: key.exponent2.as_bytes(),
        qi: key.coefficient.as_bytes(),
    }))
}

/// SEC 1, `ECPrivateKey` (RFC 5915), which names its own curve.
pub(crate) fn sec1(der: &[u8]) -> Result<Parts<'_>, InvalidInput> {
    ec(der, None, None)
}

/// `ECPrivateKey`, in a PKCS#8 that names the curve `outer`, or alone. Curve and
/// public key may be given twice, and must agree then.
fn ec<'a>(
    der: &'a [u8],
    outer: Option<ObjectIdentifier>,
    outer_point: Option<&'a [u8]>,
) -> Result<Parts<'a>, InvalidInput> {
    let malformed = InvalidInput::MalformedKey;
    let key = EcPrivateKey::from_der(der).map_err(|_| malformed)?;
    let inner = key.parameters.map(|EcParameters::NamedCurve(oid)| oid);
    let oid = outer.or(inner).ok_or(malformed)?;
    if inner.is_some_and(|inner| inner != oid) {
        return Err(malformed);
    }
    let point = outer_point.or(key.public_key);
    if key.public_key.is_some_and(|inner| Some(inner) != point) {
        return Err(malformed);
    }
    let named = CURVES.into_iter().find(|(_, known)| *known == oid);
    let (curve, _) = named.ok_or(InvalidInput::WrongKeyType)?;
    Ok(Parts::Ec { curve, scalar: key.private_key, point })
}

/// `ML-DSA-65-PrivateKey` (RFC 9881 section 6): the seed, or the seed with the
/// expanded key. The expanded key alone cannot be turned back into a seed.
fn ml_dsa_65<'a>(key: &'a [u8], public: Option<&'a [u8]>) -> Result<Parts<'a>, InvalidInput> {
    if let [0x80, 32, seed @ ..] = key
        && seed.len() == 32
    {
        return Ok(Parts::MlDsa65 { seed, expanded: None, public });
    }
    let (seed, expanded) = both(key).map_err(|_| InvalidInput::MalformedKey)?;
    Ok(Parts::MlDsa65 { seed, expanded: Some(expanded), public })
}

fn both(der: &[u8]) -> pkcs8::der::Result<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|inner: &mut SliceReader<'_>| {
        let seed: &OctetStringRef = inner.decode()?;
        let expanded: &OctetStringRef = inner.decode()?;
        pkcs8::der::Result::Ok((seed.as_bytes(), expanded.as_bytes()))
    })?;
    reader.finish()?;
    Ok(parts)
}
