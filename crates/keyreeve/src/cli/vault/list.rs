//! `keyreeve vault list`.

use clap::Args;
use keyreeve_client::v1;

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct List {}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let vaults = settings.client()?.vaults().await?;
        let list = v1::ListVaultsResponse { vaults, next_page_token: String::new() };
        settings.output.print(&list, table::vaults)
    }
}
