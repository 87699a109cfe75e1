//! A key: making, reading and changing it. What it is for is in the files beside.

use prost_types::FieldMask;

use crate::{BadName, Client, Error, KeyName, KeyUpdate, client::resource, import, v1};

/// The `reason` with which the service refuses a key that is sealed to a recipient
/// of an earlier process.
const RECIPIENT_CHANGED: &str = "IMPORT_RECIPIENT_CHANGED";

/// A key by its name. Making one asks nothing of the service.
#[derive(Clone)]
pub struct Key {
    client: Client,
    name: Result<KeyName, BadName>,
    resource: String,
}

impl Key {
    /// Makes the key, or a new version of it.
    ///
    /// # Errors
    /// `FAILED_PRECONDITION` if the vault's backend cannot hold such a key. Never
    /// repeated by itself.
    pub async fn create(&self, key: impl Into<v1::Key>) -> Result<v1::Key, Error> {
        let name = self.name()?;
        self.client
            .call(v1::CreateKeyRequest {
                parent: name.vault().resource(),
                key_id: name.id().to_owned(),
                key: Some(key.into()),
            })
            .await
    }

    /// Imports a private key: JWK, PKCS#8 (DER or PEM), SEC1 or PKCS#1 (PEM). It is
    /// sealed here, to the process that will hold it. `attributes` may be
    /// `NewKey::default()`; if it names a kind, the key must be of it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the key is malformed or weak.
    pub async fn import(
        &self,
        attributes: impl Into<v1::Key>,
        private_key: &[u8],
    ) -> Result<v1::Key, Error> {
        let name = self.name()?;
        let attributes = attributes.into();
        let first = self.import_once(&name, attributes.clone(), private_key).await;
        match first {
            // The holding process started anew in between; nothing was imported.
            Err(error) if error.reason() == Some(RECIPIENT_CHANGED) => {
                self.import_once(&name, attributes, private_key).await
            }
            other => other,
        }
    }

    async fn import_once(
        &self,
        name: &KeyName,
        attributes: v1::Key,
        private_key: &[u8],
    ) -> Result<v1::Key, Error> {
        let parent = name.vault().resource();
        let recipient =
            self.client.call(v1::GetImportRecipientRequest { parent: parent.clone() }).await?;
        let sealed_key = import::seal(&recipient, name, private_key)?;
        self.client
            .call(v1::ImportKeyRequest {
                parent,
                key_id: name.id().to_owned(),
                key: Some(attributes),
                sealed_key: Some(sealed_key),
            })
            .await
    }

    /// Reads the key at its latest version, or at the version named.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none.
    pub async fn get(&self) -> Result<v1::Key, Error> {
        let name = self.resource_name()?.to_owned();
        self.client.call(v1::GetKeyRequest { name }).await
    }

    /// All versions, oldest first.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such key.
    pub async fn versions(&self) -> Result<Vec<v1::Key>, Error> {
        let parent = self.name()?.without_version().resource();
        let mut request = v1::ListKeyVersionsRequest { parent, ..Default::default() };
        let mut versions = Vec::new();
        loop {
            let page = self.client.call(request.clone()).await?;
            versions.extend(page.versions);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(versions);
            }
        }
    }

    /// Changes attributes of the latest version, or of the version named.
    ///
    /// # Errors
    /// `ABORTED` if the version changed since the etag was read; `INVALID_ARGUMENT`
    /// if operations would be added.
    pub async fn update(&self, update: KeyUpdate) -> Result<v1::Key, Error> {
        let name = self.name()?;
        let mut key = update.key;
        match name.version() {
            Some(_) => key.version_name = name.resource(),
            None => key.name = name.resource(),
        }
        self.client
            .call(v1::UpdateKeyRequest {
                key: Some(key),
                update_mask: Some(FieldMask { paths: update.paths }),
            })
            .await
    }

    /// Makes a new version like the latest.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such key. Never repeated by itself.
    pub async fn rotate(&self) -> Result<v1::Key, Error> {
        let name = self.name()?.without_version().resource();
        self.client.call(v1::RotateKeyRequest { name }).await
    }

    /// The resource name, as `vaults/prod/keys/jwt`.
    ///
    /// # Errors
    /// [`Fault::Caller`](crate::Fault::Caller) if the name is none.
    pub fn resource_name(&self) -> Result<&str, Error> {
        self.name.as_ref().map(|_| self.resource.as_str()).map_err(|bad| Error::from(*bad))
    }

    pub(crate) fn new(client: Client, name: Result<KeyName, BadName>) -> Self {
        let resource = name.as_ref().map(KeyName::resource).unwrap_or_default();
        Self { client, name, resource }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn name(&self) -> Result<KeyName, Error> {
        resource(&self.name)
    }
}
