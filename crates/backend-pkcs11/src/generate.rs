//! Generate: a new key in the token, once per version id.
//!
//! Who repeats the call after a lost answer gets the key of the first one. What a
//! crash may have left behind without its private half is removed first.

use cryptoki::object::Attribute;
use keyreeve_backend::{Error, Material, NewKey};
use keyreeve_types::{KeyOps, KeySpec, KeyType, VersionId};

use crate::{
    curve, destroy,
    find::{Found, find},
    mechanism, open, public,
    session::{Pkcs11Key, Pkcs11Session},
    template::{Template, is_asymmetric},
    trial, wrapped,
};

pub(crate) fn generate(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
    ops: KeyOps,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let capabilities = session.capabilities();
    if !capabilities.generate.contains(&spec) || !capabilities.allows_ops(spec, ops) {
        return Err(Error::Unsupported);
    }
    if session.capabilities().wrapped.contains(&spec) {
        return wrapped::generate(session, id, spec, ops);
    }
    let found = find(session, id, spec)?;
    if found.private.is_some() {
        return existing(session, &found, spec);
    }
    if let Some(orphan) = found.public {
        session.call(|raw| raw.destroy_object(orphan))?;
    }
    let (Some(mechanism), Some(key_type)) = (mechanism::generate(spec), curve::key_type(spec))
    else {
        return Err(Error::Unsupported);
    };
    let template = Template { id, spec, ops, quirks: session.quirks() };
    let (mut private, mut public) = (template.private(key_type), template.public(key_type));
    add_size(spec, &mut private, &mut public)?;
    let found = if is_asymmetric(spec) {
        let (public, private) =
            session.call(|raw| raw.generate_key_pair(&mechanism, &public, &private))?;
        Found { private: Some(private), public: Some(public) }
    } else {
        let key = session.call(|raw| raw.generate_key(&mechanism, &private))?;
        Found { private: Some(key), public: None }
    };
    tested(session, &found, id, spec, ops)
}

/// Adds what says how large the key is to be, or on which curve.
pub(crate) fn add_size(
    spec: KeySpec,
    private: &mut Vec<Attribute>,
    public: &mut Vec<Attribute>,
) -> Result<(), Error> {
    let bits = spec.bits().map_or(0, u64::from);
    match spec.key_type() {
        KeyType::Oct => private.push(Attribute::ValueLen((bits / 8).into())),
        KeyType::Rsa => {
            public.push(Attribute::ModulusBits(bits.into()));
            public.push(Attribute::PublicExponent(vec![0x01, 0x00, 0x01]));
        }
        KeyType::Ec | KeyType::Okp | KeyType::Akp => {
            let params = curve::ec_params(spec).ok_or(Error::Unsupported)?;
            public.push(Attribute::EcParams(params.to_vec()));
        }
    }
    Ok(())
}

/// The key that is there already.
pub(crate) fn existing(
    session: &mut Pkcs11Session,
    found: &Found,
    spec: KeySpec,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let private = found.private.ok_or(Error::KeyMissing)?;
    let key = open::opened(session, found, private, spec)?;
    let public = match (is_asymmetric(spec), found.public, spec.key_type()) {
        (false, ..) => None,
        (true, Some(object), _) => Some(public::read(session, object, spec)?),
        (true, None, KeyType::Rsa) => Some(public::read(session, private, spec)?),
        // Without its public half an EC key cannot be told to anybody.
        (true, None, _) => return Err(Error::CorruptKey),
    };
    let public = public.map(|key| key.spki().to_vec());
    Ok(NewKey { key, material: Material::Resident, public })
}

/// The key that was just made, after its halves were seen to belong together. One
/// that fails is removed.
pub(crate) fn tested(
    session: &mut Pkcs11Session,
    found: &Found,
    id: VersionId,
    spec: KeySpec,
    ops: KeyOps,
) -> Result<NewKey<Pkcs11Key>, Error> {
    let new = existing(session, found, spec)
        .and_then(|new| trial::pairwise(session, &new, ops).map(|()| new));
    if matches!(new, Err(Error::FaultyResult | Error::CorruptKey)) {
        destroy::destroy(session, id, spec)?;
    }
    new
}
