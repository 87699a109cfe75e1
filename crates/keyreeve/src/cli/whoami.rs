//! `keyreeve whoami`.

use clap::Args;

use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct WhoAmI {}

impl WhoAmI {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let who = settings.client()?.who_am_i().await?;
        settings.output.print(&who, access_table::who)
    }
}
