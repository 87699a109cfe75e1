//! Open: find a key by its version id, or have the token unwrap it.

use std::sync::Arc;

use cryptoki::object::ObjectHandle;
use keyreeve_backend::{Error, Material};
use keyreeve_types::{KeySpec, KeyType, VersionId};

use crate::{
    find::{Found, find},
    public,
    session::{Pkcs11Key, Pkcs11Session},
    sign::is_verified,
    wrapped,
};

pub(crate) fn open(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    material: &Material,
) -> Result<Pkcs11Key, Error> {
    match material {
        Material::Resident => {}
        Material::Wrapped { blob, made_for } => {
            return wrapped::open(session, id, spec, *made_for, blob);
        }
        Material::Portable(_) => return Err(Error::Unsupported),
    }
    let found = find(session, id, spec)?;
    let Some(private) = found.private else {
        tracing::debug!(%id, %spec, "the token shows no such key");
        return Err(Error::KeyMissing);
    };
    opened(session, &found, private, spec)
}

/// The key behind handles that were just found.
pub(crate) fn opened(
    session: &mut Pkcs11Session,
    found: &Found,
    private: ObjectHandle,
    spec: KeySpec,
) -> Result<Pkcs11Key, Error> {
    let verifier = if is_verified(spec, session.quirks()) {
        let source = match spec.key_type() {
            KeyType::Rsa => found.public.unwrap_or(private),
            _ => found.public.ok_or(Error::CorruptKey)?,
        };
        Some(Arc::new(public::read(session, source, spec)?))
    } else {
        None
    };
    Ok(Pkcs11Key { handle: private, spec, verifier, _object: None })
}
