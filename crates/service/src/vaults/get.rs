//! Get a vault.

use std::sync::Arc;

use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, Service, Vault,
    gate::{Action, Target},
    name::VaultName,
};

impl Service {
    /// Reads a vault.
    pub async fn get_vault(
        &self,
        caller: &Caller,
        name: VaultName<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Vault>, Error> {
        let target = Target::Vault(name);
        self.run(caller, Action::GetVault, target, deadline, move |permit| async move {
            self.find_vault(&permit, name)
        })
        .await
    }
}
