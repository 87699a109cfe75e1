//! Create a vault.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;
use keyreeve_types::Name;

use crate::{
    Caller, Error, Service, Tier, Vault,
    commit::{NotCommitted, encode},
    draw,
    gate::Ask,
    name::VaultName,
    record::{FORMAT, VaultRecord},
    registry::Path,
};

/// A request to make a vault.
#[derive(Clone, Copy)]
pub struct CreateVault<'a> {
    /// Its name.
    pub name: VaultName<'a>,
    /// Where its keys will be held.
    pub tier: Tier,
}

impl Service {
    /// Makes a vault, with a key of its own under which its keys are sealed.
    pub async fn create_vault(
        &self,
        caller: &Caller,
        request: CreateVault<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Vault>, Error> {
        let CreateVault { name, tier } = request;
        self.run(
            caller,
            Ask::vault(Action::CreateVault, name),
            deadline,
            move |permit| async move {
                if self.find_vault(&permit, name).is_ok() {
                    return Err(exists(name));
                }
                let spelled: Name =
                    name.as_str().parse().map_err(|_| Error::invalid("vault_id", "not a name"))?;
                let client = self.backends().for_tier(tier)?;
                let id = draw::vault_id()?;
                let vault_key = client
                    .create_vault_key(id, deadline)
                    .await
                    .map_err(|e| Error::from_call(e, client.name(), "vault"))?;
                let path = Path::Vault(spelled.folded().to_owned()).to_store();
                let record = VaultRecord {
                    format: FORMAT,
                    id,
                    name: spelled,
                    tier,
                    backend: client.name().to_owned(),
                    vault_key,
                    created: self.shared().clock.now().0,
                };
                let batch = Batch::new().require_absent(path.clone()).put(path, encode(&record)?);
                match self.commit(&permit, batch, deadline).await {
                    Ok(()) => self.find_vault(&permit, name),
                    Err(NotCommitted::Conflict) => Err(exists(name)),
                    Err(other) => Err(other.into()),
                }
            },
        )
        .await
    }
}

fn exists(name: VaultName<'_>) -> Error {
    Error::exists(format_args!("vault {name}"))
}
