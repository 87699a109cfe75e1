//! `VaultService`.

use keyreeve_proto::v1::{
    CreateVaultRequest, GetVaultRequest, ListVaultsRequest, ListVaultsResponse, Vault,
    vault::Tier as WireTier, vault_service_server::VaultService,
};
use keyreeve_service::{Error, PageRequest, Service, Tier, VaultName, vaults::CreateVault};
use tonic::{Request, Response, Status};

use crate::{call::Call, name, timestamp, to_status};

/// The door to vaults.
pub(crate) struct VaultDoor {
    service: Service,
}

impl VaultDoor {
    pub(crate) fn new(service: Service) -> Self {
        Self { service }
    }

    async fn create(&self, call: Call<CreateVaultRequest>) -> Result<Vault, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.vault.unwrap_or_default();
        let tier = match WireTier::try_from(wanted.tier) {
            Ok(WireTier::Unspecified | WireTier::Standard) => Tier::Standard,
            Ok(WireTier::Premium) => Tier::Premium,
            Err(_) => {
                return Err(Error::invalid("vault.tier", "tier must be STANDARD or PREMIUM"));
            }
        };
        let name = VaultName::new(&message.vault_id)
            .map_err(|bad| Error::invalid("vault_id", bad.to_string()))?;
        let request = CreateVault { name, tier };
        let vault = self.service.create_vault(&caller, request, deadline).await?;
        Ok(to_proto(&vault))
    }

    async fn get(&self, call: Call<GetVaultRequest>) -> Result<Vault, Error> {
        let Call { caller, deadline, message } = call;
        let name = name::vault("name", &message.name)?;
        let vault = self.service.get_vault(&caller, name, deadline).await?;
        Ok(to_proto(&vault))
    }

    async fn list(&self, call: Call<ListVaultsRequest>) -> Result<ListVaultsResponse, Error> {
        let Call { caller, deadline, message } = call;
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_vaults(&caller, page, deadline).await?;
        Ok(ListVaultsResponse {
            vaults: page.items.iter().map(|vault| to_proto(vault)).collect(),
            next_page_token: page.next,
        })
    }
}

#[tonic::async_trait]
impl VaultService for VaultDoor {
    async fn create_vault(
        &self,
        request: Request<CreateVaultRequest>,
    ) -> Result<Response<Vault>, Status> {
        let vault = self.create(Call::making_a_key(request)?).await;
        vault.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn get_vault(
        &self,
        request: Request<GetVaultRequest>,
    ) -> Result<Response<Vault>, Status> {
        let vault = self.get(Call::new(request)?).await;
        vault.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn list_vaults(
        &self,
        request: Request<ListVaultsRequest>,
    ) -> Result<Response<ListVaultsResponse>, Status> {
        let page = self.list(Call::new(request)?).await;
        page.map(Response::new).map_err(|e| to_status(&e))
    }
}

fn to_proto(vault: &keyreeve_service::Vault) -> Vault {
    let tier = match vault.tier() {
        Tier::Standard => WireTier::Standard,
        Tier::Premium => WireTier::Premium,
    };
    Vault {
        name: vault.resource_name().to_owned(),
        tier: tier.into(),
        backend: vault.backend().to_string(),
        create_time: Some(timestamp::to_proto(vault.created())),
    }
}
