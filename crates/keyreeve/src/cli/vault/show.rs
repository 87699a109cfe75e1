//! `keyreeve vault show`.

use clap::Args;
use keyreeve_client::VaultName;

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "VAULT")]
    name: VaultName,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let vault = settings.client()?.vault(self.name.id()).get().await?;
        settings.output.print(&vault, table::vault)
    }
}
