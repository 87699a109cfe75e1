//! Opening a stored key.

use keyreeve_backend::{Error, Material};
use keyreeve_types::KeySpec;

use crate::Key;

pub(crate) fn open(spec: KeySpec, material: Material) -> Result<Key, Error> {
    match material {
        Material::Portable(private) => Key::parse(spec, &private).map_err(|_| Error::CorruptKey),
        Material::Wrapped { .. } | Material::Resident => Err(Error::Unsupported),
    }
}
