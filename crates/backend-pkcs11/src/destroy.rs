//! Destroy: both halves, and then a look that they are gone.

use cryptoki::object::ObjectClass;
use keyreeve_backend::Error;
use keyreeve_types::{KeySpec, VersionId};

use crate::{find::objects, session::Pkcs11Session};

/// Destroys whatever the token holds under `id`. The private half goes first: what
/// a crash leaves behind is then a public key.
///
/// A token whose storage went away finds nothing and calls that success, so that
/// nothing is believed to be gone until the token confirmed that it is there.
pub(crate) fn destroy(
    session: &mut Pkcs11Session,
    id: VersionId,
    spec: KeySpec,
) -> Result<(), Error> {
    let mut found = session.call(|raw| objects(raw, id))?;
    found.sort_by_key(|(_, class)| *class == ObjectClass::PUBLIC_KEY);
    for (handle, _) in found {
        session.call(|raw| raw.destroy_object(handle))?;
    }
    if !session.call(|raw| objects(raw, id))?.is_empty() {
        return Err(Error::DeviceFailed(format!(
            "C_DestroyObject: reported success, but {spec} {id} is still there"
        )));
    }
    session.slot().confirm_present()
}
