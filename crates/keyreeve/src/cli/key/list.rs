//! `keyreeve key list`.

use clap::Args;
use keyreeve_client::{VaultName, v1};

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct List {
    #[arg(value_name = "VAULT")]
    vault: VaultName,
}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let keys = settings.client()?.vault(self.vault.id()).keys().await?;
        let list = v1::ListKeysResponse { keys, next_page_token: String::new() };
        settings.output.print(&list, table::keys)
    }
}
