//! `keyreeve vault access`.

mod grant;
mod model;
mod revoke;
mod show;

use clap::Subcommand;
use keyreeve_client::{Client, VaultName, v1};
use prost_types::FieldMask;

use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what access to a vault's data goes by, and its access policies
    Show(show::Show),
    /// Switch a vault between roles and access policies
    Model(model::Model),
    /// Set what somebody may do with all keys, secrets or certificates of a vault
    Grant(grant::Grant),
    /// Take somebody's access policy away, at once
    Revoke(revoke::Revoke),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Show(command) => command.run(settings).await,
            Self::Model(command) => command.run(settings).await,
            Self::Grant(command) => command.run(settings).await,
            Self::Revoke(command) => command.run(settings).await,
        }
    }
}

pub(super) async fn read(client: &Client, vault: &VaultName) -> Result<v1::VaultAccess, Failure> {
    let name = format!("{}/access", vault.resource());
    Ok(client.call(v1::GetVaultAccessRequest { name }).await?)
}

/// Writes what was read and changed, unless somebody was quicker, and shows it.
async fn write(
    settings: &Settings,
    client: &Client,
    access: v1::VaultAccess,
    path: &str,
) -> Result<(), Failure> {
    let update_mask = Some(FieldMask { paths: vec![path.to_owned()] });
    let request = v1::UpdateVaultAccessRequest { vault_access: Some(access), update_mask };
    settings.output.print(&client.call(request).await?, access_table::access)
}
