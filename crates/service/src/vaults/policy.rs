//! What a vault says about access to it, as it is read and changed.

use keyreeve_authz::VaultPolicy;
use keyreeve_keyhost::Deadline;
use keyreeve_store::{Batch, MAX_VALUE_BYTES};
use keyreeve_types::UnixTime;

use crate::{
    Caller, Error, Service,
    access::{AccessPath, Snapshot, check_etag},
    commit::encode,
    gate::{Ask, Permit},
    name::VaultName,
    record::VaultPolicyRecord,
    registry::{self, Path},
};

/// What a vault says about access to it.
#[derive(Debug, Clone)]
pub struct VaultAccess {
    /// `vaults/{vault}`.
    pub vault: String,
    /// What it says; the default if it never said anything.
    pub policy: VaultPolicy,
    /// When it last changed; none if it never did.
    pub updated: Option<UnixTime>,
    /// Changes with every change: of permission model, access policies and network rules
    /// alike.
    pub etag: String,
}

impl Service {
    pub(super) fn read_access(
        &self,
        permit: &Permit,
        name: VaultName<'_>,
    ) -> Result<VaultAccess, Error> {
        let vault = self.find_vault(permit, name)?;
        let now = self.shared().access.now();
        Ok(VaultAccess::of(&now, vault.name().folded(), vault.resource_name()))
    }

    /// Changes what the vault says, on the condition that the vault is there.
    pub(super) async fn change_policy(
        &self,
        permit: &Permit,
        caller: &Caller,
        (name, etag): (VaultName<'_>, &str),
        ask: Ask<'_>,
        deadline: Deadline,
        change: impl Fn(VaultPolicy) -> VaultPolicy,
    ) -> Result<VaultAccess, Error> {
        let found = || {
            let now = self.shared().registry.now();
            registry::entry(&now, name).map(|entry| (entry.vault.clone(), entry.revision))
        };
        let (vault, _) = found()?;
        let folded = vault.name().folded();
        let (vault_path, path) = (
            Path::Vault(folded.to_owned()).to_store(),
            AccessPath::Vault(folded.to_owned()).to_store(),
        );
        self.change_access(permit, caller, ask, deadline, |now| {
            let (_, revision) = found()?;
            let present = VaultAccess::of(now, folded, vault.resource_name());
            check_etag(etag, &present.etag)?;
            let changed = change(present.policy);
            let time = self.shared().clock.now();
            let record = encode(&VaultPolicyRecord::new(vault.name(), &changed, time))?;
            if record.len() > MAX_VALUE_BYTES {
                return Err(Error::invalid(
                    "access_policies",
                    "the access policies are too long to be stored; use groups, or roles",
                ));
            }
            let batch = Batch::new().require_revision(vault_path.clone(), revision);
            Ok(batch.put(path.clone(), record))
        })
        .await?;
        self.read_access(permit, name)
    }
}

impl VaultAccess {
    fn of(snapshot: &Snapshot, folded: &str, resource_name: &str) -> Self {
        let stamp = snapshot.vaults.get(folded);
        Self {
            vault: resource_name.to_owned(),
            policy: snapshot.policies.vault(folded).cloned().unwrap_or_default(),
            updated: stamp.map(|stamp| stamp.updated),
            etag: stamp.map_or_else(|| "0".to_owned(), |stamp| stamp.etag()),
        }
    }
}
