//! A slot group's wrapping key: AES-256, wraps and unwraps, and nothing else.
//!
//! It must reach every slot of the group and nobody else. PKCS#11 has one way to say
//! that: `CKA_EXTRACTABLE` with `CKA_WRAP_WITH_TRUSTED`, a key that may be wrapped
//! only by one the security officer has marked trusted, so that a transfer takes two
//! people: one with the user PIN, one with the officer's. Where a module does not
//! enforce that ([`guard::trust_is_enforced`] tries), the key is made [`Export::Open`]
//! for the time of the transfer and closed after it, or [`Export::Never`] from the
//! start.
//!
//! What the key opens must not be readable either. `C_UnwrapKey` takes the
//! attributes of the new key from whoever calls it; `CKA_UNWRAP_TEMPLATE` on the
//! wrapping key has the module insist on sensitive and not extractable. Not every
//! module has it: [`guard::opens_only_sensitive`] tries.

use cryptoki::{
    error::{Error as Pkcs11Error, RvError},
    mechanism::{Mechanism, MechanismType},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::Error;
use keyreeve_types::Name;
use serde::{Deserialize, Serialize};

use super::{Purpose, check::session_object, guard};
use crate::{error::classify, mechanism, profile::Quirks, template};

/// How the key may leave its slot for another of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Export {
    /// Wrapped by a key that the security officer has marked trusted, and no other.
    Trusted,
    /// Wrapped by any key, until it is closed. Only for the time of a transfer.
    Open,
    /// Not at all.
    Never,
}

/// The wrapping key of `group`, if the token shows one.
///
/// # Errors
///
/// [`Error::CorruptKey`] if it is not a sensitive AES-256 key.
pub(crate) fn find(session: &Raw, group: &Name) -> Result<Option<ObjectHandle>, Error> {
    let Some(key) = Purpose::Wrapping.find(session, group, ObjectClass::SECRET_KEY)? else {
        return Ok(None);
    };
    let wanted = [AttributeType::KeyType, AttributeType::ValueLen, AttributeType::Sensitive];
    let found = session.get_attributes(key, &wanted).map_err(|error| classify(&error))?;
    // SoftHSM does not know the length of a key that was unwrapped.
    let untold = found.contains(&Attribute::ValueLen(0.into()));
    let sound = found.contains(&Attribute::KeyType(KeyType::AES))
        && (found.contains(&Attribute::ValueLen(32.into())) || untold)
        && found.contains(&Attribute::Sensitive(true));
    if !sound {
        tracing::error!(%group, "the object in the wrapping key's place is no such key");
        return Err(Error::CorruptKey);
    }
    Ok(Some(key))
}

/// Makes the wrapping key of `group`. The caller has seen that there is none.
///
/// # Errors
///
/// As a generation has them; nothing is left behind.
pub(crate) fn make(
    session: &Raw,
    quirks: &Quirks,
    group: &Name,
    export: Export,
) -> Result<ObjectHandle, Error> {
    let mut attributes = attributes(quirks, group, export);
    attributes.insert(0, Attribute::ValueLen(32.into()));
    with_unwrap_template(attributes, |template| {
        session.generate_key(&Mechanism::AesKeyGen, template)
    })
}

/// A session object like the wrapping key of `group`, to try things on.
pub(super) fn throwaway(
    session: &Raw,
    quirks: &Quirks,
    group: &Name,
    export: Export,
) -> Result<ObjectHandle, Error> {
    let mut attributes = session_object(attributes(quirks, group, export));
    attributes.insert(0, Attribute::ValueLen(32.into()));
    with_unwrap_template(attributes, |template| {
        session.generate_key(&Mechanism::AesKeyGen, template)
    })
}

/// It wraps and unwraps, and what it wrapped it cannot decrypt.
pub(crate) const USAGE: [Attribute; 7] = [
    Attribute::Wrap(true),
    Attribute::Unwrap(true),
    Attribute::Encrypt(false),
    Attribute::Decrypt(false),
    Attribute::Sign(false),
    Attribute::Verify(false),
    Attribute::Derive(false),
];

/// Every attribute but the value: of a key that is generated, or unwrapped in another
/// slot of the group.
pub(crate) fn attributes(quirks: &Quirks, group: &Name, export: Export) -> Vec<Attribute> {
    let mut attributes = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(export != Export::Never),
        // A key is closed by copying it: the copy is less than the original.
        Attribute::Copyable(export == Export::Open),
        Attribute::Id(Purpose::Wrapping.id(group).to_vec()),
        Attribute::Label(Purpose::Wrapping.label(group).into_bytes()),
    ];
    attributes.extend(USAGE);
    if export == Export::Trusted {
        attributes.push(Attribute::WrapWithTrusted(true));
    }
    if quirks.allowed_mechanisms {
        attributes.push(Attribute::AllowedMechanisms(vec![
            MechanismType::AES_KEY_WRAP,
            mechanism::rfc_5649(quirks),
        ]));
    }
    // SoftHSM takes nothing after this one when it unwraps or copies.
    attributes.push(Attribute::Modifiable(export == Export::Open));
    template::accepted(quirks, attributes)
}

/// Runs `make` with `CKA_UNWRAP_TEMPLATE`, and without it where the module does not
/// take it.
pub(crate) fn with_unwrap_template<T>(
    mut attributes: Vec<Attribute>,
    make: impl Fn(&[Attribute]) -> Result<T, Pkcs11Error>,
) -> Result<T, Error> {
    attributes.insert(0, guard::unwrap_template());
    let refused = match make(&attributes) {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    let Pkcs11Error::Pkcs11(
        RvError::AttributeTypeInvalid
        | RvError::AttributeValueInvalid
        | RvError::AttributeReadOnly
        | RvError::TemplateInconsistent
        | RvError::ArgumentsBad
        | RvError::FunctionFailed
        | RvError::GeneralError,
        _,
    ) = refused
    else {
        return Err(classify(&refused));
    };
    tracing::info!("the module takes no CKA_UNWRAP_TEMPLATE");
    attributes.remove(0);
    make(&attributes).map_err(|error| classify(&error))
}

/// How the key may leave, as the module reports it.
pub(crate) fn export(session: &Raw, key: ObjectHandle) -> Result<Export, Error> {
    let wanted = [AttributeType::Extractable, AttributeType::WrapWithTrusted];
    let found = session.get_attributes(key, &wanted).map_err(|error| classify(&error))?;
    Ok(if !found.contains(&Attribute::Extractable(true)) {
        Export::Never
    } else if found.contains(&Attribute::WrapWithTrusted(true)) {
        Export::Trusted
    } else {
        Export::Open
    })
}
