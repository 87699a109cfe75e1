//! Which of PKCS#11's own protections a module really has: each is tried on
//! throwaway session objects, with a control that shows the trial itself works.
//!
//! A mechanism list or an attribute that can be set says nothing. A module that
//! stores `CKA_WRAP_WITH_TRUSTED` and never looks at it is worse than one that
//! refuses it.

use std::ffi::c_ulong;

use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use zeroize::Zeroize;

use crate::error::classify;

/// Whether a key with `CKA_WRAP_WITH_TRUSTED` is refused to a wrapping key that is
/// not trusted, and nobody but the security officer can make one that is.
///
/// `session` is the user's. On an error of the device the answer is no.
pub(crate) fn trust_is_enforced(session: &Raw) -> bool {
    let mut made = Vec::new();
    let enforced = enforced(session, &mut made).unwrap_or(false);
    for object in made {
        // A session object: it goes with its session at the latest.
        let _ = session.destroy_object(object);
    }
    enforced
}

fn enforced(session: &Raw, made: &mut Vec<ObjectHandle>) -> Option<bool> {
    let mut generate = |extra: &[Attribute]| {
        let mut attributes = throwaway();
        attributes.extend_from_slice(extra);
        let key = session.generate_key(&Mechanism::AesKeyGen, &attributes).ok()?;
        made.push(key);
        Some(key)
    };
    let wrapping = generate(&[Attribute::Wrap(true)])?;
    let free = generate(&[Attribute::Wrap(false)])?;
    let guarded = generate(&[Attribute::Wrap(false), Attribute::WrapWithTrusted(true)])?;
    let wraps = |key| session.wrap_key(&Mechanism::AesKeyWrap, wrapping, key).is_ok();
    // The control: this way of wrapping works where nothing forbids it.
    if !wraps(free) || wraps(guarded) {
        return Some(false);
    }
    // The user must not be able to say what is trusted.
    let self_made = generate(&[Attribute::Wrap(true), Attribute::Trusted(true)]).is_some();
    let made_later = session.update_attributes(wrapping, &[Attribute::Trusted(true)]).is_ok();
    let copied = session.copy_object(wrapping, &[Attribute::Trusted(true)]).is_ok();
    Some(!self_made && !made_later && !copied)
}

/// Whether `wrapping` opens keys only as sensitive and not extractable, whatever the
/// caller's template asks for: that is, whether the holder of the PIN can read a
/// wrapped key.
///
/// # Errors
///
/// If a key cannot even be wrapped and opened as it should be.
pub(crate) fn opens_only_sensitive(session: &Raw, wrapping: ObjectHandle) -> Result<bool, Error> {
    let mechanism = Mechanism::AesKeyWrap;
    let mut template = throwaway();
    template.push(Attribute::Wrap(false));
    let key = session.generate_key(&Mechanism::AesKeyGen, &template).map_err(|e| classify(&e))?;
    let wrapped = session.wrap_key(&mechanism, wrapping, key);
    let _ = session.destroy_object(key);
    let mut wrapped = wrapped.map_err(|error| classify(&error))?;
    // The binding returns the buffer as long as it was asked for.
    wrapped.truncate(32 + 8);
    let opened = |sensitive: bool, extractable: bool| {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Token(false),
            Attribute::Private(true),
            Attribute::Sensitive(sensitive),
            Attribute::Extractable(extractable),
        ];
        session.unwrap_key(&mechanism, wrapping, &wrapped, &template)
    };
    // The control: as it is meant to be opened.
    let control = opened(true, false).map_err(|error| classify(&error))?;
    let _ = session.destroy_object(control);
    let mut leaks = false;
    for (sensitive, extractable) in [(false, true), (false, false), (true, true)] {
        if let Ok(key) = opened(sensitive, extractable) {
            leaks |= is_readable(session, key) || is_extractable(session, key);
            let _ = session.destroy_object(key);
        }
    }
    Ok(!leaks)
}

fn is_readable(session: &Raw, key: ObjectHandle) -> bool {
    let read = session.get_attributes(key, &[AttributeType::Value]).unwrap_or_default();
    let mut readable = false;
    for attribute in read {
        if let Attribute::Value(mut value) = attribute {
            readable |= !value.is_empty();
            value.zeroize();
        }
    }
    readable
}

fn is_extractable(session: &Raw, key: ObjectHandle) -> bool {
    let read = session.get_attributes(key, &[AttributeType::Extractable]).unwrap_or_default();
    read != [Attribute::Extractable(false)]
}

/// An AES-256 session object that may be wrapped, and wraps if the caller adds that.
fn throwaway() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(32.into()),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Unwrap(false),
        Attribute::Derive(false),
    ]
}

/// `CKA_UNWRAP_TEMPLATE` (PKCS#11 section 4.9.4): what is opened with the key is
/// sensitive and not extractable.
///
/// The binding has no name for this attribute, whose value is an array of
/// `CK_ATTRIBUTE`: type, address and length of a value. The two values are statics, so
/// that the addresses stay good however long the bytes are kept.
pub(crate) fn unwrap_template() -> Attribute {
    let attribute = |kind: AttributeType, value: &'static u8| {
        let kind: c_ulong = kind.into();
        let len: c_ulong = 1;
        let address = std::ptr::from_ref(value).expose_provenance();
        [&kind.to_ne_bytes()[..], &address.to_ne_bytes(), &len.to_ne_bytes()].concat()
    };
    let value =
        [attribute(AttributeType::Sensitive, &TRUE), attribute(AttributeType::Extractable, &FALSE)];
    Attribute::VendorDefined((AttributeType::VendorDefined(CKA_UNWRAP_TEMPLATE), value.concat()))
}

/// `CKF_ARRAY_ATTRIBUTE | 0x212`.
const CKA_UNWRAP_TEMPLATE: c_ulong = 0x4000_0212;

static TRUE: u8 = 1;
static FALSE: u8 = 0;
