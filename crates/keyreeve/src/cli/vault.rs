//! `keyreeve vault`.

mod create;
mod list;
mod show;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a vault
    Create(create::Create),
    /// Show a vault
    Show(show::Show),
    /// List all vaults
    List(list::List),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
        }
    }
}
