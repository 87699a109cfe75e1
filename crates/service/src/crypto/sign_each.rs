//! Sign several with one key, which is decided and looked up once for all of them.

use std::sync::Arc;

use bytes::Bytes;
use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::SignatureAlgorithm;

use super::{Content, input::Prepared};
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName, usable::Use};

/// A request to sign several.
#[derive(Clone, Copy)]
pub struct SignEach<'a> {
    /// With which key.
    pub key: KeyName<'a>,
    /// How.
    pub algorithm: SignatureAlgorithm,
    /// What. One that the door could not read is its own result.
    pub contents: &'a [Result<Content<'a>, Error>],
}

/// What came of them.
#[derive(Debug)]
pub struct SignedEach {
    /// The version that signed.
    pub version: Arc<KeyVersion>,
    /// The signatures, in the order of the contents, each as [`Signed::signature`].
    ///
    /// [`Signed::signature`]: super::Signed::signature
    pub signatures: Vec<Result<Bytes, Error>>,
}

impl Service {
    /// Signs messages or digests.
    ///
    /// # Errors
    /// What keeps all of them from being signed. What is wrong with one is its result.
    pub async fn sign_each(
        &self,
        caller: &Caller,
        request: SignEach<'_>,
        deadline: Deadline,
    ) -> Result<SignedEach, Error> {
        let SignEach { key, algorithm, contents } = request;
        let ask = Ask::using(Action::Sign, key, algorithm.name());
        self.run(caller, ask, deadline, move |permit| async move {
            let version = self.find(&permit, key)?;
            self.charge(&permit, &version, contents.len().saturating_sub(1) as u64)?;
            let key = self.check(version, Use::Sign(algorithm))?;
            let prepared: Vec<_> = contents
                .iter()
                .map(|content| content.as_ref().map_err(Error::clone)?.prepare(algorithm))
                .collect();
            let inputs: Vec<_> = prepared.iter().flatten().map(Prepared::as_ref).collect();
            let signed = key.client().sign_each(key.sealed(), algorithm, &inputs, deadline).await;
            let mut signed = signed.into_iter().map(|s| s.map_err(|e| key.failed(e, "message")));
            let mut signatures = Vec::with_capacity(contents.len());
            for input in &prepared {
                signatures.push(match input {
                    Ok(_) => signed.next().unwrap_or_else(|| Err(unanswered())),
                    Err(error) => Err(error.clone()),
                });
            }
            // Nothing was signed by a record that is out of date: the gate tries again.
            if let Some(Err(stale)) = signatures.iter().find(|s| is_stale(s)) {
                return Err(stale.clone());
            }
            drop(signed);
            Ok(SignedEach { version: key.into_version(), signatures })
        })
        .await
    }
}

fn is_stale(signature: &Result<Bytes, Error>) -> bool {
    signature.as_ref().is_err_and(Error::is_stale)
}

fn unanswered() -> Error {
    Error::internal("PROTOCOL", "a keyhost's client gave fewer results than it was asked for")
}
