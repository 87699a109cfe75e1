//! Set a vault's network rules.

use keyreeve_authz::{Action, NetworkRules, VaultPolicy};
use keyreeve_keyhost::Deadline;

use super::VaultAccess;
use crate::{
    Caller, Error, Service,
    gate::{Ask, change},
    name::VaultName,
};

/// A request to change from where a vault can be reached.
#[derive(Clone)]
pub struct SetNetwork<'a> {
    /// Which vault.
    pub vault: VaultName<'a>,
    /// The rules: all of them.
    pub rules: NetworkRules,
    /// As it was read; empty if it does not matter.
    pub etag: &'a str,
}

impl Service {
    /// Changes a vault's network rules.
    pub async fn set_vault_network(
        &self,
        caller: &Caller,
        request: SetNetwork<'_>,
        deadline: Deadline,
    ) -> Result<VaultAccess, Error> {
        let SetNetwork { vault, rules, etag } = &request;
        let set = change::of_network(rules);
        let ask = Ask::vault(Action::UpdateVault, *vault).setting(&set);
        self.run(caller, ask, deadline, move |permit| async move {
            let change = |policy| VaultPolicy { network: rules.clone(), ..policy };
            self.change_policy(&permit, caller, (*vault, etag), ask, deadline, change).await
        })
        .await
    }
}
