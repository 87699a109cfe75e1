//! Looking a key up by its version id, and checking that it is the key we mean.

use cryptoki::{
    error::Error as Pkcs11Error,
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_types::{KeySpec, KeyType, VersionId};

use crate::{curve, profile::Quirks, session::Pkcs11Session, template::is_asymmetric};

/// What the token holds under one version id.
#[derive(Default)]
pub(crate) struct Found {
    /// The private or secret half.
    pub(crate) private: Option<ObjectHandle>,
    /// The public half.
    pub(crate) public: Option<ObjectHandle>,
}

/// Finds both halves of the key `id`. A search costs the token a look at every
/// object, so it is made once for both, and never on the path of an operation.
///
/// # Errors
///
/// [`Error::CorruptKey`] if there is more than one of a half, or if the private half
/// is not of kind `spec`; [`Error::DeviceFailed`] if nothing is found and the
/// token does not confirm that it is there at all.
pub(crate) fn find(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
) -> Result<Found, Error> {
    let shared = session.shared();
    let objects = session.call(|raw| objects(raw, id))?;
    let mut found = Found::default();
    for (handle, class) in objects {
        let half = match class {
            ObjectClass::PRIVATE_KEY if is_asymmetric(spec) => &mut found.private,
            ObjectClass::SECRET_KEY if !is_asymmetric(spec) => &mut found.private,
            ObjectClass::PUBLIC_KEY => &mut found.public,
            ObjectClass::PRIVATE_KEY | ObjectClass::SECRET_KEY => {
                tracing::error!(%id, %spec, "the token's key is of another kind than recorded");
                return Err(Error::CorruptKey);
            }
            _ => continue,
        };
        if half.replace(handle).is_some() {
            tracing::error!(%id, "the token holds two objects of one class under one version id");
            return Err(Error::CorruptKey);
        }
    }
    match found.private {
        Some(private) if !session.call(|raw| is_of_kind(raw, private, spec, &shared.quirks))? => {
            tracing::error!(%id, %spec, "the token's key is of another kind than recorded");
            return Err(Error::CorruptKey);
        }
        Some(_) => {}
        None => session.slot().confirm_present()?,
    }
    Ok(found)
}

/// Every object with that `CKA_ID`, and its class.
pub(crate) fn objects(
    raw: &Raw,
    id: VersionId,
) -> Result<Vec<(ObjectHandle, ObjectClass)>, Pkcs11Error> {
    let handles =
        raw.find_objects(&[Attribute::Token(true), Attribute::Id(id.as_bytes().to_vec())])?;
    let mut objects = Vec::with_capacity(handles.len());
    for handle in handles {
        if let [Attribute::Class(class)] =
            raw.get_attributes(handle, &[AttributeType::Class])?.as_slice()
        {
            objects.push((handle, *class));
        }
    }
    Ok(objects)
}

/// Whether the module is one that does not show the length of an imported secret key, and
/// this is one.
fn hides_length(quirks: &Quirks, spec: KeySpec, size: &[Attribute]) -> bool {
    let hidden = match size {
        [] => true,
        [Attribute::ValueLen(len)] => u64::from(*len) == 0,
        _ => false,
    };
    hidden && !is_asymmetric(spec) && quirks.no_value_len
}

/// Whether a private or secret object has the type, and the size or curve, of `spec`.
pub(crate) fn is_of_kind(
    raw: &Raw,
    object: ObjectHandle,
    spec: KeySpec,
    quirks: &Quirks,
) -> Result<bool, Pkcs11Error> {
    let size = match spec.key_type() {
        KeyType::Rsa => AttributeType::Modulus,
        KeyType::Oct => AttributeType::ValueLen,
        KeyType::Ec | KeyType::Okp | KeyType::Akp => AttributeType::EcParams,
    };
    let attributes = raw.get_attributes(object, &[AttributeType::KeyType, size])?;
    let expected = curve::key_type(spec);
    let (found, size) = match attributes.as_slice() {
        [Attribute::KeyType(found), rest @ ..] if hides_length(quirks, spec, rest) => {
            return Ok(expected == Some(*found));
        }
        [Attribute::KeyType(found), size] => (found, size),
        _ => return Ok(false),
    };
    let bytes = spec.bits().map_or(0, |bits| u64::from(bits / 8));
    Ok(expected == Some(*found)
        && match size {
            Attribute::Modulus(n) => {
                let leading = n.iter().take_while(|byte| **byte == 0).count();
                (n.len() - leading) as u64 == bytes
            }
            Attribute::ValueLen(len) => u64::from(*len) == bytes,
            Attribute::EcParams(params) => curve::names(params, spec),
            _ => false,
        })
}
