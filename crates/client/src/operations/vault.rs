//! A vault.

use crate::{BadName, Client, Error, Plaintext, VaultName, client::resource, v1};

/// A vault by its name. Making one asks nothing of the service.
#[derive(Clone)]
pub struct Vault {
    client: Client,
    name: Result<VaultName, BadName>,
}

impl Vault {
    /// Makes the vault, on the tier given.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if the name is taken, `FAILED_PRECONDITION` if no slot serves
    /// the premium tier. Never repeated by itself.
    pub async fn create(&self, tier: v1::vault::Tier) -> Result<v1::Vault, Error> {
        let vault = v1::Vault { tier: tier.into(), ..Default::default() };
        self.client
            .call(v1::CreateVaultRequest {
                vault_id: resource(&self.name)?.id().to_owned(),
                vault: Some(vault),
            })
            .await
    }

    /// Reads the vault.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none of that name.
    pub async fn get(&self) -> Result<v1::Vault, Error> {
        self.client.call(v1::GetVaultRequest { name: self.resource_name()? }).await
    }

    /// All keys, each at its latest version, in the order of names.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such vault.
    pub async fn keys(&self) -> Result<Vec<v1::Key>, Error> {
        let mut request =
            v1::ListKeysRequest { parent: self.resource_name()?, ..Default::default() };
        let mut keys = Vec::new();
        loop {
            let page = self.client.call(request.clone()).await?;
            keys.extend(page.keys);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(keys);
            }
        }
    }

    /// Draws `size` random bytes, 1 to 4096, from the vault's backend.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if `size` is out of range.
    pub async fn random(&self, size: usize) -> Result<Plaintext, Error> {
        let parent = self.resource_name()?;
        let size = i32::try_from(size).unwrap_or(i32::MAX);
        let answer = self.client.call(v1::RandomBytesRequest { parent, size }).await?;
        Ok(answer.data.into())
    }

    /// The vault's public keys that verify signatures: a JWK set (RFC 7517), JSON.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no such vault.
    pub async fn jwks(&self) -> Result<String, Error> {
        let parent = self.resource_name()?;
        Ok(self.client.call(v1::GetJwksRequest { parent }).await?.jwks)
    }

    pub(crate) fn new(client: Client, name: Result<VaultName, BadName>) -> Self {
        Self { client, name }
    }

    fn resource_name(&self) -> Result<String, Error> {
        Ok(resource(&self.name)?.resource())
    }
}
