//! `keyreeve vault access revoke`.

use clap::Args;
use keyreeve_client::VaultName;

use crate::{cli::Settings, failure::Failure, principal::Holder};

#[derive(Args)]
pub(crate) struct Revoke {
    #[arg(value_name = "VAULT")]
    name: VaultName,

    #[command(flatten)]
    holder: Holder,
}

impl Revoke {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let mut access = super::read(&client, &self.name).await?;
        let principal = Some(self.holder.into_principal());
        let before = access.access_policies.len();
        access.access_policies.retain(|policy| policy.principal != principal);
        if access.access_policies.len() == before {
            return Err(Failure::local(
                format!(
                    "the vault has no access policy for {}",
                    crate::principal::shown(principal.as_ref())
                ),
                format!("`keyreeve vault access show {}` lists them", self.name),
            ));
        }
        super::write(settings, &client, access, "access_policies").await
    }
}
