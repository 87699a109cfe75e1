//! Unwrap a key. Whatever is wrong with a wrapped key fails in the same way.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::{EncryptionAlgorithm, Operation, WrapAlgorithm};
use zeroize::Zeroizing;

use super::{DataKeyAlgorithm, Decrypt, SealedRef, input};
use crate::{Caller, Error, KeyVersion, Service, gate::Ask, name::KeyName, usable::Use};

/// A request to unwrap a key.
#[derive(Clone, Copy)]
pub struct UnwrapKey<'a> {
    /// With which key; it must be that of the wrapped key. `None` takes it from there.
    pub key: Option<KeyName<'a>>,
    /// What.
    pub wrapped: SealedRef<'a>,
    /// How it was wrapped.
    pub algorithm: DataKeyAlgorithm,
    /// What was authenticated with it; a data key sealed with GCM only.
    pub additional_data: &'a [u8],
}

impl Service {
    /// Unwraps what WrapKey or GenerateDataKey made.
    pub async fn unwrap_key(
        &self,
        caller: &Caller,
        request: UnwrapKey<'_>,
        deadline: Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let name = request.wrapped.key(request.key)?;
        self.run(caller, Ask::key(Action::UnwrapKey, name), deadline, move |permit| async move {
            let version = self.find(&permit, name)?;
            match opening(request.algorithm, &version) {
                DataKeyAlgorithm::Wrap(algorithm) => {
                    self.unwrap_with(version, algorithm, request, deadline).await
                }
                DataKeyAlgorithm::Content(algorithm) => {
                    let UnwrapKey { key, wrapped: sealed, additional_data, .. } = request;
                    let request = Decrypt { key, sealed, algorithm, additional_data };
                    self.open(&permit, name, request, deadline).await
                }
            }
        })
        .await
    }

    async fn unwrap_with(
        &self,
        version: Arc<KeyVersion>,
        algorithm: WrapAlgorithm,
        request: UnwrapKey<'_>,
        deadline: Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let SealedRef { iv, ciphertext, tag, .. } = request.wrapped;
        let key = self.check(version, Use::Unwrap(algorithm))?;
        input::ciphertext("wrapped_key", ciphertext)?;
        if !(iv.is_empty() && tag.is_empty() && request.additional_data.is_empty()) {
            return Err(Error::decryption_failed());
        }
        key.client()
            .unwrap(key.sealed(), algorithm, ciphertext, deadline)
            .await
            .map_err(|e| key.failed_to_open(e))
    }
}

/// Which of the key's operations opens it. A data key made to an RSA key that may
/// encrypt and not wrap is opened by decrypting.
fn opening(algorithm: DataKeyAlgorithm, version: &KeyVersion) -> DataKeyAlgorithm {
    let ops = version.policy().ops;
    match algorithm {
        DataKeyAlgorithm::Wrap(WrapAlgorithm::Rsa(padding))
            if ops.contains(Operation::Decrypt) && !ops.contains(Operation::UnwrapKey) =>
        {
            DataKeyAlgorithm::Content(EncryptionAlgorithm::Rsa(padding))
        }
        other => other,
    }
}
