//! A key that opens a root key: AES-256, encrypts and decrypts, and nothing else.
//!
//! The root key is data to it (AES-GCM), not an object: what is unwrapped in a token
//! would have to be extractable in it to come out again.

use aws_lc_rs::rand;
use cryptoki::{
    mechanism::{Mechanism, MechanismType, aead::GcmParams},
    object::{Attribute, KeyType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_types::Name;

use super::Purpose;
use crate::{error::classify, profile::Quirks, template};

/// The recipient called `name`, if the token shows one.
pub(super) fn find(session: &Raw, name: &Name) -> Result<Option<ObjectHandle>, Error> {
    Purpose::Root.find(session, name, ObjectClass::SECRET_KEY)
}

/// Makes it. The caller has seen that there is none.
pub(super) fn make(session: &Raw, quirks: &Quirks, name: &Name) -> Result<ObjectHandle, Error> {
    let (id, label) = (Purpose::Root.id(name).to_vec(), Purpose::Root.label(name).into_bytes());
    let mut attributes = template::staying(ObjectClass::SECRET_KEY, KeyType::AES, id, label);
    attributes.extend([
        Attribute::ValueLen(32.into()),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
    ]);
    if quirks.allowed_mechanisms {
        attributes.push(Attribute::AllowedMechanisms(vec![MechanismType::AES_GCM]));
    }
    let attributes = template::accepted(quirks, attributes);
    session.generate_key(&Mechanism::AesKeyGen, &attributes).map_err(|error| classify(&error))
}

/// Has the key encrypt 32 random bytes and decrypt them again.
///
/// # Errors
///
/// [`Error::FaultyResult`] if something else comes back; otherwise as the calls have
/// them. The caller replaces the session after either.
pub(super) fn prove(session: &Raw, key: ObjectHandle) -> Result<(), Error> {
    let (mut secret, mut iv) = ([0; 32], [0; 12]);
    for bytes in [&mut secret[..], &mut iv[..]] {
        rand::fill(bytes)
            .map_err(|_| Error::DeviceFailed("this machine gives no random bytes".to_owned()))?;
    }
    let mut crypt = |encrypt: bool, data: &[u8]| {
        let params = GcmParams::new(&mut iv, b"keyreeve root recipient", 128.into())?;
        let mechanism = Mechanism::AesGcm(params);
        if encrypt {
            session.encrypt(&mechanism, key, data)
        } else {
            session.decrypt(&mechanism, key, data)
        }
    };
    let sealed = crypt(true, &secret).map_err(|error| classify(&error))?;
    let opened = crypt(false, &sealed).map_err(|error| classify(&error))?;
    if opened == secret { Ok(()) } else { Err(Error::FaultyResult) }
}
