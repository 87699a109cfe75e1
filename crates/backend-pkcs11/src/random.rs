//! Random bytes from the token's generator.

use keyreeve_backend::Error;

use crate::session::Pkcs11Session;

pub(crate) fn random(session: &mut Pkcs11Session, out: &mut [u8]) -> Result<(), Error> {
    if out.is_empty() {
        return Ok(());
    }
    session.call(|raw| raw.generate_random_slice(out))
}
