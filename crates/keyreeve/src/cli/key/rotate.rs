//! `keyreeve key rotate`.

use clap::Args;
use keyreeve_client::KeyName;

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Rotate {
    #[arg(value_name = "VAULT/NAME")]
    name: KeyName,
}

impl Rotate {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let key = settings.client()?.key(&self.name.to_string()).rotate().await?;
        settings.output.print(&key, table::key)
    }
}
