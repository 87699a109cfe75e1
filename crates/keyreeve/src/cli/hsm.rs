//! `keyreeve hsm`: beside an HSM, without the service. What is done is in
//! `keyreeve_hsm`; here it is asked for and printed.

mod init;
mod list;
mod provision;
mod target;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show a module's slots, tokens and mechanisms
    List(list::List),
    /// Give a blank token its label and PINs
    Init(init::Init),
    /// Make the keys a token needs before it serves a slot group
    Provision(provision::Provision),
}

impl Command {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(settings),
            Self::Init(command) => command.run(settings),
            Self::Provision(command) => command.run(settings),
        }
    }
}

impl From<keyreeve_hsm::Failure> for Failure {
    fn from(failure: keyreeve_hsm::Failure) -> Self {
        Self::local(failure.what, failure.next)
    }
}
