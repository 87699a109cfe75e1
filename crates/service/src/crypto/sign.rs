//! Sign.

use std::sync::Arc;

use bytes::Bytes;
use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::SignatureAlgorithm;

use super::Content;
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName, usable::Use};

/// A request to sign.
#[derive(Clone, Copy)]
pub struct Sign<'a> {
    /// With which key.
    pub key: KeyName<'a>,
    /// How.
    pub algorithm: SignatureAlgorithm,
    /// What.
    pub content: Content<'a>,
}

/// A signature.
#[derive(Debug)]
pub struct Signed {
    /// The version that signed.
    pub version: Arc<KeyVersion>,
    /// As JWS has it: r‖s for ECDSA.
    pub signature: Bytes,
}

impl Service {
    /// Signs a message or a digest.
    pub fn sign<'a>(
        &'a self,
        caller: &'a Caller,
        request: Sign<'a>,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Signed, Error>> {
        let Sign { key, algorithm, content } = request;
        self.run(
            caller,
            Ask::using(Action::Sign, key, algorithm.name()),
            deadline,
            move |permit| async move {
                let key = self.check(self.find(&permit, key)?, Use::Sign(algorithm))?;
                let input = content.prepare(algorithm)?;
                let signature = key
                    .client()
                    .sign(key.sealed(), algorithm, input.as_ref(), deadline)
                    .await
                    .map_err(|e| key.failed(e, "message"))?;
                Ok(Signed { version: key.into_version(), signature })
            },
        )
    }
}
