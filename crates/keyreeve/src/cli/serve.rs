//! `keyreeve serve`.

use std::path::PathBuf;

use keyreeve_server::{
    config::Config,
    supervisor::{self, Lock},
};

use crate::failure::Failure;

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// The configuration, TOML; docs/configuration.md describes every field
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Check the configuration and everything it names, then end
    #[arg(long)]
    check: bool,
}

impl Serve {
    /// Runs until SIGTERM or SIGINT.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let config = Config::load(&self.config).map_err(|report| {
            Failure::local(report.to_string(), "mend what is named above and start again")
        })?;
        if self.check {
            return crate::output::print_line("the configuration is complete and consistent");
        }
        let lock = Lock::take(&config.data_dir).map_err(failed)?;
        supervisor::run(&config, lock, &mut |_| ()).map_err(failed)
    }
}

/// The supervisor's errors say what to do themselves.
pub(crate) fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::local(error.to_string(), "nothing is running; mend the cause and start again")
}
