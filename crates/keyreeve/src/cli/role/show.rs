//! `keyreeve role show`.

use clap::Args;

use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Show {
    /// Its name or id
    #[arg(value_name = "ROLE")]
    role: String,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let role = super::find(&settings.client()?, &self.role).await?;
        settings.output.print(&role, access_table::role)
    }
}
