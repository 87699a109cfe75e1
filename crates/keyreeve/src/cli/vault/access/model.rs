//! `keyreeve vault access model`.

use clap::{Args, ValueEnum};
use keyreeve_client::{VaultName, v1::vault_access::PermissionModel};

use crate::{cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Model {
    #[arg(value_name = "VAULT")]
    name: VaultName,

    /// What access to its data goes by from now on
    #[arg(value_enum)]
    model: ModelName,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModelName {
    /// Role assignments
    Roles,
    /// The vault's access policies
    AccessPolicies,
}

impl Model {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let mut access = super::read(&client, &self.name).await?;
        access.set_permission_model(match self.model {
            ModelName::Roles => PermissionModel::Roles,
            ModelName::AccessPolicies => PermissionModel::AccessPolicies,
        });
        super::write(settings, &client, access, "permission_model").await
    }
}
