//! Generate: a new key in the token, once per version id.
//!
//! Who repeats the call after a lost answer gets the key of the first one. What a
//! crash may have left behind without its private half is removed first.

use cryptoki::{mechanism::Mechanism, object::Attribute};
use keyreeve_backend::{Error, Material, NewKey};
use keyreeve_types::{KeyOps, KeySpec, KeyType, VersionId};

use crate::{
    curve, destroy,
    find::{Found, find},
    mechanism, open, public,
    session::{Pkcs11Key, Pkcs11Session},
    template::{Template, is_asymmetric},
    trial,
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
    let mut private = template.private(key_type);
    let mut public = template.public(key_type);
    let found = match spec.key_type() {
        KeyType::Oct => {
            let bytes = spec.bits().map_or(0, |bits| u64::from(bits / 8));
            private.push(Attribute::ValueLen(bytes.into()));
            let key = session.call(|raw| raw.generate_key(&mechanism, &private))?;
            Found { private: Some(key), public: None }
        }
        KeyType::Rsa => {
            let bits = spec.bits().map_or(0, u64::from);
            public.push(Attribute::ModulusBits(bits.into()));
            public.push(Attribute::PublicExponent(vec![0x01, 0x00, 0x01]));
            generate_pair(session, &mechanism, &public, &private)?
        }
        KeyType::Ec | KeyType::Okp | KeyType::Akp => {
            let params = curve::ec_params(spec).ok_or(Error::Unsupported)?;
            public.push(Attribute::EcParams(params.to_vec()));
            generate_pair(session, &mechanism, &public, &private)?
        }
    };
    tested(session, &found, id, spec, ops)
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

fn generate_pair(
    session: &mut Pkcs11Session,
    mechanism: &Mechanism<'_>,
    public: &[Attribute],
    private: &[Attribute],
) -> Result<Found, Error> {
    let (public, private) =
        session.call(|raw| raw.generate_key_pair(mechanism, public, private))?;
    Ok(Found { private: Some(private), public: Some(public) })
}
