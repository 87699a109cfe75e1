//! Get a vault.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Caller, Error, Service, Vault, gate::Ask, name::VaultName};

impl Service {
    /// Reads a vault.
    pub async fn get_vault(
        &self,
        caller: &Caller,
        name: VaultName<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Vault>, Error> {
        self.run(caller, Ask::vault(Action::GetVault, name), deadline, move |permit| async move {
            self.find_vault(&permit, name)
        })
        .await
    }
}
