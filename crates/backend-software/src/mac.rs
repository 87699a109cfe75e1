//! HMAC.

use aws_lc_rs::hmac;
use keyreeve_backend::Error;
use keyreeve_types::MacAlgorithm;

use crate::{Key, key::Kind};

pub(crate) fn mac(
    key: &Key,
    algorithm: MacAlgorithm,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let Kind::Hmac(keys) = key.kind() else { return Err(Error::Unsupported) };
    let prepared = keys.prepared(algorithm).ok_or(Error::Unsupported)?;
    out.extend_from_slice(hmac::sign(prepared, message).as_ref());
    Ok(())
}
