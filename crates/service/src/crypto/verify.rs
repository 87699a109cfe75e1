//! Verify: here, with the public key, and without a keyhost.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_backend::Error as BackendError;
use keyreeve_keyhost::Deadline;
use keyreeve_types::SignatureAlgorithm;

use super::Content;
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName, usable::Use};

/// A request to verify.
#[derive(Clone, Copy)]
pub struct Verify<'a> {
    /// Against which key.
    pub key: KeyName<'a>,
    /// How.
    pub algorithm: SignatureAlgorithm,
    /// What was signed.
    pub content: Content<'a>,
    /// The signature. One of the wrong length or form is just not valid.
    pub signature: &'a [u8],
}

/// Whether a signature or MAC is valid.
#[derive(Debug)]
pub struct Verified {
    /// The version that was asked.
    pub version: Arc<KeyVersion>,
    /// Whether it is.
    pub valid: bool,
}

impl Service {
    /// Verifies a signature.
    pub async fn verify(
        &self,
        caller: &Caller,
        request: Verify<'_>,
        deadline: Deadline,
    ) -> Result<Verified, Error> {
        let Verify { key, algorithm, content, signature } = request;
        self.run(
            caller,
            Ask::using(Action::Verify, key, algorithm.name()),
            deadline,
            move |permit| async move {
                let key = self.check_public(self.find(&permit, key)?, Use::Verify(algorithm))?;
                let input = content.prepare(algorithm)?;
                let valid = key
                    .public()?
                    .verify(algorithm, input.as_ref(), signature)
                    .map_err(|e| failed(&e))?;
                Ok(Verified { version: key.into_version(), valid })
            },
        )
        .await
    }
}

/// The algorithm and the digest have been checked, so only a defect gets here.
fn failed(error: &BackendError) -> Error {
    match error {
        BackendError::InvalidInput(why) => Error::invalid("digest", why.to_string()),
        other => Error::internal("VERIFY_FAILED", other.to_string()),
    }
}
