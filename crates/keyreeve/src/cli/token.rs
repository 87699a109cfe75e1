//! `keyreeve token`.

mod create;
mod generate;
mod list;
mod revoke;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Issue a token, which is shown this once
    Create(create::Create),
    /// List the tokens that were issued
    List(list::List),
    /// Revoke a token: it is refused from then on
    Revoke(revoke::Revoke),
    /// Make a token for the configuration: it is for the caller, its SHA-256 for the file
    Generate,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Revoke(command) => command.run(settings).await,
            Self::Generate => generate::generate(),
        }
    }
}
