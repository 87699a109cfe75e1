//! Re-encrypt: from one key to another, without showing the caller the plaintext.
//!
//! The two keys may live in different keyhosts, so the plaintext passes through
//! this process, in a buffer that is wiped.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::EncryptionAlgorithm;

use super::{Decrypt, Encrypt, Sealed};
use crate::{Caller, Error, Service, gate::Ask, name::KeyName};

/// A request to re-encrypt.
#[derive(Clone, Copy)]
pub struct ReEncrypt<'a> {
    /// What, and how to decrypt it.
    pub source: Decrypt<'a>,
    /// The key to encrypt under.
    pub destination: KeyName<'a>,
    /// How; as in [`Encrypt::algorithm`].
    pub algorithm: Option<EncryptionAlgorithm>,
    /// What to authenticate with it from now on.
    pub additional_data: &'a [u8],
}

impl Service {
    /// Decrypts under one key and encrypts under another.
    pub async fn re_encrypt(
        &self,
        caller: &Caller,
        request: ReEncrypt<'_>,
        deadline: Deadline,
    ) -> Result<Sealed, Error> {
        let ReEncrypt { source, destination, algorithm, additional_data } = request;
        let name = source.sealed.key(source.key)?;
        let actions = [
            (Action::ReEncryptFrom, name.resource()),
            (Action::ReEncryptTo, destination.resource()),
        ];
        let ask = Ask::Both("ReEncrypt", &actions);
        self.run(caller, ask, deadline, move |permit| async move {
            let plaintext = self.open(&permit, name, source, deadline).await?;
            let request =
                Encrypt { key: destination, algorithm, plaintext: &plaintext, additional_data };
            self.seal(&permit, request, deadline).await
        })
        .await
    }
}
