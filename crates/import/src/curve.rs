//! EC keys: scalar in range, point on the curve, and the one belonging to the other.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
};
use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{Curve, KeySpec};
use sec1::{EcParameters, EcPrivateKey, der::Encode};
use zeroize::Zeroizing;

use crate::{der::CURVES, private};

/// Checks an EC key and encodes it as PKCS#8.
pub(crate) fn check(
    curve: Curve,
    scalar: &[u8],
    point: Option<&[u8]>,
) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    if let Some(point) = point {
        PublicKey::from_ec_point(curve, point)?;
    }
    let pair = derive(curve, scalar).ok_or(InvalidInput::MalformedKey)?;
    let derived = pair.public_key().as_ref();
    if point.is_some_and(|point| point != derived) {
        return Err(InvalidInput::MalformedKey);
    }
    let spec = PublicKey::from_ec_point(curve, derived)?.spec();
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| InvalidInput::MalformedKey)?;
    Ok((spec, private(pkcs8.as_ref())))
}

/// The pair of a scalar from 1 to the order of the group; `None` for any other.
fn derive(curve: Curve, scalar: &[u8]) -> Option<EcdsaKeyPair> {
    if scalar.len() != curve.field_len() {
        return None;
    }
    let algorithm = match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_FIXED_SIGNING,
    };
    let (_, oid) = CURVES.into_iter().find(|(named, _)| *named == curve)?;
    // Without a public key inside, the library computes it from the scalar.
    let bare = EcPrivateKey {
        private_key: scalar,
        parameters: Some(EcParameters::NamedCurve(oid)),
        public_key: None,
    };
    let der = Zeroizing::new(bare.to_der().ok()?);
    EcdsaKeyPair::from_private_key_der(algorithm, &der).ok()
}
