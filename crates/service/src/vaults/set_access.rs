//! Set a vault's permission model and access policies.

use keyreeve_authz::{AccessPolicies, Action, PermissionModel, VaultPolicy};
use keyreeve_keyhost::Deadline;

use super::VaultAccess;
use crate::{
    Caller, Error, Service,
    gate::{Ask, change},
    name::VaultName,
};

/// A request to change what access to a vault's data goes by. What is `None` stays.
#[derive(Clone)]
pub struct SetAccess<'a> {
    /// Which vault.
    pub vault: VaultName<'a>,
    /// Roles or access policies.
    pub model: Option<PermissionModel>,
    /// Who has which permissions: all of them.
    pub access_policies: Option<AccessPolicies>,
    /// As it was read; empty if it does not matter.
    pub etag: &'a str,
}

impl Service {
    /// Changes a vault's permission model and access policies.
    pub async fn set_vault_access(
        &self,
        caller: &Caller,
        request: SetAccess<'_>,
        deadline: Deadline,
    ) -> Result<VaultAccess, Error> {
        let SetAccess { vault, model, access_policies, etag } = &request;
        let set = change::of_access(*model, access_policies.as_ref());
        let ask = Ask::vault(Action::SetAccessPolicies, *vault).setting(&set);
        self.run(caller, ask, deadline, move |permit| async move {
            let change = |policy: VaultPolicy| VaultPolicy {
                model: model.unwrap_or(policy.model),
                access_policies: access_policies.clone().unwrap_or(policy.access_policies),
                network: policy.network,
            };
            self.change_policy(&permit, caller, (*vault, etag), ask, deadline, change).await
        })
        .await
    }
}
