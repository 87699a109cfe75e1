//! `keyreeve key versions`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Versions {
    #[arg(value_name = "VAULT/NAME")]
    name: KeyName,
}

impl Versions {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let versions = settings.client()?.key(&self.name.to_string()).versions().await?;
        let list = v1::ListKeyVersionsResponse { versions, next_page_token: String::new() };
        settings.output.print(&list, table::versions)
    }
}
