//! Wrapped keys: made in the token, wrapped there, kept outside, opened on use.
//!
//! ```text
//! generate   session object: sensitive, extractable, may do nothing
//!    │       C_WrapKey under the group's wrapping key (RFC 5649)
//!    ▼
//!   blob ──▶ C_UnwrapKey: session object, sensitive, never extractable, may do what the
//!            key was made for
//! ```
//!
//! So no object is ever both usable and extractable, and between the two steps nothing
//! but this process has the handle. Every slot that keeps the same wrapping key opens the
//! blob. The blob by itself says neither whose it is nor what it may do: the envelope
//! around it does, which is the keyhost's business.

use cryptoki::error::{Error as Pkcs11Error, RvError};
use keyreeve_backend::{Error, Material, NewKey};
use keyreeve_types::{KeyOps, KeySpec, KeyType, VersionId};

use crate::{
    curve,
    error::{classify, describe},
    find::is_of_kind,
    generate::add_size,
    group::Group,
    keeper::SessionObject,
    mechanism, public,
    session::{Pkcs11Key, Pkcs11Session},
    template::{Template, Wiped, is_asymmetric},
    trial,
};

/// Generates a key that leaves the token wrapped.
pub(crate) fn generate(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    ops: KeyOps,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
    else {
        return Err(Error::Unsupported);
    };
    let trusted = group(session)?.trusted;
    let template = Template { id, spec, ops, quirks: session.quirks() };
    let (mut private, mut public) =
        (template.leaving(key_type, trusted), template.passing(key_type));
    add_size(spec, &mut private, &mut public)?;
    if !is_asymmetric(spec) {
        let key = session.keep(classify, |raw| raw.generate_key(&mechanism, &private))?;
        return leave(session, id, spec, ops, key, None);
    }
    let mut public_handle = None;
    let private = session.keep(classify, |raw| {
        let (public, private) = raw.generate_key_pair(&mechanism, &public, &private)?;
        public_handle = Some(public);
        Ok(private)
    })?;
    // The keeper's handle is good in the working session too.
    let public_handle = public_handle.ok_or(Error::CorruptKey)?;
    let key = public::read(session, public_handle, spec)?;
    session.call(|raw| raw.destroy_object(public_handle))?;
    leave(session, id, spec, ops, private, Some(key.spki().to_vec()))
}

/// Takes a key made elsewhere, as a generated one.
pub(crate) fn import(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    ops: KeyOps,
    mut value: Wiped,
    public: Option<Vec<u8>>,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let key_type = curve::key_type(spec).ok_or(Error::Unsupported)?;
    let trusted = group(session)?.trusted;
    let template = Template { id, spec, ops, quirks: session.quirks() };
    value.0.extend(template.leaving(key_type, trusted));
    let key = session.keep(classify, |raw| raw.create_object(&value.0))?;
    leave(session, id, spec, ops, key, public)
}

/// Opens a blob.
///
/// # Errors
///
/// [`Error::CorruptKey`] if the token does not unwrap it, or something else comes out:
/// the blob is damaged, or this is not the wrapping key it was wrapped with.
pub(crate) fn open(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    made_for: KeyOps,
    blob: &[u8],
) -> Result<Pkcs11Key, Error> {
    let Group { wrapping, mechanism, .. } = group(session)?;
    let (wrapping, mechanism) = (*wrapping, mechanism::unparametrised(*mechanism));
    let key_type = curve::key_type(spec).ok_or(Error::Unsupported)?;
    // Shorter ones make SoftHSM fail in ways of their own. RFC 5649 section 3.
    if blob.len() < 16 || !blob.len().is_multiple_of(8) {
        return Err(Error::CorruptKey);
    }
    let template = Template { id, spec, ops: made_for, quirks: session.quirks() };
    let template = template.unwrapped(key_type);
    let object =
        session.keep(of_blob, |raw| raw.unwrap_key(&mechanism, wrapping, blob, &template))?;
    let as_recorded = match spec.key_type() {
        // SoftHSM has no CKA_VALUE_LEN for a key it unwrapped; the blob tells it.
        KeyType::Oct => spec.bits().is_some_and(|bits| blob.len() == bits as usize / 8 + 8),
        _ => {
            let shared = session.shared();
            session.call_or(of_blob, |raw| is_of_kind(raw, object.handle, spec, &shared.quirks))?
        }
    };
    if !as_recorded {
        return Err(Error::CorruptKey);
    }
    let verifier = match spec.key_type() {
        KeyType::Rsa => Some(public::read(session, object.handle, spec)?.into()),
        _ => None,
    };
    Ok(Pkcs11Key { handle: object.handle, spec, verifier, _object: Some(object.into()) })
}

/// Wraps a new key, destroys it, and opens what was wrapped: what is handed out is then
/// known to open.
fn leave(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    ops: KeyOps,
    key: SessionObject,
    public: Option<Vec<u8>>,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let Group { wrapping, mechanism, .. } = group(session)?;
    let (wrapping, mechanism) = (*wrapping, mechanism::unparametrised(*mechanism));
    let blob = session.call(|raw| raw.wrap_key(&mechanism, wrapping, key.handle))?;
    drop(key);
    let key = open(session, id, spec, ops, &blob)?;
    let new = NewKey { key, material: Material::Wrapped { blob, made_for: ops }, public };
    trial::pairwise(session, &new, ops)?;
    Ok(new)
}

fn group(session: &Pkcs11Session) -> Result<&Group, Error> {
    session.group().ok_or(Error::Unsupported)
}

/// The class of an error of a call that was given a blob. The envelope has vouched for
/// the blob, so what is wrong is the wrapping key, or the device.
fn of_blob(error: &Pkcs11Error) -> Error {
    match error {
        Pkcs11Error::Pkcs11(
            RvError::UnwrappingKeyHandleInvalid | RvError::WrappingKeyHandleInvalid,
            _,
        ) => Error::DeviceFailed(format!("{}: the wrapping key is gone", describe(error))),
        Pkcs11Error::Pkcs11(
            RvError::GeneralError
            | RvError::FunctionFailed
            | RvError::ArgumentsBad
            | RvError::DataInvalid
            | RvError::EncryptedDataInvalid
            | RvError::EncryptedDataLenRange
            | RvError::WrappedKeyInvalid
            | RvError::WrappedKeyLenRange
            | RvError::KeySizeRange
            | RvError::AttributeValueInvalid
            | RvError::TemplateInconsistent,
            _,
        ) => {
            tracing::warn!(error = %describe(error), "a wrapped key does not open");
            Error::CorruptKey
        }
        _ => classify(error),
    }
}
