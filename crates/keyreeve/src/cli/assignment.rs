//! `keyreeve assignment`.

mod create;
mod delete;
mod list;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Assign a role
    Create(create::Create),
    /// List who holds which role where
    List(list::List),
    /// Take an assignment away, at once
    Delete(delete::Delete),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Delete(command) => command.run(settings).await,
        }
    }
}
