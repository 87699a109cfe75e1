//! `keyreeve vault`.

mod access;
mod create;
mod list;
mod network;
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
    /// What access to a vault's data goes by, and its access policies
    #[command(subcommand)]
    Access(access::Command),
    /// From where a vault's data can be reached
    #[command(subcommand)]
    Network(network::Command),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Access(command) => command.run(settings).await,
            Self::Network(command) => command.run(settings).await,
        }
    }
}
