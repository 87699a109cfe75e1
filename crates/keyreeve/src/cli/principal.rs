//! `keyreeve principal`.

mod certificate;
mod create;
mod delete;
mod enable;
mod federated;
mod list;
mod remove;
mod secret;
mod show;

use std::str::FromStr;

use clap::Subcommand;

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a principal
    Create(create::Create),
    /// List all principals
    List(list::List),
    /// Show a principal with its credentials
    Show(show::Show),
    /// Refuse its credentials and tokens
    Disable(enable::Enable),
    /// Take its credentials and tokens again
    Enable(enable::Enable),
    /// Delete it with its credentials; its tokens end
    Delete(delete::Delete),
    /// Client secrets
    #[command(subcommand)]
    Secret(secret::Command),
    /// Certificates whose keys sign client assertions
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// Tokens of other issuers that prove it
    #[command(subcommand)]
    Federated(federated::Command),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::Disable(command) => command.run(settings, true).await,
            Self::Enable(command) => command.run(settings, false).await,
            Self::Delete(command) => command.run(settings).await,
            Self::Secret(command) => command.run(settings).await,
            Self::Certificate(command) => command.run(settings).await,
            Self::Federated(command) => command.run(settings).await,
        }
    }
}

/// `principals/{principal}`, from a UUID.
#[derive(Debug, Clone)]
pub(crate) struct PrincipalName(pub(crate) String);

impl FromStr for PrincipalName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let dash = |at| matches!(at, 8 | 13 | 18 | 23);
        let lawful = text.len() == 36
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if dash(at) { byte == b'-' } else { byte.is_ascii_hexdigit() });
        if lawful {
            return Ok(Self(format!("principals/{}", text.to_ascii_lowercase())));
        }
        Err("a principal is named by its id; `keyreeve principal list` shows them".to_owned())
    }
}
