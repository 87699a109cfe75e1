//! Get what a vault says about access to it.

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use super::VaultAccess;
use crate::{Caller, Error, Service, gate::Ask, name::VaultName};

impl Service {
    /// Reads a vault's permission model, access policies and network rules.
    pub async fn get_vault_access(
        &self,
        caller: &Caller,
        name: VaultName<'_>,
        deadline: Deadline,
    ) -> Result<VaultAccess, Error> {
        let ask = Ask::vault(Action::GetVault, name);
        self.run(
            caller,
            ask,
            deadline,
            move |permit| async move { self.read_access(&permit, name) },
        )
        .await
    }
}
