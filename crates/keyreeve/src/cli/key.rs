//! `keyreeve key`.

mod attributes;
mod create;
mod import;
mod list;
mod rotate;
mod show;
mod update;
mod versions;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key, or a new version of one
    Create(create::Create),
    /// Take a key made elsewhere; it is sealed here to the process that will hold it
    Import(import::Import),
    /// Show a key at its latest or named version
    Show(show::Show),
    /// List the keys of a vault
    List(list::List),
    /// List the versions of a key, oldest first
    Versions(versions::Versions),
    /// Change a version's attributes
    Update(update::Update),
    /// Make a new version like the latest
    Rotate(rotate::Rotate),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::Import(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Versions(command) => command.run(settings).await,
            Self::Update(command) => command.run(settings).await,
            Self::Rotate(command) => command.run(settings).await,
        }
    }
}
