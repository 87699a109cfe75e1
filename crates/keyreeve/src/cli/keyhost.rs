//! `keyreeve keyhost …`: what runs beside an HSM on another host.

use std::path::PathBuf;

use keyreeve_server::{config::KeyhostConfig, remote};

use super::serve::failed;
use crate::failure::Failure;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Serve a slot to a service elsewhere, as a configuration says
    Serve(Serve),
}

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// The configuration, TOML; docs/slot-groups.md describes every field
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Check the configuration and everything it names, then end
    #[arg(long)]
    check: bool,
}

impl Command {
    /// Runs until SIGTERM or SIGINT.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Self::Serve(Serve { config, check }) = self;
        let config = KeyhostConfig::load(&config).map_err(|report| {
            Failure::local(report.to_string(), "mend what is named above and start again")
        })?;
        if check {
            return crate::output::print_line("the configuration is complete and consistent");
        }
        remote::serve(config).map_err(failed)
    }
}
