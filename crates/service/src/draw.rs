//! Fresh ids.

use keyreeve_types::{KeyId, VaultId, VersionId};

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

fn bytes() -> Result<[u8; 16], Error> {
    let mut id = [0; 16];
    match aws_lc_rs::rand::fill(&mut id) {
        Ok(()) => Ok(id),
        Err(_) => Err(Error::internal("NO_RANDOM", "the system's random generator failed")),
    }
}
