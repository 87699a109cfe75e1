//! `keyreeve vault access grant`.

use clap::Args;
use keyreeve_client::{VaultName, v1};

use crate::{cli::Settings, failure::Failure, principal::Holder};

/// What is given takes the place of what the holder had. Permissions are Azure's; `all`
/// leaves purge out.
#[derive(Args)]
pub(crate) struct Grant {
    #[arg(value_name = "VAULT")]
    name: VaultName,

    #[command(flatten)]
    holder: Holder,

    /// Permissions on keys, as get,list,sign
    #[arg(long, value_delimiter = ',', value_name = "PERMISSIONS", required_unless_present_any = ["secrets", "certificates"])]
    keys: Vec<String>,

    /// Permissions on secrets, as get,list
    #[arg(long, value_delimiter = ',', value_name = "PERMISSIONS")]
    secrets: Vec<String>,

    /// Permissions on certificates, as get,list
    #[arg(long, value_delimiter = ',', value_name = "PERMISSIONS")]
    certificates: Vec<String>,
}

impl Grant {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let Self { name, holder, keys, secrets, certificates } = self;
        let client = settings.client()?;
        let mut access = super::read(&client, &name).await?;
        let principal = Some(holder.into_principal());
        access.access_policies.retain(|policy| policy.principal != principal);
        access.access_policies.push(v1::AccessPolicy { principal, keys, secrets, certificates });
        super::write(settings, &client, access, "access_policies").await
    }
}
