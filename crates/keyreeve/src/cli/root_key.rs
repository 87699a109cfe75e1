//! `keyreeve root-key`.

use std::path::PathBuf;

use clap::Subcommand;
use keyreeve_server::root_key;

use crate::{failure::Failure, output::print_line};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a root key in a new file of mode 0400
    Create {
        /// Where; best on another volume than the data
        file: PathBuf,
    },
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Self::Create { file } = self;
        root_key::create(&file).map_err(|error| {
            Failure::local(error.to_string(), "name a file that does not exist yet")
        })?;
        print_line(&format!(
            "made {}; keep a copy where the data is not: without it nothing can be opened",
            file.display()
        ))
    }
}
