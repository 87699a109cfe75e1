//! Keys, as the interface writes them.

use keyreeve_proto::v1;
use keyreeve_service::{Error, KeyVersion, keys::Attributes};
use keyreeve_types::{KeyOps, KeySpec, KeyType, Operation};

use crate::timestamp;

/// A key at one of its versions.
pub(crate) fn to_proto(version: &KeyVersion) -> v1::Key {
    let spec = version.spec();
    let policy = version.policy();
    let curve = match spec.key_type() {
        KeyType::Akp => "ML-DSA-65",
        _ => spec.crv().unwrap_or_default(),
    };
    v1::Key {
        name: version.key_resource_name().to_owned(),
        version_name: version.resource_name().to_owned(),
        key_type: spec.key_type().name().to_owned(),
        curve: curve.to_owned(),
        size: spec.bits().and_then(|bits| i32::try_from(bits).ok()).unwrap_or_default(),
        operations: policy.ops.iter().map(|op| op.name().to_owned()).collect(),
        enabled: Some(policy.enabled),
        not_before_time: policy.not_before.map(timestamp::to_proto),
        expire_time: policy.expires.map(timestamp::to_proto),
        tags: version.tags().clone().into_iter().collect(),
        public_key: version.public().map(|public| v1::PublicKey {
            spki: public.spki().to_vec().into(),
            pem: public.pem(),
            jwk: public.jwk(version.kid(), policy.ops).to_string(),
        }),
        create_time: Some(timestamp::to_proto(version.created())),
        update_time: Some(timestamp::to_proto(version.updated())),
        backend: version.backend().to_owned(),
        etag: version.etag(),
    }
}

/// Which kind of key a caller wants made, and what for.
pub(crate) fn spec(key: &v1::Key) -> Result<(KeySpec, Option<KeyOps>), Error> {
    let ops = operations(&key.operations)?;
    let size = u32::try_from(key.size)
        .map_err(|_| Error::invalid("key.size", "size must not be negative"))?;
    let curve = Some(key.curve.as_str()).filter(|curve| !curve.is_empty());
    let spec = KeySpec::from_jose(&key.key_type, curve, Some(size).filter(|bits| *bits > 0), ops)
        .map_err(|e| Error::invalid("key.key_type", e.to_string()))?;
    Ok((spec, Some(ops).filter(|ops| !ops.is_empty())))
}

/// The same for an imported key, whose kind may be left to the key.
pub(crate) fn imported_spec(key: &v1::Key) -> Result<(Option<KeySpec>, Option<KeyOps>), Error> {
    if !key.key_type.is_empty() {
        return spec(key).map(|(spec, ops)| (Some(spec), ops));
    }
    if key.size != 0 || !key.curve.is_empty() {
        return Err(Error::invalid("key.key_type", "size and curve go with a key_type"));
    }
    let ops = operations(&key.operations)?;
    Ok((None, Some(ops).filter(|ops| !ops.is_empty())))
}

/// Operations by their RFC 7517 names.
pub(crate) fn operations(names: &[String]) -> Result<KeyOps, Error> {
    names
        .iter()
        .map(|name| {
            let parsed = name.parse::<Operation>();
            parsed.map_err(|e| Error::invalid("key.operations", e.to_string()))
        })
        .collect()
}

/// The attributes of a key to be made.
pub(crate) fn attributes(key: &v1::Key) -> Attributes {
    Attributes {
        enabled: key.enabled.unwrap_or(true),
        not_before: key.not_before_time.map(timestamp::from_proto),
        expires: key.expire_time.map(timestamp::from_proto),
        tags: key.tags.clone().into_iter().collect(),
    }
}
