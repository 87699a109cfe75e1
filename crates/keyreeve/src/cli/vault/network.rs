//! `keyreeve vault network`.

mod set;
mod show;

use clap::Subcommand;

use super::access::read;
use crate::{cli::Settings, failure::Failure};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show from where a vault's data can be reached
    Show(show::Show),
    /// Set from where a vault's data can be reached: all rules at once
    Set(set::Set),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Show(command) => command.run(settings).await,
            Self::Set(command) => command.run(settings).await,
        }
    }
}
