//! `keyreeve vault network show`.

use clap::Args;
use keyreeve_client::VaultName;

use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "VAULT")]
    name: VaultName,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let access = super::read(&settings.client()?, &self.name).await?;
        settings.output.print(&access, access_table::network)
    }
}
