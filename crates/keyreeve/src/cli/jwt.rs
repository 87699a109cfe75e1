//! `keyreeve jwt`.

mod jwks;
mod sign;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Sign claims and print the token
    Sign(sign::Sign),
    /// Print the public keys that verify tokens, as a JWK set
    Jwks(jwks::Jwks),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Sign(command) => command.run(settings).await,
            Self::Jwks(command) => command.run(settings).await,
        }
    }
}
