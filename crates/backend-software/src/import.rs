//! Taking a key made elsewhere. Its checks were made before; parsing repeats the
//! cheap ones.

use keyreeve_backend::{Error, Material, NewKey, PrivateKey};
use keyreeve_types::KeySpec;

use crate::Key;

pub(crate) fn import(spec: KeySpec, private: PrivateKey) -> Result<NewKey<Key>, Error> {
    let key = Key::parse(spec, &private)?;
    let public = key.public()?;
    Ok(NewKey { key, material: Material::Portable(private), public })
}
