//! `keyreeve process`: what the supervisor and `keyreeve hsm` start. Not for people.

use std::process::ExitCode;

use clap::Subcommand;
use keyreeve_server::process;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Faces the network
    Front,
    /// Holds keys
    Keyhost {
        /// For whoever reads a list of processes
        name: String,
    },
    /// Holds a module, for `keyreeve hsm`
    Hsm,
}

impl Command {
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Self::Front => process::front(),
            Self::Keyhost { name: _ } => process::keyhost(),
            Self::Hsm => keyreeve_hsm::worker::run(),
        }
    }
}
