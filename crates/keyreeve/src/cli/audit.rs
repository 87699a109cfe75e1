//! `keyreeve audit`: reading, checking and proving the audit log, from the service or
//! from its directory.

mod export;
mod offline;
mod prove;
mod query;
mod show;
mod tail;
mod verify;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the last records, and go on with --follow
    Tail(tail::Tail),
    /// Show the records that match
    Query(query::Query),
    /// Check a log's directory: exit code 0 if it is what was signed, 1 if not
    Verify(verify::Verify),
    /// Make a proof that a record is in the log, or check one
    Prove(prove::Prove),
    /// Print records for a SIEM: OCSF API Activity, a line of JSON each
    Export(export::Export),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Tail(command) => command.run(settings).await,
            Self::Query(command) => command.run(settings).await,
            Self::Verify(command) => command.run(settings),
            Self::Prove(command) => command.run(settings).await,
            Self::Export(command) => command.run(settings).await,
        }
    }
}
