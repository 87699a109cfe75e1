//! `keyreeve status`.

use clap::Args;

use super::Settings;
use crate::{failure::Failure, table};

#[derive(Args)]
pub(crate) struct Status {}

impl Status {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let status = settings.client()?.status().await?;
        settings.output.print(&status, table::status)
    }
}
