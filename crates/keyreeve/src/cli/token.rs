//! `keyreeve token`.

use clap::Subcommand;
use keyreeve_server::token;
use zeroize::Zeroizing;

use crate::{failure::Failure, output::print_line};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token: it is for the caller, its SHA-256 for the service's configuration
    Generate,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Generate => generate(),
        }
    }
}

fn generate() -> Result<(), Failure> {
    let made = token::generate()
        .map_err(|error| Failure::local(error.to_string(), "look at the kernel and the sandbox"))?;
    let shown = format!("token:  {}\nsha256: {}", made.token.expose(), made.sha256);
    print_line(&Zeroizing::new(shown))
}
