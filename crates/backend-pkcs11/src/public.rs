//! From a token's attributes to a public key.
//!
//! A private EC object has no `CKA_EC_POINT`, in any module, so the public object
//! made with it is kept under the same `CKA_ID` and is where the public key is read
//! from. For RSA the private object will do as well, and stands in if the public one
//! was lost.

use cryptoki::{
    error::Error as Pkcs11Error,
    object::{Attribute, AttributeType, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::{Error, InvalidInput};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{KeySpec, KeyType};

use crate::{curve, session::Pkcs11Session};

/// Reads the public key of kind `spec` from `object`.
///
/// # Errors
///
/// [`Error::CorruptKey`] if what is there is not a key of that kind.
pub(crate) fn read(
    session: &mut Pkcs11Session,
    object: ObjectHandle,
    spec: KeySpec,
) -> Result<PublicKey, Error> {
    session.call(|raw| attributes(raw, object, spec))?.parse()
}

/// The attributes that make up a public key, as the module returned them.
pub(crate) struct PublicAttributes {
    spec: KeySpec,
    attributes: Vec<Attribute>,
}

/// Reads them.
pub(crate) fn attributes(
    raw: &Raw,
    object: ObjectHandle,
    spec: KeySpec,
) -> Result<PublicAttributes, Pkcs11Error> {
    let wanted: &[AttributeType] = match spec.key_type() {
        KeyType::Rsa => &[AttributeType::Modulus, AttributeType::PublicExponent],
        _ => &[AttributeType::EcParams, AttributeType::EcPoint],
    };
    let attributes = raw.get_attributes(object, wanted)?;
    Ok(PublicAttributes { spec, attributes })
}

impl PublicAttributes {
    /// The public key, if they are one of their kind.
    pub(crate) fn parse(&self) -> Result<PublicKey, Error> {
        let key = match (self.spec.key_type(), self.attributes.as_slice()) {
            (KeyType::Rsa, [Attribute::Modulus(n), Attribute::PublicExponent(e)]) => {
                PublicKey::from_rsa(n, e)
            }
            (KeyType::Ec | KeyType::Okp, [Attribute::EcParams(_), Attribute::EcPoint(point)]) => {
                let point = curve::point(point, self.spec).ok_or(Error::CorruptKey)?;
                match self.spec.curve() {
                    Some(curve) => PublicKey::from_ec_point(curve, point),
                    None => PublicKey::from_ed25519(point),
                }
            }
            _ => Err(InvalidInput::MalformedKey),
        };
        key.ok().filter(|key| key.spec() == self.spec).ok_or(Error::CorruptKey)
    }
}
