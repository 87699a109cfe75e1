//! Decrypt. Whatever is wrong with a ciphertext fails in the same way.

use keyreeve_authz::Action;
use keyreeve_backend::Sealed as Parts;
use keyreeve_keyhost::Deadline;
use keyreeve_types::EncryptionAlgorithm;
use zeroize::Zeroizing;

use super::{SealedRef, input};
use crate::{
    Caller, Error, Service,
    gate::{Ask, Permit},
    name::KeyName,
    usable::Use,
};

/// A request to decrypt.
#[derive(Clone, Copy)]
pub struct Decrypt<'a> {
    /// With which key; it must be that of the ciphertext. `None` takes it from there.
    pub key: Option<KeyName<'a>>,
    /// What.
    pub sealed: SealedRef<'a>,
    /// How it was encrypted.
    pub algorithm: EncryptionAlgorithm,
    /// What was authenticated with it.
    pub additional_data: &'a [u8],
}

impl Service {
    /// Decrypts.
    pub async fn decrypt(
        &self,
        caller: &Caller,
        request: Decrypt<'_>,
        deadline: Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let name = request.sealed.key(request.key)?;
        self.run(
            caller,
            Ask::using(Action::Decrypt, name, request.algorithm.name()),
            deadline,
            move |permit| async move { self.open(&permit, name, request, deadline).await },
        )
        .await
    }

    /// Decrypts with the key `name`, once the gate has let an operation pass.
    pub(crate) async fn open(
        &self,
        permit: &Permit,
        name: KeyName<'_>,
        request: Decrypt<'_>,
        deadline: Deadline,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Decrypt { sealed, algorithm, additional_data, .. } = request;
        let SealedRef { iv, ciphertext, tag, .. } = sealed;
        let key = self.check(self.find(permit, name)?, Use::Decrypt(algorithm))?;
        input::ciphertext("ciphertext", ciphertext)?;
        // Whether additional data belongs here is part of what must not be told apart.
        input::additional_data("additional_data", additional_data, true)?;
        let parts = Parts { iv, aad: additional_data, ciphertext, tag };
        if !parts.has_lengths_of(algorithm) {
            return Err(Error::decryption_failed());
        }
        key.client()
            .decrypt(key.sealed(), algorithm, parts, deadline)
            .await
            .map_err(|e| key.failed_to_open(e))
    }
}
