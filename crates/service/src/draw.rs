//! Fresh ids.

use keyreeve_authz::{AssignmentId, RoleId};
use keyreeve_types::{KeyId, Secret, VaultId, VersionId};

use crate::Error;

/// A fresh vault id.
pub(crate) fn vault_id() -> Result<VaultId, Error> {
    bytes().map(VaultId::from_bytes)
}

/// A fresh key id.
pub(crate) fn key_id() -> Result<KeyId, Error> {
    bytes().map(KeyId::from_bytes)
}

/// A fresh version id.
pub(crate) fn version_id() -> Result<VersionId, Error> {
    bytes().map(VersionId::from_bytes)
}

/// A fresh role id.
pub(crate) fn role_id() -> Result<RoleId, Error> {
    guid().map(RoleId::from_u128)
}

/// A fresh assignment id.
pub(crate) fn assignment_id() -> Result<AssignmentId, Error> {
    guid().map(AssignmentId::from_u128)
}

/// A fresh id of a token or credential: 32 hex digits.
pub(crate) fn credential_id() -> Result<String, Error> {
    Ok(format!("{:032x}", u128::from_be_bytes(bytes()?)))
}

/// A fresh id of a principal: a random UUID (RFC 9562 section 5.4), because clients of
/// Azure take an application's id for one.
pub(crate) fn principal_id() -> Result<String, Error> {
    let hex = format!("{:032x}", guid()?);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

/// What a token or client secret is made of.
pub(crate) fn secret() -> Result<Secret<[u8; 32]>, Error> {
    let mut random = Secret::new([0; 32]);
    fill(random.expose_mut())?;
    Ok(random)
}

/// A random GUID (RFC 9562 section 5.4: version 4).
fn guid() -> Result<u128, Error> {
    let random = u128::from_be_bytes(bytes()?);
    let (version, variant) = (0xf000 << 64, 0xc000 << 48);
    Ok(random & !(version | variant) | 0x4000 << 64 | 0x8000 << 48)
}

fn bytes() -> Result<[u8; 16], Error> {
    let mut id = [0; 16];
    fill(&mut id)?;
    Ok(id)
}

fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    aws_lc_rs::rand::fill(bytes)
        .map_err(|_| Error::internal("NO_RANDOM", "the system's random generator failed"))
}
