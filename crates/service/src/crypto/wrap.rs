//! Wrap a key: with AES key wrap in a keyhost, to an RSA public key here.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_types::WrapAlgorithm;

use super::{Sealed, encrypt, input, sealed};
use crate::{Caller, Error, Service, gate::Ask, name::KeyName, usable::Use};

/// A request to wrap a key.
#[derive(Clone, Copy)]
pub struct WrapKey<'a> {
    /// Under which key.
    pub key: KeyName<'a>,
    /// How; `None` for AES-KWP or RSA-OAEP-256, by the kind of key.
    pub algorithm: Option<WrapAlgorithm>,
    /// The bytes of the key to wrap.
    pub plaintext: &'a [u8],
}

impl Service {
    /// Wraps the bytes of another key.
    pub async fn wrap_key(
        &self,
        caller: &Caller,
        request: WrapKey<'_>,
        deadline: Deadline,
    ) -> Result<Sealed, Error> {
        let WrapKey { key, algorithm, plaintext } = request;
        self.run(
            caller,
            Ask::Key(Action::WrapKey, key, algorithm.map(|algorithm| algorithm.name())),
            deadline,
            move |permit| async move {
                let version = self.find(&permit, key)?;
                let algorithm = match algorithm {
                    Some(algorithm) => algorithm,
                    None => sealed::default_wrapping(&version)?,
                };
                input::payload("key", plaintext)?;
                if plaintext.is_empty() {
                    return Err(Error::invalid("key", "there is nothing to wrap"));
                }
                if let WrapAlgorithm::Rsa(padding) = algorithm {
                    let key = self.check_public(version, Use::Wrap(algorithm))?;
                    let wrapped = encrypt::to_public(&key, padding, plaintext, "key")?;
                    return Ok(Sealed::bare(key.into_version(), algorithm.name(), wrapped));
                }
                let padded = algorithm == WrapAlgorithm::AesKwp;
                let key = self.check(version, Use::Wrap(algorithm))?;
                let wrapped = key
                    .client()
                    .wrap(key.sealed(), padded, plaintext, deadline)
                    .await
                    .map_err(|e| key.failed(e, "key"))?;
                Ok(Sealed::bare(key.into_version(), algorithm.name(), wrapped))
            },
        )
        .await
    }
}
