//! Verify a MAC: in the keyhost, which alone has the key.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::MacAlgorithm;

use super::{Verified, input};
use crate::{Caller, Error, Service, gate::Ask, name::KeyName, usable::Use};

/// A request to verify a MAC.
#[derive(Clone, Copy)]
pub struct VerifyMac<'a> {
    /// With which key.
    pub key: KeyName<'a>,
    /// How.
    pub algorithm: MacAlgorithm,
    /// Of what.
    pub message: &'a [u8],
    /// The whole tag. One of another length is just not valid.
    pub mac: &'a [u8],
}

impl Service {
    /// Verifies a MAC.
    pub async fn verify_mac(
        &self,
        caller: &Caller,
        request: VerifyMac<'_>,
        deadline: Deadline,
    ) -> Result<Verified, Error> {
        let VerifyMac { key, algorithm, message, mac } = request;
        self.run(
            caller,
            Ask::using(Action::VerifyMac, key, algorithm.name()),
            deadline,
            move |permit| async move {
                let key = self.check(self.find(&permit, key)?, Use::VerifyMac(algorithm))?;
                input::payload("message", message)?;
                if mac.len() != algorithm.digest().len() {
                    return Ok(Verified { version: key.into_version(), valid: false });
                }
                let valid = key
                    .client()
                    .verify_mac(key.sealed(), algorithm, message, mac, deadline)
                    .await
                    .map_err(|e| key.failed(e, "message"))?;
                Ok(Verified { version: key.into_version(), valid })
            },
        )
        .await
    }
}
