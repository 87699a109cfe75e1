//! Envelope encryption in three lines.
//!
//! The service makes a data key and wraps it under a key that never leaves it; the
//! data is sealed here, so its size does not matter to the service, and carries the
//! wrapped data key with it. To open it, the service unwraps the data key.

pub(crate) mod format;
mod reuse;

use std::sync::Arc;

use zeroize::Zeroizing;

pub use reuse::DataKeyReuse;

use crate::{Client, Error, Key, Plaintext, v1};
use reuse::DataKeys;

/// Seals and opens data under a key of the service.
#[derive(Clone)]
pub struct Envelope {
    key: Key,
    data_keys: Option<Arc<DataKeys>>,
}

/// A data key in the clear, wiped on drop.
pub(crate) type DataKey = Zeroizing<Vec<u8>>;

impl Envelope {
    /// Under the key named, as `prod/kek`: an AES or RSA key that may wrap and
    /// unwrap. Every seal and every open asks the service once.
    pub fn new(client: &Client, key: &str) -> Self {
        Self { key: client.key(key), data_keys: None }
    }

    /// Uses a data key more than once, within bounds, and remembers those that were
    /// unwrapped for as long: fewer calls, at the price of a key that stays in
    /// memory and opens more than one envelope.
    #[must_use]
    pub fn reuse_data_keys(mut self, bounds: DataKeyReuse) -> Self {
        self.data_keys = Some(Arc::new(DataKeys::new(bounds)));
        self
    }

    /// Seals `plaintext`. The same `additional_data` is needed to open it, and is not
    /// part of what is returned; empty for none.
    ///
    /// # Errors
    /// As [`Key::generate_data_key`].
    pub async fn seal(
        &self,
        plaintext: impl AsRef<[u8]>,
        additional_data: impl AsRef<[u8]>,
    ) -> Result<Vec<u8>, Error> {
        let (data_key, wrapped) = self.sealing_key().await?;
        let salt = crate::one_time_key::fresh_salt()?;
        format::seal(&data_key, &wrapped, &salt, plaintext.as_ref(), additional_data.as_ref())
    }

    /// Opens what [`Envelope::seal`] made under any version of the same key.
    ///
    /// # Errors
    /// "decryption failed" for whatever is wrong with `sealed` or
    /// `additional_data`, and what [`Key::unwrap`] says otherwise.
    pub async fn open(
        &self,
        sealed: &[u8],
        additional_data: impl AsRef<[u8]>,
    ) -> Result<Plaintext, Error> {
        let parts = format::parse(sealed)?;
        let data_key = self.opening_key(parts.wrapped).await?;
        parts.open(&data_key, additional_data.as_ref())
    }

    /// A data key to seal with, and its wrapped form as it is stored.
    pub(crate) async fn sealing_key(&self) -> Result<(Arc<DataKey>, Arc<[u8]>), Error> {
        if let Some(kept) = self.data_keys.as_ref().and_then(|kept| kept.for_sealing()) {
            return Ok(kept);
        }
        let (data_key, wrapped) = self.key.generate_data_key(32).await?;
        if data_key.len() != 32 {
            return Err(Error::bad_answer("a data key of 32 bytes"));
        }
        let wrapped: Arc<[u8]> = prost::Message::encode_to_vec(&wrapped).into();
        let data_key = Arc::new(data_key.into_inner());
        if let Some(kept) = &self.data_keys {
            kept.sealed_with(Arc::clone(&data_key), Arc::clone(&wrapped));
        }
        Ok((data_key, wrapped))
    }

    /// The data key behind a wrapped one.
    ///
    /// The request names our key, and the service refuses a wrapped key of another:
    /// who can write envelopes must not choose which key vouches for them.
    pub(crate) async fn opening_key(&self, wrapped: &[u8]) -> Result<Arc<DataKey>, Error> {
        if let Some(kept) = self.data_keys.as_ref().and_then(|kept| kept.for_opening(wrapped)) {
            return Ok(kept);
        }
        let ciphertext: v1::Ciphertext =
            prost::Message::decode(wrapped).map_err(|_| Error::decryption_failed())?;
        let named: crate::KeyName =
            ciphertext.version_name.parse().map_err(|_| Error::decryption_failed())?;
        let ours = self.key.name()?.without_version().resource();
        if !named.without_version().resource().eq_ignore_ascii_case(&ours) {
            return Err(Error::decryption_failed());
        }
        let data_key = Arc::new(self.key.unwrap(&ciphertext).await?.into_inner());
        if let Some(kept) = &self.data_keys {
            kept.opened_with(Arc::clone(&data_key), wrapped.into());
        }
        Ok(data_key)
    }
}
