//! `keyreeve hsm`: beside an HSM, without the service. What is done is in
//! `keyreeve_hsm`; here it is asked for and printed.

mod ceremony;
mod check;
mod init;
mod list;
mod pin;
mod provision;
mod replicate;
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
    /// Try what a token does and what it refuses: exit code 0 if it is sound, 1 if not
    Check(check::Check),
    /// Bring a group's wrapping key to another token, and prove it is the same
    Replicate(replicate::Replicate),
    /// Change a token's PIN
    #[command(subcommand)]
    Pin(pin::Command),
    /// Set up a group with two people and a transcript
    #[command(subcommand)]
    Ceremony(ceremony::Command),
}

impl Command {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(settings),
            Self::Init(command) => command.run(settings),
            Self::Provision(command) => command.run(settings),
            Self::Check(command) => command.run(settings),
            Self::Replicate(command) => command.run(settings),
            Self::Pin(command) => command.run(settings),
            Self::Ceremony(command) => command.run(settings),
        }
    }
}

impl From<keyreeve_hsm::Failure> for Failure {
    fn from(failure: keyreeve_hsm::Failure) -> Self {
        Self::local(failure.what, failure.next)
    }
}
