//! Compute a MAC.

use std::sync::Arc;

use bytes::Bytes;
use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::MacAlgorithm;

use super::input;
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName, usable::Use};

/// A request for a MAC.
#[derive(Clone, Copy)]
pub struct Mac<'a> {
    /// With which key.
    pub key: KeyName<'a>,
    /// How.
    pub algorithm: MacAlgorithm,
    /// Of what.
    pub message: &'a [u8],
}

/// A MAC.
#[derive(Debug)]
pub struct ComputedMac {
    /// The version that computed it.
    pub version: Arc<KeyVersion>,
    /// The whole tag.
    pub mac: Bytes,
}

impl Service {
    /// Computes a MAC.
    pub async fn mac(
        &self,
        caller: &Caller,
        request: Mac<'_>,
        deadline: Deadline,
    ) -> Result<ComputedMac, Error> {
        let Mac { key, algorithm, message } = request;
        self.run(
            caller,
            Ask::using(Action::Mac, key, algorithm.name()),
            deadline,
            move |permit| async move {
                let key = self.check(self.find(&permit, key)?, Use::Mac(algorithm))?;
                input::payload("message", message)?;
                let mac = key
                    .client()
                    .mac(key.sealed(), algorithm, message, deadline)
                    .await
                    .map_err(|e| key.failed(e, "message"))?;
                Ok(ComputedMac { version: key.into_version(), mac })
            },
        )
        .await
    }
}
