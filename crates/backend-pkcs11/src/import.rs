//! Import: a key made elsewhere becomes a token object like one generated there.
//!
//! The public half is stored first, so that a crash between the two leaves a public
//! key and not a private one that nobody can name. The key was checked before it
//! came here; what is checked again is that it is of the kind it is said to be.

use aws_lc_rs::{
    encoding::AsBigEndian,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED_SIGNING,
        ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair,
    },
};
use cryptoki::object::Attribute;
use keyreeve_backend::{Error, InvalidInput, NewKey, PrivateKey};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{Curve, KeyOps, KeySpec, KeyType, VersionId};
use pkcs1::RsaPrivateKey;
use pkcs8::{PrivateKeyInfoRef, der::Decode};

use crate::{
    curve,
    find::{Found, find},
    generate::{existing, tested},
    session::{Pkcs11Key, Pkcs11Session},
    template::{Template, Wiped},
    wrapped,
};

/// Imports once per version id: who repeats the call gets the key of the first one.
pub(crate) fn import(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    ops: KeyOps,
    private: &PrivateKey,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let capabilities = session.capabilities();
    if !capabilities.import.contains(&spec) || !capabilities.allows_ops(spec, ops) {
        return Err(Error::Unsupported);
    }
    let parts = Parts::of(spec, private.expose())?;
    if session.capabilities().wrapped.contains(&spec) {
        let public = parts.public.map(|public| public.key.spki().to_vec());
        return wrapped::import(session, id, spec, ops, parts.private, public);
    }
    let found = find(session, id, spec)?;
    if found.private.is_some() {
        let new = existing(session, &found, spec)?;
        let same = match (&parts.public, &new.public) {
            (Some(key), Some(spki)) => key.key.spki() == spki,
            (None, None) => true,
            _ => false,
        };
        return if same { Ok(new) } else { Err(Error::CorruptKey) };
    }
    if let Some(orphan) = found.public {
        session.call(|raw| raw.destroy_object(orphan))?;
    }
    let key_type = curve::key_type(spec).ok_or(Error::Unsupported)?;
    let template = Template { id, spec, ops, quirks: session.quirks() };
    let private_attributes = template.private(key_type);
    let mut public_attributes = template.public(key_type);
    let public = match &parts.public {
        Some(public) => {
            public_attributes.extend_from_slice(&public.attributes);
            Some(session.call(|raw| raw.create_object(&public_attributes))?)
        }
        None => None,
    };
    let mut whole = Wiped(private_attributes);
    whole.0.extend_from_slice(&parts.private.0);
    let private = session.call(|raw| raw.create_object(&whole.0))?;
    tested(session, &Found { private: Some(private), public }, id, spec, ops)
}

/// The values of both halves, as attributes.
struct Parts {
    private: Wiped,
    public: Option<PublicHalf>,
}

struct PublicHalf {
    key: PublicKey,
    attributes: Vec<Attribute>,
}

impl Parts {
    fn of(spec: KeySpec, bytes: &[u8]) -> Result<Self, Error> {
        let parts = match (spec.key_type(), spec.curve()) {
            (KeyType::Rsa, _) => rsa(bytes)?,
            (KeyType::Ec, Some(curve)) => ec(spec, curve, bytes)?,
            (KeyType::Okp, _) => ed25519(bytes)?,
            (KeyType::Oct, _) => {
                let expected = spec.bits().map_or(0, |bits| bits as usize / 8);
                if bytes.len() != expected {
                    return Err(InvalidInput::WrongKeyType.into());
                }
                let private = Wiped(vec![Attribute::Value(bytes.to_vec())]);
                return Ok(Self { private, public: None });
            }
            _ => return Err(Error::Unsupported),
        };
        match &parts.public {
            Some(public) if public.key.spec() == spec => Ok(parts),
            _ => Err(InvalidInput::WrongKeyType.into()),
        }
    }
}

/// RFC 8017 appendix A.1.2 inside PKCS#8: every part, so that the token computes by CRT.
fn rsa(pkcs8: &[u8]) -> Result<Parts, Error> {
    let malformed = |_| Error::from(InvalidInput::MalformedKey);
    let info = PrivateKeyInfoRef::from_der(pkcs8).map_err(malformed)?;
    let key = RsaPrivateKey::<pkcs1::UintRef<'_>>::from_der(info.private_key.as_bytes())
        .map_err(malformed)?;
    let (n, e) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
    let own = |part: &pkcs1::UintRef<'_>| part.as_bytes().to_vec();
    let private = Wiped(vec![
        Attribute::Modulus(n.to_vec()),
        Attribute::PublicExponent(e.to_vec()),
        Attribute::PrivateExponent(own(&key.private_exponent)),
        Attribute::Prime1(own(&key.prime1)),
        Attribute::Prime2(own(&key.prime2)),
        Attribute::Exponent1(own(&key.exponent1)),
        Attribute::Exponent2(own(&key.exponent2)),
        Attribute::Coefficient(own(&key.coefficient)),
    ]);
    let attributes = vec![Attribute::Modulus(n.to_vec()), Attribute::PublicExponent(e.to_vec())];
    let key = PublicKey::from_rsa(n, e)?;
    Ok(Parts { private, public: Some(PublicHalf { key, attributes }) })
}

/// The point is computed from the scalar: a PKCS#8 file need not carry it.
fn ec(spec: KeySpec, on: Curve, pkcs8: &[u8]) -> Result<Parts, Error> {
    let algorithm = match on {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_FIXED_SIGNING,
    };
    let pair =
        EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(|_| InvalidInput::MalformedKey)?;
    let scalar = pair.private_key().as_be_bytes().map_err(|_| InvalidInput::MalformedKey)?;
    let params = curve::ec_params(spec).ok_or(Error::Unsupported)?;
    let private = Wiped(vec![
        Attribute::EcParams(params.to_vec()),
        Attribute::Value(scalar.as_ref().to_vec()),
    ]);
    let point = pair.public_key().as_ref();
    let attributes =
        vec![Attribute::EcParams(params.to_vec()), Attribute::EcPoint(curve::ec_point(point))];
    let key = PublicKey::from_ec_point(on, point)?;
    Ok(Parts { private, public: Some(PublicHalf { key, attributes }) })
}

fn ed25519(seed: &[u8]) -> Result<Parts, Error> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| InvalidInput::MalformedKey)?;
    let params = curve::ec_params(KeySpec::Ed25519).ok_or(Error::Unsupported)?;
    let private =
        Wiped(vec![Attribute::EcParams(params.to_vec()), Attribute::Value(seed.to_vec())]);
    let point = pair.public_key().as_ref();
    let attributes =
        vec![Attribute::EcParams(params.to_vec()), Attribute::EcPoint(curve::ec_point(point))];
    let key = PublicKey::from_ed25519(point)?;
    Ok(Parts { private, public: Some(PublicHalf { key, attributes }) })
}
