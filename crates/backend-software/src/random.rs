//! Random bytes, from aws-lc's generator.

use keyreeve_backend::Error;

pub(crate) fn random(out: &mut [u8]) -> Result<(), Error> {
    aws_lc_rs::rand::fill(out)
        .map_err(|_| Error::DeviceFailed("the random generator failed".to_owned()))
}
