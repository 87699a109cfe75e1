//! `keyreeve principal federated`.

use clap::{Args, Subcommand};
use keyreeve_client::v1;

use super::{PrincipalName, remove::Remove};
use crate::{cli::Settings, failure::Failure, table};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Have tokens of an issuer prove the principal
    Add(Add),
    /// Have them no longer prove it
    Remove(Remove),
}

#[derive(Args)]
pub(crate) struct Add {
    #[arg(value_name = "ID")]
    id: PrincipalName,

    /// The tokens' `iss`: the `url` of an [[issuer]] of the configuration
    #[arg(long, value_name = "URL")]
    issuer: String,

    /// The tokens' `sub`
    #[arg(long)]
    subject: String,

    /// What must be in their `aud`
    #[arg(long)]
    audience: String,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(settings).await,
            Self::Remove(command) => command.run(settings).await,
        }
    }
}

impl Add {
    async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let Self { id, issuer, subject, audience } = self;
        let federated = Some(v1::FederatedCredential { issuer, subject, audience });
        let request = v1::AddFederatedCredentialRequest { parent: id.0, federated };
        let changed = settings.client()?.call(request).await?;
        settings.output.print(&changed, table::principal)
    }
}
